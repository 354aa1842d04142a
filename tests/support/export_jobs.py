"""Export jobs as the front door sends them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from mobilenet_tvm.base.jobs import ExportJob
from mobilenet_tvm.base.requests import ExportOptions


def export_job(model: str, out: Path = Path("model.onnx"), **changes: Any) -> ExportJob:
    """``changes``: ``weights``, ``shape``, and the options."""
    own = {field.name for field in fields(ExportOptions)}
    options = ExportOptions(**{name: value for name, value in changes.items() if name in own})
    rest = {name: value for name, value in changes.items() if name not in own}
    return ExportJob(model=model, out=out, options=options, **rest)
