"""Which layer the next batch goes to."""

from collections.abc import Collection, Mapping

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.tuning.search import LayerSearch

BATCH = 8
TRIALS_PER_LAYER = 32
"""Each layer's share where nobody said when to stop."""
PATIENCE = 6
"""Batches without a gain after which a layer is left alone."""
FIRST_ROUNDS = 2
"""Batches that every layer gets before one is preferred."""


def next_layer(searches: Mapping[Layer, LayerSearch], calls: Mapping[Layer, int], *, is_limited: bool) -> Layer | None:
    """First layers with fewer than two batches, then the one whose time in the network is most likely to shrink.

    :param calls: how often the network calls each layer.
    :param is_limited: whether something else ends the session; else every layer ends with its share of trials.
    :returns: None where no layer is worth another batch.
    """
    worthy = (
        layer
        for layer, search in searches.items()
        if _has_more(search) and (is_limited or search.trials < TRIALS_PER_LAYER)
    )
    return min(worthy, key=lambda layer: _rank(searches[layer], calls[layer]), default=None)


def first_unfinished(searches: Mapping[Layer, LayerSearch], tuned: Collection[Layer]) -> Layer | None:
    """The first layer that has not had its share of trials; None where all have.

    :param tuned: layers that are left alone unless some trials, and not all, are at hand: a search that was cut off.
    """
    worthy = (layer for layer, search in searches.items() if search.trials or layer not in tuned)
    return next((layer for layer in worthy if trials_left(searches[layer])), None)


def trials_left(search: LayerSearch) -> int:
    """Of a layer's share."""
    return max(0, min(TRIALS_PER_LAYER, search.space.size) - search.trials) if _has_more(search) else 0


def _has_more(search: LayerSearch) -> bool:
    return not search.is_exhausted and search.stale < PATIENCE


def _rank(search: LayerSearch, calls: int) -> tuple[int, float]:
    """The less the sooner."""
    rounds = search.trials // BATCH
    share = calls * (search.best[1] if search.best else 1.0)
    return min(rounds, FIRST_ROUNDS), -share / (1 + rounds) / (1 + search.stale)
