"""A float model -> the same in eight bits: out of the cache, or quantised and kept there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.compiled import Quantisation
from mobilenet_tvm.base.document import Document, Sha256
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, progress, warning
from mobilenet_tvm.base.paths import cache_dir, make_once, package_folder, sha256_file, sha256_tree
from mobilenet_tvm.base.versions import installed
from mobilenet_tvm.model.quantise import quantisers
from mobilenet_tvm.model.quantise.images import image_files
from mobilenet_tvm.model.quantise.job import QuantiseJob
from mobilenet_tvm.model.source import ModelSource

ENOUGH_IMAGES = 100
_MODULE = "mobilenet_tvm.model.quantise"
_ONNX, _NOTE = "model.onnx", "quantised.json"


class _Note(Document):
    """What lies beside a file in the cache."""

    quantisation: Quantisation
    sha256: Sha256


def quantised(source: ModelSource, calibration: Path | None, on_event: OnEvent) -> ModelSource:
    """The network in eight bits.

    :param calibration: a folder of images; without one random inputs calibrate a network of random weights.
    :raises UserError: the network cannot be quantised, has trained weights and no images, or an image does not decode.
    """
    job = _job(source, calibration)
    _warn(source, job, on_event)
    folder = cache_dir() / "quantised" / _key(job)
    make_once(folder, lambda new: _quantise_into(new, job, on_event), lambda folder: (folder / _NOTE).is_file())
    note = _read(folder)
    return replace(source, onnx=folder / _ONNX, onnx_sha256=note.sha256, outputs=(), quantisation=note.quantisation)


def kept_file(sha256: str) -> Path | None:
    """The quantised file of that hash, where this machine has kept it."""
    return next((folder / _ONNX for folder in _kept() if _read(folder).sha256 == sha256), None)


def _kept() -> Iterator[Path]:
    return (path.parent for path in (cache_dir() / "quantised").glob(f"*/{_NOTE}"))


def _read(folder: Path) -> _Note:
    return _Note.from_json(json.loads((folder / _NOTE).read_text(encoding="utf-8")))


def _job(source: ModelSource, calibration: Path | None) -> QuantiseJob:
    if len(source.inputs) != 1 or source.inputs[0].dtype != "float32":
        raise UserError(f"{source.name} cannot be quantised: it has other inputs than one of float32")
    if calibration is None and not source.random_weights:
        raise UserError(
            f"int8 needs images to see the ranges of {source.name}: --calibration DIR, {ENOUGH_IMAGES} or more like "
            "those that it will meet"
        )
    return QuantiseJob(
        onnx=source.onnx,
        out=Path(_ONNX),
        input=source.inputs[0],
        quantiser=quantisers.best(),
        files=tuple(image_files(calibration)) if calibration is not None else (),
        preprocessing=source.preprocessing,
    )


def _warn(source: ModelSource, job: QuantiseJob, on_event: OnEvent) -> None:
    if not job.files:
        warning(on_event, "random images calibrate: the ranges are not those of photographs")
    elif len(job.files) < ENOUGH_IMAGES:
        warning(on_event, f"{len(job.files)} images calibrate: {ENOUGH_IMAGES} or more are better")
    if source.random_weights:
        warning(on_event, f"{source.name} has random weights: what eight bits cost it says nothing about trained ones")


def _key(job: QuantiseJob) -> str:
    """What the result depends on: both files' bytes and all that works on them."""
    facts = {
        "onnx": sha256_file(job.onnx),
        "input": job.input.to_json(),
        "preprocessing": job.preprocessing.to_json() if job.preprocessing is not None else None,
        "images": [sha256_file(file) for file in job.files],
        "quantiser": quantisers.version(job.quantiser),
        "versions": [installed(name) for name in ("onnx", "onnxruntime", "numpy", "pillow")],
        "sources": sha256_tree(package_folder(_MODULE), ("*.py",)),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def _quantise_into(folder: Path, job: QuantiseJob, on_event: OnEvent) -> None:
    progress(on_event, "quantise", detail=job.quantiser)
    job = replace(job, out=folder / _ONNX)
    quantisation = run_child(_MODULE, job, Quantisation, on_event, block=("torch", "tvm"))
    note = _Note(quantisation=quantisation, sha256=sha256_file(job.out))
    (folder / _NOTE).write_text(json.dumps(note.to_json()), encoding="utf-8")
