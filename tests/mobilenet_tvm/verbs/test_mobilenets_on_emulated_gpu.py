"""MobileNets for GPUs, with live weights: their numbers, and what they move, on the emulated one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated_places import on_emulated_gpu, silent

from emulated_gpu.counters import Launch, read_counters
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.package.open import Package, open_package
from mobilenet_tvm.package.reference import first_input
from mobilenet_tvm.places.answers import ClassifyAnswer
from mobilenet_tvm.places.runner import run_package
from mobilenet_tvm.verbs.compile import compile
from mobilenet_tvm.verbs.verify import verify
from targets import load

FLOAT_BYTES = 4


@pytest.mark.parametrize(
    ("model", "dtype"),
    [
        ("mobilenet_v1_1.0_224", "float16"),
        ("mobilenet_v2_0.35_224", "float32"),
        ("mobilenet_v2_0.35_224", "float16"),
        ("mobilenet_v3_small_1.0_224", "float32"),
        ("mobilenet_v3_small_1.0_224", "float16"),
    ],
)
def test_numbers(model: str, dtype: str, tmp_path: Path) -> None:
    package = tmp_path / "package"
    compile(model, "a100", package, dtype=dtype, weights="random", check=False, on_event=silent)
    result = verify(package, emulate=True, on_event=silent)
    assert result["where"] == "emulated"
    assert result["relative_err"] <= (1e-4 if dtype == "float32" else 1e-2)
    assert result["passed"]


@pytest.fixture(scope="module")
def full_v1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("full") / "package"
    compile("mobilenet_v1_1.0_224", "a100", folder, weights="random", check=False, on_event=silent)
    return folder


@pytest.fixture(scope="module")
def opened_v1(full_v1: Path) -> Iterator[Package]:
    with open_package(full_v1) as opened:
        yield opened


@pytest.fixture(scope="module")
def launches(opened_v1: Package, tmp_path_factory: pytest.TempPathFactory) -> list[Launch]:
    """One inference of MobileNetV1 1.0-224."""
    folder = tmp_path_factory.mktemp("counters")
    (folder / "x.npy").write_bytes(first_input(opened_v1))
    run_package(on_emulated_gpu(opened_v1, folder / "counters.jsonl"), [str(folder / "x.npy")], ClassifyAnswer)
    return read_counters(folder / "counters.jsonl")


def test_numbers_of_mobilenet_v1(full_v1: Path) -> None:
    result = verify(full_v1, emulate=True, on_event=silent)
    assert result["passed"] and result["relative_err"] <= 1e-4


def _floor(layer: Layer) -> int:
    """Bytes that a launch must read and write: its input, weights, biases and output, each once."""
    if layer.kind == "separable":
        first, last = layer.depthwise_part, layer.pointwise_part
        between = FLOAT_BYTES * last.batch * last.height * last.width * last.in_channels
        return _floor(first) + _floor(last) - 2 * between
    data = layer.batch * layer.height * layer.width * layer.in_channels
    output = layer.batch * layer.out_height * layer.out_width * layer.out_channels
    weights = 0
    if "pool" not in layer.kind:
        weights = layer.out_channels * math.prod(layer.kernel)
        weights *= 1 if layer.kind == "depthwise" else layer.in_channels
    return FLOAT_BYTES * (data + output + weights + layer.out_channels * ("bias" in layer.epilogue))


def test_mobilenet_v1_moves_little(opened_v1: Package, launches: list[Launch]) -> None:
    layers = {kernel.name: kernel.layer for kernel in opened_v1.manifest.kernels}
    assert opened_v1.manifest.device_code is not None
    functions = {kernel.name: str(kernel.function) for kernel in opened_v1.manifest.device_code.kernels}
    floor = sum(_floor(Layer.parse(str(layers[functions[launch.kernel]]))) for launch in launches)
    unique = sum(launch.unique_bytes_read + launch.unique_bytes_written for launch in launches)
    total = sum(launch.bytes_loaded + launch.bytes_stored for launch in launches)
    assert 50e6 < floor < 60e6
    assert floor * 0.99 <= unique <= 1.1 * floor
    assert total <= 4 * floor
    assert len(launches) <= 30


def test_every_kernel_of_mobilenet_v1_fills_the_card(launches: list[Launch]) -> None:
    gpu = load("a100").gpu
    assert gpu is not None
    blocks = {launch.kernel: math.prod(launch.grid) for launch in launches}
    assert {name: count for name, count in blocks.items() if count < gpu.multiprocessors} == {}
