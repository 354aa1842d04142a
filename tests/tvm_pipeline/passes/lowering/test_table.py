"""Which kernel a layer becomes, by its size and by the target's vector unit."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx_network import Network

import targets
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.importer.import_onnx import import_onnx
from tvm_pipeline.passes.pipeline import lower
from tvm_pipeline.tuning.calls import calls_of


def kinds(network: Network, target: str, folder: Path) -> list[str]:
    found = CpuTarget.from_json(targets.load(target).to_json())
    module = lower(import_onnx(network.save(folder / "network.onnx")), found.unit)
    return sorted(layer.kind for layer in calls_of(module))


def pointwise(channels: int, out: int, size: int) -> Network:
    made = Network()
    made.output(made.node("Relu", made.conv(made.input([1, channels, size, size]), channels, out)))
    return made


@pytest.mark.parametrize(
    ("channels", "out", "size", "kind"),
    [
        (192, 256, 8, "strassen"),
        (192, 192, 14, "strassen"),
        (176, 256, 14, "pointwise"),  # too few channels
        (256, 176, 14, "pointwise"),
        (256, 256, 7, "pointwise"),  # too few pixels
        (240, 240, 14, "pointwise"),  # fifteen blocks make no halves
    ],
)
def test_large_pointwise_layers_are_computed_by_strassen(
    channels: int, out: int, size: int, kind: str, tmp_path: Path
) -> None:
    assert kinds(pointwise(channels, out, size), "x86-64-v4", tmp_path) == [kind]


@pytest.mark.parametrize("target", ["x86-64-v3", "rpi4"])
def test_narrower_vectors_leave_strassen_out_of_small_layers(target: str, tmp_path: Path) -> None:
    assert kinds(pointwise(256, 256, 14), target, tmp_path) == ["pointwise"]


def test_a_depthwise_layer_is_not_fused_with_what_strassen_computes(tmp_path: Path) -> None:
    made = Network()
    x = made.node("Relu", made.conv(made.input([1, 192, 14, 14]), 192, 192, 3, group=192))
    made.output(made.node("Relu", made.conv(x, 192, 192)))
    assert kinds(made, "x86-64-v4", tmp_path) == ["depthwise", "strassen"]
    assert kinds(made, "rpi5", tmp_path) == ["separable"]
