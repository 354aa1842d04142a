"""Which layer the next batch goes to: a start for everyone, then where the network spends its time."""

from __future__ import annotations

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.schedules.space import Space
from tvm_pipeline.tuning.allocation import BATCH, FIRST_ROUNDS, PATIENCE, TRIALS_PER_LAYER, next_layer
from tvm_pipeline.tuning.search import LayerSearch

SHORT = Layer.parse("pointwise 28x28x128->128 bias relu")
LONG = Layer.parse("pointwise 28x28x256->256 bias relu")
ONCE = {SHORT: 1, LONG: 1}


def _searches(target: CpuTarget, batches: int) -> dict[Layer, LayerSearch]:
    """Both layers after so many batches; one takes three times as long as the other."""
    searches = {}
    for layer, seconds in ((SHORT, 1e-3), (LONG, 3e-3)):
        space = Space.of(layer, target.unit)
        searches[layer] = LayerSearch(space, {(number,): seconds for number in range(BATCH * batches)})
    return searches


def test_every_layer_gets_a_start(target: CpuTarget) -> None:
    for rounds in range(FIRST_ROUNDS):
        searches = _searches(target, FIRST_ROUNDS)
        searches[SHORT] = _searches(target, rounds)[SHORT]
        assert next_layer(searches, ONCE, is_limited=True) == SHORT


def test_then_the_one_that_the_network_waits_for_longest(target: CpuTarget) -> None:
    searches = _searches(target, FIRST_ROUNDS)
    assert next_layer(searches, ONCE, is_limited=True) == LONG
    assert next_layer(searches, {SHORT: 4, LONG: 1}, is_limited=True) == SHORT


def test_batches_without_a_gain_make_a_layer_less_urgent_and_end_it(target: CpuTarget) -> None:
    searches = _searches(target, FIRST_ROUNDS)
    searches[LONG].stale = 3
    assert next_layer(searches, ONCE, is_limited=True) == SHORT
    searches[SHORT].stale = PATIENCE
    assert next_layer(searches, ONCE, is_limited=True) == LONG
    searches[LONG].stale = PATIENCE
    assert next_layer(searches, ONCE, is_limited=True) is None


def test_without_a_limit_each_layer_ends_with_its_share(target: CpuTarget) -> None:
    searches = _searches(target, TRIALS_PER_LAYER // BATCH)
    assert next_layer(searches, ONCE, is_limited=False) is None
    assert next_layer(searches, ONCE, is_limited=True) == LONG


def test_an_exhausted_space_is_left(target: CpuTarget) -> None:
    searches = _searches(target, FIRST_ROUNDS)
    size = searches[LONG].space.size
    searches[LONG].failed = {(-1 - number,) for number in range(size)}
    assert next_layer(searches, ONCE, is_limited=True) == SHORT
