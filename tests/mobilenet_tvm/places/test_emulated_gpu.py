"""Packages for GPUs on the emulated one: right as they are compiled, and what is wrong in their source is named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from emulated_places import on_emulated_gpu, silent

from emulated_gpu.counters import read_counters
from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.paths import sha256_file
from mobilenet_tvm.package.manifest import read_manifest
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.package.reference import first_input
from mobilenet_tvm.package.store import list_files
from mobilenet_tvm.places.answers import ClassifyAnswer
from mobilenet_tvm.places.emulated_gpu import NOTICE
from mobilenet_tvm.places.runner import run_package
from mobilenet_tvm.verbs.run import run
from mobilenet_tvm.verbs.verify import verify

Mutate = Callable[[str], str]


def _change(package: Path, mutate: Mutate) -> None:
    """Another CUDA source in a package, with the sums that go with it: what a wrong code generator would write."""
    manifest = read_manifest(package, "it")
    assert manifest.device_code is not None
    source = package / manifest.device_code.source
    text = source.read_text()
    changed = mutate(text)
    assert changed != text, "nothing was changed"
    source.write_text(changed)
    code = {**manifest.device_code, "source_sha256": sha256_file(source)}
    replace(manifest, device_code=code, files=list_files(package)).write(package)


def _failure(package: Path) -> str:
    with pytest.raises(SystemFailure) as failure:
        verify(package, emulate=True, on_event=silent)
    return str(failure.value)


def _body(source: str, kernel: str) -> tuple[int, int]:
    """Where the body of the first kernel whose name begins so begins and ends."""
    found = re.search(rf"__global__ void (?:__launch_bounds__\(\d+\) )?{kernel}\w*\([^)]*\) {{", source)
    assert found is not None
    return found.end(), source.index("\n}\n", found.end())


def _without_barrier(kernel: str, which: int) -> Mutate:
    def mutate(source: str) -> str:
        begin, end = _body(source, kernel)
        places = [begin + one.start() for one in re.finditer(r"__syncthreads\(\);", source[begin:end])]
        return source[: places[which]] + source[places[which] + len("__syncthreads();") :]

    return mutate


def _in_kernel(kernel: str, pattern: str, replacement: str) -> Mutate:
    def mutate(source: str) -> str:
        begin, end = _body(source, kernel)
        return source[:begin] + re.sub(pattern, replacement, source[begin:end], count=1) + source[end:]

    return mutate


def test_a_package_as_it_was_compiled(gpu_package: Path, command: Callable[..., Any]) -> None:
    answer = command("verify", gpu_package, "--emulate", "--json")
    result = json.loads(answer.out)
    assert answer.code == 0 and result["passed"] and result["where"] == "emulated"
    assert NOTICE in answer.err


def test_run_tells_no_time(gpu_package: Path, tmp_path: Path) -> None:
    with open_package(gpu_package) as opened:
        tensor = tmp_path / "x.npy"
        tensor.write_bytes(first_input(opened))
    result = run(gpu_package, [tensor], emulate=True, on_event=silent)
    assert result["where"] == "emulated"
    assert "latency_ms" not in result["results"][0]


@pytest.mark.parametrize("kernel", ["pointwise", "global_average_pool"])
def test_a_barrier_that_is_missing(gpu_package: Path, kernel: str) -> None:
    _change(gpu_package, _without_barrier(kernel, -1))
    said = _failure(gpu_package)
    assert re.search(rf"emulated GPU: kernel {kernel}\w*, block \(.*\), thread \(.*\): ", said)
    assert "with no barrier between" in said


def test_an_index_that_is_off_by_one(gpu_package: Path) -> None:
    store = r"(relu_ptr \+ |relu_ptr\[)"
    _change(gpu_package, _in_kernel("pointwise", store, r"\g<1>4 + "))
    said = _failure(gpu_package)
    assert re.search(
        r"kernel pointwise\w*, .* writes \d+ bytes at offset \d+ of argument \d 'relu_ptr', which has", said
    )


def test_a_wait_that_is_missing(gpu_package: Path) -> None:
    _change(gpu_package, lambda source: re.sub(r'asm volatile\("cp\.async\.wait_group \d;"[^;]*;', "", source))
    assert "to which a cp.async is on its way that its thread has not waited for" in _failure(gpu_package)


def test_a_wrong_number(gpu_package: Path) -> None:
    """What breaks no rule of memory is a wrong result."""
    _change(gpu_package, _in_kernel("pointwise", r"\(bool\(", "(!bool("))  # the other side of ReLU
    assert not verify(gpu_package, emulate=True, on_event=silent)["passed"]


def test_a_function_that_the_emulated_gpu_does_not_know(gpu_package: Path) -> None:
    _change(gpu_package, _in_kernel("pointwise", r"^", " __nanosleep(10); "))
    assert "use of undeclared identifier '__nanosleep'" in _failure(gpu_package)


def test_a_source_that_is_not_the_device_codes(gpu_package: Path) -> None:
    manifest = read_manifest(gpu_package, "it")
    assert manifest.device_code is not None
    with (gpu_package / manifest.device_code.source).open("a") as stream:
        stream.write("// more\n")
    replace(manifest, files=list_files(gpu_package)).write(gpu_package)
    with pytest.raises(UserError, match="is not what its device code was compiled from"):
        verify(gpu_package, emulate=True, on_event=silent)


def test_device_code_that_is_not_the_manifests(gpu_package: Path) -> None:
    manifest = read_manifest(gpu_package, "it")
    assert manifest.device_code is not None
    replace(manifest, device_code={**manifest.device_code, "fatbin_sha256": "0" * 64}).write(gpu_package)
    assert "the module's device code has SHA-256" in _failure(gpu_package)


def test_host_code_for_another_cpu(gpu_package: Path) -> None:
    manifest = read_manifest(gpu_package, "it")
    replace(manifest, target=replace(manifest.target, arch="aarch64")).write(gpu_package)
    with pytest.raises(UserError, match="has host code for aarch64"):
        verify(gpu_package, emulate=True, on_event=silent)


def test_launches_are_counted(gpu_package: Path, tmp_path: Path) -> None:
    tensor, counters = tmp_path / "x.npy", tmp_path / "counters.jsonl"
    with open_package(gpu_package) as opened:
        tensor.write_bytes(first_input(opened))
        run_package(on_emulated_gpu(opened, counters), [str(tensor)], ClassifyAnswer)
        assert opened.manifest.device_code is not None
        known = {kernel.name: kernel for kernel in opened.manifest.device_code.kernels}
    launches = read_counters(counters)
    assert {launch.kernel for launch in launches} == set(known)
    for launch in launches:
        kernel = known[launch.kernel]
        assert (launch.grid, launch.block) == (kernel.grid, kernel.block)
        assert launch.unique_bytes_read <= launch.bytes_loaded
        assert launch.unique_bytes_written <= launch.bytes_stored
