"""Section of the page: what int8 costs trained networks, photograph by photograph.

Each photograph of scikit-image's wheel is judged by a package of its own, calibrated on crops of the others: a network
that was calibrated on what it is judged by looks better than it is.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
from beside_peers import Run
from page import Section, conditions
from PIL import Image

import mobilenet_tvm
from mobilenet_tvm.base.paths import package_folder
from mobilenet_tvm.cli.output import progress_on_stderr
from mobilenet_tvm.verbs.verify import Verified

NETWORKS = ["mobilenet_v2_1.0_224", "efficientnet_lite0"]
JUDGED = ("chelsea.png", "coffee.png", "camera.png")
"""What the demo shows."""
OTHERS = (
    *("astronaut.png", "rocket.jpg", "motorcycle_left.png", "brick.png", "coins.png", "grass.png", "gravel.png"),
    *("hubble_deep_field.jpg", "ihc.png", "moon.png", "page.png", "retina.jpg"),
)
"""Calibrate, and are not judged."""
CROPS = 120


def photograph(name: str) -> Path:
    """A file of scikit-image's wheel."""
    return package_folder("skimage") / "data" / name


def calibrating(without: str) -> list[str]:
    """The photographs that calibrate where one is judged."""
    return [name for name in (*JUDGED, *OTHERS) if name != without]


def write_crops(folder: Path, without: str, count: int = CROPS) -> Path:
    """Square crops of all photographs but one, of 30 to 100 % of the shorter side, half of them mirrored; seeded."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    images = [Image.open(photograph(name)).convert("RGB") for name in calibrating(without)]
    for number in range(count):
        image = images[number % len(images)]
        side = random.uniform(0.3, 1) * min(image.size)
        left, top = (random.uniform(0, extent - side) for extent in image.size)
        crop = image.crop((int(left), int(top), int(left + side), int(top + side)))
        if random.random() < 0.5:
            crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        crop.save(folder / f"{number:03}.png")
    return folder


def judged(network: str, name: str) -> Verified:
    """A photograph's answer from a package that was calibrated on crops of the others."""
    with tempfile.TemporaryDirectory() as scratch, progress_on_stderr() as on_event:
        folder = Path(scratch)
        (folder / "judged").mkdir()
        shutil.copyfile(photograph(name), folder / "judged" / name)
        calibration = write_crops(folder / "crops", name)
        package = folder / "package"
        mobilenet_tvm.compile(
            network, "native", package, dtype="int8", calibration=calibration, check=False, on_event=on_event
        )
        return mobilenet_tvm.verify(package, images=folder / "judged", on_event=on_event)


def quantisation(run: Run) -> Section:
    """The networks with trained weights; quick, one of random weights."""
    networks = run.networks(NETWORKS)
    photographs = JUDGED[:1] if run.quick else JUDGED
    answers = {(network, name): judged(network, name).accuracy for network in networks for name in photographs}
    cosines = {key: accuracy.cosine_min for key, accuracy in answers.items() if accuracy}
    rows = [
        (network, name, f"{cosines[network, name]:.4f}", "yes" if accuracy and accuracy.top1_agreement else "no")
        for (network, name), accuracy in answers.items()
    ]
    means = [np.mean([cosines[network, name] for name in photographs]) for network in networks]
    remark = "; ".join(f"{network}: {mean:.4f} on average" for network, mean in zip(networks, means, strict=True))
    return Section(
        "What int8 costs",
        f"Cosine of an int8 package's logits and the float network's, calibrated on {CROPS} crops of the other "
        "photographs of scikit-image's wheel, never the judged one; and whether the likeliest class is the same. "
        "Trained weights. How it is done: [int8](quantisation.md).",
        conditions("nncf", "onnxruntime"),
        "python benchmarks/figures.py quantisation",
        ("network", "photograph", ">cosine", "same class"),
        rows,
        f"{remark}.",
    )
