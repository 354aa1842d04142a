"""Which folder answers for a request, and that no other is imported on its account."""

from __future__ import annotations

import subprocess
import sys

import pytest

import targets
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.tracker import Device
from tvm_pipeline.backends.backend import Setup
from tvm_pipeline.backends.choose import MODEL, WAYS, open_backend
from tvm_pipeline.hardware.target import Target

DEVICE = Device("127.0.0.1", 9190, "rpi4")


def _setup(name: str, device: Device | None = None) -> Setup:
    return Setup(Target.from_json(targets.load(name).to_json()), 1, device, pytest.fail)


@pytest.mark.parametrize(
    ("measure", "setup", "folder"),
    [
        ("clock", _setup("x86-64-v3"), "clock"),
        ("clock", _setup("rpi4", DEVICE), "boards"),
        ("clock", _setup("a100", DEVICE), "boards"),
        (MODEL, _setup("rpi4"), "arm_model"),
        (MODEL, _setup("a100"), "gpu_model"),
    ],
)
def test_the_first_that_fits_answers(measure: str, setup: Setup, folder: str) -> None:
    assert next(name for name, answers in WAYS.items() if answers(measure, setup)) == folder


@pytest.mark.parametrize("folder", WAYS)
def test_a_backend_imports_no_other(folder: str) -> None:
    others = {f"tvm_pipeline.backends.{name}" for name in WAYS if name != folder}
    code = f"import sys, tvm_pipeline.backends.{folder}.measurement; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert f"tvm_pipeline.backends.{folder}.measurement" in loaded
    assert not others & set(loaded)
    assert not any(name.startswith("tvm_pipeline.tuning") for name in loaded)


def test_no_clock_here_measures_a_gpu() -> None:
    with pytest.raises(UserError, match=r"--device tracker://HOST:PORT/KEY .* --measure model does without a100"):
        open_backend("clock", _setup("a100"))
