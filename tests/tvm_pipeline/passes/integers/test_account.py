"""Kernels of a quantised network say what they compute in and, of float32, why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from compiled_network import Compiled, compile_here
from onnx_network import Network
from qdq_network import QdqNetwork

import targets
from mobilenet_tvm.base.document import UNSET
from mobilenet_tvm.base.logs.tuning_log import TuningLogs
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.passes.integers import account, reasons


def _mixed(network: QdqNetwork) -> QdqNetwork:
    """A layer of bytes, and one layer for each reason."""
    x = network.quantised(network.input([1, 16, 6, 6]), 0.03, 121)
    x = network.quantised(network.qdq_conv(x, 16, 32), 0.03, 121)
    x = network.quantised(network.node("Conv", x, network.weights(48, 32, 1, 1, zero=3)), 0.03, 121)
    x = network.quantised(network.node("Conv", x, network.constant(network.weight(64, 48, 1, 1))), 0.03, 121)
    x = network.node("Erf", network.qdq_conv(x, 64, 80))
    x = network.quantised(network.qdq_conv(x, 80, 96), 0.03, 121)
    return network.output(network.node("Erf", network.node("GlobalAveragePool", x)))


def _compile(network: Network, target: str, folder: Path) -> Compiled:
    path = network.save(folder / "network.onnx")
    return compile_here(path, CpuTarget.from_json(targets.load(target).to_json()), TuningLogs([]), folder)


def _channels(descriptor: str) -> str:
    """``32->48`` of ``pointwise 6x6x32->48 bias``."""
    shape = next(word for word in descriptor.split() if word.count("x") == 2)
    return shape.split("x")[-1]


def test_each_layer_of_float32_has_its_reason(tmp_path: Path) -> None:
    compiled = _compile(_mixed(QdqNetwork()), "x86-64-v4-vnni", tmp_path)
    layers = {_channels(str(kernel.layer)): kernel for kernel in compiled.result.kernels if kernel.layer}
    assert {shape: kernel.why for shape, kernel in layers.items()} == {
        "16->32": UNSET,
        "32->48": reasons.FLOAT_WEIGHTS,
        "48->64": reasons.FLOAT_WEIGHTS,
        "64->80": UNSET,
        "80->96": reasons.FLOAT_INPUT,
        "96": reasons.NO_KERNEL,
    }
    others = {kernel.why for kernel in compiled.result.kernels if kernel.layer is None}
    assert {account.TO_BYTES, account.FROM_BYTES} <= others
    assert all((kernel.dtype == "int8") == (kernel.why is UNSET) for kernel in compiled.result.kernels)
    (warning,) = compiled.warnings
    assert warning.startswith("3 of the 5 kernels with weights compute in float32, not in int8") and "\n" not in warning


def test_a_target_without_dot_products_of_bytes(tmp_path: Path) -> None:
    compiled = _compile(_mixed(QdqNetwork()), "rpi4", tmp_path)
    weighted = [kernel for kernel in compiled.result.kernels if kernel.layer and "pointwise" in kernel.layer]
    assert {kernel.why for kernel in weighted} == {reasons.NO_DOT_PRODUCT}


def test_float_networks_have_no_reasons(compile_network: Callable[[Network], Compiled]) -> None:
    network = Network()
    compiled = compile_network(network.output(network.conv(network.input([1, 16, 6, 6]), 16, 16)))
    assert {kernel.why for kernel in compiled.result.kernels} == {UNSET}
