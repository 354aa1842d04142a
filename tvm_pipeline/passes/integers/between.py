"""Recognises what quantised networks do between layers, from bytes to bytes: activations, sums, products, means."""

from dataclasses import dataclass

import numpy as np
from tvm import relax

from tvm_pipeline.passes.activation import MOST_OPERATORS
from tvm_pipeline.passes.dataflow import Dataflow, operator_name, scalar_of, shape_of
from tvm_pipeline.passes.elementwise_values import values_of
from tvm_pipeline.passes.integers.layers import Bytes, bytes_of

_LEVELS = np.arange(256)
_FLATTENINGS = ("relax.reshape", "relax.squeeze")
_MOST = 2**22
"""Both factors of a sum together: with bytes, and an offset that is as large, they fit into an int32."""


@dataclass(frozen=True)
class Quantised:
    """The end of an operation: ``value / scale + zero``, between ``low`` and ``high``.

    :ivar value: what is quantised, before a ReLU or a clip that the limits stand for.
    """

    value: relax.Expr
    scale: float
    zero: int
    low: int
    high: int


def quantised_of(flow: Dataflow, call: relax.Call) -> Quantised | None:
    """What a call of ``quantize`` does; None where it makes other than unsigned bytes of one scale."""
    scale, zero = map(scalar_of, call.args[1:3])
    if scale is None or zero is None or str(call.ty.dtype) != "uint8":
        return None
    value, low, high = _without_limits(flow, call.args[0])
    ends = np.clip(np.rint(np.array([low, high], np.float32) / np.float32(scale)) + np.float32(zero), 0, 255)
    return Quantised(value, scale, int(zero), int(ends[0]), int(ends[1]))


def _without_limits(flow: Dataflow, value: relax.Expr) -> tuple[relax.Expr, float, float]:
    relu, clip = flow.call(value, "relax.nn.relu"), flow.call(value, "relax.clip")
    if relu is not None:
        return relu.args[0], 0.0, np.inf
    low, high = (None, None) if clip is None else map(scalar_of, clip.args[1:3])
    return (value, -np.inf, np.inf) if clip is None or low is None or high is None else (clip.args[0], low, high)


def table_of(flow: Dataflow, call: relax.Call) -> tuple[Bytes, np.ndarray] | None:
    """The bytes that ``quantize`` makes one by one of others, and the 256 that it makes of all; None for no such."""
    scale, zero = map(scalar_of, call.args[1:3])
    if scale is None or zero is None or str(call.ty.dtype) != "uint8":
        return None
    path = _path(flow, call.args[0])
    sources = {bytes_of(flow, var) for var in path if flow.call(var, "relax.dequantize") is not None}
    source = sources.pop() if len(sources) == 1 else None
    result = None if source is None else _values(flow, path, source)
    if source is None or result is None:
        return None
    whole = np.rint(np.where(np.isnan(result), 0, result / np.float32(scale))) + np.float32(zero)
    return source, np.clip(whole, 0, 255).astype(np.uint8)


def _values(flow: Dataflow, path: list[relax.Var], source: Bytes) -> np.ndarray | None:
    """``[256]`` float32: the last variable's for each byte; None where it is computed in another way."""
    numbers = (_LEVELS - source.zero).astype(np.float32) * np.float32(source.scale)
    values: dict[relax.Var, np.ndarray] = {}
    for var in path:
        call = flow.producer[var]
        is_flattened = _is_flattened(var, source.data)
        computed: np.ndarray | None
        if operator_name(call) == "relax.dequantize":
            computed = numbers.astype(np.float64)
        else:
            is_move = is_flattened and operator_name(call) in _FLATTENINGS
            computed = values[call.args[0]] if is_move else values_of(call, values)
        if computed is None or not (is_flattened or shape_of(var) == shape_of(source.data)):
            return None
        values[var] = computed
    return values[path[-1]].astype(np.float32)


def _is_flattened(var: relax.Var, data: relax.Var) -> bool:
    """``[N, C]`` of ``[N, C, 1, 1]``: in blocks the same order in memory."""
    return shape_of(data) == (*shape_of(var), 1, 1)


def _path(flow: Dataflow, value: relax.Expr) -> list[relax.Var]:
    """The variables from ``dequantize`` to ``value``, in order; none where there are others, or many.

    ONNX Runtime's simplification gives each reader of bytes a ``dequantize`` of its own.
    """
    waiting, reached = [value], set[relax.Var]()
    while waiting:
        var = waiting.pop()
        call = flow.producer.get(var) if isinstance(var, relax.Var) else None
        if not isinstance(call, relax.Call) or len(reached) > MOST_OPERATORS:
            return []
        reached.add(var)
        if operator_name(call) != "relax.dequantize":
            waiting += [operand for operand in call.args if isinstance(operand, relax.Var) and operand not in reached]
    return [var for var, _ in flow.bindings if var in reached]


def operands_of(flow: Dataflow, value: relax.Expr, operator: str) -> tuple[Bytes, Bytes] | None:
    """The bytes that a sum or a product is made of."""
    call = flow.call(value, operator)
    if call is None:
        return None
    left, right = (bytes_of(flow, operand) for operand in call.args)
    return None if left is None or right is None else (left, right)


def mean_of(flow: Dataflow, value: relax.Expr) -> Bytes | None:
    """The bytes of images whose mean over height and width a value is, flattened or not."""
    moves = (flow.call(value, operator) for operator in _FLATTENINGS)
    flattened = next((move for move in moves if move is not None), None)
    if flattened is not None and shape_of(flattened.args[0]) == (*shape_of(value), 1, 1):
        value = flattened.args[0]
    call = flow.call(value, "relax.mean")
    shape = () if call is None else shape_of(call.args[0])
    if call is None or len(shape) != 4 or sorted(int(axis) % 4 for axis in (call.attrs.axis or range(4))) != [2, 3]:
        return None
    return bytes_of(flow, call.args[0])


def of_sum(left: Bytes, right: Bytes, end: Quantised) -> tuple[np.ndarray, np.ndarray]:
    """The constants ``numbers`` and ``factor`` of a sum: both scales by the result's, in whole numbers."""
    ratios = np.array([left.scale, right.scale], np.float64) / end.scale
    bits = np.floor(np.log2(_MOST / ratios.sum()))
    first, second = (int(number) for number in np.rint(ratios * 2.0**bits))
    return _constants((first, second, -(left.zero * first + right.zero * second)), end, 2.0**-bits)


def of_product(left: Bytes, right: Bytes, end: Quantised) -> tuple[np.ndarray, np.ndarray]:
    """Those of a product."""
    return _constants((left.zero, right.zero, 0), end, np.float64(left.scale) * right.scale / end.scale)


def of_mean(source: Bytes, end: Quantised) -> tuple[np.ndarray, np.ndarray]:
    """Those of a mean."""
    pixels = int(np.prod(shape_of(source.data)[2:]))
    return _constants((0, 0, -pixels * source.zero), end, source.scale / (np.float64(pixels) * end.scale))


def _constants(numbers: tuple[int, int, int], end: Quantised, factor: float) -> tuple[np.ndarray, np.ndarray]:
    return np.array([*numbers, end.zero, end.low, end.high], np.int32), np.array([factor], np.float32)
