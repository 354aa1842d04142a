"""Under what conditions a backend's seconds come about: what a log's campaign says of them."""

import datetime
from dataclasses import dataclass

from mobilenet_tvm.base.logs.tuning_log import Origin


@dataclass(frozen=True)
class Conditions:
    """Where the seconds of a campaign come from.

    :ivar campaign: the campaign's name.
    :ivar remarks: what a reader of the figures must know.
    :ivar model: the static model's version, None where a clock was read.
    :ivar gpu: the GPU that ran the kernels, or was modelled.
    :ivar cpu: LLVM's name of the CPU that did; None where that is not known.
    """

    record: Origin
    campaign: str
    device: str
    cpu_model: str
    remarks: str = ""
    model: int | None = None
    gpu: str | None = None
    cpu: str | None = None


def campaign_today(what: str) -> str:
    """A campaign's name: ``2026-11-23 amd-epyc 1t``."""
    return f"{datetime.date.today().isoformat()} {what}"


def short_name(cpu: str) -> str:
    """``amd-epyc-9b14-96-core`` for what a CPU says of itself."""
    return "-".join(cpu.lower().replace("(r)", "").replace("(tm)", "").split()[:4])
