"""Random nodes that compute element by element, reduce or normalise."""

from __future__ import annotations

from typing import Any

import numpy as np

from random_graphs.graph import Graph, Value

_UNARY = {
    7: """Relu Sigmoid Tanh Exp Abs Neg Softplus Softsign Elu Selu LeakyRelu HardSigmoid Sin Cos Atan Sqrt Log
    Reciprocal Identity""",
    9: "Erf Sinh Cosh Asinh Acosh Atanh",
    10: "ThresholdedRelu",
    12: "Celu",
    14: "HardSwish",
    18: "Mish",
    20: "Gelu",
}
"""Operators on elements, by the opset that brought them."""
_EXACT = ("Relu", "Abs", "Neg", "Identity")
_ALPHA = ("Elu", "LeakyRelu", "HardSigmoid", "ThresholdedRelu", "Celu")
_REDUCTIONS = ("Sum", "Mean", "Max", "Min", "L1", "L2", "Prod", "LogSumExp", "SumSquare")


def unary(graph: Graph, value: Value) -> None:
    operator = graph.choose([name for opset, names in _UNARY.items() if opset <= graph.opset for name in names.split()])
    attributes: dict[str, Any] = {}
    if operator in _ALPHA and graph.flag("alpha"):
        attributes["alpha"] = graph.choose([0.1, 0.5, 1.5])
    if operator == "Gelu" and graph.flag("tanh"):
        attributes["approximate"] = "tanh"
    graph.node(operator, [value], exact=operator in _EXACT, **attributes)


def rounding(graph: Graph, value: Value) -> None:
    choices = [("Floor", 7), ("Ceil", 7), ("Sign", 9), ("Round", 11)]
    if value.exact:
        graph.node(graph.choose([name for name, opset in choices if opset <= graph.opset]), [value], exact=True)


def _other(graph: Graph, value: Value) -> Value:
    """An operand that broadcasts with the value: a constant, or a value of the same shape."""
    alike = [other for other in graph.values if other.is_float and other.shape == value.shape]
    if graph.flag("computed operand"):
        return graph.choose(alike)
    shape = [size if graph.flag("axis") else 1 for size in value.shape]
    return graph.normal(*shape[graph.integer(0, value.rank, "rank") :])


def binary(graph: Graph, value: Value) -> None:
    operator = graph.choose(["Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean", "PRelu"])
    if operator == "PRelu":
        graph.node(
            operator, [value, graph.normal(*([value.shape[1], *[1] * (value.rank - 2)] if value.rank > 1 else []))]
        )
        return
    if operator in ("Sum", "Mean", "Max", "Min") and graph.opset < 8:
        graph.node(operator, [value, graph.choose([v for v in graph.values if v.is_float and v.shape == value.shape])])
        return
    operands = [value, _other(graph, value)]
    graph.node(operator, operands[::-1] if graph.flag("swapped") else operands)


def power(graph: Graph, value: Value) -> None:
    base = graph.node("Abs", [value], exact=True)[0]
    graph.node("Pow", [base, graph.constant(graph.choose([0.5, 1.0, 2.0, 3.0]))])


def clip(graph: Graph, value: Value) -> None:
    low, high = graph.choose([(0.0, 6.0), (-1.0, 1.0), (None, 1.0), (0.0, None), (1.0, -1.0)], "bounds")
    if graph.opset < 11:
        bounds = {name: bound for name, bound in (("min", low), ("max", high)) if bound is not None}
        graph.node("Clip", [value], exact=True, **bounds)
        return
    operands = [None if bound is None else graph.constant(bound) for bound in (low, high)]
    graph.node("Clip", [value, *operands], exact=True)


def compare(graph: Graph, value: Value) -> None:
    if not value.exact:
        return
    other = graph.normal(*value.shape)
    operator = graph.choose(["Greater", "Less", *(["LessOrEqual", "GreaterOrEqual"] if graph.opset >= 12 else [])])
    mask = graph.node(operator, [value, other], exact=True)[0]
    if graph.opset >= 9 and graph.flag("where"):
        graph.node("Where", [mask, value, other], exact=True)
    elif graph.flag("cast"):
        graph.node("Cast", [mask], exact=True, to=graph.choose([1, 6, 7]))


def reduce(graph: Graph, value: Value) -> None:
    operator = "Reduce" + graph.choose(_REDUCTIONS)
    chosen = [axis for axis in range(value.rank) if graph.flag("reduced")]
    axes = [axis - value.rank if graph.opset >= 11 and graph.flag("negative") else axis for axis in chosen]
    attributes: dict[str, Any] = {"keepdims": graph.integer(0, 1, "keepdims")}
    by_input = graph.opset >= (13 if operator == "ReduceSum" else 18)
    if not axes:
        graph.node(operator, [value], **attributes)
    elif by_input:
        graph.node(operator, [value, graph.constant(axes, np.int64)], **attributes)
    else:
        graph.node(operator, [value], axes=axes, **attributes)


def softmax(graph: Graph, value: Value) -> None:
    low = -value.rank if graph.opset >= 11 else 0
    if value.rank:
        operator = graph.choose(["Softmax", "LogSoftmax"])
        graph.node(operator, [value], axis=graph.integer(low, value.rank - 1, "axis"))


def normalise(graph: Graph, value: Value) -> None:
    """Batch, instance, layer and local response normalisation."""
    if value.rank < 3:
        return
    channels = value.shape[1]
    scale, shift = graph.normal(channels), graph.normal(channels)
    kind = graph.choose(["Batch", "Instance", "Local", *(["Layer"] if graph.opset >= 17 else [])])
    if kind == "Batch":
        variance = graph.constant(np.abs(graph.random.standard_normal(channels)) + 0.5)
        graph.node("BatchNormalization", [value, scale, shift, graph.normal(channels), variance])
    elif kind == "Instance":
        graph.node("InstanceNormalization", [value, scale, shift], epsilon=graph.choose([1e-5, 1e-2]))
    elif kind == "Local":
        if value.rank == 4:
            graph.node("LRN", [value], size=graph.choose([1, 3, 5]), alpha=0.1, beta=0.75)
    else:
        axis = graph.integer(1, value.rank - 1, "axis")
        graph.node("LayerNormalization", [value, graph.normal(*value.shape[axis:])], axis=axis)


def matmul(graph: Graph, value: Value) -> None:
    if value.rank < 2:
        return
    inner = value.shape[-1]
    if value.rank == 2 and graph.flag("gemm"):
        transposed, out = graph.integer(0, 1, "transposed"), graph.integer(1, 20, "out")
        weight = graph.normal(*((out, inner) if transposed else (inner, out)))
        bias = graph.normal(*graph.choose([(out,), (1, out), (value.shape[0], 1), (1,)], "bias"))
        graph.node("Gemm", [value, weight, bias], transB=transposed, alpha=graph.choose([1.0, 0.5]))
        return
    if graph.flag("activations"):
        order = [*range(value.rank - 2), value.rank - 1, value.rank - 2]
        graph.node("MatMul", [value, graph.node("Transpose", [value], exact=True, perm=order)[0]])
    else:
        graph.node("MatMul", [value, graph.normal(inner, graph.integer(1, 20, "out"))])


ELEMENTWISE = {
    "unary": unary,
    "rounding": rounding,
    "binary": binary,
    "Pow": power,
    "Clip": clip,
    "compare": compare,
    "reduce": reduce,
    "Softmax": softmax,
    "normalise": normalise,
    "MatMul": matmul,
}
