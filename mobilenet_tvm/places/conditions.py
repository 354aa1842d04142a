"""Under what conditions a time was measured; a figure without them is not worth keeping."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from mobilenet_tvm import __version__
from mobilenet_tvm.base.document import UNSET, Count, Document, UnsetType
from mobilenet_tvm.base.host_cpu import host_arch, host_model

_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
_STAT = Path("/proc/stat")
BUSY_CORES = 0.3  # more work of others than this and a time is not to be trusted
_SAMPLE_S = 0.5


def _cpu_ticks() -> tuple[int, int]:
    """Ticks that all cores spent idle, and all ticks."""
    ticks = [int(value) for value in _STAT.read_text().splitlines()[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def busy_cores(sample_s: float = _SAMPLE_S) -> float | None:
    """How many cores other programs keep busy right now; None where nothing tells."""
    if not _STAT.exists():
        return None
    idle, total = _cpu_ticks()
    time.sleep(sample_s)
    idle_after, total_after = _cpu_ticks()
    if total_after == total:
        return None
    return (os.cpu_count() or 1) * (1 - (idle_after - idle) / (total_after - total))


def governor() -> str | None:
    """The clock's governor, where the kernel tells."""
    return _GOVERNOR.read_text().strip() if _GOVERNOR.exists() else None


def versions(*distributions: str) -> dict[str, str]:
    """This project's version and those of installed packages."""
    import importlib.metadata

    return {"mobilenet_tvm": __version__, **{name: importlib.metadata.version(name) for name in distributions}}


class Conditions(Document):
    """CPU, clock governor, what else runs, date.

    :ivar cores: null where a board does not say.
    :ivar busy_cores: cores that other programs kept busy before the measurement.
    :ivar board: address of the board that the tracker named.
    """

    cpu: str
    arch: str
    cores: Count | None
    governor: str | None
    load_average: tuple[float, ...]
    busy_cores: float | None
    busy: bool
    date: str
    board: str | UnsetType = UNSET


class MeasuredUnder(Conditions):
    """The conditions of a measurement, and the versions of what was measured."""

    versions: dict[str, str]


def conditions() -> Conditions:
    """Those of this machine, now. Takes half a second."""
    busy = busy_cores()
    return Conditions(
        cpu=host_model(),
        arch=host_arch(),
        cores=len(os.sched_getaffinity(0)),
        governor=governor(),
        load_average=os.getloadavg(),
        busy_cores=busy,
        busy=busy is not None and busy > BUSY_CORES,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def busy_warning(found: Conditions) -> str | None:
    """What to tell the user if other programs disturb the measurement."""
    if not found.busy:
        return None
    return f"other programs keep {found.busy_cores:.1f} of this machine's cores busy: the times will be too long"
