"""Normalised numbers are right to the last digits, large means too."""

from __future__ import annotations

import numpy as np
import pytest
import tvm
from tvm import te

from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.schedules.cpu.fallback import schedule_fallback
from tvm_pipeline.workloads.normalisation import Normalisation, normalise

BOTH = ("scale", "shift")
LAYERS = [
    Normalisation((65, 1, 1, 1, 64), 1e-5, affine=BOTH),
    Normalisation((3, 1, 1, 1, 197), 1e-5, affine=("shift",), activation="relu"),
    Normalisation((2, 4, 1, 49, 16), 1e-5, over_lanes=False, affine=BOTH),
    Normalisation((1, 2, 2, 49, 16), 1e-5, affine=BOTH, activation="hard_swish"),
    Normalisation((1, 3, 5, 49, 1), 1e-3, affine=("scale",)),
    Normalisation((5, 1, 1, 1, 24), 1e-5, is_centred=False, affine=("scale",)),
    Normalisation((3, 1, 1, 1, 512), 1e-5, affine=BOTH, dtype="float16"),
    Normalisation((1, 4, 1, 49, 16), 1e-5, over_lanes=False, dtype="float16"),
]


def expected(layer: Normalisation, data: np.ndarray, operands: list[np.ndarray]) -> np.ndarray:
    """In float64, by the definition."""
    value = data.astype(np.float64)
    axes = (2, 3, 4) if layer.over_lanes else (2, 3)
    if layer.is_centred:
        value = value - value.mean(axes, keepdims=True)
    value = value / np.sqrt((value**2).mean(axes, keepdims=True) + layer.epsilon)
    for name, operand in zip(layer.affine, operands, strict=True):
        value = value * operand[:, :, None, :] if name == "scale" else value + operand[:, :, None, :]
    if layer.activation == "relu":
        return np.maximum(value, 0)
    return value * np.clip(value / 6 + 0.5, 0, 1) if layer.activation else value


@pytest.mark.parametrize("mean", [0.0, 3000.0])
@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: f"{layer.dtype}_{layer.name}")
def test_result(layer: Normalisation, mean: float, each_target: CpuTarget) -> None:
    workload = normalise(layer)
    kernel = te.create_prim_func([*workload.arguments, workload.output]).with_attr("global_symbol", "main")
    scheduled = tvm.IRModule({"main": schedule_fallback(kernel, each_target.unit)})
    run = tvm.compile(scheduled, target=each_target.tvm, tir_pipeline=CODEGEN_PIPELINE)
    random = np.random.default_rng(0)
    data, *operands = (random.standard_normal(shape).astype(np.float32) for shape in workload.shapes[:-1])
    data = (data + np.float32(mean)).astype(layer.dtype)
    result = tvm.runtime.tensor(np.full(layer.shape, np.nan, layer.dtype))
    run["main"](*map(tvm.runtime.tensor, [data, *operands]), result)
    most = 2e-5 if layer.dtype == "float32" else 2e-3  # float16 has 11 bits, of the result alone
    np.testing.assert_allclose(result.numpy(), expected(layer, data, operands), rtol=most, atol=most)
