"""The smallest thing that is a package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mobilenet_tvm.package.manifest import Manifest
from mobilenet_tvm.package.store import list_files


def fill(folder: Path, features: Sequence[str] = (), text: str = "x") -> None:
    """Make a folder a package, whose files hold that text."""
    for name in ("module.so", "reference.npz", "bin/mobilenet-run"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    target = {"name": "t", "arch": "x86_64", "cpu_features": list(features), "tvm": {}}
    Manifest({"name": "m"}, target, "float32", 1, [], [], None, None, {}, [], list_files(folder)).write(folder)
