"""SSD on MobileNetV1 1.0 at 512x512 as npm's ``@vladmandic/face-api`` has it, trained to find faces.

Its training code is TensorFlow's object detection API, so convolutions of stride 2 pad right and below (SAME). Batch
normalisation is folded into all convolutions but the depthwise ones.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from frontend.detection import ANCHORS, Ssd, anchor_boxes
from frontend.faces import package
from frontend.faces.weights import read_weights, weights_file
from frontend.networks.mobilenet_v1 import BLOCKS
from frontend.networks.ssd import CENTRED, EXTRAS
from frontend.zoo import WeightsFolder, ZooEntry, register
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.paths import sha256_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESOLUTION = 512
_SIDES = (32, 16, 8, 4, 2, 1)  # of the feature maps
_CHANNELS = (512, 1024, *(outputs for _, outputs in EXTRAS))  # likewise
_LABELS = 3  # background, face, and one that was never trained
_LAST_OF_FIRST_STAGE = 11  # the block whose output is the first feature map
_EPS = 0.001


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, *, depthwise: bool = False) -> nn.Module:
    layers = OrderedDict[str, nn.Module]()
    if stride == 2:
        layers["pad"] = nn.ZeroPad2d((0, 1, 0, 1))
    padding = kernel // 2 if stride == 1 else 0
    groups = inputs if depthwise else 1
    layers["conv"] = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=not depthwise)
    if depthwise:
        layers["bn"] = nn.BatchNorm2d(outputs, eps=_EPS)
    layers["act"] = nn.ReLU6()
    return nn.Sequential(layers)


def _stages() -> Iterator[nn.Module]:
    layers, channels = OrderedDict(conv0=_convolution(3, 32, 3, 2)), 32
    for index, (outputs, stride) in enumerate(BLOCKS, 1):
        layers[f"depthwise{index}"] = _convolution(channels, channels, 3, stride, depthwise=True)
        layers[f"pointwise{index}"] = _convolution(channels, outputs, 1)
        channels = outputs
        if index == _LAST_OF_FIRST_STAGE:
            yield nn.Sequential(layers)
            layers = OrderedDict()
    yield nn.Sequential(layers)
    for between, outputs in EXTRAS:
        narrow, wide = _convolution(channels, between, 1), _convolution(between, outputs, 3, 2)
        yield nn.Sequential(OrderedDict(narrow=narrow, wide=wide))
        channels = outputs


def build(classes: int, activation: str) -> nn.Module:
    """The detector; its one class is the face.

    :raises UserError: other classes are asked for.
    """
    if classes != 1:
        raise UserError("mobilenet_v1_ssd_face finds faces and nothing else: leave --classes out")
    places = list(zip(_CHANNELS, ANCHORS, strict=True))
    boxes = [nn.Conv2d(inputs, 4 * anchors, 1) for inputs, anchors in places]
    classifiers = [nn.Conv2d(inputs, _LABELS * anchors, 1) for inputs, anchors in places]
    return Ssd(list(_stages()), boxes, classifiers, anchor_boxes(_SIDES), labels=_LABELS, kept=1)


def read_state(folder: Path) -> dict[str, torch.Tensor]:
    """The state dict out of the package's folder.

    :raises UserError: it is not there, or a tensor of the network is not in it.
    """
    arrays = read_weights(folder)
    try:
        return {name: torch.tensor(value) for name, value in _renamed(arrays)}
    except KeyError as error:
        raise UserError(f"{folder} holds weights of another network: there is no {error.args[0]}") from error


def _renamed(arrays: dict[str, NDArray[np.float32]]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Every tensor of the network, in PyTorch's layout."""
    yield from _dense(arrays, "MobilenetV1/Conv2d_0_pointwise", "stages.0.conv0.conv")
    for index in range(1, len(BLOCKS) + 1):
        theirs, stage = f"MobilenetV1/Conv2d_{index}", 0 if index <= _LAST_OF_FIRST_STAGE else 1
        depthwise = f"stages.{stage}.depthwise{index}"
        yield f"{depthwise}.conv.weight", arrays[f"{theirs}_depthwise/depthwise_weights"].transpose(2, 3, 0, 1)
        for name, norm in _NORM.items():
            yield f"{depthwise}.bn.{name}", arrays[f"{theirs}_depthwise/BatchNorm/{norm}"]
        yield from _dense(arrays, f"{theirs}_pointwise", f"stages.{stage}.pointwise{index}.conv")
    for index in range(2 * len(EXTRAS)):
        ours = f"stages.{2 + index // 2}.{'wide' if index % 2 else 'narrow'}.conv"
        yield from _dense(arrays, f"Prediction/Conv2d_{index}_pointwise", ours)
    for index in range(len(ANCHORS)):
        theirs = f"Prediction/BoxPredictor_{index}"
        yield from _dense(arrays, f"{theirs}/BoxEncodingPredictor", f"boxes.{index}", bias="biases")
        yield from _dense(arrays, f"{theirs}/ClassPredictor", f"classes.{index}", bias="biases")


_NORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def _dense(
    arrays: dict[str, NDArray[np.float32]], theirs: str, ours: str, bias: str = "convolution_bn_offset"
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    yield f"{ours}.weight", arrays[f"{theirs}/weights"].transpose(3, 2, 0, 1)
    yield f"{ours}.bias", arrays[f"{theirs}/{bias}"]


TRAINED = WeightsFolder(
    read_state,
    lambda folder: sha256_file(weights_file(folder)),
    package.SHA256[package.WEIGHTS],
    note=f"trained on faces; npm's {package.NAME} {package.VERSION}, {package.LICENCE}",
    fetch=package.FETCH,
)
register(
    ZooEntry(
        "mobilenet_v1_ssd_face",
        build,
        RESOLUTION,
        ("relu6",),
        classes=1,
        labels=None,
        resize=RESOLUTION,
        mean=CENTRED,
        std=CENTRED,
        folder=TRAINED,
    )
)
