"""A GPU's package where something of what it needs is missing: one line names it, exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from gpus.fake_driver import FakeDriver
from tiny_package import Package

from targets import gpu_at_hand

DEVICE_CODE = {"arch": "sm_80", "ptx": "compute_80", "driver": "580", "source": "debug/kernels.cu", "kernels": []}


@pytest.fixture
def gpu_package(package: Package) -> Package:
    """A package that says it is for a GPU."""
    package.write_manifest({**package.manifest, "device_code": DEVICE_CODE})
    return package


def refusal(package: Package, library_folder: Path | None = None) -> str:
    """What ``mobilenet-run --self-test`` says."""
    environment = {"LD_LIBRARY_PATH": str(library_folder)} if library_folder is not None else {"LC_ALL": "C"}
    run = package.run("--self-test", **environment)
    assert run.code == 2, run
    assert run.out == ""
    assert run.error.startswith("mobilenet-run: ") and run.error.count("\n") == 1, run.error
    return run.error.removeprefix("mobilenet-run: ").strip()


@pytest.mark.skipif(gpu_at_hand.has_gpu(), reason="this machine has a driver")
@pytest.mark.parametrize(
    ("driver", "needed"),
    [("580", "driver branch 580 or newer is needed"), ("JetPack 7.2", "JetPack 7.2 or newer is needed")],
)
def test_no_driver(gpu_package: Package, driver: str, needed: str) -> None:
    gpu_package.write_manifest({**gpu_package.manifest, "device_code": {**DEVICE_CODE, "driver": driver}})
    said = refusal(gpu_package)
    assert said.startswith("the package needs an NVIDIA GPU, and there is no driver for one: libcuda.so.1: ")
    assert said.endswith(needed)


@pytest.mark.parametrize(
    ("driver", "said"),
    [
        (FakeDriver(started=100), "the driver finds none"),
        (FakeDriver(started=999), r"the NVIDIA driver does not start (CUDA error 999): driver branch 580 or newer"),
        (
            FakeDriver(cuda=12060),
            "the NVIDIA driver is too old: it is that of CUDA 12.6, the package needs CUDA 13.0's",
        ),
        (FakeDriver(devices=0), "CUDA finds none that it may use"),
        (FakeDriver(counted=35), "CUDA finds none that it may use (error 35"),
        (
            FakeDriver(capability=75),
            "the GPU (X) has compute capability 7.5, the package needs 8.0: compile it for cuda-sm_75",
        ),
        (FakeDriver(), "TVM's CUDA runtime does not load: "),
    ],
)
def test_something_of_it_is_missing(gpu_package: Package, driver: FakeDriver, said: str, tmp_path: Path) -> None:
    assert said in refusal(gpu_package, driver.write(tmp_path))


def test_no_cudart(gpu_package: Package, tmp_path: Path) -> None:
    said = refusal(gpu_package, FakeDriver(has_cudart=False).write(tmp_path))
    assert said.startswith("the package needs CUDA 13's runtime library: ")
    assert "libcudart.so.13: " in said
    assert said.endswith("name its folder in LD_LIBRARY_PATH")


def test_a_library_that_is_something_else(gpu_package: Package, tmp_path: Path) -> None:
    FakeDriver().write(tmp_path)
    (tmp_path / "libcuda.so.1").write_bytes((tmp_path / "libcudart.so.13").read_bytes())
    assert "libcuda.so.1: has no function cuInit" in refusal(gpu_package, tmp_path)


def test_a_gpus_package_without_its_architecture(gpu_package: Package) -> None:
    gpu_package.write_manifest({**gpu_package.manifest, "device_code": {**DEVICE_CODE, "arch": "gfx90a"}})
    assert refusal(gpu_package) == ("manifest.json: device_code.arch is gfx90a, which is no NVIDIA GPU's architecture")
