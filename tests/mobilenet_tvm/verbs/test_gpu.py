"""Packages for NVIDIA GPUs, where there may be none: what is in them, and what is said where they cannot run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from emulated_places import on_emulated_gpu
from onnx_network import Network

import mobilenet_tvm
from emulated_gpu.counters import read_counters
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.places.answers import GpuAtWork, ProfileAnswer, SelfTestAnswer
from mobilenet_tvm.places.gpu_environment import CUDART, gpu_environment
from mobilenet_tvm.places.runner import run_package
from mobilenet_tvm.schemas import load_schema
from targets import gpu_at_hand

no_gpu = pytest.mark.skipif(gpu_at_hand.has_gpu(), reason="this machine has an NVIDIA driver")


def test_what_is_in_a_package(gpu_package: Path) -> None:
    import jsonschema

    with open_package(gpu_package) as opened:
        manifest = opened.manifest
    jsonschema.validate(json.loads((gpu_package / "manifest.json").read_text()), load_schema("manifest"))
    code = manifest.device_code
    assert code is not None
    assert {"lib/libtvm_runtime_cuda.so", code["source"]} <= set(manifest.files)
    assert manifest.files[code.source] == code.source_sha256
    assert manifest.tolerance == 1e-4


def test_source_that_was_changed_is_noticed(gpu_package: Path, command: Callable[..., Any]) -> None:
    with (gpu_package / "debug" / "kernels.cu").open("a") as stream:
        stream.write("// more\n")
    assert "debug/kernels.cu" in command("inspect", gpu_package).error()


@no_gpu
@pytest.mark.parametrize("verb", ["verify", "bench"])
def test_without_a_driver_one_line_says_so(verb: str, gpu_package: Path, command: Callable[..., Any]) -> None:
    assert (
        command(verb, gpu_package)
        .error()
        .startswith("the package needs an NVIDIA GPU, and there is no driver for one: libcuda.so.1")
    )


@no_gpu
def test_run_without_a_driver(gpu_package: Path, command: Callable[..., Any], tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((1, 3, 16, 16), np.float32))
    assert "there is no driver for one" in command("run", gpu_package, tmp_path / "x.npy").error()


def test_a_graph_runs_each_kernel_once_per_inference(gpu_package: Path, tmp_path: Path) -> None:
    """On the emulated GPU: the first inference kernel by kernel, the two others as one graph, all right; and a profile
    sees every kernel."""
    with open_package(gpu_package) as opened:
        place = on_emulated_gpu(opened, tmp_path / "counters.jsonl")
        test = run_package(place, ["--self-test"], SelfTestAnswer)
        profile = run_package(place, ["--profile", "--repeat", "1"], ProfileAnswer).profile
        kernels = {kernel.name for kernel in opened.manifest.kernels}
    assert test.self_test.passed
    assert test.gpu == GpuAtWork(name="cuda-sm_80 (emulated)", compute_capability=80, cuda_version=13000, emulated=True)
    launched = [launch.kernel for launch in read_counters(tmp_path / "counters.jsonl")]
    first = launched[: len(kernels)]
    assert launched[: 3 * len(first)] == 3 * first
    assert {name.removesuffix("_kernel") for name in first} == kernels
    assert kernels <= {call.name for call in profile.calls}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--target", "jetpack6"), "nothing is compiled for cuda-sm_87-jetpack6: JetPack 6's driver"),
        (("--target", "a100", "--static"), "--static programs cannot load a GPU's driver"),
        (("--target", "a100", "--dtype", "int8"), "int8 packages are for CPUs; for cuda-sm_80: float32, float16"),
        (("--target", "a100", "--dtype", "float61"), "did you mean 'float16'?"),
        (("--target", "x86-64-v3", "--dtype", "float16"), "float16 packages are for NVIDIA GPUs"),
        (("--target", "rtx4091"), "did you mean 'rtx4090'?"),
    ],
)
def test_what_cannot_be_compiled(
    arguments: tuple[str, ...], said: str, tiny_onnx: Path, command: Callable[..., Any], tmp_path: Path
) -> None:
    assert said in command("compile", tiny_onnx, *arguments, "-o", tmp_path / "p").error()
    assert not (tmp_path / "p").exists()


def test_without_nvcc_the_command_that_installs_it(
    tiny_onnx: Path, command: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOBILENET_TVM_NVCC", str(tmp_path / "none"))
    said = command("compile", tiny_onnx, "--target", "a100", "-o", tmp_path / "p").error()
    assert said == f"MOBILENET_TVM_NVCC names {tmp_path}/none, which is no nvcc: pip install 'mobilenet-tvm[cuda]'"


def test_pips_libcudart_comes_behind_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mobilenet_tvm.places import gpu_environment as module

    (tmp_path / "cu13" / "lib").mkdir(parents=True)
    monkeypatch.setattr(module, "wheel_folders", lambda: [tmp_path / "cu13"])
    monkeypatch.setenv("LD_LIBRARY_PATH", "/mine")
    assert gpu_environment()["LD_LIBRARY_PATH"] == "/mine"
    (tmp_path / "cu13" / "lib" / CUDART).touch()
    assert gpu_environment()["LD_LIBRARY_PATH"] == f"/mine:{tmp_path}/cu13/lib"
    monkeypatch.delenv("LD_LIBRARY_PATH")
    assert gpu_environment() == {**os.environ, "LD_LIBRARY_PATH": f"{tmp_path}/cu13/lib"}


def test_nan_passes_activations_as_onnxruntime_lets_it(tmp_path: Path) -> None:
    """In kernels' epilogues and in operators of their own, on the emulated GPU."""
    network = Network()
    x = network.input([1, 16, 8, 8])
    limits = network.constant(0.0), network.constant(6.0)
    for value in (x, network.conv(x, 16, 16, 3)):
        network.output(network.node("Relu", value), network.node("Clip", value, *limits), network.node("Abs", value))
    y = network.node("Relu", network.conv(x, 16, 16, 3, group=16))
    network.output(y, network.node("HardSwish", network.conv(y, 16, 32)))
    _check_nan(network, [(0, 3, 4, 5)], tmp_path)


def test_nan_passes_maxima_as_onnxruntime_lets_it(tmp_path: Path) -> None:
    """Over windows, plain and behind a convolution, over axes and rows; whole rows of NaN among them."""
    network = Network()
    x = network.input([1, 16, 8, 8])
    for value in (x, network.conv(x, 16, 16)):
        for stride, pads in ((1, [1] * 4), (2, [0, 0, 1, 1])):
            network.output(network.node("MaxPool", value, kernel_shape=[3, 3], strides=[stride] * 2, pads=pads))
    for axes in ([1], [2, 3], [3]):
        over = network.constant(axes, np.int64)
        network.output(*(network.node(kind, x, over, keepdims=axes != [3]) for kind in ("ReduceMax", "ReduceMin")))
    network.output(network.node("Softmax", x, axis=1), network.node("Softmax", x, axis=3))
    positions = [(0, 0, 0, 0), (0, 3, 4, 5), (0, 15, 7, 7), (0, 2, 4), (0, 2, 4, slice(3, None)), ...]
    _check_nan(network, positions, tmp_path)


def test_the_last_pixels_nan_is_the_maximum_of_an_image(tmp_path: Path) -> None:
    network = Network()
    x = network.input([1, 16, 8, 8])
    network.output(network.node("GlobalMaxPool", x), network.node("GlobalMaxPool", network.conv(x, 16, 16)))
    network.output(network.node("MaxPool", network.conv(x, 16, 16), kernel_shape=[3, 3], pads=[1] * 4))
    _check_nan(network, [(0, 15, 7, 7)], tmp_path, "float16")


def _check_nan(network: Network, positions: list[Any], tmp_path: Path, dtype: str = "float32") -> None:
    """Holds a package on the emulated GPU to ONNX Runtime with NaN at each of the positions."""
    path, data = network.save(tmp_path / "network.onnx"), {}
    mobilenet_tvm.compile(path, "a100", tmp_path / "package", dtype=dtype, check=False)
    for number, position in enumerate(positions):
        data[number] = np.random.default_rng(0).standard_normal((1, 16, 8, 8)).astype(np.float16).astype(np.float32)
        data[number][position] = np.nan
        result = mobilenet_tvm.run(tmp_path / "package", inputs={"input": data[number]}, save=tmp_path, emulate=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        expected = session.run(None, {"input": data[number]})
        for output, right in zip(result.results[0].outputs or (), expected, strict=True):
            np.testing.assert_allclose(
                np.load(tmp_path / output.file),
                right,
                atol=1e-4 if dtype == "float32" else 0.05,
                err_msg=f"{output.name}, NaN at {position}",
            )
