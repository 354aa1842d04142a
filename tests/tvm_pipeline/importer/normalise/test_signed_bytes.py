"""Signed activations are read as unsigned ones, and compute the same; weights and bytes that others read stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from compiled_network import compile_here, run_onnxruntime
from onnx import helper
from qdq_network import QdqNetwork

import targets
from mobilenet_tvm.base.logs.tuning_log import TuningLogs
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.importer.normalise.normalise import normalise


class Signed(QdqNetwork):
    """``quantised`` makes int8."""

    def quantised(self, value: str, scale: float, zero: int = 0) -> str:
        parts = self.constant(scale), self.constant(zero, np.int8)
        return self.node("DequantizeLinear", self.node("QuantizeLinear", value, *parts), *parts)


def _network() -> Signed:
    network = Signed()
    x = network.quantised(network.input([1, 16, 6, 6]), 0.03, -7)
    x = network.quantised(network.node("Relu", network.qdq_conv(x, 16, 24)), 0.02, -128)
    scale = network.constant(0.03)
    symmetric = network.node("QuantizeLinear", network.qdq_conv(x, 24, 16), scale, network.constant(0, np.int8))
    return network.output(network.qdq_conv(network.node("DequantizeLinear", symmetric, scale), 16, 16))


def _zeros(model: onnx.ModelProto, operator: str) -> list[str]:
    kinds = {tensor.name: helper.tensor_dtype_to_np_dtype(tensor.data_type) for tensor in model.graph.initializer}
    return [str(kinds[node.input[2]]) for node in model.graph.node if node.op_type == operator]


def test_the_same_numbers_by_unsigned_bytes(tmp_path: Path) -> None:
    path = _network().save(tmp_path / "signed.onnx")
    model = onnx.load(path)
    normalise(model)
    assert _zeros(model, "QuantizeLinear") == ["uint8"] * 3
    assert sorted(_zeros(model, "DequantizeLinear")) == ["int8"] * 3 + ["uint8"] * 3, "weights stay"
    onnx.save(model, tmp_path / "unsigned.onnx")
    data = [np.random.default_rng(0).standard_normal((1, 16, 6, 6)).astype(np.float32) * 3]
    own, right = (run_onnxruntime(tmp_path / f"{name}.onnx", data)[0] for name in ("unsigned", "signed"))
    assert np.abs(own - right).max() <= 0.02 * np.ptp(right)
    target = CpuTarget.from_json(targets.load("x86-64-v3").to_json())
    compiled = compile_here(path, target, TuningLogs([]), tmp_path)
    assert [kernel.dtype for kernel in compiled.result.kernels if kernel.layer] == ["int8"] * 3


def test_bytes_that_others_read_stay() -> None:
    network = Signed()
    x, scale, zero = network.input([1, 4, 6, 6]), network.constant(0.03), network.constant(-7, np.int8)
    bytes_ = network.node("QuantizeLinear", x, scale, zero)
    network.output(bytes_)
    moved = network.node("Transpose", network.node("QuantizeLinear", x, scale, zero), perm=[0, 2, 3, 1])
    network.output(network.node("DequantizeLinear", moved, scale, zero))
    model = network.model()
    normalise(model)
    assert _zeros(model, "QuantizeLinear") == ["int8"] * 2
