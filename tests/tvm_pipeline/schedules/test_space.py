"""A choice survives the way into a MetaSchedule trace and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from layers import layers

from mobilenet_tvm.base.layer import KINDS, Layer
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.schedules.space import Space, choice_of_trace


def space_of(descriptor: str | Layer, target: CpuTarget) -> Space:
    layer = descriptor if isinstance(descriptor, Layer) else Layer.parse(descriptor)
    return Space.of(layer, target.unit)


@given(layer=layers(KINDS), data=st.data())
def test_choice_is_read_back_from_the_trace(layer: Layer, data: st.DataObject, target: CpuTarget) -> None:
    space = space_of(layer, target)
    choice = tuple(data.draw(st.sampled_from(values)) for values in space.knobs.values())
    if not space.generator.is_sensible(layer, target.unit, space.decisions(choice)):
        choice = space.default
    assert choice_of_trace(space.schedule(choice).trace, space) == choice
    assert space.choice(space.decisions(choice)) == choice


def test_trace_of_another_space_is_of_no_use(target: CpuTarget) -> None:
    space = space_of("pointwise 8x8x16->16", target)
    choice = space.default
    assert choice_of_trace(space.schedule(choice).trace, space_of("pointwise 7x7x16->16", target)) is None
    assert choice_of_trace(space.schedule(choice).trace, space_of("dense 16->16", target)) is None


def test_decisions_outside_the_space_are_no_choice(target: CpuTarget) -> None:
    space = space_of("pointwise 8x8x16->16", target)
    default = dict(space.generator.default(space.layer, target.unit))
    assert space.choice({**default, "tile_m": 7}) is None
    assert space.choice({**default, "unknown": 1}) is None
    assert space.choice({"tile_m": 8}) is None
