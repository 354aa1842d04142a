"""Compiles, verifies and runs the light networks of the onnx wheel: AlexNet, DenseNet, Inception, ResNet, VGG, ...

    python tests/soak/light_networks.py [--target native] [NAME...]

Exit code 1 where any is refused, wrong or does not run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx

from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.events import Event
from mobilenet_tvm.package.reference import read_first
from mobilenet_tvm.verbs.compile import compile
from mobilenet_tvm.verbs.run import run
from mobilenet_tvm.verbs.verify import verify

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"


def silent(event: Event) -> None:
    """Nobody listens."""


def outcome(path: Path, target: str, folder: Path) -> str:
    """What became of a file: ``right``, or what is wrong."""
    package = folder / path.stem
    try:
        compile(str(path), target, package, on_event=silent)
        verified = verify(package)
        np.save(folder / "x.npy", read_first(package / "reference.npz")[0][0])
        run(package, [folder / "x.npy"])
    except (UserError, SystemFailure) as error:
        return str(error)
    return "right" if verified.passed else f"off by {verified.relative_err:.2g} of the range"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default="native")
    parser.add_argument("names", nargs="*", metavar="NAME")
    words = parser.parse_args()
    paths = [path for path in sorted(LIGHT.glob("*.onnx")) if not words.names or path.stem in words.names]
    wrong = 0
    for path in paths:
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            what = outcome(path, words.target, Path(folder))
        wrong += what != "right"
        print(f"{path.stem}: {what} ({time.monotonic() - begin:.0f} s)", flush=True)
    return 1 if wrong or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
