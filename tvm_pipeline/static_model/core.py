"""The ARM cores that are modelled: what llvm-mca is to assume, and what lies behind the first-level cache.

Sizes and ways are of ARM's reference manuals and of the boards' data sheets. Cycles per miss are assumptions: what a line
costs beyond a hit in the first level, once streamed (the hardware prefetcher is ahead, bandwidth is what is paid) and
once scattered (the part of the latency that the core does not hide). docs/static_model.md says how far off they are.
"""

from dataclasses import dataclass

from mobilenet_tvm.errors import UserError

MODEL_VERSION = 1
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
    :ivar mca_cpu: whose scheduling model llvm-mca takes.
    :ivar hertz: the board's clock, which turns cycles into seconds.
    :ivar caches: the first level first.
    :ivar writeback: cycles for a line written back to memory.
    :ivar loop_exit: cycles lost when a loop is left that the branch predictor cannot count to the end of.
    """

    name: str
    mca_cpu: str
    emulated_cpu: str
    hertz: float
    caches: tuple[Cache, ...]
    writeback: float
    loop_exit: float


CORES = {
    core.name: core
    for core in (
        # Raspberry Pi 3 B+: in-order, 512 KiB shared, LPDDR2
        Core(
            "cortex-a53",
            "cortex-a53",
            "cortex-a53",
            1.4e9,
            (Cache(32, 4, 6.0, 13.0, 3.0), Cache(512, 16, 36.0, 180.0, 36.0)),
            writeback=36.0,
            loop_exit=7.0,
        ),
        # Raspberry Pi 4 B: out of order, 1 MiB shared, LPDDR4
        Core(
            "cortex-a72",
            "cortex-a72",
            "cortex-a72",
            1.8e9,
            (Cache(32, 2, 4.0, 10.0, 2.0), Cache(1024, 16, 26.0, 150.0, 26.0)),
            writeback=26.0,
            loop_exit=15.0,
        ),
        # Raspberry Pi 5: 512 KiB of its own, 2 MiB shared, LPDDR4X. LLVM has no model of the Cortex-A76 of its own; the
        # Neoverse N1 is its sibling.
        Core(
            "cortex-a76",
            "neoverse-n1",
            "cortex-a76",
            2.4e9,
            (Cache(64, 4, 2.0, 5.0, 1.0), Cache(512, 8, 6.0, 20.0, 6.0), Cache(2048, 16, 14.0, 180.0, 14.0)),
            writeback=14.0,
            loop_exit=11.0,
        ),
    )
}


def core_of(mcpu: str) -> Core:
    """The core of that ``-mcpu``. Raises UserError for one that no board here has."""
    try:
        return CORES[mcpu]
    except KeyError:
        raise UserError(f"there is no static model of {mcpu!r}: one of {', '.join(CORES)}") from None
