"""A kernel's parts, found by the annotations that its workload left on the blocks, and the loops' annotations by which
a schedule tells code generation what to do."""

from collections.abc import Callable
from dataclasses import dataclass

from tvm import tirx
from tvm.s_tir import Schedule
from tvm.s_tir.schedule import SBlockRV, ScheduleError

from tvm_pipeline.workloads.workload import ANCHOR, BETWEEN, CROPPED, INNER_ANCHOR, PADDING, PREPARED

PREFETCH_STEPS = "mobilenet_tvm.prefetch_steps"
"""How many steps ahead weights are brought into the first-level cache."""

PREFETCH_PANEL = "mobilenet_tvm.prefetch_panel"
"""How many pixels a tile has, where each brings a block of the weights behind its own into the second-level cache."""

PREFETCH_STRIPE = "mobilenet_tvm.prefetch_stripe"
"""How many output rows a stripe has, where each step asks for its part of the next stripe's input."""


WRITTEN = "mobilenet_tvm.written"
"""On a function whose loops are as they are to run: what wrote them, ``name/version``."""


MULT_ADDS = "mobilenet_tvm.mult_adds"
"""On such a function: how many multiply-adds it makes."""


@dataclass(frozen=True)
class Kernel:
    """``anchor`` accumulates into registers, ``output`` stores with the epilogue inlined.

    :ivar prepared: makes what the anchor multiplies, where that is not the kernel's input itself.
    """

    anchor: SBlockRV
    output: SBlockRV
    padding: SBlockRV | None
    prepared: SBlockRV | None = None


def blocks_of(schedule: Schedule) -> list[SBlockRV]:
    """All blocks of a kernel, in order."""
    return list(schedule.get_child_blocks(schedule.get_sblock("root")))


def annotated(schedule: Schedule, blocks: list[SBlockRV], key: str) -> int | None:
    """The position of the block that has an annotation; None where there is none."""
    return next((position for position, block in enumerate(blocks) if key in schedule.get(block).annotations), None)


def anchor_descriptor(schedule: Schedule) -> str | None:
    """The descriptor that the kernel's main block carries; None for a kernel that no workload defined."""
    blocks = blocks_of(schedule)
    position = annotated(schedule, blocks, ANCHOR)
    return None if position is None else str(schedule.get(blocks[position]).annotations[ANCHOR])


def prepare_kernel(schedule: Schedule) -> Kernel:
    """Inlines the epilogue into the last block and keeps the anchor's result apart from what is stored."""
    blocks = blocks_of(schedule)
    position, padded = annotated(schedule, blocks, ANCHOR), annotated(schedule, blocks, PADDING)
    assert position is not None
    anchor, behind = blocks[position], blocks[position + 1 :]
    padding = None if padded is None else blocks[padded]
    made_ready = annotated(schedule, blocks, PREPARED)
    prepared = None if made_ready is None else blocks[made_ready]
    for block in behind[:-1]:
        if CROPPED not in schedule.get(block).annotations:
            schedule.compute_inline(block)
    if behind:
        schedule.set_scope(anchor, 0, "local")
        return Kernel(anchor, behind[-1], padding, prepared)
    return Kernel(anchor, schedule.cache_write(anchor, 0, "local"), padding, prepared)


def prepare_inner_kernel(schedule: Schedule) -> Kernel:
    """The first half of a kernel of two: its epilogue inlined into the stage that stores what lies between them."""
    blocks = blocks_of(schedule)
    first, last = annotated(schedule, blocks, INNER_ANCHOR), annotated(schedule, blocks, BETWEEN)
    assert first is not None and last is not None
    for block in blocks[first + 1 : last]:
        schedule.compute_inline(block)
    schedule.set_scope(blocks[first], 0, "local")
    return Kernel(blocks[first], blocks[last], None)


def split_pixels(schedule: Schedule, kernel: Kernel) -> Kernel:
    """The kernel with its output block over rows and columns, as the anchor's, instead of over flattened pixels.

    Division and remainder of a tile's flattened pixels are beyond TVM's bounds: it would compute more than the tile.
    """
    blocks = blocks_of(schedule)
    cropped = annotated(schedule, blocks, CROPPED)
    by_rows = schedule.cache_write(kernel.anchor, 0, "local") if cropped is None else blocks[cropped]
    schedule.reverse_compute_inline(kernel.output)
    return Kernel(kernel.anchor, by_rows, kernel.padding)


def inline_injective(
    schedule: Schedule, keeps: Callable[[Schedule, SBlockRV], bool] = lambda _schedule, _block: False
) -> list[SBlockRV]:
    """Inlines elementwise blocks into what follows where that is possible; returns the blocks that remain.

    :param keeps: tells which blocks are not to be inlined.
    """
    *blocks, last = blocks_of(schedule)
    return [block for block in blocks if keeps(schedule, block) or not _inline(schedule, block)] + [last]


def _inline(schedule: Schedule, block: SBlockRV) -> bool:
    if any(variable.iter_type != tirx.IterVar.DataPar for variable in schedule.get(block).iter_vars):
        return False
    try:
        schedule.compute_inline(block)
    except ScheduleError:
        return False
    return True
