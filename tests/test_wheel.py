"""The wheel alone, in a clean environment and another folder, does the main job."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from mobilenet_tvm.base.paths import package_folder
from mobilenet_tvm.native.runner_build import runner_binary

ROOT = Path(__file__).parents[1]


def _run(*command: object, folder: Path) -> str:
    done = subprocess.run([str(word) for word in command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of what git knows, so that the checkout stays as it is."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    names = _run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", folder=ROOT).split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    # As `runner_build --in-place` would leave it, without building it again.
    shutil.copytree(runner_binary("x86_64").parent, source / "runner" / "bin" / "x86_64")
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, folder=source)
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; its dependencies are this environment's, without our checkout."""
    folder = tmp_path_factory.mktemp("clean")
    _run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", folder=folder)
    python = folder / "venv" / "bin" / "python"
    site = Path(_run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder).strip())
    _run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", wheel, folder=folder)
    # A folder added so is not searched for .pth files, which is how the checkout gets into this environment.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def test_it_is_for_this_platform_and_holds_the_data(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-manylinux_2_28_x86_64.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = [
        "emulated_gpu/device/include/mma.h",
        "emulated_gpu/runtime/execution/block.cc",
        "emulated_gpu/runtime/exports.map",
        *("targets/presets/x86-64-v4.toml", "targets/toolchains/x86_64-linux-gnu.cmake"),
        *(
            "targets/presets/rpi4.toml",
            "targets/toolchains/aarch64-linux-gnu.cmake",
            "runner/cpu/cpu_features_aarch64.cc",
        ),
        *("mobilenet_tvm/schemas/run.json", "runner/run.sh", "runner/main.cc", "runner/bin/x86_64/mobilenet-run"),
        *("targets/toolchains/aarch64-linux-musl.cmake", "runner/static/CMakeLists.txt", "runner/cmake/sources.cmake"),
        *("runner/static/package_static.cc", "runner/static/tvm_support/tvm/support/cuda/nvtx.h"),
    ]
    assert not [name for name in wanted if name not in names]
    logs = {path.relative_to(ROOT).as_posix() for path in package_folder("tuning_logs").rglob("*.json*")}
    assert logs <= names
    assert not [name for name in names if name.startswith("tests/")]


def test_it_compiles_from_another_folder(clean: Path) -> None:
    command = clean / "venv" / "bin" / "mobilenet-tvm"
    python = clean / "venv" / "bin" / "python"
    where = _run(
        python, "-P", "-c", "import mobilenet_tvm, targets, frontend; print(mobilenet_tvm.__file__)", folder=clean
    )
    assert str(clean) in where
    _run(command, "compile", "mobilenet_v2_1.0_224", "-o", "v2", folder=clean)
    assert json.loads(_run(command, "verify", "v2", "--json", folder=clean))["passed"]
    photo = package_folder("skimage") / "data" / "chelsea.png"
    answer = json.loads(_run(command, "run", "v2", photo, "--json", folder=clean))
    assert answer["results"][0]["top"][0]["label"] == "Egyptian cat"
