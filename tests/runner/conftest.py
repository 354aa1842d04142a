"""The program under test, and a tiny package for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from filelock import FileLock
from runner_tests import built_tests
from tiny_package import Package, make_package

from mobilenet_tvm.places import qemu as emulator


def _built_once(root: Path, name: str, batch: int) -> Path:
    folder = root / name
    with FileLock(root / f"{name}.lock"):
        if not (folder / "manifest.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make_package(folder, batch)
    return folder


@pytest.fixture(scope="session")
def shared_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this test run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if base.name.startswith("popen-") else base


@pytest.fixture(scope="session")
def pristine(shared_root: Path) -> Package:
    """The tiny package; not to be changed."""
    return Package(_built_once(shared_root, "tiny_package", 1))


@pytest.fixture(scope="session")
def pristine_batch_of_two(shared_root: Path) -> Package:
    return Package(_built_once(shared_root, "tiny_package_of_two", 2))


@pytest.fixture
def package(pristine: Package, tmp_path: Path) -> Package:
    """A copy of the tiny package for one test."""
    folder = tmp_path / "package"
    shutil.copytree(pristine.folder, folder)
    return Package(folder)


@pytest.fixture(scope="session")
def test_build() -> Path:
    """The folder with the C++ unit tests and preprocess-dump, built from these sources by the packages' toolchain."""
    return built_tests("x86_64")


@pytest.fixture(scope="session")
def aarch64_test_build() -> Path:
    """The same for aarch64; ctest there goes through QEMU."""
    if lacking := emulator.missing("aarch64"):
        pytest.skip(f"{lacking[0][0]} is not installed (Debian: {lacking[0][1]})")
    return built_tests("aarch64")
