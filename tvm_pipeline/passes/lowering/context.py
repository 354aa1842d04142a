"""A function while it is being lowered: which of its values are blocked, and the kernels that take and make them."""

import numpy as np
import tvm
from tvm import relax

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block, is_blockable, padded_channels
from tvm_pipeline.hardware.stored import BITS
from tvm_pipeline.hardware.unit import Unit
from tvm_pipeline.passes.dataflow import Dataflow, shape_of
from tvm_pipeline.passes.epilogue import Affine, Epilogue, match_epilogue
from tvm_pipeline.passes.lowering.pack import pack_bias, stored_weight
from tvm_pipeline.workloads import Workload, prim_func, workload_of
from tvm_pipeline.workloads.bfloat16 import from_bfloat16, to_bfloat16
from tvm_pipeline.workloads.workload import DTYPE, NAMED


class Lowering:
    """One function being lowered: every old variable has a plain value, a blocked one, or both once asked for.

    Plain values have the network's own dtypes. Blocked ones are as kernels store them or as elementwise operations made
    them, and so are ``flat`` ones, ``[N, C]`` values whose order in memory is that of a blocked one.

    :ivar dtype: of what operations between kernels compute with.
    :ivar stored: of what kernels read and write, which may be the bits of another dtype.
    :ivar why_float: in a quantised network why a layer that is lowered now is none of bytes; None elsewhere.
    :ivar reasons: those of the layers that were lowered so far, by descriptor.
    """

    def __init__(self, module: tvm.IRModule, unit: Unit) -> None:
        self.unit = unit
        self.stored = unit.stored
        self.dtype = DTYPE if unit.stored == BITS else unit.dtype
        self.flow = Dataflow(module["main"])
        self.builder = relax.BlockBuilder(module)
        self.plain: dict[relax.Var, relax.Expr] = {}
        self.blocked: dict[relax.Var, relax.Expr] = {}
        self.flat: dict[relax.Var, relax.Expr] = {}
        self._converted: dict[tuple[relax.Expr, str], relax.Expr] = {}
        self.fused: set[relax.Var] = set()
        self.why_float: str | None = None
        self.reasons: dict[str, str] = {}

    def is_ready(self, var: relax.Var) -> bool:
        return var in self.plain or var in self.blocked or var in self.flat

    def is_blocked(self, expression: relax.Expr) -> bool:
        return isinstance(expression, relax.Var) and expression in self.blocked

    def plain_value(self, expression: relax.Expr) -> relax.Expr:
        """The value in its original layout; a blocked one is unblocked once."""
        if isinstance(expression, relax.Tuple):
            return relax.Tuple([self.plain_value(field) for field in expression.fields])
        if not isinstance(expression, relax.Var):
            return expression
        if expression not in self.plain:
            self.plain[expression] = self._made_plain(expression)
        return self.plain[expression]

    def _made_plain(self, var: relax.Var) -> relax.Expr:
        if var in self.flat:
            return self.cast(self.flat[var], str(var.ty.dtype))
        whole = self.builder.emit(unblock(self.blocked[var], shape_of(var), self.builder))
        return self.cast(whole, str(var.ty.dtype))

    def cast(self, value: relax.Expr, dtype: str) -> relax.Expr:
        """The value as a ``dtype``, converted once; itself where it is of that."""
        if str(value.ty.dtype) == dtype:
            return value
        if (value, dtype) not in self._converted:
            self._converted[value, dtype] = self._conversion(value, dtype)
        return self._converted[value, dtype]

    def _conversion(self, value: relax.Expr, dtype: str) -> relax.Expr:
        if BITS not in (dtype, str(value.ty.dtype)):
            return self.builder.emit(relax.op.astype(value, dtype))
        return self.builder.emit_te(to_bfloat16 if dtype == BITS else from_bfloat16, value)

    def blocked_value(self, var: relax.Var) -> relax.Expr:
        """The value as kernels read it, ``[N, C/b, H*W, b]``."""
        if var not in self.blocked:
            plain = self.cast(self.plain_value(var), self.stored)
            self.blocked[var] = self.builder.emit(block(plain, shape_of(var), self.builder))
        return self.cast(self.blocked[var], self.stored)

    def as_made(self, var: relax.Var) -> relax.Expr:
        """The value as ``[N, C/b, H*W, b]`` of its own dtype."""
        if var not in self.blocked:
            self.blocked[var] = self.builder.emit(block(self.plain_value(var), shape_of(var), self.builder))
        return self.blocked[var]

    def operand(self, var: relax.Var) -> relax.Expr:
        """The same as operations between kernels compute with it."""
        if var not in self.blocked:
            plain = self.cast(self.plain_value(var), self.dtype)
            self.blocked[var] = self.builder.emit(block(plain, shape_of(var), self.builder))
        return self.cast(self.blocked[var], self.dtype)

    def book_flat(self, var: relax.Var, blocked: relax.Expr, channels: int) -> None:
        """Books ``[N, C/b, 1, b]`` as ``[N, C]``, the same order in memory, without what only fills the last block."""
        batch, blocks, _, lanes = shape_of(blocked)
        whole = relax.op.reshape(blocked, (batch, blocks * lanes))
        if channels != blocks * lanes:
            whole = relax.op.strided_slice(self.builder.emit(whole), [1], [0], [channels])
        self.flat[var] = self.builder.emit(whole)

    def emit_kernel(self, layer: Layer, operands: list[relax.Expr]) -> relax.Var:
        """Calls the layer's kernel; the result has the layout of its workload's output."""
        name, workload = kernel_name(layer), workload_of(layer, self.unit)
        if self.why_float is not None and layer.dtype == DTYPE:
            self.reasons[str(layer)] = self.why_float
        kernel = self.builder.add_func(prim_func(workload).with_attr("global_symbol", name), name)
        return self._call(kernel, workload, operands)

    def emit_workload(
        self, workload: Workload, name: str, operands: list[relax.Expr], label: str | None = None
    ) -> relax.Var:
        """Calls a kernel that is no layer's, under that name or one like it.

        :param label: what stands for its generator, ``name/version``, where the schedule for any loops serves it well.
        """
        function = prim_func(workload).without_attr("global_symbol")
        function = function if label is None else function.with_attr(NAMED, label)
        return self._call(self.builder.add_func(function, name), workload, operands)

    def _call(self, kernel: tvm.ir.GlobalVar, workload: Workload, operands: list[relax.Expr]) -> relax.Var:
        kind = relax.TensorType(workload.shapes[-1], workload.dtypes[-1])
        return self.builder.emit(relax.call_tir(kernel, operands, kind))

    def finish_kernel(self, layer: Layer, operands: list[relax.Expr], epilogue: Epilogue) -> None:
        """Emits a kernel with its constants and books its result under the epilogue's last variable."""
        last = layer.pointwise_part if layer.kind == "separable" else layer
        operands = [*operands, *constants(last, epilogue.affine, self.unit)]
        if epilogue.residual is not None:
            is_dense = layer.kind == "dense"
            operands.append(self.plain_value(epilogue.residual) if is_dense else self.blocked_value(epilogue.residual))
        result = self.emit_kernel(layer, operands)
        if layer.kind == "dense":
            self.fused.update(epilogue.inside)
            self.plain[epilogue.result] = result
        else:
            self.book_blocked(epilogue, result)

    def book_blocked(self, epilogue: Epilogue, result: relax.Expr) -> None:
        """Books ``[N, C/b, H*W, b]`` under the epilogue's last variable; as NCHW where that is what its channels are
        kept in."""
        self.fused.update(epilogue.inside)
        if is_blockable(shape_of(epilogue.result)[1]):
            self.blocked[epilogue.result] = result
        else:
            whole = self.builder.emit(unblock(result, shape_of(epilogue.result), self.builder))
            self.plain[epilogue.result] = self.cast(whole, DTYPE)

    def match_epilogue(self, start: relax.Var, weight: np.ndarray) -> Epilogue:
        """The epilogue behind ``start``. No residual is taken by a kernel whose result does not stay blocked."""
        takes_residual = weight.ndim == 2 or is_blockable(weight.shape[0])
        return match_epilogue(self.flow, start, weight, lambda var: takes_residual and self.is_ready(var))


def constants(layer: Layer, affine: Affine, unit: Unit) -> list[relax.Expr]:
    """The packed weight as the unit's kernel reads it, and the packed bias if there is one."""
    packed = [stored_weight(layer, affine.weight, unit)]
    if affine.bias is not None:
        packed.append(pack_bias(layer, affine.bias))
    return [relax.const(array) for array in packed]


def kernel_name(layer: Layer) -> str:
    """The descriptor as an identifier: ``pointwise_56x56x128_128_bias_relu``."""
    return str(layer).replace("->", "_").replace(" ", "_").replace(",", "_")


def block(value: relax.Expr, shape: tuple[int, ...], builder: relax.BlockBuilder) -> relax.Expr:
    """``[N, C, H, W]`` -> ``[N, C/b, H*W, b]``."""
    batch, channels, height, width = shape
    lanes, padded = channel_block(channels), padded_channels(channels)
    if padded != channels:
        value = builder.emit(relax.op.nn.pad(value, (0, 0, 0, padded - channels, 0, 0, 0, 0)))
    split = builder.emit(relax.op.reshape(value, (batch, padded // lanes, lanes, height * width)))
    return relax.op.permute_dims(split, (0, 1, 3, 2))


def unblock(value: relax.Expr, shape: tuple[int, ...], builder: relax.BlockBuilder) -> relax.Expr:
    """``[N, C/b, H*W, b]`` -> ``shape`` ``[N, C, H, W]``; channels that only fill the last block are dropped."""
    batch, channels, height, width = shape
    _, blocks, spatial, lanes = shape_of(value)
    ordered = value if spatial == 1 else builder.emit(relax.op.permute_dims(value, (0, 1, 3, 2)))
    whole = relax.op.reshape(ordered, (batch, blocks * lanes, height, width))
    if channels == blocks * lanes:
        return whole
    return relax.op.strided_slice(builder.emit(whole), axes=[1], begin=[0], end=[channels])
