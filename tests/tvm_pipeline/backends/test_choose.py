"""Which folder answers for a request, and that no other is imported on its account."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import targets
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.requests import CLOCK, MODEL
from mobilenet_tvm.base.tracker import Device
from tvm_pipeline.backends.backend import Setup
from tvm_pipeline.backends.choose import WAYS, open_backend
from tvm_pipeline.hardware.target import Target

FOLDERS = sorted(set(WAYS.values()))
DEVICE = Device("127.0.0.1", 9190, "rpi4")


def _setup(name: str, device: Device | None = None) -> Setup:
    return Setup(Target.from_json(targets.load(name).to_json()), 1, device, pytest.fail)


@pytest.mark.parametrize(
    ("measure", "setup", "folder"),
    [
        (CLOCK, _setup("x86-64-v3"), "clock"),
        (CLOCK, _setup("rpi4", DEVICE), "boards"),
        (CLOCK, _setup("a100", DEVICE), "boards"),
        (MODEL, _setup("rpi4"), "arm_model"),
        (MODEL, _setup("a100"), "gpu_model"),
    ],
)
def test_a_request_opens_its_folder(measure: str, setup: Setup, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module(f"tvm_pipeline.backends.{folder}.measurement")
    monkeypatch.setattr(module, "open_backend", lambda given: (folder, given))
    assert open_backend(measure, setup) == (folder, setup)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_backend_imports_no_other(folder: str) -> None:
    others = {f"tvm_pipeline.backends.{name}" for name in FOLDERS if name != folder}
    code = f"import sys, tvm_pipeline.backends.{folder}.measurement; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert f"tvm_pipeline.backends.{folder}.measurement" in loaded
    assert not others & set(loaded)
    assert not any(name.startswith("tvm_pipeline.tuning") for name in loaded)


def test_no_clock_here_measures_a_gpu() -> None:
    with pytest.raises(UserError, match=r"no clock of this machine times a100: --device .*, --measure model does"):
        open_backend(CLOCK, _setup("a100"))
