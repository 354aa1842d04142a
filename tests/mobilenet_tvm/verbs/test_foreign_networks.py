"""Networks that are not of the zoo and that no log knows compile and agree with ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx_network import Network

from mobilenet_tvm.base.events import Event
from mobilenet_tvm.base.requests import CompileOptions
from mobilenet_tvm.model.source import find_model
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.places.place import place_of
from mobilenet_tvm.places.runner import self_test
from mobilenet_tvm.verbs.compile import build_package, compile
from mobilenet_tvm.verbs.verify import verify
from targets import load

NETWORKS = Path(__file__).parents[2] / "support" / "networks"


def _silent(event: Event) -> None:
    """Nobody listens."""


@pytest.mark.parametrize("name", ["squeezenet.py:squeezenet1_1", "resnet.py:resnet18"])
def test_network_from_elsewhere(name: str, tmp_path: Path) -> None:
    source = find_model(str(NETWORKS / name), None, None, _silent)
    build_package(
        source, load("x86-64-v3"), 1, [], tmp_path / "package", CompileOptions(), check=False, on_event=_silent
    )
    with open_package(tmp_path / "package") as opened:
        result = self_test(place_of(opened, emulate=False, device=None, on_event=_silent))
    assert result.passed, result
    assert result.top5_agrees


def _upsampled_groups() -> Network:
    """Groups wide, narrow and of odd widths, transposed convolutions with groups and without, columns beyond tiles."""
    made = Network()
    x = made.node("Relu", made.conv(made.input([1, 3, 6, 19]), 3, 48, 3))

    def up(data: str, channels: int, *weight: int, group: int = 1, **attributes: object) -> str:
        operands = [made.constant(made.weight(*weight)), made.constant(made.vector(channels))]
        return made.node("ConvTranspose", data, *operands, strides=[2, 2], group=group, **attributes)

    narrow = made.conv(made.conv(x, 48, 60, 3, group=12), 60, 30, 3, group=3)
    shuffled = up(narrow, 30, 30, 30, 2, 2)
    smooth = up(made.conv(x, 48, 30, 1), 30, 30, 1, 3, 3, group=30, pads=[1] * 4, output_padding=[1, 1])
    return made.output(made.conv(made.node("Add", shuffled, smooth), 30, 10))


@pytest.mark.parametrize("target", ["rpi4", "a100"])
def test_kernels_of_convolutions_on_emulated_hardware(target: str, tmp_path: Path) -> None:
    path = _upsampled_groups().save(tmp_path / "network.onnx")
    compile(str(path), target, tmp_path / "package", check=False, on_event=_silent)
    result = verify(tmp_path / "package", emulate=True, on_event=_silent)
    assert result.passed
    assert result.relative_err <= 1e-5
