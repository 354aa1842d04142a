"""How the stages of a kernel hang together: which axes of its result each of them has."""

from collections.abc import Sequence

from tvm import ir, tirx
from tvm.s_tir import SBlock, Schedule
from tvm.s_tir.schedule import SBlockRV

from tvm_pipeline.schedules.cpu.loop_index import Access, children

_Axes = dict[tirx.Var, int]
"""Which axis of the kernel's result a block's variable goes along."""


def is_reduction(schedule: Schedule, block: SBlockRV) -> bool:
    """Whether the block sums, or the like."""
    return any(var.iter_type != tirx.IterVar.DataPar for var in schedule.get(block).iter_vars)


def reduces_rows(schedule: Schedule, block: SBlockRV) -> bool:
    """Whether what the block reduces over lies side by side in memory."""
    block = schedule.get(block)
    access = Access(block)
    return any(
        access.reads_side_by_side(variable.var)
        for variable in block.iter_vars
        if variable.iter_type != tirx.IterVar.DataPar and int(variable.dom.extent) > 1
    )


def is_shared_call(schedule: Schedule, block: SBlockRV) -> bool:
    """Whether the block computes a function (an exponential, say) for several readers: once is enough."""
    value = getattr(schedule.get(block).body, "value", None)
    return value is not None and len(schedule.get_consumers(block)) > 1 and _calls(value)


def _calls(expression: ir.Expr) -> bool:
    is_function = isinstance(expression, ir.Call) and not str(expression.op.name).endswith("if_then_else")
    return is_function or any(map(_calls, children(expression)))


def common_axes(schedule: Schedule, stages: Sequence[SBlockRV], output: SBlockRV) -> set[int]:
    """The axes of ``output`` along which every stage makes only what the step needs.

    An axis that a stage reduces over, or does not have, is none: the stage would be computed anew at each step.
    """
    block = schedule.get(output)
    by_buffer: dict[tirx.Buffer, list[int | None]] = {}
    common = set(range(len(block.iter_vars)))
    _note_reads(block, {variable.var: axis for axis, variable in enumerate(block.iter_vars)}, by_buffer)
    for stage in reversed(stages):
        block = schedule.get(stage)
        written = block.writes[0]
        axes: _Axes = {}
        for index, axis in zip(written.region, by_buffer.get(written.source, ()), strict=False):
            if axis is not None and isinstance(index.min, tirx.Var):
                axes[index.min] = axis
        common &= set(axes.values())
        _note_reads(block, axes, by_buffer)
    return common


def _note_reads(block: SBlock, axes: _Axes, by_buffer: dict[tirx.Buffer, list[int | None]]) -> None:
    """Per axis of every buffer that the block reads, the result's axis; None where two reads do not agree."""
    for read in block.reads:
        own = [axes.get(index.min) if isinstance(index.min, tirx.Var) else None for index in read.region]
        known = by_buffer.get(read.source)
        if known is not None:
            own = [axis if axis == other else None for axis, other in zip(own, known, strict=True)]
        by_buffer[read.source] = own
