"""make demo: MobileNetV2 with ImageNet weights, compiled for this machine from the checked-in logs, on three photos."""

import sys
import tempfile
import time
from pathlib import Path

import mobilenet_tvm
from mobilenet_tvm.base.paths import package_folder
from mobilenet_tvm.cli.main import main as mobilenet_tvm_command

MODEL = "mobilenet_v2_1.0_224"
PHOTOS = {"chelsea.png": "Egyptian cat", "coffee.png": "espresso", "camera.png": "tripod"}


def command(*arguments: object) -> None:
    """Show a command line and run it."""
    words = [str(argument) for argument in arguments]
    print(f"\n$ mobilenet-tvm {' '.join(words)}", flush=True)
    if code := mobilenet_tvm_command(words):
        sys.exit(code)


def main() -> None:
    begin = time.monotonic()
    photos = [package_folder("skimage") / "data" / name for name in PHOTOS]
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / MODEL
        command("compile", MODEL, "--target", "native", "-o", package)
        command("run", package, *photos)
        command("verify", package)
        command("compare", MODEL, "--targets", "native", "--against", "onnxruntime", "--threads", "1", "--rounds", "10")
        results = mobilenet_tvm.run(package, photos, top=1)["results"]
    found = [result["top"][0]["label"] for result in results]
    if found != list(PHOTOS.values()):
        sys.exit(f"the photographs show {', '.join(PHOTOS.values())}, and the network says {', '.join(found)}")
    print(f"\n{', '.join(found)}: right. The demo took {time.monotonic() - begin:.0f} s.")


if __name__ == "__main__":
    main()
