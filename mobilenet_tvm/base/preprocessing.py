"""How an image becomes a network's input, as frontend, manifest and every runner know it."""

from __future__ import annotations

from typing import Literal

from mobilenet_tvm.base.document import Count, Document, Factor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Preprocessing(Document):
    """Resize, cut, normalise: NCHW float32.

    The shorter side of the image becomes ``resize`` pixels long, a square of ``crop`` is cut from the middle, and each
    byte becomes ``(byte * scale - mean) / std`` with its channel's mean and standard deviation.

    :ivar resize: pixels of the shorter side.
    :ivar crop: pixels of the centre square.
    """

    resize: Count
    crop: Count
    interpolation: Literal["bilinear"] = "bilinear"
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[Factor, Factor, Factor] = IMAGENET_STD
    channel_order: Literal["RGB"] = "RGB"
    scale: float = 1 / 255

    def __post_init__(self) -> None:
        if self.crop > self.resize:
            raise ValueError(f"a square of {self.crop} pixels is cut from {self.resize}")

    @classmethod
    def default_for(cls, resolution: int) -> Preprocessing:
        """The standard evaluation of ImageNet networks, resize 256 and crop 224, in proportion to ``resolution``."""
        return cls(resize=round(resolution * 256 / 224), crop=resolution)
