"""How long a warp takes that has a multiprocessor to itself: what it waits for, and what it issues.

A walk along the code of one warp with a clock. Loads of one straight run of statements overlap, as the compiler moves
them together; a barrier and a loop that is not unrolled end the run. A copy into registers, or one by ``cp.async``, is
waited for where it is used.
"""

from dataclasses import dataclass

from tvm import tirx
from tvm.ir import Call, Expr, TensorLoad
from tvm.tirx.stmt import AttrStmt, Bind, BufferStore, Evaluate, For, ForKind, IfThenElse, SeqStmt, Stmt, While

from tvm_pipeline.backends.gpu_model.device_functions import DeviceFunction
from tvm_pipeline.backends.gpu_model.expression import call_name, operands
from tvm_pipeline.backends.gpu_model.nodes import (
    ARITHMETIC,
    COPY,
    GLOBAL,
    INTRINSICS,
    MULTIPLY,
    is_float,
    is_multiply_add,
    scope_of,
    touched_buffer,
)
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.multiprocessor import (
    BARRIER_CYCLES,
    GLOBAL_CYCLES,
    SCHEDULERS,
    SHARED_CYCLES,
    SUM_CYCLES,
    WARP,
)

MATRIX_MULTIPLY_ADDS, MATRIX_SLOTS = 16 * 16 * 16, 2
LOOP_SLOTS = 2.0
UNROLLED = 4
"""Steps of a loop that the compiler puts side by side where nothing in it synchronises."""
_COMMIT, _IN_FLIGHT = "async_commit_queue_scope", "async_wait_inflight_count"


@dataclass(frozen=True)
class WarpTime:
    """:ivar cycles: from a warp's first instruction to its last.
    :ivar slots: instructions that it issues."""

    cycles: float
    slots: float


def warp_time(function: DeviceFunction, unit: GpuUnit) -> WarpTime:
    """The time of a warp of a launch that meets no condition that fails.

    :param unit: says how many cycles a scheduler needs for an instruction of a warp.
    """
    schedulers_lanes = unit.fp32_lanes_per_multiprocessor / SCHEDULERS
    clock = _Clock(WARP / schedulers_lanes, MATRIX_MULTIPLY_ADDS * SCHEDULERS / unit.half_tensor_fma_per_cycle)
    clock.statement(function.body)
    return WarpTime(clock.now, clock.slots)


class _Clock:
    def __init__(self, cycles_per_sum: float, cycles_per_matrix: float) -> None:
        self._cycles_per_sum, self._cycles_per_matrix = cycles_per_sum, cycles_per_matrix
        self.now = self.slots = 0.0
        self._ready: dict[tirx.Buffer, float] = {}
        self._copied: list[float] = []
        self._waited_global = self._waited_shared = False
        self._barriers = self._unrolling = 0

    def _end_run(self) -> None:
        self._waited_global = self._waited_shared = False

    def statement(self, node: Stmt) -> None:
        if isinstance(node, SeqStmt):
            for part in node.seq:
                self.statement(part)
        elif isinstance(node, For):
            self._loop(node)
        elif isinstance(node, IfThenElse):
            self._issue(0 if self._unrolling else 1)  # a predicate that all unrolled steps share
            self.statement(node.then_case)
        elif isinstance(node, AttrStmt):
            self._copies(node)
            self.statement(node.body)
        elif isinstance(node, While):
            self.statement(node.body)
        elif isinstance(node, BufferStore):
            self._store(node)
        elif isinstance(node, Evaluate | Bind):
            self._expression(node.value)

    def _copies(self, node: AttrStmt) -> None:
        """Begins a group of asynchronous copies, or waits until no more than so many groups are on their way."""
        if node.attr_key == _COMMIT:
            self._copied.append(self.now)
        elif node.attr_key == _IN_FLIGHT and len(self._copied) > int(node.value):
            self.now = max(self.now, self._copied[-1 - int(node.value)])

    def _loop(self, loop: For) -> None:
        extent = float(int(loop.extent)) if isinstance(loop.extent, tirx.IntImm) else 1.0
        if extent < 1:
            return
        unrolled = loop.kind in (ForKind.UNROLLED, ForKind.VECTORIZED)
        if not unrolled:
            self._end_run()
        self._unrolling += unrolled
        barriers = self._barriers
        first = self._step(loop.body)
        if extent == 1:
            self._unrolling -= unrolled
            return
        if not unrolled and self._barriers > barriers:
            self._end_run()
        again = self._step(loop.body)
        self._unrolling -= unrolled
        fresh = 0.0 if unrolled or self._barriers > barriers else extent / min(extent, UNROLLED) - 1
        cycles = first[0] * fresh + again[0] * (extent - 1 - fresh) - again[0]
        slots = again[1] * (extent - 2)
        if not unrolled:
            slots += LOOP_SLOTS * extent / (1 if self._barriers > barriers else min(extent, UNROLLED))
            self._end_run()
        self.now += cycles
        self.slots += slots
        self._ready = {buffer: time + cycles for buffer, time in self._ready.items()}
        self._copied = [time + cycles for time in self._copied]

    def _step(self, body: Stmt) -> tuple[float, float]:
        now, slots = self.now, self.slots
        self.statement(body)
        return self.now - now, self.slots - slots

    def _store(self, node: BufferStore) -> None:
        scope = scope_of(node.buffer)
        value = node.value
        if scope is None and isinstance(value, TensorLoad) and scope_of(value.source) == GLOBAL:
            self._issue(1)
            self._ready[node.buffer] = self.now + GLOBAL_CYCLES
            return
        if is_multiply_add(value) or type(value).__name__ in ARITHMETIC:
            self._wait_for_sum(node)
        self._expression(value)
        if scope is not None:
            self._issue(1)

    def _wait_for_sum(self, node: BufferStore) -> None:
        """A sum into few registers waits for the sum before it."""
        elements = 1
        for extent in node.buffer.shape:
            elements *= int(extent)
        if scope_of(node.buffer) is None and elements * self._cycles_per_sum < SUM_CYCLES:
            self.now += SUM_CYCLES / elements - self._cycles_per_sum

    def _expression(self, node: Expr) -> None:
        if isinstance(node, TensorLoad):
            self._load(node)
        elif isinstance(node, Call):
            self._call(node)
            return
        elif type(node).__name__ in ARITHMETIC and is_float(node) and not is_multiply_add(node):
            lanes = int(node.ty.dtype.lanes)
            self._issue(lanes, self._cycles_per_sum)
        for child in operands(node):
            self._expression(child)

    def _load(self, node: TensorLoad) -> None:
        scope = scope_of(node.source)
        if scope is None:
            self.now = max(self.now, self._ready.pop(node.source, 0.0))
            return
        self._issue(1)
        self._wait(scope)

    def _wait(self, scope: str) -> None:
        if scope == GLOBAL and not self._waited_global:
            self._waited_global = True
            self.now += GLOBAL_CYCLES
        elif scope != GLOBAL and not self._waited_shared:
            self._waited_shared = True
            self.now += SHARED_CYCLES

    def _call(self, call: Call) -> None:
        name = call_name(call)
        if name == "tvm_storage_sync":
            self._barriers += 1
            self._end_run()
            self._issue(1)
            self.now += BARRIER_CYCLES
        elif name == MULTIPLY:
            self._issue(MATRIX_SLOTS, self._cycles_per_matrix / MATRIX_SLOTS)
        elif name == COPY:
            self._issue(1)
            self._copied[-1:] = [self.now + GLOBAL_CYCLES]
        elif name in INTRINSICS:
            self._issue(1)
            if (scope := scope_of(touched_buffer(call))) is not None:
                self._wait(scope)
        elif name == "if_then_else":
            self._issue(1)
            self._expression(call.args[1])
        elif name not in ("address_of", "buffer_data"):
            for argument in call.args:
                self._expression(argument)

    def _issue(self, count: int, cycles: float = 1.0) -> None:
        self.slots += count
        self.now += count * cycles
