"""make demo-rpi: MobileNetV2 with ImageNet weights, compiled here for Raspberry Pis, on three photos under QEMU.

demo_rpi.py rpi4 takes that board alone.
"""

import contextlib
import io
import sys
import tempfile
import time
from pathlib import Path

from demo import MODEL, PHOTOS, command

from mobilenet_tvm.base.paths import package_folder

BOARDS = ("rpi3", "rpi5", "rpi4")


def main(boards: tuple[str, ...]) -> None:
    begin = time.monotonic()
    photos = [package_folder("skimage") / "data" / name for name in PHOTOS]
    with tempfile.TemporaryDirectory() as folder:
        for board in boards:
            package = Path(folder) / board
            command("compile", MODEL, "--target", board, "-o", package)
            command("verify", package, "--emulate")
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown):
            command("run", package, *photos, "--emulate", "--top", 1)
    print(shown.getvalue())
    for (name, label), line in zip(PHOTOS.items(), shown.getvalue().splitlines()[-len(PHOTOS) :], strict=True):
        if name not in line or not line.endswith(f"  {label}"):
            sys.exit(f"{name} shows {label}, and the network says something else: {line}")
    found, seconds = ", ".join(PHOTOS.values()), time.monotonic() - begin
    print(f"{found}: right, by {board}'s CPU under QEMU. The demo took {seconds:.0f} s.")


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or BOARDS)
