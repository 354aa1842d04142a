"""A reduction that groups of threads share out: their sums meet in shared memory, and one group adds them up."""

from dataclasses import dataclass

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV


@dataclass(frozen=True)
class GroupedSum:
    """``anchor`` accumulates in registers; with several groups ``partial`` stores their sums and ``total`` adds."""

    anchor: SBlockRV
    partial: SBlockRV | None = None
    total: SBlockRV | None = None


def share_reduction(schedule: Schedule, anchor: SBlockRV, reduction: LoopRV, groups: int) -> GroupedSum:
    """Every ``groups``-th step of the loop ``reduction`` goes to the same group: neighbours read side by side."""
    if groups == 1:
        return GroupedSum(anchor)
    accumulating, partial = sum_through_shared(schedule, reduction, groups, "local")
    return GroupedSum(accumulating, partial, anchor)


def sum_through_shared(schedule: Schedule, reduction: LoopRV, groups: int, scope: str) -> tuple[SBlockRV, SBlockRV]:
    """The block that accumulates in ``scope``, and the one that copies its sums into shared memory."""
    _, group = schedule.split(reduction, [None, groups])
    accumulating = schedule.rfactor(group, 0)
    partial = schedule.cache_write(accumulating, 0, scope)
    schedule.set_scope(partial, 0, "shared")
    return accumulating, partial
