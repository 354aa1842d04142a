"""Whether tuning records still apply with this TVM: every line must schedule, build and compute the right numbers."""

from collections.abc import Callable, Sequence

from mobilenet_tvm.base.answers import FailedLine, LogsChecked
from mobilenet_tvm.base.logs.tuning_log import TuningRecord
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.logs.replay import replay


def check_records(
    records: Sequence[TuningRecord], target: AnyTarget, can_run: bool, on_checked: Callable[[int], None]
) -> LogsChecked:
    """Checks each record, and names those that no longer apply.

    :param can_run: whether this machine runs the target's code; else kernels are built and not run.
    :param on_checked: is told how many are done.
    :raises UserError: there is no nvcc, which a GPU's kernels are compiled with.
    """
    failed: list[FailedLine] = []
    for number, (record, error) in enumerate(zip(records, replay(records, target, can_run), strict=True), 1):
        if error is not None:
            failed.append(FailedLine(layer=record.layer, threads=record.threads, error=error))
        on_checked(number)
    return LogsChecked(checked=len(records), failed=tuple(failed))
