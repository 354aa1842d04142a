"""What becomes of a program's answer, right or not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from emulated_places import silent
from PIL import Image

from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.package.manifest import MANIFEST
from mobilenet_tvm.package.open import RUNNER
from mobilenet_tvm.package.store import list_files
from mobilenet_tvm.verbs.run import run
from mobilenet_tvm.verbs.verify import verify


def _with_program(package: Path, lines: str) -> None:
    """Another program in a package, with the sum that goes with it."""
    (package / RUNNER).write_text(f"#!/bin/sh\n{lines}\n")
    (package / RUNNER).chmod(0o755)
    manifest = json.loads((package / MANIFEST).read_text())
    (package / MANIFEST).write_text(json.dumps({**manifest, "files": list_files(package)}))


@pytest.mark.parametrize("answer", ["{}", "[]", '{"self_test": {}}'])
def test_an_answer_that_is_none(tiny_package: Path, answer: str) -> None:
    _with_program(tiny_package, f"echo '{answer}'")
    with pytest.raises(SystemFailure, match="this version does not understand what its program answers"):
        verify(tiny_package, on_event=silent)


def test_a_program_that_says_nothing(tiny_package: Path) -> None:
    _with_program(tiny_package, "exit 7")
    with pytest.raises(SystemFailure, match="mobilenet-run ended with 7"):
        verify(tiny_package, on_event=silent)


def test_what_the_user_did_wrong(tiny_package: Path) -> None:
    _with_program(tiny_package, "echo 'mobilenet-run: no such thing' >&2; exit 2")
    with pytest.raises(UserError, match=r"^no such thing$"):
        verify(tiny_package, on_event=silent)


def test_a_program_without_png_and_jpeg_gets_tensors(tiny_package: Path, tmp_path: Path) -> None:
    """It says so, and is started again with what Pillow makes of the images."""
    picture = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 30, 3), dtype=np.uint8)).save(picture)
    expected = run(tiny_package, [picture])["results"][0]["top"]
    (tiny_package / RUNNER).rename(tiny_package / "bin" / "whole")
    complaint = "mobilenet-run: a.png: this mobilenet-run was built without PNG and JPEG: convert the image to PPM"
    lines = f'case "$*" in *.png*) echo "{complaint}" >&2; exit 2;; esac\nexec "${{0%/*}}/whole" "$@"'
    _with_program(tiny_package, lines)
    assert run(tiny_package, [picture])["results"][0]["top"] == expected
