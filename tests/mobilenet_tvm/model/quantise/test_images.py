"""Folders of images become batches of the network's input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from quantised.images_on_disk import write_images

from mobilenet_tvm.base.answers import OnnxInput
from mobilenet_tvm.base.preprocessing import Preprocessing
from mobilenet_tvm.model.preprocessing import preprocess
from mobilenet_tvm.model.quantise.images import Feeds, batches, image_files

PLAN = Preprocessing(resize=18, crop=16)


def test_images_of_all_folders_in_one_order(tmp_path: Path) -> None:
    write_images(tmp_path / "b", 2)
    write_images(tmp_path / "a", 1)
    (tmp_path / "a" / ".hidden.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no image")
    assert [str(file.relative_to(tmp_path)) for file in image_files(tmp_path)] == ["a/0.png", "b/0.png", "b/1.png"]


@pytest.mark.parametrize(("count", "batch", "expected"), [(4, 1, 4), (4, 2, 2), (5, 2, 3), (1, 3, 1)])
def test_batches_are_whole(count: int, batch: int, expected: int, tmp_path: Path) -> None:
    """The last one is filled up with the first images."""
    files = image_files(write_images(tmp_path / "images", count))
    tensor = OnnxInput(name="x", shape=(batch, 3, 16, 16))
    arrays = batches(files, tensor, PLAN, tmp_path / "arrays.npy")
    assert arrays.shape == (expected, batch, 3, 16, 16)
    images = arrays.reshape(-1, 3, 16, 16)
    for number, image in enumerate(images):
        np.testing.assert_array_equal(image, preprocess(files[number % count], PLAN)[0])


@pytest.mark.parametrize(("count", "most", "chosen"), [(5, 10, [0, 1, 2, 3, 4]), (6, 3, [0, 2, 4]), (7, 3, [0, 3, 6])])
def test_fewer_feeds_are_spread(count: int, most: int, chosen: list[int]) -> None:
    feeds = Feeds("x", np.arange(count, dtype=np.float32).reshape(count, 1))
    assert [int(feed["x"][0]) for feed in feeds.spread(most)] == chosen
    assert len(feeds.spread(most)) <= most
