"""Makes images of one row out of sequences: 1-D convolutions and pooling become 2-D, and so does what lies between.

Every value ``[N, C, L]`` that such an operator makes also exists as ``[N, C, 1, L]``, from which the next one is made.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tvm
from tvm import ir, relax

from tvm_pipeline.passes.dataflow import constant_of, operator_name, shape_of
from tvm_pipeline.passes.lowering.table import BINARY, NOT_OF_FILLINGS, UNARY
from tvm_pipeline.passes.rebuild import rebuild

ROW_AXIS = 2


def one_row(module: tvm.IRModule) -> tvm.IRModule:
    """The pass: ``main`` with images in place of sequences, and sequences where something else reads them."""
    return relax.transform.DeadCodeElimination()(rebuild(module, _Rewriter().visit))


class _Rewriter:
    def __init__(self) -> None:
        self.images: dict[relax.Var, relax.Var] = {}
        """By a sequence its image."""
        self.builder = relax.BlockBuilder()

    def visit(self, builder: relax.BlockBuilder, _: relax.Var, value: relax.Expr) -> relax.Expr:
        if isinstance(value, ir.GenericConst | relax.Var):
            return value
        self.builder = builder
        known = self._known(value) if isinstance(value, relax.Call) else None
        if known is not None:
            return known
        image = self._image_of(value) if isinstance(value, relax.Call) else None
        if image is None:
            return builder.emit(value)
        made = builder.emit(image)
        if len(shape_of(made)) != 4:
            return made
        sequence = builder.emit(relax.op.squeeze(made, [ROW_AXIS]))
        self.images[sequence] = made
        return sequence

    def _known(self, call: relax.Call) -> relax.Var | None:
        """What makes an image of a sequence, or a sequence of one, by itself, as importers do."""
        name, data = operator_name(call), call.args[0] if call.args else None
        if name == "relax.expand_dims" and isinstance(data, relax.Var) and _axes(call) == [ROW_AXIS]:
            return self._image(data) if len(shape_of(data)) == 3 else None
        if name == "relax.squeeze" and isinstance(data, relax.Var) and _axes(call) == [ROW_AXIS]:
            sequence = self.builder.emit(call)
            if len(shape_of(data)) == 4:
                self.images[sequence] = data
            return sequence
        return None

    def _image_of(self, call: relax.Call) -> relax.Expr | None:
        """A call as one on images; None where it is to stay what it is."""
        name = operator_name(call)
        if name in _ON_WINDOWS:
            return _ON_WINDOWS[name](self, call)
        if not any(isinstance(var, relax.Var) and var in self.images for var in _operands(call)):
            return None
        if name == "relax.mean":
            return self._mean(call)
        if name in (*UNARY, *NOT_OF_FILLINGS):
            return relax.Call(call.op, [self.images[call.args[0]], *call.args[1:]], call.attrs, call.ty_args)
        if name in (*BINARY, "relax.concat"):
            return self._join(call)
        return None

    def _image(self, sequence: relax.Expr) -> relax.Expr:
        """``[N, C, L]`` -> ``[N, C, 1, L]``."""
        if sequence not in self.images:
            self.images[sequence] = self.builder.emit(relax.op.expand_dims(sequence, [ROW_AXIS]))
        return self.images[sequence]

    def _mean(self, call: relax.Call) -> relax.Expr | None:
        """Over a sequence, as over an image."""
        if [int(axis) % 3 for axis in (call.attrs.axis or range(3))] != [2]:
            return None
        return relax.op.mean(self._image(call.args[0]), [2, 3], keepdims=bool(call.attrs.keepdims))

    def _join(self, call: relax.Call) -> relax.Expr | None:
        """An operation on several sequences, or on one and constants."""
        operands = _operands(call)
        is_tuple = isinstance(call.args[0], relax.Tuple)
        if not all(_is_sequence(operand) for operand in operands) or (is_tuple and int(call.attrs.axis) not in (1, -2)):
            return None
        images = [_constant_image(operand) or self._image(operand) for operand in operands]
        if is_tuple:
            return relax.op.concat(images, axis=1)
        return relax.Call(call.op, images, call.attrs, call.ty_args)

    def convolution(self, call: relax.Call) -> relax.Expr | None:
        weight, attributes = constant_of(call.args[1]), call.attrs
        if weight is None or attributes.data_layout != "NCW":
            return None
        is_transposed = operator_name(call) == "relax.nn.conv1d_transpose"
        operator = relax.op.nn.conv2d_transpose if is_transposed else relax.op.nn.conv2d
        more = {"output_padding": _behind(0, attributes.output_padding)} if is_transposed else {}
        return operator(
            self._image(call.args[0]),
            relax.const(np.expand_dims(weight, 2)),
            strides=_behind(1, attributes.strides),
            padding=_padding(attributes.padding),
            dilation=_behind(1, attributes.dilation),
            groups=int(attributes.groups),
            **more,
        )

    def pooling(self, call: relax.Call) -> relax.Expr | None:
        attributes = call.attrs
        if attributes.layout != "NCW":
            return None
        is_average = operator_name(call) == "relax.nn.avg_pool1d"
        operator = relax.op.nn.avg_pool2d if is_average else relax.op.nn.max_pool2d
        return operator(
            self._image(call.args[0]),
            _behind(1, attributes.pool_size),
            _behind(1, attributes.strides),
            _padding(attributes.padding),
            _behind(1, attributes.dilation),
            bool(attributes.ceil_mode),
            bool(attributes.count_include_pad),
        )


_ON_WINDOWS: Mapping[str, Callable[[_Rewriter, relax.Call], relax.Expr | None]] = {
    "relax.nn.conv1d": _Rewriter.convolution,
    "relax.nn.conv1d_transpose": _Rewriter.convolution,
    "relax.nn.max_pool1d": _Rewriter.pooling,
    "relax.nn.avg_pool1d": _Rewriter.pooling,
}


def _operands(call: relax.Call) -> list[relax.Expr]:
    return [field for one in call.args for field in (one.fields if isinstance(one, relax.Tuple) else [one])]


def _axes(call: relax.Call) -> list[int]:
    """Of ``expand_dims`` or ``squeeze``; those of a ``squeeze`` that names none are unknown."""
    return [int(axis) for axis in (call.attrs.axis or ())]


def _is_sequence(operand: relax.Expr) -> bool:
    """Whether it is one, or a constant that is broadcast to one."""
    constant = constant_of(operand)
    return constant.ndim <= 3 if constant is not None else len(shape_of(operand)) == 3


def _constant_image(operand: relax.Expr) -> relax.Expr | None:
    constant = constant_of(operand)
    if constant is None:
        return None
    return relax.const(np.expand_dims(constant, -2) if constant.ndim > 1 else constant)


def _behind(row: int, values: Sequence[int]) -> tuple[int, int]:
    """An attribute of rows and columns."""
    return row, int(values[0])


def _padding(values: Sequence[int]) -> tuple[int, int, int, int]:
    """(top, left, bottom, right)."""
    return 0, int(values[0]), 0, int(values[-1])
