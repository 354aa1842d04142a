"""From bytes to bytes, between layers of a quantised network: kernels of whole numbers, the same on every CPU."""

import numpy as np
from tvm import relax

from tvm_pipeline.hardware.channel_block import is_blockable
from tvm_pipeline.passes.dataflow import shape_of
from tvm_pipeline.passes.integers.between import (
    Quantised,
    mean_of,
    of_mean,
    of_product,
    of_sum,
    operands_of,
    quantised_of,
    table_of,
)
from tvm_pipeline.passes.lowering.context import Lowering
from tvm_pipeline.schedules.cpu.int8.byte_values import ByteValues
from tvm_pipeline.schedules.registry import byte_table, byte_values

_IDENTITY = np.arange(256)


def lower_between(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """What ends in a ``quantize`` and begins with ``dequantize`` alone; False where no kernel of bytes does it."""
    end = quantised_of(lowering.flow, call) if lowering.unit.keeps_bytes else None
    if end is None:
        return False
    handlers = (_lower_sum, _lower_product, _lower_mean)
    return _lower_table(lowering, var, call) or any(handler(lowering, var, end) for handler in handlers)


def _lower_table(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    matched = table_of(lowering.flow, call)
    if matched is None:
        return False
    source, table = matched
    place = next((place for place in (lowering.blocked, lowering.flat) if source.data in place), lowering.plain)
    is_flattened = shape_of(var) != shape_of(source.data)
    if is_flattened and place is not lowering.blocked:
        return False
    result = _looked_up(lowering, place[source.data], table)
    if is_flattened:
        lowering.book_flat(var, result, shape_of(var)[1])
    else:
        place[var] = result
    return True


def _looked_up(lowering: Lowering, data: relax.Expr, table: np.ndarray) -> relax.Expr:
    if (table == _IDENTITY).all():
        return data
    return _emit(lowering, "table", [data, relax.const(byte_table(table, lowering.unit))])


def _lower_sum(lowering: Lowering, var: relax.Var, end: Quantised) -> bool:
    operands = operands_of(lowering.flow, end.value, "relax.add")
    if operands is None or not all(_has_blocks(lowering, one.data, shape_of(var)) for one in operands):
        return False
    data = [lowering.as_made(one.data) for one in operands]
    lowering.blocked[var] = _emit(lowering, "add", [*data, *map(relax.const, of_sum(*operands, end))])
    return True


def _lower_product(lowering: Lowering, var: relax.Var, end: Quantised) -> bool:
    """An image by a gate for each channel, squeeze-and-excite's."""
    operands = operands_of(lowering.flow, end.value, "relax.multiply")
    if operands is None:
        return False
    shape = shape_of(var)
    image, gate = sorted(operands, key=lambda one: shape_of(one.data) != shape)
    if not _has_blocks(lowering, image.data, shape) or shape_of(gate.data) != (*shape[:2], 1, 1):
        return False
    data = [lowering.as_made(one.data) for one in (image, gate)]
    lowering.blocked[var] = _emit(lowering, "multiply", [*data, *map(relax.const, of_product(image, gate, end))])
    return True


def _lower_mean(lowering: Lowering, var: relax.Var, end: Quantised) -> bool:
    source = mean_of(lowering.flow, end.value)
    if source is None or not _has_blocks(lowering, source.data, shape_of(source.data)):
        return False
    constants = map(relax.const, of_mean(source, end))
    result = _emit(lowering, "mean", [lowering.as_made(source.data), *constants])
    if len(shape_of(var)) == 4:
        lowering.blocked[var] = result
    else:
        lowering.book_flat(var, result, shape_of(var)[1])
    return True


def _has_blocks(lowering: Lowering, data: relax.Var, shape: tuple[int, ...]) -> bool:
    """Whether the values, of that shape, lie in blocks or may well be brought into them."""
    return shape_of(data) == shape and len(shape) == 4 and is_blockable(shape[1]) and lowering.is_ready(data)


def _emit(lowering: Lowering, kind: str, operands: list[relax.Expr]) -> relax.Var:
    values = ByteValues(kind, shape_of(operands[0]))
    kernel = lowering.builder.add_func(byte_values(values, lowering.unit), values.name)
    return lowering.builder.emit(relax.call_tir(kernel, operands, relax.TensorType(values.result, "uint8")))
