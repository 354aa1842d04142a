"""What the frontend's tests share: one thread for PyTorch, events that can be read, an export request."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from frontend.export import export
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
def export_request(tmp_path: Path) -> Any:
    """An export request as the front door sends it: ``export_request(model, weights=..., ...)``."""

    def request(model: str, **changes: Any) -> dict[str, Any]:
        standard = {"verb": "export", "model": model, "out": str(tmp_path / "model.onnx"), "weights": "random"}
        return {**standard, "batch": 1, "classes": None, "activation": None, **changes}

    return request


@pytest.fixture
def ask(export_request: Any, events: Events) -> Any:
    """Answer an export request in this process: ``ask(model, weights=..., ...)``."""

    def answer(model: str, **changes: Any) -> dict[str, Any]:
        return export(export_request(model, **changes), events)

    return answer
