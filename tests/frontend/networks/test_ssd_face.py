"""The trained detector sees the face that PyTorch sees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from trained_faces import needs_npm, trained_faces

from frontend import zoo
from frontend.agreement import OnnxRuntime
from frontend.loading import _default_weights
from frontend.networks.ssd_face import TRAINED
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.paths import package_folder

NAME = "mobilenet_v1_ssd_face"


def on_canvas(name: str) -> torch.Tensor:
    """A photograph, in the upper left of a black square of 512 pixels, from -1 to 1."""
    with Image.open(package_folder("skimage") / "data" / name) as image:
        scale = 512 / max(image.size)
        small = image.convert("RGB").resize([round(side * scale) for side in image.size], Image.Resampling.BILINEAR)
    canvas = np.zeros((512, 512, 3), np.float32)
    canvas[: small.height, : small.width] = np.asarray(small)
    return torch.from_numpy(canvas / 127.5 - 1).permute(2, 0, 1)[None].contiguous()


@needs_npm
def test_the_astronauts_face_and_no_other(ask: Any) -> None:
    result = ask(NAME, weights=str(trained_faces()))
    assert (result.weights, result.weights_note, result.labels) == ("file", TRAINED.note, None)
    assert result.outputs == ("boxes", "scores")
    runtime = OnnxRuntime(result.onnx.read_bytes())
    boxes, scores = runtime.run({"input": on_canvas("astronaut.png")})
    best = int(scores[0, :, 0].argmax())
    assert scores[0, best, 0] == pytest.approx(0.965, abs=5e-4)
    assert (boxes[0, best] * 512).round().tolist() == [73, 181, 175, 264]
    assert runtime.run({"input": on_canvas("coffee.png")})[1].max() == pytest.approx(0.122, abs=5e-4)


def test_random_weights_are_warned_about_with_the_command_that_brings_trained_ones(events: Any) -> None:
    assert _default_weights(zoo.find(NAME), 1, events) == "random"
    (warning,) = events.warnings
    assert "for trained ones: python -m frontend.faces FOLDER, then --weights FOLDER" in warning


def test_it_finds_faces_and_takes_no_folder_of_another_network(ask: Any, tmp_path: Any) -> None:
    with pytest.raises(UserError, match="finds faces and nothing else"):
        zoo.find(NAME).module(classes=2)
    with pytest.raises(UserError, match=r"is a folder; --weights of mobilenet_v1_0\.25_128 takes a checkpoint file"):
        ask("mobilenet_v1_0.25_128", weights=str(tmp_path))
