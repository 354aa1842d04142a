"""What int8 costs small networks trained on digits: cross-validated; weights per channel, and per tensor as a lesson.

    python -m frontend.digits digits
    python benchmarks/digits.py digits

Each fold trains a network on the other folds, quantises it with 256 of their images, and counts what it gets right of
its own: as float32, as `compile --dtype int8` quantises (per channel, equalised), and by ONNX Runtime per tensor.
ONNX Runtime computes all three from their files, operator by operator.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from onnxruntime import quantization

from frontend import zoo
from frontend.folding import fold_batch_norms
from frontend.onnx_file import to_onnx
from frontend.training.fit import centred, fit
from frontend.training.images import LabelledImages, read_images
from mobilenet_tvm.base.answers import FileNotes, OnnxInput
from mobilenet_tvm.base.protocol import Emit
from mobilenet_tvm.base.requests import TrainOptions
from mobilenet_tvm.model.quantise.job import QuantiseJob
from mobilenet_tvm.model.quantise.quantise import quantise_file
from mobilenet_tvm.package.yardstick import onnxruntime_session

MODELS = ("mobilenet_v1_0.25_32", "mobilenet_v3_small_0.25_32")
CALIBRATION = 256
"""Images, none of them judged by."""
QUANTISER = "onnxruntime"


@dataclass(frozen=True)
class Right:
    """Shares of images that a network gets right."""

    float32: float
    per_channel: float
    per_tensor: float


class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]  # it has no types
    """Hands out images one after the other."""

    def __init__(self, inputs: np.ndarray) -> None:
        self._feeds = iter([{"input": image[None]} for image in inputs])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._feeds, None)


def folds(labels: torch.Tensor, count: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """What to learn from and what to judge by, ``count`` times: every class shared out evenly."""
    order = torch.argsort(torch.rand(len(labels), generator=torch.Generator().manual_seed(0)))
    order = order[torch.argsort(labels[order], stable=True)]
    for fold in range(count):
        yield order[torch.arange(len(order)) % count != fold], order[fold::count]


def judge(name: str, images: LabelledImages, learn: torch.Tensor, held: torch.Tensor, options: TrainOptions) -> Right:
    """Train on ``learn``, and count on ``held``."""
    entry, part = zoo.find(name), LabelledImages(images.classes, images.pixels[learn], images.labels[learn])
    torch.manual_seed(options.seed)
    module = entry.module(len(images.classes))
    module.load_state_dict(fit(module, part, entry.preprocessing, options, Emit(sys.stderr)).state)
    inputs, labels = centred(images.pixels[held], entry.preprocessing).numpy(), images.labels[held].numpy()
    chosen = torch.randperm(len(learn), generator=torch.Generator().manual_seed(1))[:CALIBRATION]
    seen = centred(part.pixels[chosen], entry.preprocessing).numpy()
    with tempfile.TemporaryDirectory() as scratch:
        files = _files(fold_batch_norms(module), seen, Path(scratch))
        return Right(*(_share(file, inputs, labels) for file in files))


def _files(module: torch.nn.Module, seen: np.ndarray, folder: Path) -> Sequence[Path]:
    """The network as float32, as int8 per channel, and as int8 per tensor."""
    exact, per_channel, per_tensor = (folder / f"{name}.onnx" for name in ("float32", "per_channel", "per_tensor"))
    exact.write_bytes(to_onnx(module, {"input": torch.from_numpy(seen[:1])}, ("logits",), "digits", FileNotes()))
    paths = tuple(folder / f"{number}.npy" for number in range(len(seen)))
    for path, image in zip(paths, seen, strict=True):
        np.save(path, image[None])
    described = OnnxInput(name="input", shape=(1, *seen.shape[1:]))
    job = QuantiseJob(onnx=exact, out=per_channel, input=described, quantiser=QUANTISER, files=paths)
    quantise_file(job, Emit(sys.stderr))
    quantization.quantize_static(
        exact,
        per_tensor,
        Reader(seen),
        quant_format=quantization.QuantFormat.QDQ,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
        per_channel=False,
        extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
    )
    return exact, per_channel, per_tensor


def _share(file: Path, inputs: np.ndarray, labels: np.ndarray) -> float:
    session = onnxruntime_session(file, quantised="per" in file.name)
    right = [session.run(None, {"input": image[None]})[0].argmax() for image in inputs] == labels
    return float(np.mean(right))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", metavar="DIR", type=Path, help="a sub-folder of images for each class")
    parser.add_argument("--folds", type=int, default=5, metavar="N")
    parser.add_argument("--epochs", type=int, default=TrainOptions().epochs, metavar="N")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("| network | images judged by | float32 | int8 per channel | int8 per tensor |\n|---|---:|---:|---:|---:|")
    for name in MODELS:
        images = read_images(arguments.data, zoo.find(name).preprocessing.resize, Emit(sys.stderr))
        parts = list(folds(images.labels, arguments.folds))
        options = TrainOptions(epochs=arguments.epochs)
        shares = [judge(name, images, learn, held, options) for learn, held in parts]
        sizes = [len(held) for _, held in parts]
        columns = ([getattr(share, kind) for share in shares] for kind in ("float32", "per_channel", "per_tensor"))
        means = " | ".join(f"{np.average(column, weights=sizes):.2%}" for column in columns)
        print(f"| `{name}` | {sum(sizes)} | {means} |", flush=True)


if __name__ == "__main__":
    main()
