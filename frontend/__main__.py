"""``python -m frontend``: one JSON request on standard input, JSON lines on standard output.

Verbs: ``export`` (a model becomes an ONNX file) and ``models`` (what the zoo has, and what it costs).
"""

from __future__ import annotations

from typing import Any

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.protocol import Emit, serve  # blocks the imports that the parent named: before all others


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


def _export(request: dict[str, Any], emit: Emit) -> dict[str, Any]:
    _prepare_torch()
    from frontend.export import export

    return export(request, emit)


def _models(request: dict[str, Any], emit: Emit) -> dict[str, Any]:
    _prepare_torch()
    from frontend.models import models

    return models(request, emit)


if __name__ == "__main__":
    serve({"export": _export, "models": _models})
