"""Quantised operators become QDQ that computes the same, and run in whole numbers like it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from compiled_network import compile_here, run_module
from onnx import helper
from onnx_network import Network

import targets
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.logs.tuning_log import TuningLogs
from mobilenet_tvm.package.yardstick import expected_outputs
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.importer.import_onnx import import_onnx
from tvm_pipeline.importer.normalise.qoperators import OPERATORS, qoperators_to_qdq

MICROSOFT = "com.microsoft"
VNNI = "x86-64-v4-vnni"
STEP = 0.05


class QLinear(Network):
    """Networks of quantised operators; ``kind`` is the type of the activations."""

    def __init__(self, kind: type = np.uint8) -> None:
        super().__init__()
        self.kind = kind
        self.middle = 128 if kind is np.uint8 else 0

    def scaled(self, scale: float) -> tuple[str, str]:
        """A scale, and the zero point in the middle of the bytes."""
        return self.constant(scale), self.constant(self.middle, self.kind)

    def weights(self, *shape: int, channels: int | None = 0) -> tuple[str, str, str]:
        """Signed bytes; scales of each channel along an axis, which differ by orders of magnitude, or one scale."""
        values = self.constant(self.random.integers(-127, 128, shape), np.int8)
        count = [] if channels is None else [shape[channels]]
        scale = np.exp(self.random.normal(0, 1.5, count)) / 127 / np.sqrt(np.prod(shape) / shape[channels or 0] / 3)
        return values, self.constant(scale), self.constant(np.zeros(count), np.int8)

    def start(self, *shape: int) -> tuple[str, str, str]:
        scaled = self.scaled(0.03)
        return self.node("QuantizeLinear", self.input(list(shape)), *scaled), *scaled

    def integers(self, count: int) -> str:
        return self.constant(self.random.integers(-3000, 3000, count), np.int32)

    def finish(self, value: str, scaled: tuple[str, str]) -> None:
        self.output(self.node("DequantizeLinear", value, *scaled))


def _mobile(network: QLinear) -> None:
    """Convolutions with a residual, concatenation, pools, a table and a classifier."""
    out = network.scaled(STEP)
    x = (network.node("QLinearConv", *network.start(1, 3, 8, 8), *network.weights(16, 3, 3, 3), *out), *out)
    deep = network.node(
        "QLinearConv", *x, *network.weights(16, 1, 3, 3), *out, network.integers(16), group=16, pads=[1] * 4
    )
    wide = network.node("QLinearConv", *x, *network.weights(16, 16, 1, 1, channels=None), *out, network.integers(16))
    both = network.node("QLinearAdd", deep, *out, wide, *out, *out, domain=MICROSOFT)
    both = network.node("QLinearMul", both, *out, wide, *out, *out, domain=MICROSOFT)
    joined = network.node("QLinearConcat", *out, both, *out, wide, *out, domain=MICROSOFT, axis=1)
    leaky = network.node("QLinearLeakyRelu", joined, *out, *out, domain=MICROSOFT, alpha=0.2)
    pooled = network.node("QLinearAveragePool", leaky, *out, *out, domain=MICROSOFT, kernel_shape=[2, 2])
    one = network.node("QLinearGlobalAveragePool", pooled, *out, *out, domain=MICROSOFT)
    flat = network.node("Flatten", one)
    network.finish(
        network.node(
            "QGemm", flat, *out, *network.weights(16, 32), network.integers(16), *out, domain=MICROSOFT, transB=1
        ),
        out,
    )


def _gemm_in_float(network: QLinear) -> None:
    data, weights = network.start(4, 16), network.weights(16, 8, channels=1)
    network.output(network.node("QGemm", *data, *weights, network.integers(8), domain=MICROSOFT, alpha=0.5))


def _matmul(network: QLinear) -> None:
    out = network.scaled(STEP)
    product = network.node("QLinearMatMul", *network.start(4, 16), *network.weights(16, 8, channels=1), *out)
    network.finish(network.node("QLinearSigmoid", product, *out, *out, domain=MICROSOFT), out)


def _run(model: onnx.ModelProto, data: np.ndarray) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return [np.asarray(result) for result in session.run(None, {"input": data})]


@pytest.mark.parametrize("kind", [np.uint8, np.int8])
@pytest.mark.parametrize("build", [_mobile, _gemm_in_float, _matmul])
def test_every_operator_computes_the_same(build: Callable[[QLinear], None], kind: type) -> None:
    network = QLinear(kind)
    build(network)
    bytes_type = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    model = network.model()
    inner = [node.output[0] for node in model.graph.node if node.output[0] not in network.outputs]
    model.graph.output.extend(helper.make_tensor_value_info(name, bytes_type, None) for name in inner)
    data = np.random.default_rng(1).standard_normal(network.inputs["input"][1]).astype(np.float32)
    before = _run(model, data)
    qoperators_to_qdq(model)
    assert not {node.op_type for node in model.graph.node} & {name for _, name in OPERATORS}
    steps = [1e-5 if build is _gemm_in_float else STEP, *(1.0 for _ in inner)]
    off = [
        np.abs(new.astype(np.float64) - old) / step
        for new, old, step in zip(_run(model, data), before, steps, strict=True)
    ]
    assert max(one.max() for one in off) <= 1.01, "averages of bytes lie between two steps often"
    assert np.concatenate([one.ravel() < 0.01 for one in off[1:]]).mean() > 0.98
    assert np.ptp(before[0]) > 10 * steps[0], "alive"


@pytest.mark.parametrize("preset", [VNNI, "x86-64-v3"])
def test_compiles_in_whole_numbers(preset: str, tmp_path: Path) -> None:
    if targets.load(preset).missing_here():
        pytest.skip("this CPU has no AVX512-VNNI")
    network = QLinear()
    _mobile(network)
    network.save(tmp_path / "network.onnx")
    target = CpuTarget.from_json(targets.load(preset).to_json())
    compiled = compile_here(tmp_path / "network.onnx", target, TuningLogs([]), tmp_path)
    (right,) = expected_outputs(tmp_path / "network.onnx", [tuple(compiled.inputs())])
    assert np.abs(run_module(compiled.result.module, compiled.inputs())[0] - right[0]).max() <= 2.01 * STEP
    layers = [kernel.layer for kernel in compiled.result.kernels if kernel.dtype == "int8" and kernel.layer]
    assert len(layers) == 4, layers


def _channels_last(network: QLinear) -> None:
    out = network.scaled(STEP)
    data = network.start(1, 6, 6, 4)
    pooled = network.node("QLinearGlobalAveragePool", *data, *out, domain=MICROSOFT, channels_last=1)
    network.finish(pooled, out)


def _no_zero_point(network: QLinear) -> None:
    data, scale = network.start(1, 4), network.constant(STEP)
    network.output(network.node("QLinearSigmoid", *data, scale, domain=MICROSOFT))


def _scales_of_a_matrix(network: QLinear) -> None:
    values, _, zero = network.weights(16, 8, channels=None)
    scale, out = network.constant(np.ones((1, 8))), network.scaled(STEP)
    network.finish(network.node("QLinearMatMul", *network.start(4, 16), values, scale, zero, *out), out)


@pytest.mark.parametrize(
    ("build", "line"),
    [
        (_channels_last, "has its channels last: export it with channels_last = 0"),
        (_no_zero_point, "has no zero point of its result: give it one"),
        (_scales_of_a_matrix, "of rank 2: give it one for each channel"),
    ],
)
def test_what_is_no_qdq_is_named(build: Callable[[QLinear], None], line: str, tmp_path: Path) -> None:
    network = QLinear()
    build(network)
    network.save(tmp_path / "network.onnx")
    with pytest.raises(UserError, match=line):
        import_onnx(tmp_path / "network.onnx")
