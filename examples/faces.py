"""Faces in a picture: a trained MobileNetV1 with SSD heads, whose boxes are drawn into it.

Once: python -m frontend.faces face-api. Then: faces.py face-api [PICTURE] [--target rpi4 --emulate] [-o FILE.png]
A CPU with AVX512-BF16 takes --dtype bfloat16, any --dtype int8 --calibration FOLDER_OF_PICTURES.
"""

import argparse
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

import mobilenet_tvm
from mobilenet_tvm.base.paths import package_folder

SIDE = 512  # of the square that the network looks at
SURE = 0.5  # the probability from which a box is drawn
OVERLAP = 0.5  # the share of two boxes' union from which they are taken for one face


class Face(NamedTuple):
    """A box in the picture's pixels, and the probability that it is a face."""

    probability: float
    top: float
    left: float
    bottom: float
    right: float


def on_canvas(picture: Image.Image) -> np.ndarray:
    """The picture in the upper left of a black square, ``[1, 3, 512, 512]`` from -1 to 1."""
    scale = SIDE / max(picture.size)
    small = picture.resize([round(side * scale) for side in picture.size], Image.Resampling.BILINEAR)
    canvas = np.zeros((SIDE, SIDE, 3), np.float32)
    canvas[: small.height, : small.width] = np.asarray(small)
    return np.ascontiguousarray((canvas / 127.5 - 1).transpose(2, 0, 1)[None])


def suppressed(boxes: np.ndarray, scores: np.ndarray) -> list[int]:
    """Non-maximum suppression: the likeliest box, then the likeliest that overlaps with none before, and so on."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left = [index for index in np.argsort(-scores) if scores[index] >= SURE]
    kept: list[int] = []
    while left:
        best = left.pop(0)
        kept.append(int(best))
        low, high = np.maximum(boxes[left, :2], boxes[best, :2]), np.minimum(boxes[left, 2:], boxes[best, 2:])
        common = np.clip(high - low, 0, None).prod(1)
        shares = common / (areas[left] + areas[best] - common)
        left = [index for index, share in zip(left, shares, strict=True) if share < OVERLAP]
    return kept


def find_faces(package: Path, picture: Image.Image, *, emulate: bool) -> list[Face]:
    """Run the package on a picture."""
    with tempfile.TemporaryDirectory() as folder:
        mobilenet_tvm.run(package, inputs={"input": on_canvas(picture)}, save=folder, emulate=emulate)
        boxes, scores = np.load(f"{folder}/boxes.npy")[0], np.load(f"{folder}/scores.npy")[0, :, 0]
    pixels = boxes * max(picture.size)
    return [Face(float(scores[index]), *map(float, pixels[index])) for index in suppressed(boxes, scores)]


def draw(picture: Image.Image, faces: list[Face]) -> None:
    """Put a frame around every face."""
    pen = ImageDraw.Draw(picture)
    for face in faces:
        pen.rectangle([face.left, face.top, face.right, face.bottom], outline=(255, 64, 0), width=3)
        pen.text((face.left + 5, face.top + 4), f"{face.probability:.3f}", fill=(255, 64, 0))


def main() -> None:
    parser = argparse.ArgumentParser(description="Find the faces in a picture.")
    parser.add_argument("weights", type=Path, help="the folder that python -m frontend.faces FOLDER wrote")
    parser.add_argument("picture", nargs="?", type=Path, default=package_folder("skimage") / "data" / "astronaut.png")
    parser.add_argument("--target", default="native")
    parser.add_argument("--emulate", action="store_true", help="run a package of another target on this machine")
    parser.add_argument("--dtype", default="float32", help="float32, bfloat16 or int8")
    parser.add_argument("--calibration", type=Path, help="of int8: a folder of pictures like those to come")
    parser.add_argument("-o", "--output", type=Path, default=Path("faces.png"))
    asked = parser.parse_args()
    picture = Image.open(asked.picture).convert("RGB")
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "package"
        options = {"weights": str(asked.weights), "dtype": asked.dtype, "calibration": asked.calibration}
        mobilenet_tvm.compile("mobilenet_v1_ssd_face", asked.target, package, **options)
        faces = find_faces(package, picture, emulate=asked.emulate)
    draw(picture, faces)
    picture.save(asked.output)
    for face in faces:
        rows, columns = f"rows {face.top:.0f} to {face.bottom:.0f}", f"columns {face.left:.0f} to {face.right:.0f}"
        print(f"{face.probability:.3f}: {rows}, {columns}")
    print(f"{len(faces)} face(s) in {asked.picture.name}; drawn into {asked.output}")


if __name__ == "__main__":
    main()
