"""What tells a session how long a candidate takes."""

from collections.abc import Callable

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.tracker import Device
from tvm_pipeline.backends.backend import Backend
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.tuning.log_writer import Conditions

MODEL = "model"
"""The ``measure`` that asks a static model; any other is this machine's clock."""


def choose_backend(
    measure: str, device: Device | None, target: AnyTarget, threads: int, warn: Callable[[str], None]
) -> tuple[Backend, Conditions | None]:
    """The backend, and the conditions under which its seconds are found; None: no log may hold them.

    :raises UserError: no board is there, what the model needs is not, or nothing here can tell.
    """
    if device is not None:
        from tvm_pipeline.backends.boards.measurement import BoardMeasurement

        boards = BoardMeasurement(device, target, threads, warn)
        if any(board.emulated for board in boards.boards):
            warn(f"{device} is an emulator, whose times are no board's: nothing is written into logs")
            return boards, None
        return boards, Conditions.of_boards(boards.boards, device, threads)
    if measure == MODEL:
        return _modelled(target, threads)
    if target.unit.compute_capability is not None:
        raise UserError(
            f"a GPU is measured over RPC: --device tracker://HOST:PORT/KEY names its machine; --measure model does "
            f"without {target.card}"
        )
    from tvm_pipeline.backends.clock.measurement import Measurement

    return Measurement(target, threads), Conditions.of_this_machine(target, threads)


def _modelled(target: AnyTarget, threads: int) -> tuple[Backend, Conditions]:
    if target.unit.compute_capability is not None:
        from tvm_pipeline.backends.gpu_model.measurement import ModelledGpu

        return ModelledGpu(target), Conditions.of_gpu_model(target.card)
    from tvm_pipeline.backends.arm_model.measurement import ModelledMeasurement

    modelled = ModelledMeasurement(target, threads)
    return modelled, Conditions.of_model(modelled.core.name, threads)
