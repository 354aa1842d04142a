"""make demo: MobileNetV2 with ImageNet weights, compiled for this machine from the checked-in logs, on three photos."""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager

import mobilenet_tvm
from mobilenet_tvm.base.paths import package_folder
from mobilenet_tvm.cli.main import main as mobilenet_tvm_command

MODEL = "mobilenet_v2_1.0_224"
PHOTOS = {"chelsea.png": "Egyptian cat", "coffee.png": "espresso", "camera.png": "tripod"}


@contextmanager
def folder_with_photos() -> Iterator[None]:
    """A temporary folder as the current one, so that the commands are as short as a user's."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        for name in PHOTOS:
            shutil.copyfile(package_folder("skimage") / "data" / name, name)
        yield


def command(*arguments: object) -> None:
    """Show a command line and run it."""
    words = [str(argument) for argument in arguments]
    print(f"\n$ mobilenet-tvm {' '.join(words)}", flush=True)
    if code := mobilenet_tvm_command(words):
        sys.exit(code)


def main() -> None:
    begin = time.monotonic()
    with folder_with_photos():
        command("compile", MODEL, "--target", "native", "-o", "v2")
        command("run", "v2", *PHOTOS)
        command("verify", "v2")
        command("compare", MODEL, "--targets", "native", "--against", "onnxruntime", "--threads", "1", "--rounds", "10")
        results = mobilenet_tvm.run("v2", list(PHOTOS), top=1)["results"]
    labels = [result["top"][0]["label"] for result in results]
    if labels != list(PHOTOS.values()):
        sys.exit(f"the photographs show {', '.join(PHOTOS.values())}, and the network says {', '.join(labels)}")
    print(f"\n{', '.join(labels)}: right. The demo took {time.monotonic() - begin:.0f} s.")


if __name__ == "__main__":
    main()
