"""The pipeline as a child process: one JSON request on standard input, JSON lines back."""

from pathlib import Path
from typing import Any

from mobilenet_tvm.base.protocol import Emit, serve


def _compile(request: dict[str, Any], emit: Emit) -> dict[str, Any]:
    from mobilenet_tvm.base.tuning_log import TuningLogs
    from tvm_pipeline.compile import compile_model
    from tvm_pipeline.hardware.target import Target

    target = Target.from_json(request["target"], request.get("dtype", "float32"))
    logs = TuningLogs.load([Path(one) for one in request["logs"]], target.logs, request["dtype"])
    return compile_model(
        Path(request["onnx"]),
        target,
        logs,
        int(request["threads"]),
        Path(request["out"]),
        request.get("shape"),
        emit,
        static=bool(request.get("static")),
    )


def _tune(request: dict[str, Any], emit: Emit) -> dict[str, Any]:
    from mobilenet_tvm.base.tracker import Device
    from mobilenet_tvm.base.tuning_log import TuningLogs
    from tvm_pipeline.hardware.target import Target
    from tvm_pipeline.tune import layers_of, tune_model
    from tvm_pipeline.tuning.task import Budget, Task

    dtype = request["dtype"]
    target = Target.from_json(request["target"], dtype)
    known = TuningLogs.load([Path(folder) for folder in request.get("known_logs", [])], target.logs, dtype)
    calls = layers_of(Path(request["onnx"]), target, request.get("shape"))
    return tune_model(
        Task.of(calls, known, target, int(request["threads"]), dtype),
        Budget(request.get("trials"), request.get("seconds")),
        measure=request.get("measure", "clock"),
        device=Device.parse(request["device"]) if request.get("device") else None,
        logs=Path(request["logs"]),
        database=Path(request["database"]),
        emit=emit,
    )


def _layers(request: dict[str, Any], emit: Emit) -> dict[str, Any]:
    from tvm_pipeline.hardware.target import Target
    from tvm_pipeline.tune import layers_of

    found = layers_of(
        Path(request["onnx"]),
        Target.from_json(request["target"], request.get("dtype", "float32")),
        request.get("shape"),
    )
    return {"layers": [{"layer": str(layer), "count": count} for layer, count in found.items()]}


def _records(request: dict[str, Any]) -> list[Any]:
    """The target's own records in all folders, a later folder's line winning over none."""
    from mobilenet_tvm.base.tuning_log import log_path, read_log

    target, dtype = request["target"]["name"], request["dtype"]
    return [record for folder in request["logs"] for record in read_log(log_path(Path(folder), target, dtype))]


def _logs_check(request: dict[str, Any], emit: Emit) -> dict[str, Any]:
    from tvm_pipeline.hardware.target import Target
    from tvm_pipeline.logs.check import check_records

    records = _records(request)
    checked = check_records(
        records,
        Target.from_json(request["target"], request.get("dtype", "float32")),
        can_run=bool(request.get("can_run", True)),
        on_checked=lambda done: emit.progress("checking", done, len(records)),
    )
    failed = [
        {"layer": one.layer, "threads": one.threads, "error": one.error} for one in checked if one.error is not None
    ]
    return {"checked": len(checked), "failed": failed}


def _logs_export(request: dict[str, Any], emit: Emit) -> dict[str, Any]:
    from tvm_pipeline.hardware.target import Target
    from tvm_pipeline.logs.export import export_metaschedule

    target = Target.from_json(request["target"], request.get("dtype", "float32"))
    return {"records": export_metaschedule(_records(request), target, Path(request["out"]))}


def _board_describe(request: dict[str, Any], emit: Emit) -> dict[str, Any]:
    from mobilenet_tvm.base.tracker import Device
    from tvm_pipeline.backends.boards.run_package import describe

    return {"board": describe(Device.parse(request["device"]))}


def _board_run(request: dict[str, Any], emit: Emit) -> dict[str, Any]:
    from mobilenet_tvm.base.tracker import Device
    from tvm_pipeline.backends.boards.run_package import run_package

    folder = Path(request["folder"])
    return run_package(Device.parse(request["device"]), folder, request["files"], request["words"], emit)


if __name__ == "__main__":
    serve(
        {
            "compile": _compile,
            "tune": _tune,
            "layers": _layers,
            "logs_check": _logs_check,
            "logs_export": _logs_export,
            "board_describe": _board_describe,
            "board_run": _board_run,
        }
    )
