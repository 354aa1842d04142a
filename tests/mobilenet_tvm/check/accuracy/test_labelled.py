"""The right classes of images: from a list, or from ImageNet's folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from quantised.images_on_disk import write_images

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.check.accuracy.labelled import read_labelled


def _classes(path: Path, names: list[str] | None, classes: int, images: Path | None = None) -> dict[str, int]:
    return {str(image.relative_to(path)): class_id for image, class_id in read_labelled(path, names, classes, images)}


@pytest.mark.parametrize(
    ("folders", "names", "classes", "expected"),
    [
        (("n01440764", "n02124075"), None, 1000, (0, 285)),
        (("7", "0"), None, 10, (7, 0)),
        (("dog", "cat"), ["cat", "dog"], 2, (1, 0)),
    ],
)
def test_folders_of_classes(
    tmp_path: Path, folders: tuple[str, ...], names: list[str] | None, classes: int, expected: tuple[int, ...]
) -> None:
    for folder in folders:
        write_images(tmp_path / folder, 2)
    wanted = {f"{folder}/{n}.png": i for folder, i in zip(folders, expected, strict=True) for n in range(2)}
    assert _classes(tmp_path, names, classes) == wanted


@pytest.mark.parametrize(
    ("folder", "classes", "message"),
    [("birds", 1000, "'birds' is no class"), ("12", 10, "class 12, and the network has 10"), (".", 10, "lies in no")],
)
def test_folders_that_do_not_fit(tmp_path: Path, folder: str, classes: int, message: str) -> None:
    write_images(tmp_path / folder, 1)
    with pytest.raises(UserError, match=message):
        read_labelled(tmp_path, None, classes)


def test_a_list_may_lie_elsewhere(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 2)
    (tmp_path / "labels.tsv").write_text("0.png\t3\n1.png\t4\n")
    pairs = read_labelled(tmp_path / "labels.tsv", None, 10, images)
    assert pairs == [(images / "0.png", 3), (images / "1.png", 4)]
    with pytest.raises(UserError, match=r"line 1: no image .*0\.png"):
        read_labelled(tmp_path / "labels.tsv", None, 10)
    with pytest.raises(UserError, match="class 4, and the network has 4 classes"):
        read_labelled(tmp_path / "labels.tsv", None, 4, images)
