"""The threads of a block, and what they do together."""

from collections.abc import Sequence
from dataclasses import dataclass

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

CHANNELS_PER_THREAD = 4
"""One vector of float32."""

MOST_COPIES = 16
"""By one thread, one after another without a loop: so many loads are under way at once."""

KEEP_LOOPS = "pragma_unroll_explicit"


@dataclass(frozen=True)
class ThreadBlock:
    """``groups`` share out a reduction; each is a grid of ``rows`` x ``columns`` threads, the columns side by side."""

    groups: int
    rows: int
    columns: int

    @property
    def threads(self) -> int:
        return self.groups * self.rows * self.columns

    @property
    def extents(self) -> tuple[int, int, int]:
        return self.groups, self.rows, self.columns


def bind_threads(schedule: Schedule, group: LoopRV | None, row: LoopRV | None, column: LoopRV | None) -> None:
    """Binds the loops that are there to the block's three axes."""
    for loop, axis in ((group, "z"), (row, "y"), (column, "x")):
        if loop is not None:
            schedule.bind(loop, f"threadIdx.{axis}")


def bind_blocks(schedule: Schedule, column: LoopRV, row: LoopRV | None = None) -> None:
    """Binds loops to the grid; ``#pragma unroll`` then stands in the source in place of copies of each loop's body."""
    schedule.bind(column, "blockIdx.x")
    if row is not None:
        schedule.bind(row, "blockIdx.y")
    schedule.annotate(column, KEEP_LOOPS, 0)


def unroll_all(schedule: Schedule, loops: Sequence[LoopRV]) -> None:
    for loop in loops:
        schedule.unroll(loop)


def copy_by_threads(schedule: Schedule, copy: SBlockRV, inner_loops: int, block: ThreadBlock, most_lanes: int) -> None:
    """Shares out the innermost loops of a copy to all threads, by vectors as wide as its rows allow."""
    loops = schedule.get_loops(copy)[-inner_loops:]
    lanes = most_lanes
    while int(schedule.get(loops[-1]).extent) % lanes:
        lanes //= 2
    # before the others are fused: a border's condition would else depend on the lane, and no vector be loaded
    last, vector = schedule.split(loops[-1], [None, lanes])
    fused = schedule.fuse(*loops[:-1], last)
    vectors = int(schedule.get(fused).extent)
    steps, group, row, column = schedule.split(fused, [None, *block.extents])
    bind_threads(schedule, group, row, column)
    schedule.vectorize(vector)
    if vectors <= MOST_COPIES * block.threads:
        schedule.unroll(steps)


def copy_to_registers(schedule: Schedule, copy: SBlockRV, inner_loops: int, most_lanes: int) -> None:
    """One thread's copy: the innermost loop in vectors, the others unrolled."""
    *outer, row = schedule.get_loops(copy)[-inner_loops:]
    lanes = most_lanes
    extent = int(schedule.get(row).extent)
    while extent % lanes:
        lanes //= 2
    vectors, row = schedule.split(row, [None, lanes])
    schedule.vectorize(row)
    unroll_all(schedule, [*outer, vectors])


def loops_below(schedule: Schedule, block: SBlockRV, outer: LoopRV) -> list[LoopRV]:
    """The loops around ``block`` that lie inside ``outer``."""
    loops = schedule.get_loops(block)
    statement = schedule.get(outer)
    depth = next(depth for depth, loop in enumerate(loops) if schedule.get(loop).same_as(statement))
    return list(loops[depth + 1 :])
