"""A MobileNet of the zoo with classes of your own: export it with as many, compile it with their names.

Where you trained the network, --weights FILE (a state dict, or safetensors) brings your weights; here they are random.
"""

import tempfile
from pathlib import Path

import mobilenet_tvm

NAMES = ("bicycle", "bus", "car", "pedestrian", "tram")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "classes.txt").write_text("\n".join(NAMES) + "\n")
        mobilenet_tvm.export("mobilenet_v1_0.25_128", folder / "net.onnx", weights="random", classes=len(NAMES))
        mobilenet_tvm.compile(str(folder / "net.onnx"), output=folder / "net", labels=folder / "classes.txt")

        from PIL import Image

        Image.linear_gradient("L").save(folder / "photo.png")  # stands in for a photograph
        for entry in mobilenet_tvm.run(folder / "net", [folder / "photo.png"])["results"][0]["top"]:
            print(f"{entry['probability']:.3f} {entry['label']}")


if __name__ == "__main__":
    main()
