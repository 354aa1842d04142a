"""Which way to measure answers a request: a folder of this package, and a line in the table below."""

from collections.abc import Mapping
from importlib import import_module

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.requests import CLOCK, MODEL
from tvm_pipeline.backends.backend import Backend, Setup
from tvm_pipeline.backends.clock.network import NetworkClock
from tvm_pipeline.hardware.unit import CPU, GPU

BOARDS = "boards"

WAYS: Mapping[tuple[str, str], str] = {
    (CLOCK, CPU): "clock",
    (BOARDS, CPU): "boards",
    (BOARDS, GPU): "boards",
    (MODEL, CPU): "arm_model",
    (MODEL, GPU): "gpu_model",
}
"""The folder for what is asked for and the family of the target's unit; no other is imported."""


def open_backend(measure: str, setup: Setup) -> Backend:
    """The backend for a request.

    :param measure: ``clock`` or ``model``; the setup's boards go before.
    :raises UserError: no board is there, what the model needs is not, or nothing here can tell.
    """
    way = measure if setup.device is None else BOARDS
    folder = WAYS.get((way, setup.target.unit.family))
    if folder is None:
        raise UserError(
            f"no {way} of this machine times {setup.target.card}: --device tracker://HOST:PORT/KEY names its machine, "
            "--measure model does without"
        )
    opened: Backend = import_module(f"tvm_pipeline.backends.{folder}.measurement").open_backend(setup)
    return opened


def network_clock(measure: str, setup: Setup) -> NetworkClock | None:
    """What times kernels inside whole networks; None where only kernels alone can be measured."""
    is_here = (measure, setup.device, setup.target.unit.family) == (CLOCK, None, CPU)
    return NetworkClock(setup.threads) if is_here else None
