"""The pipeline as a child process: one request on standard input, JSON lines back."""

from collections.abc import Sequence
from pathlib import Path

from mobilenet_tvm.base.answers import (
    BoardFacts,
    BoardRun,
    LogsChecked,
    LogsExported,
    TuningResult,
)
from mobilenet_tvm.base.compiled import Built
from mobilenet_tvm.base.jobs import (
    BoardDescribeJob,
    BoardRunJob,
    CompileJob,
    LogsCheckJob,
    LogsExportJob,
    TuneJob,
)
from mobilenet_tvm.base.logs.choice_log import LoggedChoices
from mobilenet_tvm.base.logs.tuning_log import TuningLogs, TuningRecord, log_path, read_log
from mobilenet_tvm.base.protocol import Emit, serve
from mobilenet_tvm.base.tracker import Device


def _compile(job: CompileJob, emit: Emit) -> Built:
    from tvm_pipeline.compile import compile_model
    from tvm_pipeline.hardware.target import Target

    dtype = job.options.dtype
    target = Target.from_json(job.target, dtype, job.threads)
    logs = TuningLogs.load(job.logs, target.logs, dtype, target.cpu)
    target = target.with_choices(LoggedChoices.load(job.logs, target.logs, dtype, job.threads, target.cpu))
    return compile_model(job.onnx, target, logs, job.threads, job.out, job.shape, emit, job.options)


def _tune(job: TuneJob, emit: Emit) -> TuningResult:
    from tvm_pipeline.tune import tune_model

    return tune_model(job, emit)


def _records(target: str, dtype: str, folders: Sequence[Path]) -> list[TuningRecord]:
    """The target's own records in all folders, a later folder's line winning over none."""
    return [record for folder in folders for record in read_log(log_path(folder, target, dtype))]


def _logs_check(job: LogsCheckJob, emit: Emit) -> LogsChecked:
    from tvm_pipeline.hardware.target import Target
    from tvm_pipeline.logs.check import check_records

    records = _records(job.target.name, job.dtype, job.logs)
    target = Target.from_json(job.target, job.dtype)
    return check_records(records, target, job.can_run, lambda done: emit.progress("checking", done, len(records)))


def _logs_export(job: LogsExportJob, emit: Emit) -> LogsExported:
    from tvm_pipeline.hardware.target import Target
    from tvm_pipeline.logs.export import export_metaschedule

    records = _records(job.target.name, job.dtype, job.logs)
    return LogsExported(records=export_metaschedule(records, Target.from_json(job.target, job.dtype), job.out))


def _board_describe(job: BoardDescribeJob, emit: Emit) -> BoardFacts:
    from tvm_pipeline.backends.boards.run_package import describe

    return describe(Device.parse(job.device))


def _board_run(job: BoardRunJob, emit: Emit) -> BoardRun:
    from tvm_pipeline.backends.boards.run_package import run_package

    return run_package(Device.parse(job.device), job.folder, job.files, job.words, emit)


if __name__ == "__main__":
    serve(
        {
            CompileJob: _compile,
            TuneJob: _tune,
            LogsCheckJob: _logs_check,
            LogsExportJob: _logs_export,
            BoardDescribeJob: _board_describe,
            BoardRunJob: _board_run,
        }
    )
