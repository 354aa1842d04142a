"""What the CPU of this machine offers, under the names that Linux gives its features."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from mobilenet_tvm.base.cpu_name import cpu_name

_ARCH_NAMES = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}
_CPUINFO = Path("/proc/cpuinfo")


def host_arch() -> str:
    """The architecture's name as targets spell it: ``x86_64``, ``aarch64``."""
    machine = platform.machine().lower()
    return _ARCH_NAMES.get(machine, machine)


def _field(text: str, names: tuple[str, ...]) -> str | None:
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() in names:
            return value.strip()
    return None


@cache
def host_features() -> frozenset[str]:
    """CPU features as in the flags of /proc/cpuinfo; empty where there is no such file (not Linux)."""
    if not _CPUINFO.exists():
        return frozenset()
    return frozenset((_field(_CPUINFO.read_text(), ("flags", "Features")) or "").split())


@cache
def host_model() -> str:
    """The CPU's own name, ``unknown`` where nothing says it."""
    if not _CPUINFO.exists():
        return platform.processor() or "unknown"
    return _field(_CPUINFO.read_text(), ("model name", "Model")) or "unknown"


@cache
def host_cpu() -> str | None:
    """This CPU by LLVM's name; None where it is not known."""
    if not _CPUINFO.exists():
        return None
    first_core = _CPUINFO.read_text().partition("\n\n")[0]
    pairs = (line.partition(":") for line in first_core.splitlines())
    return cpu_name({field.strip(): value.strip() for field, _, value in pairs})


def missing_features(arch: str, features: Iterable[str]) -> list[str]:
    """What this CPU lacks of what is asked, in the order asked; a foreign architecture lacks itself."""
    if arch != host_arch():
        return [arch]
    return [feature for feature in features if feature not in host_features()]
