"""What calibrates is never what is judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from quantisation import JUDGED, OTHERS, calibrating, write_crops


def test_the_judged_photograph_does_not_calibrate() -> None:
    for name in JUDGED:
        assert set(calibrating(name)) == {*JUDGED, *OTHERS} - {name}


def test_crops_are_square_and_the_same_every_time(tmp_path: Path) -> None:
    one, two = (sorted(write_crops(tmp_path / name, "coffee.png", 3).iterdir()) for name in ("a", "b"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    for path in one:
        height, width, _ = np.asarray(Image.open(path)).shape
        assert abs(height - width) <= 1
