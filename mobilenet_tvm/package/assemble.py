"""The files of a package that are the same for every network: runner, TVM's runtime, licences."""

from __future__ import annotations

import importlib.metadata
import shutil
from pathlib import Path

from mobilenet_tvm.base.errors import SystemFailure
from mobilenet_tvm.base.paths import package_folder
from mobilenet_tvm.native.device_runtime import runtime_libraries
from mobilenet_tvm.package.open import RUNNER

_LICENCE_TEXTS = (
    ("tvm", "NOTICE"),
    ("tvm", "licenses/LICENSE.builtin_fp16.txt"),
    ("tvm_ffi", "3rdparty/libbacktrace/LICENSE"),
)
# What a static program holds besides.
_STATIC_LICENCE_TEXTS = (
    ("ziglang", "lib/libc/musl/COPYRIGHT"),
    ("ziglang", "lib/libcxx/LICENSE.TXT"),
    ("ziglang", "LICENSE"),
)


def _own_notice() -> str:
    in_checkout = Path(__file__).parents[2] / "NOTICE"
    if in_checkout.is_file():
        return in_checkout.read_text(encoding="utf-8")
    text = importlib.metadata.distribution("mobilenet-tvm").read_text("licenses/NOTICE")
    if text is None:
        raise SystemFailure("this installation of mobilenet-tvm lacks its NOTICE, which packages must carry")
    return text


def copy_runtime(folder: Path, arch: str, wheel_platform: str | None, *, cuda: bool = False) -> None:
    """Copy TVM's runtime libraries for that architecture out of TVM's own wheels; ``cuda``: the GPU's too."""
    libraries = runtime_libraries(arch, wheel_platform, cuda=cuda)
    (folder / "lib").mkdir()
    for source in libraries:
        shutil.copy2(source, folder / "lib" / source.name)


def copy_runner(folder: Path, arch: str) -> None:
    """Copy ``mobilenet-run``, built for that architecture, and the script that starts it."""
    from mobilenet_tvm.native.runner_build import run_script, runner_binary

    (folder / RUNNER).parent.mkdir()
    shutil.copyfile(runner_binary(arch), folder / RUNNER)
    (folder / "run.sh").write_text(run_script(arch), encoding="utf-8")
    for name in (RUNNER, "run.sh"):
        (folder / name).chmod(0o755)


def write_licences(folder: Path, *, static: bool = False) -> None:
    """TVM's licence, and the notices of everything that the package redistributes."""
    shutil.copyfile(package_folder("tvm") / "LICENSE", folder / "LICENSE")
    texts = [_own_notice()]
    for package, name in _LICENCE_TEXTS + (_STATIC_LICENCE_TEXTS if static else ()):
        path = package_folder(package) / name
        if path.is_file():
            texts.append(f"{package}: {name}\n\n{path.read_text(encoding='utf-8')}")
    (folder / "NOTICE").write_text(f"\n{'-' * 80}\n".join(texts), encoding="utf-8")
