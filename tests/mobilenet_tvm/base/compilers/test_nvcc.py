"""nvcc is found, and named where it is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mobilenet_tvm.base.compilers import nvcc as find_nvcc
from mobilenet_tvm.base.errors import UserError

SAYS = "#!/bin/sh\necho 'Cuda compilation tools, release {0}, V{0}.88'\n"


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    find_nvcc.find_nvcc.cache_clear()
    yield
    find_nvcc.find_nvcc.cache_clear()


def fake(folder: Path, text: str) -> Path:
    program = folder / "bin" / "nvcc"
    program.parent.mkdir(parents=True)
    program.write_text(text)
    program.chmod(0o755)
    return program


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the machine's own is found; the folder is on the search path as ``on_path/bin``."""
    monkeypatch.setattr(find_nvcc, "wheel_folders", lambda: [tmp_path / "wheels"])
    monkeypatch.setattr(find_nvcc, "DEFAULT_TOOLKIT", tmp_path / "toolkit")
    monkeypatch.setenv("PATH", str(tmp_path / "on_path" / "bin"))
    monkeypatch.delenv(find_nvcc.NVCC_VARIABLE, raising=False)
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "home"))
    return tmp_path


def test_the_order_of_places(places: Path) -> None:
    for place, version in (("toolkit", "13.0"), ("on_path", "13.1"), ("home", "13.2"), ("wheels", "13.3")):
        program = fake(places / place, SAYS.format(version))
        find_nvcc.find_nvcc.cache_clear()
        assert find_nvcc.find_nvcc() == find_nvcc.Nvcc(program, f"{version}.88")


def test_what_is_no_compiler_is_passed_over(places: Path) -> None:
    fake(places / "wheels", "#!/bin/sh\nexit 1\n")
    fake(places / "home", "#!/bin/sh\necho something else\n")
    program = fake(places / "on_path", SAYS.format("12.9"))
    assert find_nvcc.find_nvcc().program == program


def test_without_one_the_error_says_how_to_get_one(places: Path) -> None:
    with pytest.raises(UserError, match=r"needs nvcc, and none was found: pip install 'mobilenet-tvm\[cuda\]'"):
        find_nvcc.find_nvcc()


def test_a_compiler_that_is_named(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(places / "wheels", SAYS.format("13.3"))
    program = fake(places / "mine", SAYS.format("12.8"))
    monkeypatch.setenv(find_nvcc.NVCC_VARIABLE, str(program))
    assert find_nvcc.find_nvcc() == find_nvcc.Nvcc(program, "12.8.88")
