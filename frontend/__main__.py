"""``python -m frontend``: one request on standard input, JSON lines on standard output."""

from __future__ import annotations

from mobilenet_tvm.base.answers import Exported, Trained, Zoo
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.jobs import ExportJob, ModelsJob, TrainJob
from mobilenet_tvm.base.protocol import Emit, serve  # blocks the imports that the parent named: before torch


def _prepare_torch() -> None:
    """Import PyTorch for one thread: on a busy machine, threads that wait for one another cost more than they bring.

    :raises UserError: it is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise UserError(
            "models of the zoo and modules of your own need PyTorch: pip install 'mobilenet-tvm[frontend]'; "
            "an ONNX file needs none"
        ) from error
    torch.set_num_threads(1)


def _export(job: ExportJob, emit: Emit) -> Exported:
    _prepare_torch()
    from frontend.export import export

    return export(job, emit)


def _models(job: ModelsJob, emit: Emit) -> Zoo:
    _prepare_torch()
    from frontend.models import models

    return models(job)


def _train(job: TrainJob, emit: Emit) -> Trained:
    _prepare_torch()
    from frontend.training.train import train

    return train(job, emit)


if __name__ == "__main__":
    serve({ExportJob: _export, ModelsJob: _models, TrainJob: _train})
