"""MODEL -> an ONNX file."""

from __future__ import annotations

from pathlib import Path

from mobilenet_tvm.base.answers import Exported
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.requests import ExportOptions, ExportRequest
from mobilenet_tvm.model import source as model_source
from mobilenet_tvm.verbs.options import options_of


@options_of(ExportRequest)
def export(request: ExportRequest) -> Exported:
    """Export a network to ONNX, checked against PyTorch and ONNX Runtime before it is written.

    :returns: ``schemas/export.json``.
    :raises UserError: the model or the weights do not exist or do not fit; nothing is written then.
    """
    path = Path(request.output).absolute()
    if path.suffix != ".onnx":
        raise UserError(f"the output {request.output} must end in .onnx")
    options = ExportOptions.of(request)
    job = model_source.export_job(request.model, path, request.weights, request.shape, options)
    path.parent.mkdir(parents=True, exist_ok=True)
    return model_source.export_model(request.model, job, request.on_event)
