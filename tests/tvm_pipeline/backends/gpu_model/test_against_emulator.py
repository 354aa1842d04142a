"""The model's counts against those of the emulated GPU, which counts while it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[3] / "support" / "emulated_counts.py"
LAYERS = (
    "conv2d 32x32x3->32 k3x3 s2 p1 bias relu",
    "depthwise 14x14x64 k3x3 s1 p1 bias relu",
    "depthwise 28x28x32 k3x3 s2 p1 bias relu",
    "pointwise 14x14x64->128 bias relu",
    "pointwise 7x7x256->64 bias add",
    "global_average_pool 7x7x256",
    "dense 256->100 bias",
)


def test_bytes_and_launches_agree() -> None:
    done = subprocess.run([sys.executable, str(PROGRAM), *LAYERS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) == len(LAYERS)
    for layer, counts in zip(LAYERS, found, strict=True):
        for same in ("grid", "block"):
            ours, theirs = counts[same]
            assert ours == theirs, layer
        ours, theirs = counts["asked"]
        assert ours == pytest.approx(theirs, rel=0.02), layer
        ours, theirs = counts["unique"]
        assert 0.99 * theirs <= ours <= 1.06 * theirs, layer  # packed weights hold a zero row that few kernels read
