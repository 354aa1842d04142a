"""A network for a GPU: device code in the module and never its source, the same code in the manifest's words."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import tvm
from compiled_network import Compiled, compile_here
from onnx_network import Network

import targets
from mobilenet_tvm.base.compilers.nvcc import find_nvcc
from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.logs.tuning_log import TuningLogs
from tvm_pipeline.codegen.cuda.elf import add_device_section, device_section
from tvm_pipeline.hardware.target import GpuTarget

NEVER = (b"__global__", b"__launch_bounds__", b"blockIdx.x)", b"#include")
AARCH64 = b"\xb7\x00"


def network() -> Network:
    net = Network()
    data = net.conv(net.input([1, 3, 16, 16]), 3, 16, 3, strides=[2, 2])
    data = net.conv(net.node("Relu", data), 16, 16, 3, group=16)
    data = net.conv(net.node("Relu", data), 16, 32)
    pooled = net.node("GlobalAveragePool", net.node("Relu", data))
    flat = net.node("Flatten", pooled)
    weight, bias = net.constant(net.weight(10, 32)), net.constant(net.vector(10))
    return net.output(net.node("Gemm", flat, weight, bias, transB=1))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Compiled]:
    """The network for a target, compiled once."""
    made: dict[str, Compiled] = {}

    def of(name: str) -> Compiled:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            target = GpuTarget.from_json(targets.load(name).to_json())
            made[name] = compile_here(network().save(folder / "network.onnx"), target, TuningLogs([]), folder)
        return made[name]

    return of


def _module(compiled: Compiled) -> Path:
    return Path(compiled.result["module"])


def test_the_module_holds_machine_code_and_ptx_and_no_source(compiled: Callable[[str], Compiled]) -> None:
    module = _module(compiled("a100"))
    cuobjdump = shutil.which("cuobjdump", path=str(find_nvcc().program.parent)) or shutil.which("cuobjdump")
    if cuobjdump is None:
        pytest.skip("cuobjdump is not installed: pip install nvidia-cuda-cuobjdump")
    listed = subprocess.run([cuobjdump, "--list-elf", "--list-ptx", module], capture_output=True, text=True, check=True)
    assert "sm_80.cubin" in listed.stdout
    assert "sm_80.ptx" in listed.stdout
    content = module.read_bytes()
    assert not [text for text in NEVER if text in content]


def test_code_source_and_manifest_belong_together(compiled: Callable[[str], Compiled]) -> None:
    module, told = _module(compiled("a100")), compiled("a100").result["device_code"]
    source = module.parent / told["source"]
    assert hashlib.sha256(source.read_bytes()).hexdigest() == told["source_sha256"]
    code = device_section(module)
    assert code is not None
    assert hashlib.sha256(code).hexdigest() == told["fatbin_sha256"]
    assert (told["arch"], told["ptx"], told["driver"]) == ("sm_80", "compute_80", "580")
    text = source.read_text()
    assert all(f" {kernel['name']}(" in text for kernel in told["kernels"])
    assert {kernel["spill_bytes"] for kernel in told["kernels"]} == {0}


def test_what_tvm_loads_is_that_code(compiled: Callable[[str], Compiled]) -> None:
    """Through TVM's own loader: the imported module's binary is the section's content."""
    module = _module(compiled("a100"))
    loaded = tvm.runtime.load_module(str(module))
    found, waiting = [], list(loaded.imports)
    while waiting:
        one = waiting.pop()
        found += [one] if one.kind == "cuda" else []
        waiting += list(one.imports)
    assert len(found) == 1
    assert not found[0].inspect_source("cuda")


def test_most_of_the_network_is_one_graph(compiled: Callable[[str], Compiled]) -> None:
    assert b"vm.builtin.cuda_graph.run_or_capture" in _module(compiled("a100")).read_bytes()


def test_a_host_that_is_aarch64(compiled: Callable[[str], Compiled]) -> None:
    module = _module(compiled("gh200"))
    assert module.read_bytes()[18:20] == AARCH64
    assert compiled("gh200").result["device_code"]["arch"] == "sm_90"


def test_an_architecture_that_nvcc_does_not_know(tmp_path: Path) -> None:
    target = GpuTarget.from_json(targets.load("a100").to_json())
    old = replace(target, unit=replace(target.unit, compute_capability=35))
    with pytest.raises(UserError, match="does not know sm_35"):
        compile_here(network().save(tmp_path / "n.onnx"), old, TuningLogs([]), tmp_path)


def test_code_that_is_not_in_the_module(compiled: Callable[[str], Compiled], tmp_path: Path) -> None:
    module = Path(shutil.copy(_module(compiled("a100")), tmp_path))
    with pytest.raises(SystemFailure, match=r"module\.so does not hold the device code"):
        add_device_section(module, b"something else")
