"""The threads of a block, and the loops that they share out."""

from collections.abc import Sequence
from dataclasses import dataclass

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

CHANNELS_PER_THREAD = 4
"""One vector of float32."""

KEEP_LOOPS = "pragma_unroll_explicit"


@dataclass(frozen=True)
class ThreadBlock:
    """``groups`` share out a reduction; each is a grid of ``rows`` x ``columns`` threads, the columns side by side."""

    groups: int
    rows: int
    columns: int

    @staticmethod
    def of(groups: int, rows: int, channels: int) -> "ThreadBlock":
        """One with a column for every few of the ``channels``."""
        return ThreadBlock(groups, rows, channels // CHANNELS_PER_THREAD)

    @property
    def count(self) -> int:
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


def compute_in(schedule: Schedule, block: SBlockRV, loop: LoopRV) -> None:
    """Moves a block into a loop's body. Its loops of one step stay, so that there is one for each of its axes."""
    schedule.compute_at(block, loop, preserve_unit_loops=True)


def loops_below(schedule: Schedule, block: SBlockRV, outer: LoopRV) -> list[LoopRV]:
    """The loops around ``block`` that lie inside ``outer``."""
    loops = schedule.get_loops(block)
    statement = schedule.get(outer)
    depth = next(depth for depth, loop in enumerate(loops) if schedule.get(loop).same_as(statement))
    return list(loops[depth + 1 :])


def clear_sums(schedule: Schedule, anchor: SBlockRV, step: LoopRV) -> None:
    """A thread's sums are set to zero before the loop ``step``: the three innermost loops, unrolled."""
    clear = schedule.decompose_reduction(anchor, step)
    unroll_all(schedule, schedule.get_loops(clear)[-3:])
