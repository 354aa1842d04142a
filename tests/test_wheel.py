"""The wheel alone, in a clean environment and another folder, does the main job."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mobilenet_tvm.base.paths import package_folder
from mobilenet_tvm.native.runner_build import runner_binary

ROOT = Path(__file__).parents[1]
VERSIONS = ("3.11", "3.12", "3.13")
"""The Pythons that pyproject.toml declares."""
FRONT_DOOR = ("msgspec", "platformdirs")
"""The dependencies that verbs without TVM, torch and NumPy import."""


def _run(*command: object, folder: Path) -> str:
    words = [str(word) for word in command]
    environment = {
        name: value for name, value in os.environ.items() if name != "PYTHONPATH"
    }  # the wheel's modules alone
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _interpreters(version: str) -> Iterator[Path]:
    """Where a Python of that version may be: on PATH, or installed by pyenv."""
    if on_path := shutil.which(f"python{version}"):
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"))


def _works(python: Path) -> bool:
    """Whether it starts: pyenv's stand-ins on PATH do not where their version is not chosen."""
    return subprocess.run([python, "-c", "import venv"], capture_output=True, check=False).returncode == 0


def _other_pythons() -> list[Path]:
    """One interpreter of each declared version that is at hand and not this one's."""
    versions = [version for version in VERSIONS if version != f"{sys.version_info[0]}.{sys.version_info[1]}"]
    at_hand = (next(filter(_works, _interpreters(version)), None) for version in versions)
    return [python for python in at_hand if python is not None]


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


def _install(python: Path, *what: object, folder: Path) -> None:
    _run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", *what, folder=folder)


def _environment(interpreter: Path | str, wheel: Path, folder: Path) -> tuple[Path, Path]:
    """A fresh environment with the wheel alone: its Python, and where its packages lie."""
    _run(interpreter, "-m", "venv", "--without-pip", folder / "venv", folder=folder)
    python = folder / "venv" / "bin" / "python"
    _install(python, wheel, folder=folder)
    site = _run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder)
    return python, Path(site.strip())


@pytest.fixture(scope="module")
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; its dependencies are this environment's, without our checkout."""
    folder = tmp_path_factory.mktemp("clean")
    _, site = _environment(sys.executable, wheel, folder)
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
        *("targets/toolchains/aarch64-linux-musl.cmake", "runner/static/CMakeLists.txt", "runner/cmake/runner.cmake"),
        *("runner/static/package_static.cc", "runner/static/tvm_support/tvm/support/cuda/nvtx.h"),
    ]
    assert not [name for name in wanted if name not in names]
    logs = {path.relative_to(ROOT).as_posix() for path in package_folder("tuning_logs").rglob("*.json*")}
    assert logs <= names
    assert not [name for name in names if name.startswith("tests/")]


@pytest.fixture(scope="module")
def package(clean: Path) -> Path:
    """MobileNetV2 with ImageNet weights, compiled by the wheel in another folder."""
    _run(clean / "venv" / "bin" / "mobilenet-tvm", "compile", "mobilenet_v2_1.0_224", "-o", "v2", folder=clean)
    return clean / "v2"


def _assert_it_sees_a_cat(command: Path, package: Path, folder: Path) -> None:
    photo = package_folder("skimage") / "data" / "chelsea.png"
    answer = json.loads(_run(command, "run", package, photo, "--json", folder=folder))
    assert answer["results"][0]["top"][0]["label"] == "Egyptian cat"


def test_it_compiles_from_another_folder(clean: Path, package: Path) -> None:
    command = clean / "venv" / "bin" / "mobilenet-tvm"
    python = clean / "venv" / "bin" / "python"
    where = _run(
        python, "-P", "-c", "import mobilenet_tvm, targets, frontend; print(mobilenet_tvm.__file__)", folder=clean
    )
    assert str(clean) in where
    assert json.loads(_run(command, "verify", package, "--json", folder=clean))["passed"]
    _assert_it_sees_a_cat(command, package, clean)


@pytest.mark.parametrize("interpreter", _other_pythons(), ids=lambda python: python.name)
def test_the_other_pythons_read_it_and_run_its_packages(
    interpreter: Path, wheel: Path, package: Path, tmp_path: Path
) -> None:
    """Without the gigabytes of TVM and torch: every module is Python to them, and the front door works."""
    python, site = _environment(interpreter, wheel, tmp_path)
    _install(python, "--constraint", ROOT / "requirements.lock", *FRONT_DOOR, folder=tmp_path)
    _run(python, "-W", "error", "-m", "compileall", "-q", site, folder=tmp_path)
    command = tmp_path / "venv" / "bin" / "mobilenet-tvm"
    assert "compile" in _run(command, "--help", folder=tmp_path)
    targets = json.loads(_run(command, "targets", "--json", folder=tmp_path))
    assert {"x86-64-v4", "rpi4", "cuda-sm_80"} <= {target["name"] for target in targets}
    _assert_it_sees_a_cat(command, package, tmp_path)


def test_the_declared_pythons_are_these() -> None:
    with (ROOT / "pyproject.toml").open("rb") as stream:
        project = tomllib.load(stream)["project"]
    declared = [name.rpartition(" :: ")[2] for name in project["classifiers"] if "Python :: 3." in name]
    assert declared == list(VERSIONS)
    assert project["requires-python"] == ">=3.11,<3.14"
