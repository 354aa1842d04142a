"""The lock files hold what pyproject.toml asks for: what make setup installs, and what make test adds to it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OF_SETUP = ("frontend", "demo")
"""The extras that the demo needs."""


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def _locked(file: str) -> dict[str, str]:
    """Versions by distribution."""
    lines = (line.partition("#")[0].strip() for line in (ROOT / file).read_text(encoding="utf-8").splitlines())
    return dict(line.split("==") for line in lines if line)


def _asked() -> dict[str, list[str]]:
    """Requirements by extra, the dependencies of all under the empty name."""
    with (ROOT / "pyproject.toml").open("rb") as stream:
        project = tomllib.load(stream)["project"]
    return {"": project["dependencies"], **project["optional-dependencies"]}


def test_setup_has_what_the_demo_needs() -> None:
    locked = _locked("requirements.lock")
    asked = _asked()
    wanted = [_name(requirement) for extra in ("", *OF_SETUP) for requirement in asked[extra]]
    assert not [name for name in wanted if name not in locked]
    assert "setuptools" in locked, "the checkout is installed without build isolation"


def test_the_two_locks_hold_everything_once() -> None:
    setup, test = _locked("requirements.lock"), _locked("requirements-test.lock")
    assert not set(setup) & set(test)
    assert not [name for asked in _asked().values() for name in map(_name, asked) if name not in {**setup, **test}]


@pytest.mark.parametrize("heavy", ["openvino", "nvidia-cuda-nvcc", "clang-tidy", "mypy"])
def test_setup_leaves_out_what_tests_alone_need(heavy: str) -> None:
    assert heavy not in _locked("requirements.lock")
    assert heavy in _locked("requirements-test.lock")


def test_pinned_versions_are_the_locked_ones() -> None:
    locked = {**_locked("requirements.lock"), **_locked("requirements-test.lock")}
    pinned = [line.split("==") for asked in _asked().values() for line in asked if "==" in line]
    assert pinned
    assert not [name for name, version in pinned if locked[name] != version]
