"""Which choices a search proposes: the known ones first, no choice twice, none that is senseless, and an end."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.schedules.space import Choice, Space
from tvm_pipeline.tuning.search import LayerSearch

BATCH = 8


def _search(target: CpuTarget, descriptor: str = "pointwise 28x28x128->128 bias relu") -> LayerSearch:
    layer = Layer.parse(descriptor)
    return LayerSearch(Space.of(layer, target.unit))


def _no_opinion(_: Sequence[Choice]) -> None:
    return None


def _likes_large_sums(pool: Sequence[Choice]) -> list[float]:
    return [float(sum(choice)) for choice in pool]


def test_default_comes_first_and_known_records_next(target: CpuTarget) -> None:
    search = _search(target)
    default = search.space.generator.default(search.space.layer, target.unit)
    known = [{**default, "unroll_k": 2}, {**default, "tile_m": 5}, default]  # the second is outside the space
    proposed = search.propose(BATCH, _no_opinion, random.Random(0), known)
    assert proposed[:2] == [search.space.choice(default), search.space.choice(known[0])]
    assert len(proposed) == len(set(proposed)) == BATCH


@pytest.mark.parametrize("score", [_no_opinion, _likes_large_sums])
@pytest.mark.parametrize("descriptor", ["pointwise 7x7x16->32", "depthwise 14x14x32 k3x3 s1 p1", "dense 64->40 bias"])
def test_choices_are_new_and_sensible_until_there_are_no_more(descriptor: str, score, target: CpuTarget) -> None:  # type: ignore[no-untyped-def]
    search, chance = _search(target, descriptor), random.Random(0)
    space, unit = search.space, target.unit
    default = space.default
    seen: list[Choice] = []
    while proposed := search.propose(BATCH, score, chance):
        assert len(proposed) <= BATCH
        for choice in proposed:
            sensible = space.generator.is_sensible(space.layer, unit, space.decisions(choice))
            assert sensible or choice == default
            assert space.choice(space.decisions(choice)) == choice
            search.record(choice, None if len(seen) % 5 == 4 else 1e-6 * (1 + sum(choice)))
        seen += proposed
    assert len(seen) == len(set(seen)) == search.trials
    assert seen[0] == default
    everything = _sensible(space, target)
    assert len(set(seen) & everything) >= 0.9 * len(everything)


def _sensible(space: Space, target: CpuTarget) -> set[Choice]:
    found: list[Choice] = [()]
    for values in space.knobs.values():
        found = [(*choice, value) for choice in found for value in values]
    return {one for one in found if space.generator.is_sensible(space.layer, target.unit, space.decisions(one))}


def test_the_model_decides_on_all_but_one_of_a_batch(target: CpuTarget) -> None:
    search = _search(target)
    pools: list[list[Choice]] = []

    def score(pool: Sequence[Choice]) -> list[float]:
        pools.append(list(pool))
        return _likes_large_sums(pool)

    chance = random.Random(0)
    search.record(search.propose(1, _no_opinion, chance)[0], 1e-6)  # the default
    proposed = search.propose(BATCH, score, chance)
    ranked = sorted(pools[0], key=lambda choice: -sum(choice))
    worst_of_the_best = sum(ranked[BATCH - 2])
    assert sum(sum(choice) >= worst_of_the_best for choice in proposed) >= BATCH - 1
    assert set(proposed) <= set(pools[0])


def test_one_choice_of_a_first_batch_is_left_to_chance_too(target: CpuTarget) -> None:
    """The default takes the place of one that the model likes, not of the one that explores."""
    liked: set[Choice] = set()

    def score(pool: Sequence[Choice]) -> list[float]:
        liked.update(sorted(pool, key=lambda choice: -sum(choice))[:BATCH])
        return _likes_large_sums(pool)

    explored = 0
    for seed in range(10):
        proposed = _search(target).propose(BATCH, score, random.Random(seed))
        explored += any(choice not in liked for choice in proposed[1:])
        liked.clear()
    assert explored >= 8


def test_single_choice_follows_the_model(target: CpuTarget) -> None:
    search, chance = _search(target), random.Random(1)
    search.record(search.propose(1, _no_opinion, chance)[0], 1e-6)
    best: list[Choice] = []

    def score(pool: Sequence[Choice]) -> list[float]:
        best.append(max(pool, key=sum))
        return _likes_large_sums(pool)

    (proposed,) = search.propose(1, score, chance)
    assert sum(proposed) == sum(best[0])


def test_fastest_time_of_a_choice_counts(target: CpuTarget) -> None:
    search = _search(target)
    first, second = search.propose(2, _no_opinion, random.Random(0))
    assert search.record(first, 3e-6)
    assert search.record(second, 2e-6)
    assert not search.record(first, 2.5e-6)
    assert search.best == (second, 2e-6)
    search.record(first, None)
    assert not search.is_new(first)
