"""How an image becomes a network's input, as the package's manifest says it and every runner repeats it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from frontend.zoo import IMAGENET_MEAN, IMAGENET_STD


@dataclass(frozen=True)
class Preprocessing:
    """Resize the shorter side, crop the centre, scale to [0, 1], normalise; NCHW float32."""

    resize: int
    crop: int
    interpolation: str = "bilinear"
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    channel_order: str = "RGB"
    scale: float = 1 / 255

    def to_json(self) -> dict[str, Any]:
        """As the manifest holds it."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def standard(resolution: int) -> Preprocessing:
    """ImageNet's standard evaluation: the crop is 224/256 of the resized image's shorter side."""
    return Preprocessing(resize=round(resolution * 256 / 224), crop=resolution)
