"""A few steps of training: what is held back, what repeats, what ends it."""

from __future__ import annotations

import io
from dataclasses import replace

import torch

from frontend import zoo
from frontend.training import fit as fitting
from frontend.training.images import LabelledImages
from mobilenet_tvm.base.protocol import Emit
from mobilenet_tvm.base.requests import TrainOptions

ENTRY = zoo.find("mobilenet_v1_0.25_32")


def _noise(count: int = 100) -> LabelledImages:
    """Dark and bright noise."""
    side = ENTRY.preprocessing.resize
    noise = torch.randint(0, 90, (2 * count, 3, side, side), generator=torch.Generator().manual_seed(0))
    labels = torch.arange(2).repeat_interleave(count)
    return LabelledImages(("dark", "bright"), (noise + 160 * labels[:, None, None, None]).byte(), labels)


def _fit(options: TrainOptions) -> fitting.Fit:
    torch.manual_seed(options.seed)
    module = ENTRY.module(2)
    return fitting.fit(module, _noise(), ENTRY.preprocessing, options, Emit(io.StringIO()))


def test_it_learns() -> None:
    assert _fit(TrainOptions(epochs=8, batch=16)).accuracy >= 0.9


def test_the_same_seed_makes_the_same_weights() -> None:
    options = TrainOptions(epochs=1, batch=64)
    first, second, other = (_fit(options) for options in (options, options, replace(options, seed=1)))
    assert all(torch.equal(first.state[name], second.state[name]) for name in first.state)
    assert not torch.equal(first.state["classifier.weight"], other.state["classifier.weight"])


def test_every_class_is_held_back_alike() -> None:
    labels = torch.tensor([0] * 10 + [1] * 95)
    training, judging = fitting.split(labels, torch.Generator().manual_seed(0))
    assert sorted(torch.cat([training, judging]).tolist()) == list(range(105))
    assert torch.bincount(labels[judging]).tolist() == [1, 9]


def test_epochs_that_bring_nothing_end_it() -> None:
    progress = fitting.Fit(accuracy=0.9, best_epoch=3, epochs=3 + fitting.PATIENCE - 1)
    assert not progress.is_stuck
    progress.epochs += 1
    assert progress.is_stuck
