"""Which way to measure answers a request: a folder of this package, and a line in the table below."""

from collections.abc import Callable
from importlib import import_module

from tvm_pipeline.backends.backend import Backend, Setup
from tvm_pipeline.hardware.unit import GPU

MODEL = "model"
"""The ``measure`` that asks a static model; any other is a clock."""

WAYS: dict[str, Callable[[str, Setup], bool]] = {
    "boards": lambda measure, setup: setup.device is not None,
    "gpu_model": lambda measure, setup: measure == MODEL and setup.target.unit.family == GPU,
    "arm_model": lambda measure, setup: measure == MODEL,
    "clock": lambda measure, setup: True,
}
"""The folders, and whether they are what is asked for; the first that says so is opened, and no other is imported."""


def open_backend(measure: str, setup: Setup) -> Backend:
    """The backend for a request.

    :raises UserError: no board is there, what the model needs is not, or nothing here can tell.
    """
    folder = next(folder for folder, answers in WAYS.items() if answers(measure, setup))
    opened: Backend = import_module(f"tvm_pipeline.backends.{folder}.measurement").open_backend(setup)
    return opened
