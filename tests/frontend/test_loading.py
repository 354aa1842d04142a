"""Which weights a request gets, and what is said about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from export_jobs import export_job

from frontend import checkpoints, zoo
from frontend.loading import Loaded, load
from frontend.training.checkpoint import CheckpointNotes, write_checkpoint
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.protocol import Emit

NAME = "mobilenet_v1_0.25_128"


def loaded(events: Emit, model: str = NAME, **changes: Any) -> Loaded:
    return load(export_job(model, **changes), events)


def test_without_a_word_about_weights_they_are_imagenets_where_they_can_be_had(events: Any) -> None:
    v2 = loaded(events, model="mobilenet_v2_1.0_224")
    assert (v2.weights, v2.labels, events.warnings) == ("imagenet", "imagenet-1k", [])
    assert "torchvision" in v2.weights_note


def test_else_they_are_random_and_a_warning_says_so(events: Any) -> None:
    v1 = loaded(events)
    assert (v1.weights, v1.labels) == ("random", "imagenet-1k")
    assert "its weights are random" in events.warnings[0]


def test_other_classes_take_the_labels_away_and_imagenets_weights_too(events: Any) -> None:
    v2 = loaded(events, model="mobilenet_v2_1.0_224", classes=10)
    assert (v2.weights, v2.labels) == ("random", None)
    assert "1000 classes, not 10" in events.warnings[0]
    with pytest.raises(UserError, match="1000 classes, not 10"):
        loaded(events, model="mobilenet_v2_1.0_224", classes=10, weights="imagenet")


def test_a_file_of_ones_own_has_no_labels(events: Any, tmp_path: Path) -> None:
    torch.save(zoo.find(NAME).module(classes=3).state_dict(), tmp_path / "mine.pt")
    mine = loaded(events, weights=str(tmp_path / "mine.pt"), classes=3)
    assert (mine.weights, mine.weights_note, mine.labels) == ("file", "the file mine.pt", None)
    assert mine.preprocessing is not None
    assert (mine.preprocessing.resize, mine.preprocessing.crop) == (146, 128)


def test_a_published_file_is_recognised_by_its_hash(events: Any) -> None:
    path = checkpoints.packaged_file(zoo.TORCHVISION_V2)
    v2 = loaded(events, model="mobilenet_v2_1.0_224", weights=str(path))
    assert (v2.weights, v2.labels) == ("file", "imagenet-1k")
    assert v2.weights_note.startswith("torchvision's mobilenet_v2")


def test_timms_naming_brings_its_preprocessing_and_a_word_about_relu6(events: Any, tmp_path: Path) -> None:
    entry = zoo.find(NAME)
    torch.save(as_timm(entry.module().state_dict()), tmp_path / "timm.pt")
    timm = loaded(events, weights=str(tmp_path / "timm.pt"))
    assert timm.preprocessing is not None
    assert timm.preprocessing.mean == timm.preprocessing.std == (0.5, 0.5, 0.5)
    assert "add --activation relu6" in events.warnings[0]


def test_relu6_satisfies_timms_naming(events: Any, tmp_path: Path) -> None:
    torch.save(as_timm(zoo.find(NAME).module().state_dict()), tmp_path / "timm.pt")
    loaded(events, weights=str(tmp_path / "timm.pt"), activation="relu6")
    assert events.warnings == []


def as_timm(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    stages = [f"blocks.{stage}.{index}" for stage, count in enumerate((1, 2, 2, 6, 2)) for index in range(count)]
    parts = {"depthwise.conv": "conv_dw", "depthwise.bn": "bn1", "pointwise.conv": "conv_pw", "pointwise.bn": "bn2"}
    renamed = {}
    for name, tensor in state.items():
        if name.startswith("blocks."):
            _, block, layer, part, last = name.split(".")
            name = f"{stages[int(block)]}.{parts[f'{layer}.{part}']}.{last}"
        renamed[name.replace("conv1.conv.", "conv_stem.").replace("conv1.bn.", "bn1.")] = tensor
    return renamed


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"batch": -1}, "batch is a whole number of at least 1"),
        ({"classes": 0}, "number of classes is a whole number"),
        ({"shape": (1, 3, 224, 224)}, "takes 1x3x128x128, not 1x3x224x224"),
        ({"weights": "random", "activation": "swish"}, "no activation 'swish'"),
        ({"weights": "imagenet"}, "no package carries ImageNet weights"),
        ({"weights": "no_such_file.pt"}, "no weights file at no_such_file.pt"),
        ({"model": "mobilenet_v9"}, "did you mean"),
        ({"model": "x.py:make", "weights": "random"}, "is for models of the zoo; leave it out"),
        ({"model": "x.py:make", "activation": "relu6"}, "--activation is for models of the zoo"),
    ],
)
def test_what_can_be_wrong_with_a_request(request_: dict[str, Any], message: str, events: Any) -> None:
    with pytest.raises(UserError, match=message):
        loaded(events, **request_)


def test_a_checkpoint_of_train_says_what_it_is(events: Any, tmp_path: Path) -> None:
    small = "mobilenet_v1_0.25_32"
    entry, path = zoo.find(small), tmp_path / "trained.pt"
    notes = CheckpointNotes(model=small, classes=("cat", "dog"), preprocessing=entry.preprocessing)
    write_checkpoint(path, entry.module(2).state_dict(), notes, path.suffix)
    trained = loaded(events, model=small, weights=str(path))
    assert (trained.classes, trained.labels, trained.preprocessing) == (("cat", "dog"), None, entry.preprocessing)
    with pytest.raises(UserError, match=f"trained.pt holds weights of {small}, not of mobilenet_v3_small"):
        loaded(events, model="mobilenet_v3_small_0.25_32", weights=str(path))
