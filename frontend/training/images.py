"""Labelled images out of a folder: a sub-folder for each class, named as the class (ImageNet's layout)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.protocol import Emit

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".webp")
FEWEST = 10
"""Images of a class: nine to learn from and one to judge by."""
MOST_BYTES = 4 << 30
"""All pixels stay in memory."""
_TOLD_EVERY = 500


@dataclass(frozen=True)
class LabelledImages:
    """Bytes in squares.

    :ivar classes: names; a label is a position among them.
    :ivar pixels: uint8 ``[N, 3, side, side]``, RGB.
    :ivar labels: int64 ``[N]``.
    """

    classes: tuple[str, ...]
    pixels: torch.Tensor
    labels: torch.Tensor


def read_images(folder: Path, side: int, emit: Emit) -> LabelledImages:
    """All images of a folder, as squares of ``side`` pixels out of their middle.

    :raises UserError: there are no sub-folders of images, only one, too few or too many images, or one does not decode.
    """
    files = {path.name: _images_in(path) for path in _folders_in(folder)}
    classes = tuple(name for name, paths in files.items() if paths)
    _check(folder, {name: len(files[name]) for name in classes}, side)
    total = sum(len(files[name]) for name in classes)
    pixels = np.empty((total, 3, side, side), np.uint8)
    for number, path in enumerate(path for name in classes for path in files[name]):
        pixels[number] = _square(path, side)
        if number % _TOLD_EVERY == 0:
            emit.progress("read", number, total, folder.name)
    labels = torch.repeat_interleave(torch.tensor([len(files[name]) for name in classes]))
    return LabelledImages(classes, torch.from_numpy(pixels), labels)


def _folders_in(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise UserError(f"no folder {folder}; it holds a sub-folder of images for each class")
    return (path for path in sorted(folder.iterdir()) if path.is_dir())


def _images_in(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES]


def _check(folder: Path, counts: dict[str, int], side: int) -> None:
    """:param counts: images by class."""
    if not counts:
        raise UserError(f"{folder} holds no sub-folders with images ({' '.join(SUFFIXES)}), one for each class")
    if len(counts) == 1:
        raise UserError(f"{folder} holds images of one class, {next(iter(counts))}: there is nothing to tell apart")
    name, fewest = min(counts.items(), key=lambda item: item[1])
    if fewest < FEWEST:
        raise UserError(f"{folder / name} holds {fewest} images: a class needs at least {FEWEST}")
    if (size := sum(counts.values()) * 3 * side**2) > MOST_BYTES:
        raise UserError(f"the images of {folder} would take {size >> 30} GiB: train is for what fits into memory")


def _square(path: Path, side: int) -> np.ndarray:
    """``[3, side, side]``: the shorter side becomes ``side``, and the middle is cut out."""
    try:
        with Image.open(path) as image:
            picture = image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"{path} does not decode: {error}") from error
    factor = side / min(picture.size)
    width, height = (max(side, round(length * factor)) for length in picture.size)
    left, top = (width - side) // 2, (height - side) // 2
    resized = picture.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized.crop((left, top, left + side, top + side))).transpose(2, 0, 1)
