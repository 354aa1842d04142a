"""profile tells every kernel, in order, with its work and its time."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilenet_tvm.base.compiled import Kernel
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.verbs.profile import _layer, profile


def test_every_kernel_once_and_shares_that_agree(tiny_package: Path) -> None:
    result = profile(tiny_package, repeat=20)
    with open_package(tiny_package) as opened:
        kernels = {kernel["layer"] or kernel["name"] for kernel in opened.manifest.kernels}
    assert {layer["name"] for layer in result["layers"]} == kernels
    assert result["mult_adds"] == sum(layer["mult_adds"] for layer in result["layers"]) > 0
    inside = sum(layer["ms"] for layer in result["layers"])
    assert result["other_ms"] == pytest.approx(result["total_ms"] - inside)
    assert 0 < result["peak_share"] < 1
    assert result["peak_share"] == pytest.approx(result["mult_adds"] / result["total_ms"] / 1e6 / result["peak_gmacs"])
    for layer in result["layers"]:
        assert layer["gmacs_per_s"] == pytest.approx(layer["mult_adds"] / layer["ms"] / 1e6)
        assert layer["peak_share"] == pytest.approx(layer["gmacs_per_s"] / result["peak_gmacs"])


def test_two_threads_have_twice_the_peak(tiny_package: Path) -> None:
    one, two = (profile(tiny_package, threads=count, repeat=3) for count in (1, 2))
    assert two["threads"] == 2
    assert two["peak_gmacs"] == pytest.approx(2 * one["peak_gmacs"], rel=0.5)


def test_bytes_count_input_weights_bias_and_output(tiny_package: Path) -> None:
    result = profile(tiny_package, repeat=3)
    pooling = next(layer for layer in result["layers"] if layer["kind"] == "global_average_pool")
    height, width, channels = map(int, pooling["name"].split()[1].split("x"))
    assert pooling["bytes"] == 4 * (height * width * channels + channels)


def test_a_layer_is_held_to_the_peak_of_its_dtype_and_a_byte_is_a_byte() -> None:
    layer = "int8 pointwise 14x14x64->64 bias requantise"
    kernel = Kernel(name="k", layer=layer, record="default", dtype="int8")
    time = _layer(kernel, 1e-3, {"float32": 100.0, "int8": 400.0})
    assert time.mult_adds == 14 * 14 * 64 * 64
    assert time.gmacs_per_s == pytest.approx(802.816)
    assert time.peak_share == pytest.approx(802.816 / 400)
    assert time.bytes == 2 * 14 * 14 * 64 + 64 * 64 + 4 * 64
    assert _layer(kernel, 1e-3, {"float32": 100.0}).peak_share == pytest.approx(8.02816)
