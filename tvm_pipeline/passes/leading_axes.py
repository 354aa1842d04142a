"""Takes away the reshapes with which ONNX files and ONNX Runtime make two axes of many before a dense layer.

``[B, N, K]`` is reshaped to ``[B*N, K]`` for ``Gemm`` and back behind it: the same order in memory, but a bias, an
activation or a residual behind the second reshape would not look like the layer's own.
"""

import tvm
from tvm import ir, relax

from tvm_pipeline.passes.dataflow import constant_of, operator_name, shape_of
from tvm_pipeline.passes.rebuild import rebuild

_ON_ELEMENTS = frozenset(
    f"relax.{name}"
    for name in ("add", "subtract", "multiply", "divide", "maximum", "minimum", "clip", "sigmoid", "tanh", "erf", "exp")
) | frozenset(f"relax.nn.{name}" for name in ("relu", "silu", "gelu", "gelu_tanh", "leakyrelu"))


def keep_leading_axes(module: tvm.IRModule) -> tvm.IRModule:
    """The pass: dense layers, and what is done to their elements, on as many axes as there were."""
    return relax.transform.DeadCodeElimination()(rebuild(module, _Rewriter().visit))


class _Rewriter:
    def __init__(self) -> None:
        self.reshaped: dict[relax.Var, relax.Expr] = {}
        """What a reshape was made of."""
        self.rows: dict[relax.Var, relax.Var] = {}
        """The same value on all leading axes, of what lies behind a dense layer."""

    def visit(self, builder: relax.BlockBuilder, _: relax.Var, value: relax.Expr) -> relax.Expr:
        if isinstance(value, ir.GenericConst | relax.Var):
            return value
        if not isinstance(value, relax.Call):
            return builder.emit(value)
        name = operator_name(value)
        if name == "relax.reshape":
            return self._reshape(builder, value)
        if name == "relax.matmul":
            return self._matmul(builder, value)
        if name in _ON_ELEMENTS and any(isinstance(one, relax.Var) and one in self.rows for one in value.args):
            return self._elements(builder, value)
        return builder.emit(value)

    def _reshape(self, builder: relax.BlockBuilder, value: relax.Call) -> relax.Expr:
        source, result = value.args[0], builder.emit(value)
        base = self.rows.get(source) if isinstance(source, relax.Var) else None
        if base is not None and shape_of(base) == shape_of(result):
            return base
        self.reshaped[result] = source
        return result

    def _matmul(self, builder: relax.BlockBuilder, value: relax.Call) -> relax.Expr:
        data, weight = value.args
        source = self.reshaped.get(data) if isinstance(data, relax.Var) else None
        matrix = constant_of(weight)
        if source is None or matrix is None or matrix.ndim != 2 or len(shape_of(data)) != 2:
            return builder.emit(value)
        if len(shape_of(source)) < 3 or shape_of(source)[-1] != matrix.shape[0]:
            return builder.emit(value)
        return self._flattened(builder, relax.op.matmul(source, weight), (shape_of(data)[0], matrix.shape[1]))

    def _elements(self, builder: relax.BlockBuilder, value: relax.Call) -> relax.Expr:
        shape = next(shape_of(one) for one in value.args if isinstance(one, relax.Var) and one in self.rows)
        operands = [self._operand(one, shape[-1]) for one in value.args]
        if None in operands:
            return builder.emit(value)
        return self._flattened(builder, relax.Call(value.op, operands, value.attrs, value.ty_args), shape)

    def _operand(self, operand: relax.Expr, columns: int) -> relax.Expr | None:
        """The operand on all leading axes; None where it is neither a row for all, nor one of ours."""
        if isinstance(operand, relax.Var):
            return self.rows.get(operand)
        constant = constant_of(operand)
        if constant is None:
            return operand  # a number
        if constant.size == 1:
            return relax.const(constant.reshape(()))
        return relax.const(constant.reshape(-1)) if constant.shape in ((columns,), (1, columns)) else None

    def _flattened(self, builder: relax.BlockBuilder, value: relax.Expr, shape: tuple[int, ...]) -> relax.Var:
        whole = builder.emit(value)
        result = builder.emit(relax.op.reshape(whole, shape))
        self.rows[result] = whole
        self.reshaped[result] = whole
        return result
