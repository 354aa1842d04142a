"""Counts what a launch does by walking its code once, its addresses evaluated at sample points."""

import numpy as np
from tvm import DataType, tirx
from tvm.ir import Call, Expr, TensorLoad
from tvm.target import Target
from tvm.tirx.stmt import (
    AllocBuffer,
    AttrStmt,
    Bind,
    BufferStore,
    Evaluate,
    For,
    ForKind,
    IfThenElse,
    SeqStmt,
    Stmt,
    While,
)

from tvm_pipeline.backends.gpu_model.counts import Access, Arithmetic, Footprint, LaunchCounts
from tvm_pipeline.backends.gpu_model.device_functions import DeviceFunction, device_functions
from tvm_pipeline.backends.gpu_model.expression import Array, UnknownValue, call_name, operands
from tvm_pipeline.backends.gpu_model.memory import WarpCost, global_cost, shared_cost
from tvm_pipeline.backends.gpu_model.nodes import (
    ARITHMETIC,
    GLOBAL,
    INTRINSICS,
    MULTIPLY,
    SHARED,
    buffer_of,
    bytes_of,
    fragment_shape,
    is_float,
    is_multiply_add,
    scope_of,
    touched,
)
from tvm_pipeline.backends.gpu_model.sampling import WarpSamples, sample_block, sample_warps
from tvm_pipeline.hardware.multiprocessor import LINE_BYTES, WARP


def count_kernel(function: tirx.PrimFunc, target: Target) -> list[LaunchCounts]:
    """What each launch of a scheduled kernel does.

    :raises ValueError: a part of the kernel is bound to no thread, or a thread extent is no constant.
    """
    return [count(launch) for launch in device_functions(function, target)]


def count(function: DeviceFunction) -> LaunchCounts:
    """What a launch does. Counts are exact where no condition depends on threads or loops, else sampled."""
    footprint = Footprint()
    walk, block_walk = _Walk(sample_warps(function)), _Walk(sample_block(function), footprint)
    walk.statement(function.body, 1.0, walk.warps.active)
    block_walk.statement(function.body, 1.0, block_walk.warps.active)
    arithmetic = Arithmetic(walk.flops, walk.instructions, walk.tensor_flops)
    return LaunchCounts(
        function=function,
        accesses=tuple(walk.accesses),
        arithmetic=arithmetic,
        shared_bytes=walk.shared_bytes,
        barriers=walk.barriers,
        block_footprint=footprint.bytes(),
    )


class _Walk:
    """``weight`` is how often a thread comes by, ``mask`` in which samples and lanes it does.

    With a ``footprint`` loads of global memory are booked there, and nothing else is counted.
    """

    def __init__(self, warps: WarpSamples, footprint: Footprint | None = None) -> None:
        self.warps = warps
        self._value = warps.evaluator
        self.accesses: list[Access] = []
        self.footprint = footprint
        self.flops = self.instructions = self.tensor_flops = self.barriers = 0.0
        self.shared_bytes = 0
        self._loops: list[tuple[For, float]] = []
        self._shapes: dict[tirx.Var, tuple[int, int, int]] = {}

    def statement(self, node: Stmt, weight: float, mask: Array) -> None:
        if isinstance(node, SeqStmt):
            for part in node.seq:
                self.statement(part, weight, mask)
        elif isinstance(node, For):
            self._loop(node, weight, mask)
        elif isinstance(node, IfThenElse):
            self._branch(node, weight, mask)
        elif isinstance(node, AttrStmt | While):
            self.statement(node.body, weight, mask)
        elif isinstance(node, BufferStore):
            self._store(node, weight, mask)
        elif isinstance(node, Evaluate):
            self.expression(node.value, weight, mask)
        elif isinstance(node, Bind):
            self._value.bind(node.var, node.value)
            self.expression(node.value, weight, mask)
        elif isinstance(node, AllocBuffer) and node.buffer.scope().startswith(SHARED):
            self.shared_bytes += bytes_of(node.buffer)

    def _loop(self, loop: For, weight: float, mask: Array) -> None:
        try:
            extent, begin = self._value(loop.extent), self._value(loop.min)
        except UnknownValue:
            extent, begin = np.asarray(1), np.asarray(0)
        self._value.set(loop.loop_var, begin + self.warps.samples.along(np.maximum(extent, 1)))
        runs = np.broadcast_to(extent > 0, mask.shape)
        steps = float(np.maximum(extent, 0).mean())
        self._loops.append((loop, steps))
        self.statement(loop.body, weight * steps, mask & runs)
        self._loops.pop()

    def _sharing_steps(self, index: Expr) -> float:
        """How many of the unrolled steps around a load share it, since its address is the same in them."""
        shared = 1.0
        for loop, steps in reversed(self._loops):
            if loop.kind not in (ForKind.UNROLLED, ForKind.VECTORIZED):
                break
            if not self._value.mentions(index, loop.loop_var):
                shared *= max(steps, 1.0)
        return shared

    def _condition(self, condition: Expr, mask: Array) -> tuple[Array, Array]:
        """Where the condition holds and where not; everywhere, both, where nobody can tell."""
        try:
            holds = np.broadcast_to(self._value(condition).astype(bool), mask.shape)
        except (UnknownValue, ValueError):
            return mask, mask
        return mask & holds, mask & ~holds

    def _branch(self, node: IfThenElse, weight: float, mask: Array) -> None:
        self.expression(node.condition, weight, mask)
        then, otherwise = self._condition(node.condition, mask)
        self.statement(node.then_case, weight, then)
        if node.else_case is not None:
            self.statement(node.else_case, weight, otherwise)

    def _store(self, node: BufferStore, weight: float, mask: Array) -> None:
        self._access(node.buffer, node.indices[-1], True, weight, mask)
        for index in node.indices:
            self.expression(index, weight, mask)
        self.expression(node.value, weight, mask)

    def expression(self, node: Expr, weight: float, mask: Array) -> None:
        if isinstance(node, TensorLoad):
            self._access(node.source, node.indices[-1], False, weight / self._sharing_steps(node.indices[-1]), mask)
            for index in node.indices:
                self.expression(index, weight, mask)
        elif isinstance(node, Call):
            self._call(node, weight, mask)
        else:
            self._count_operation(node, weight, mask)
            for child in operands(node):
                self.expression(child, weight, mask)

    def _count_operation(self, node: Expr, weight: float, mask: Array) -> None:
        if type(node).__name__ in ARITHMETIC and is_float(node):
            lanes = self._threads(weight, mask) * int(node.ty.dtype.lanes)
            self.flops += lanes
            self.instructions += 0.0 if is_multiply_add(node) else lanes

    def _call(self, call: Call, weight: float, mask: Array) -> None:
        name = call_name(call)
        if (shape := fragment_shape(call)) is not None:
            self._shapes[shape[0]] = shape[1]
        if name == "if_then_else":
            self.expression(call.args[0], weight, mask)
            then, otherwise = self._condition(call.args[0], mask)
            self.expression(call.args[1], weight, then)
            self.expression(call.args[2], weight, otherwise)
        elif name == "tvm_storage_sync":
            self.barriers += weight if "shared" in str(call.args[0]) else 0.0
        elif name == MULTIPLY:
            m, n, k = self._shapes[buffer_of(call.args[0])]
            self.tensor_flops += 2.0 * m * n * k * self._warps(weight, mask)
        elif name in INTRINSICS:
            self._touch(call, weight, mask)
        elif name != "address_of":
            for argument in call.args:
                self.expression(argument, weight, mask)

    def _threads(self, weight: float, mask: Array) -> float:
        return self.warps.warps * WARP * weight * float(mask.mean())

    def _warps(self, weight: float, mask: Array) -> float:
        return self.warps.warps * weight * float(mask.any(axis=1).mean())

    def _touch(self, call: Call, weight: float, mask: Array) -> None:
        try:
            for request in touched(call, self._value):
                self._request(request.buffer, request.addresses, request.is_store, weight, mask)
        except UnknownValue:
            return

    def _access(self, buffer: tirx.Buffer, index: Expr, is_store: bool, weight: float, mask: Array) -> None:
        """Nothing for registers; with an address that is not known, as many sectors as lanes."""
        if scope_of(buffer) is None:
            return
        try:
            addresses = self._value(index)
            addresses = addresses if index.ty.dtype.lanes > 1 else addresses[..., None]
        except UnknownValue:
            addresses = np.arange(WARP)[:, None] * LINE_BYTES
        self._request(buffer, addresses, is_store, weight, mask)

    def _request(self, buffer: tirx.Buffer, addresses: Array, is_store: bool, weight: float, mask: Array) -> None:
        scope = scope_of(buffer)
        if scope is None:
            return
        item = DataType(buffer.dtype).itemsize
        vector = addresses.shape[-1]
        steps = np.diff(addresses, axis=-1)
        if vector > 1 and not (steps == 1).all():  # the compiler takes a vector of scattered elements apart
            for element in range(vector):
                self._request(buffer, addresses[..., element : element + 1], is_store, weight, mask)
            return
        addresses = np.broadcast_to(addresses, (*mask.shape, vector))
        if self.footprint is not None:
            if scope == GLOBAL and not is_store:
                asked = self._warps(weight, mask) * global_cost(addresses, item, mask).sectors
                self.footprint.add(buffer.name, addresses * item, mask, asked)
            return
        cost: WarpCost = (global_cost if scope == GLOBAL else shared_cost)(addresses, item, mask)
        requests = self._warps(weight, mask)
        self.accesses.append(
            Access(
                buffer=buffer.name,
                buffer_bytes=bytes_of(buffer),
                scope=scope,
                is_store=is_store,
                bytes=self._threads(weight, mask) * vector * item,
                requests=requests,
                sectors=requests * cost.sectors,
                wavefronts=requests * cost.wavefronts,
            )
        )
