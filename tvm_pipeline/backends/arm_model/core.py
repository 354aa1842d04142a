"""The ARM cores that are modelled: what llvm-mca is to assume, and what lies behind the first-level cache.

Sizes and ways are of ARM's reference manuals and of the boards' data sheets. Cycles per miss are what a line costs
beyond a hit in the first level: streamed, where the hardware prefetcher is ahead, scattered, and stored. They are the
part that the core does not hide behind other work, and no data sheet says it: round numbers, chosen so that ncnn's
MobileNetV1 and V2 come near their published times. docs/static_model.md says how far off they are for other networks.
"""

from dataclasses import dataclass

from mobilenet_tvm.base.errors import UserError

MODEL_VERSION = 2
"""Raised with every change that moves an estimate: records of another version are not compared."""


@dataclass(frozen=True)
class Cache:
    """A level: its size, and the cycles that a line costs which it does not hold."""

    kibibytes: int
    ways: int
    streamed: float
    scattered: float
    stored: float


@dataclass(frozen=True)
class Core:
    """One core of a board.

    :ivar name: as LLVM's ``-mcpu`` and QEMU's ``-cpu`` call it.
    :ivar board: which board's clock and memory are meant.
    :ivar mca_cpu: whose scheduling model LLVM is asked for.
    :ivar hertz: the board's clock, which turns cycles into seconds.
    :ivar caches: the first level first.
    :ivar writeback: cycles for a line written back to memory.
    :ivar loop_exit: cycles lost when a loop is left that the branch predictor cannot count to the end of.
    :ivar charge: cycles per executed instruction that a tuner adds when it ranks candidates. llvm-mca's front end is
        perfect and its stores forward at once: without a charge, spilled code with half as many instructions again
        wins by less than the model's own error.
    """

    name: str
    board: str
    mca_cpu: str
    is_in_order: bool
    hertz: float
    caches: tuple[Cache, ...]
    writeback: float
    loop_exit: float
    charge: float


CORES = {
    core.name: core
    for core in (
        Core(
            name="cortex-a53",
            board="Raspberry Pi 3 B+",
            mca_cpu="cortex-a53",
            is_in_order=True,
            hertz=1.4e9,
            caches=(Cache(32, 4, 1.0, 8.0, 1.0), Cache(512, 16, 18.0, 80.0, 18.0)),
            writeback=18.0,
            loop_exit=8.0,
            charge=0.5,
        ),
        Core(
            name="cortex-a72",
            board="Raspberry Pi 4 B",
            mca_cpu="cortex-a72",
            is_in_order=False,
            hertz=1.8e9,
            caches=(Cache(32, 2, 1.5, 8.0, 1.0), Cache(1024, 16, 20.0, 120.0, 20.0)),
            writeback=20.0,
            loop_exit=15.0,
            charge=0.5,
        ),
        # LLVM has no scheduling model of the Cortex-A76; the Neoverse N1 is its sibling.
        Core(
            name="cortex-a76",
            board="Raspberry Pi 5",
            mca_cpu="neoverse-n1",
            is_in_order=False,
            hertz=2.4e9,
            caches=(Cache(64, 4, 0.5, 3.0, 0.5), Cache(512, 8, 2.0, 8.0, 2.0), Cache(2048, 16, 8.0, 80.0, 8.0)),
            writeback=8.0,
            loop_exit=11.0,
            charge=0.25,
        ),
    )
}


def core_of(mcpu: str) -> Core:
    """The core of that ``-mcpu``.

    :raises UserError: no board here has it.
    """
    try:
        return CORES[mcpu]
    except KeyError:
        raise UserError(f"there is no static model of {mcpu!r}: there are those of {', '.join(CORES)}") from None
