"""Networks that are not of the zoo and that no log knows compile and agree with ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilenet_tvm.base.events import Event
from mobilenet_tvm.base.requests import CompileOptions
from mobilenet_tvm.model.source import find_model
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.places.place import place_of
from mobilenet_tvm.places.runner import self_test
from mobilenet_tvm.verbs.compile import build_package
from targets import load

NETWORKS = Path(__file__).parents[2] / "support" / "networks"


def _silent(event: Event) -> None:
    """Nobody listens."""


@pytest.mark.parametrize("name", ["squeezenet.py:squeezenet1_1", "resnet.py:resnet18"])
def test_network_from_elsewhere(name: str, tmp_path: Path) -> None:
    source = find_model(str(NETWORKS / name), None, None, _silent)
    build_package(source, load("x86-64-v3"), 1, [], tmp_path / "package", CompileOptions(), on_event=_silent)
    with open_package(tmp_path / "package") as opened:
        result = self_test(place_of(opened, emulate=False, device=None, on_event=_silent))
    assert result.passed, result
    assert result.top5_agrees
