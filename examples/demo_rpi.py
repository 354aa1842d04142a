"""make demo-rpi: MobileNetV2 with ImageNet weights, compiled here for Raspberry Pis, on three photos under QEMU.

demo_rpi.py rpi4 takes that board alone.
"""

import contextlib
import io
import sys
import time

from demo import MODEL, PHOTOS, command, folder_with_photos

BOARDS = ("rpi3", "rpi5", "rpi4")


def main(boards: tuple[str, ...]) -> None:
    begin = time.monotonic()
    with folder_with_photos():
        for board in boards:
            command("compile", MODEL, "--target", board, "-o", board)
            command("verify", board, "--emulate")
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown):
            command("run", board, *PHOTOS, "--emulate", "--top", 1)
    print(shown.getvalue())
    for (name, label), line in zip(PHOTOS.items(), shown.getvalue().splitlines()[-len(PHOTOS) :], strict=True):
        if name not in line or not line.endswith(f"  {label}"):
            sys.exit(f"{name} shows {label}, and the network says something else: {line}")
    labels, seconds = ", ".join(PHOTOS.values()), time.monotonic() - begin
    print(f"{labels}: right, by {board}'s CPU under QEMU. The demo took {seconds:.0f} s.")


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or BOARDS)
