"""What is kept to save time, and how to be rid of it."""

from __future__ import annotations

import shutil
from pathlib import Path

from mobilenet_tvm.base.document import Document, Whole
from mobilenet_tvm.base.paths import cache_dir

TUNING = "tuning"


def _size(folder: Path) -> tuple[int, int]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return len(files), sum(path.stat().st_size for path in files)


def _parts(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


class CachePart(Document):
    """A folder of the cache."""

    name: str
    files: Whole
    bytes: Whole


class CacheShown(Document):
    """What ``cache_show`` returns."""

    folder: str
    parts: tuple[CachePart, ...]
    bytes: Whole


class CacheCleared(Document):
    """What ``cache_clear`` returns: the parts that were removed, and what is free now."""

    folder: str
    removed: tuple[str, ...]
    bytes: Whole


def cache_show() -> CacheShown:
    """The cache's folder and its parts with their sizes: ``schemas/cache_show.json``."""
    folder = cache_dir()
    parts = []
    for part in _parts(folder):
        files, size = _size(part)
        parts.append(CachePart(name=part.name, files=files, bytes=size))
    return CacheShown(folder=str(folder), parts=tuple(parts), bytes=sum(part.bytes for part in parts))


def cache_clear(*, tuning: bool = False) -> CacheCleared:
    """Remove what can be made again: ``schemas/cache_clear.json``.

    :param tuning: the databases of finished trials too, which only tuning again brings back.
    """
    parts = [part for part in _parts(cache_dir()) if tuning or part.name != TUNING]
    freed = sum(_size(part)[1] for part in parts)
    for part in parts:
        shutil.rmtree(part)
    return CacheCleared(folder=str(cache_dir()), removed=tuple(part.name for part in parts), bytes=freed)
