"""Signal over noise of each layer of a quantised file, by names that quantisers keep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from emulated_places import silent
from onnx import numpy_helper

from mobilenet_tvm.check.accuracy.layers import layer_noise
from mobilenet_tvm.model.quantise import cached, quantisers
from mobilenet_tvm.model.quantise.images import Feeds
from mobilenet_tvm.model.source import ModelSource, find_model
from mobilenet_tvm.package.seeded_inputs import seeded_inputs

LAYERS = {"conv", "depthwise", "pointwise", "dense"}


@pytest.fixture(params=quantisers.QUANTISERS)
def both(request: pytest.FixtureRequest, tiny_onnx: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ModelSource, Path]:
    """The float network, and its quantised file."""
    monkeypatch.setattr(quantisers, "best", lambda: request.param)
    source = replace(find_model(str(tiny_onnx), None, None, silent), random_weights=True)
    return source, cached.quantised(source, None, silent).onnx


def _feeds(source: ModelSource) -> Feeds:
    return Feeds("input", np.stack([arrays[0] for arrays in seeded_inputs(source.inputs, seed=7, count=6)]))


def test_every_layer_is_heard(both: tuple[ModelSource, Path]) -> None:
    """Equalised layers too: what their channels were divided by is in the file."""
    source, quantised = both
    noise = layer_noise(source.onnx, quantised, _feeds(source))
    assert {layer.layer for layer in noise} == LAYERS
    decibels = [layer.snr_db for layer in noise]
    assert all(value is not None and 25 < value < 60 for value in decibels), noise
    assert decibels == sorted(decibels, key=lambda value: value or 0)
    assert onnx.load(quantised).metadata_props, "nothing was equalised: this test shows nothing of that"


def test_a_spoilt_layer_comes_first(both: tuple[ModelSource, Path], tmp_path: Path) -> None:
    """The depthwise layer's weights turned round: it is worst, and what comes before it is as it was."""
    source, quantised = both
    model = onnx.load(quantised)
    before = {layer.layer: layer.snr_db for layer in layer_noise(source.onnx, quantised, _feeds(source))}
    (spoilt,) = (tensor for tensor in model.graph.initializer if tensor.dims == [16, 1, 3, 3])
    spoilt.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(spoilt), spoilt.name))
    onnx.save(model, tmp_path / "spoilt.onnx")
    noise = layer_noise(source.onnx, tmp_path / "spoilt.onnx", _feeds(source))
    assert noise[0].snr_db is not None and noise[0].snr_db < 3
    after = {layer.layer: layer.snr_db for layer in noise}
    assert after["conv"] == before["conv"]
    assert after["depthwise"] is not None and after["depthwise"] < 3


def test_nothing_is_lost_in_the_float_file(tiny_onnx: Path) -> None:
    source = find_model(str(tiny_onnx), None, None, silent)
    assert [layer.snr_db for layer in layer_noise(tiny_onnx, tiny_onnx, _feeds(source))] == [None] * 4
