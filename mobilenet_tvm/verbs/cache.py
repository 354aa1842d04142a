"""What is kept to save time, and how to be rid of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from mobilenet_tvm.base.paths import cache_dir

TUNING = "tuning"


def _size(folder: Path) -> tuple[int, int]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return len(files), sum(path.stat().st_size for path in files)


def _parts(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def cache_show() -> dict[str, Any]:
    """The cache's folder and its parts with their sizes: ``schemas/cache_show.json``."""
    folder = cache_dir()
    parts = []
    for part in _parts(folder):
        files, size = _size(part)
        parts.append({"name": part.name, "files": files, "bytes": size})
    return {"folder": str(folder), "parts": parts, "bytes": sum(part["bytes"] for part in parts)}


def cache_clear(*, tuning: bool = False) -> dict[str, Any]:
    """Remove what can be made again: ``schemas/cache_clear.json``.

    :param tuning: the databases of finished trials too, which only tuning again brings back.
    """
    removed = [part for part in _parts(cache_dir()) if tuning or part.name != TUNING]
    freed = sum(_size(part)[1] for part in removed)
    for part in removed:
        shutil.rmtree(part)
    return {"folder": str(cache_dir()), "removed": [part.name for part in removed], "bytes": freed}
