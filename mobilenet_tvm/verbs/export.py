"""MODEL -> an ONNX file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warn_only
from mobilenet_tvm.model import source as model_source


def export(
    model: str,
    output: str | Path,
    *,
    weights: str | None = None,
    batch: int = 1,
    classes: int | None = None,
    activation: str | None = None,
    shape: Sequence[int] | None = None,
    on_event: OnEvent = warn_only,
) -> dict[str, Any]:
    """Export a network to ONNX, checked against PyTorch and ONNX Runtime before it is written.

    :param model: a name of the zoo, or ``file.py:factory``.
    :param weights: ``imagenet``, ``random`` or a checkpoint file; by default ImageNet's where they can be had.
    :param activation: ``relu`` or ``relu6``, for MobileNetV1.
    :param shape: the input's shape, batch included, of a factory's module.
    :returns: ``schemas/export.json``.
    :raises UserError: the model or the weights do not exist or do not fit; nothing is written then.
    """
    path = Path(output).absolute()
    if path.suffix != ".onnx":
        raise UserError(f"the output {output} must end in .onnx")
    shapes = {"input": list(shape)} if shape else None
    request = model_source.export_request(
        model, weights, batch=batch, classes=classes, activation=activation, shapes=shapes
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    return model_source.export(request, path, on_event)
