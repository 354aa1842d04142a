"""Whether tuning records still apply with this TVM: every line must schedule, build and compute the right numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mobilenet_tvm.base.tuning_log import TuningRecord
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.logs.replay import replay


@dataclass(frozen=True)
class CheckedRecord:
    """``error`` is None for a line that still applies."""

    layer: str
    threads: int
    error: str | None


def check_records(
    records: Sequence[TuningRecord], target: AnyTarget, can_run: bool, on_checked: Callable[[int], None]
) -> list[CheckedRecord]:
    """Checks each record.

    :param can_run: whether this machine runs the target's code; else kernels are built and not run.
    :param on_checked: is told how many are done.
    :raises UserError: there is no nvcc, which a GPU's kernels are compiled with.
    """
    checked: list[CheckedRecord] = []
    for record, error in zip(records, replay(records, target, can_run), strict=True):
        checked.append(CheckedRecord(record.layer, record.threads, error))
        on_checked(len(checked))
    return checked
