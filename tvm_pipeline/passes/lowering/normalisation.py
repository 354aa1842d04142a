"""Normalisations of layers, instances and groups become one kernel each, on blocked activations where they are that."""

from dataclasses import dataclass, replace
from math import prod

import numpy as np
from tvm import relax

from tvm_pipeline.hardware.channel_block import blocks_and_lanes
from tvm_pipeline.passes.dataflow import constant_of, shape_of
from tvm_pipeline.passes.epilogue import Affine, Epilogue, match_epilogue
from tvm_pipeline.passes.lowering.context import Lowering
from tvm_pipeline.passes.lowering.statistics import match_statistics
from tvm_pipeline.workloads.normalisation import Normalisation, normalise


@dataclass(frozen=True)
class _Norm:
    """What is normalised: ``groups`` of channels over space, or the last ``rows`` axes where there are no groups."""

    data: relax.Var
    epsilon: float
    groups: int | None = None
    rows: int = 0
    is_centred: bool = True


def lower_quotient(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """A normalisation that is spelled out: an InstanceNormalization, or a LayerNormalization before opset 17."""
    statistics = match_statistics(lowering.flow, call)
    if statistics is None or shape_of(var) != shape_of(statistics.data):
        return False
    shape, axes = shape_of(statistics.data), statistics.axes
    rank = len(shape)
    if axes == tuple(range(2, rank)) and rank > 2:
        norm = _Norm(statistics.data, statistics.epsilon, groups=shape[1])
    elif axes == tuple(range(axes[0], rank)):
        norm = _Norm(statistics.data, statistics.epsilon, rows=rank - axes[0])
    else:
        return False
    return _lower(lowering, var, norm)


def lower_layer_norm(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    rank = len(shape_of(var))
    axes = sorted(int(axis) % rank for axis in call.attrs.axes)
    is_centred = len(call.args) == 3
    given = [constant_of(operand) for operand in call.args[1:]]
    if axes != list(range(axes[0], rank)) or any(value is None for value in given):
        return False
    scale, shift = (given[0], given[1] if is_centred else None)
    assert scale is not None
    norm = _Norm(call.args[0], float(call.attrs.epsilon), rows=len(axes), is_centred=is_centred)
    return _lower(lowering, var, norm, Affine(scale.reshape(-1, 1), None if shift is None else shift.reshape(-1)))


def lower_group_norm(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    rank = len(shape_of(var))
    scale, shift = (constant_of(operand) for operand in call.args[1:])
    axes = sorted(int(axis) % rank for axis in call.attrs.axes)
    if int(call.attrs.channel_axis) != 1 or axes != list(range(2, rank)) or scale is None or shift is None:
        return False
    norm = _Norm(call.args[0], float(call.attrs.epsilon), groups=int(call.attrs.num_groups))
    return _lower(lowering, var, norm, Affine(scale.reshape(-1, 1, 1, 1), shift))


def _lower(lowering: Lowering, var: relax.Var, norm: _Norm, affine: Affine | None = None) -> bool:
    data = norm.data
    if not isinstance(data, relax.Var) or str(data.ty.dtype) != "float32" or 0 in shape_of(data):
        return False
    epilogue = _epilogue(lowering, var, norm, affine)
    norm, epilogue = _through_reshapes(lowering, norm, epilogue)
    if lowering.is_blocked(norm.data) and norm.groups is not None and _emit_blocked(lowering, norm, epilogue):
        return True
    _emit_plain(lowering, norm, epilogue)
    return True


def _epilogue(lowering: Lowering, var: relax.Var, norm: _Norm, affine: Affine | None) -> Epilogue:
    """``affine``, and scales, shifts and an activation behind the quotient; a channel's weight is its scale."""
    shape = shape_of(var)
    rank = 4 if norm.groups is not None else 2
    channels = shape[1] if norm.groups is not None else prod(shape[-norm.rows :])
    start = affine or Affine(np.ones((channels, *[1] * (rank - 1)), np.float32), None)
    if norm.groups is None and norm.rows > 1:
        return Epilogue((), start, None, var, ())
    return match_epilogue(lowering.flow, var, start.weight, lambda _: False, start.bias)


def _through_reshapes(lowering: Lowering, norm: _Norm, epilogue: Epilogue) -> tuple[_Norm, Epilogue]:
    """GroupNorm as PyTorch exports it: an InstanceNormalization of ``[N, G, -1]`` between two reshapes."""
    flow = lowering.flow
    before = flow.call(norm.data, "relax.reshape")
    user = flow.only_user(epilogue.result)
    behind = flow.call(user, "relax.reshape") if user is not None else None
    if before is None or behind is None or norm.groups is None or epilogue.names not in ((), ("bias",)):
        return norm, epilogue
    source, shape = before.args[0], shape_of(user)
    is_inverse = isinstance(source, relax.Var) and shape_of(source) == shape and len(shape) > 2
    groups = shape_of(norm.data)[:2]
    if not is_inverse or groups != (shape[0], norm.groups) or shape[1] % norm.groups:
        return norm, epilogue
    each = shape[1] // norm.groups
    bias = epilogue.affine.bias
    wide = Affine(np.repeat(epilogue.affine.weight, each, 0), None if bias is None else np.repeat(bias, each))
    last = match_epilogue(flow, user, wide.weight, lambda _: False, wide.bias)
    inside = (*epilogue.inside, epilogue.result, *last.inside)
    return replace(norm, data=source), replace(last, inside=inside)


def _emit_blocked(lowering: Lowering, norm: _Norm, epilogue: Epilogue) -> bool:
    """On ``[N, C/b, H*W, b]``; False where groups are no whole blocks."""
    assert norm.groups is not None
    batch, channels, height, width = shape_of(norm.data)
    blocks, lanes = blocks_and_lanes(channels)
    if norm.groups == channels:
        shape, over_lanes = (batch, blocks, 1, height * width, lanes), False
    elif channels // norm.groups % lanes == 0:
        shape, over_lanes = (batch, norm.groups, blocks // norm.groups, height * width, lanes), True
    else:
        return False
    result = _emit(lowering, norm, epilogue, shape, lowering.operand(norm.data), over_lanes=over_lanes)
    whole = relax.op.reshape(result, (batch, blocks, height * width, lanes))
    lowering.blocked[epilogue.result] = lowering.builder.emit(whole)
    return True


def _emit_plain(lowering: Lowering, norm: _Norm, epilogue: Epilogue) -> None:
    extents = shape_of(norm.data)
    if norm.groups is None:
        shape = (prod(extents[: -norm.rows]), 1, 1, 1, prod(extents[-norm.rows :]))
    else:
        shape = (extents[0], norm.groups, extents[1] // norm.groups, prod(extents[2:]), 1)
    result = _emit(lowering, norm, epilogue, shape, lowering.plain_value(norm.data))
    lowering.plain[epilogue.result] = lowering.builder.emit(relax.op.reshape(result, extents))


def _emit(
    lowering: Lowering,
    norm: _Norm,
    epilogue: Epilogue,
    shape: tuple[int, int, int, int, int],
    data: relax.Expr,
    *,
    over_lanes: bool = True,
) -> relax.Var:
    """Calls the kernel on the data as ``shape``, and books what it computes besides."""
    affine = epilogue.affine
    scale, shift = affine.weight.reshape(-1), affine.bias
    operands = {"scale": scale if (scale != 1).any() else None, "shift": shift}
    given = {name: value for name, value in operands.items() if value is not None}
    activation = epilogue.names[-1] if epilogue.names and epilogue.names[-1] != "bias" else None
    layer = Normalisation(
        shape, norm.epsilon, over_lanes, norm.is_centred, tuple(given), activation, str(data.ty.dtype)
    )
    size = prod((shape[1], shape[2], shape[4]))
    packed = [np.pad(value, (0, size - value.size)).reshape(shape[1], shape[2], shape[4]) for value in given.values()]
    shaped = lowering.builder.emit(relax.op.reshape(data, shape))
    lowering.fused.update(epilogue.inside)
    return lowering.emit_workload(normalise(layer), layer.name, [shaped, *map(relax.const, packed)], "normalise/1")
