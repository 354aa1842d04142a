"""What the frontend's tests share: one thread for PyTorch, events that can be read, an export."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from export_jobs import export_job

from frontend.export import export
from mobilenet_tvm.base.answers import Exported
from mobilenet_tvm.base.protocol import Emit

torch.set_num_threads(1)


class Events(Emit):
    """Keeps what is emitted."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        super().__init__(self.stream)

    @property
    def warnings(self) -> list[str]:
        events = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [event["message"] for event in events if event["event"] == "warning"]


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def ask(tmp_path: Path, events: Events) -> Callable[..., Exported]:
    """Answer an export job in this process: ``ask(model, weights=..., ...)``."""

    def answer(model: str, **changes: Any) -> Exported:
        standard = {"out": tmp_path / "model.onnx", "weights": "random"}
        return export(export_job(model, **{**standard, **changes}), events)

    return answer
