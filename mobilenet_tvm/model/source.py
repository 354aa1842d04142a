"""MODEL -> an ONNX file: a name of the zoo, an ``.onnx`` file, ``file.py:factory``, or a module."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mobilenet_tvm.base.answers import Exported, OnnxInput
from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.compiled import Quantisation
from mobilenet_tvm.base.document import Document
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import Event, OnEvent, Warned, progress, warning
from mobilenet_tvm.base.jobs import ExportJob
from mobilenet_tvm.base.paths import cache_dir, make_once, sha256_file
from mobilenet_tvm.base.preprocessing import Preprocessing
from mobilenet_tvm.base.protocol import spelled
from mobilenet_tvm.base.requests import ExportOptions, Model
from mobilenet_tvm.model import module_file, reference, zoo
from mobilenet_tvm.model.cut import cut_at, input_names
from mobilenet_tvm.model.onnx_check import check_onnx
from mobilenet_tvm.model.onnx_inputs import Shapes
from mobilenet_tvm.model.onnx_notes import read_notes

WEIGHTS_NAMES = ("imagenet", "random")


@dataclass(frozen=True)
class ModelSource:
    """A network as an ONNX file, and what is known about it besides.

    :ivar weights: whose the weights are, in words.
    :ivar preprocessing: how an image becomes its input, None if nobody said.
    :ivar labels: the name of a known list of classes, such as ``imagenet-1k``.
    :ivar classes: their names, where they are no known list.
    :ivar outputs: where ``onnx`` was cut from the file of ``onnx_sha256``; empty where it is that file.
    :ivar random_weights: whether nothing ever trained it.
    :ivar quantisation: how ``onnx`` was made of a float file; None where it is what the user named.
    """

    name: str
    onnx: Path
    onnx_sha256: str
    inputs: tuple[OnnxInput, ...]
    weights: str
    preprocessing: Preprocessing | None = None
    labels: str | None = None
    outputs: tuple[str, ...] = ()
    random_weights: bool = False
    quantisation: Quantisation | None = None
    classes: tuple[str, ...] = ()

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the inputs, by their names."""
        return {tensor.name: tensor.shape for tensor in self.inputs}

    @property
    def image_size(self) -> int | None:
        """Height and width of the images that the one input may be; None where it can be none."""
        tensor = self.inputs[0]
        if len(self.inputs) > 1 or tensor.dtype != "float32" or len(tensor.shape) != 4:
            return None
        _, channels, height, width = tensor.shape
        return height if channels == 3 and height == width else None


def with_preprocessing(source: ModelSource, on_event: OnEvent) -> ModelSource:
    """A network that does not say how images become its input gets ImageNet's way if it fits; the user is told."""
    size = source.image_size
    if source.preprocessing is not None or size is None:
        return source
    warning(on_event, f"{source.name} does not say how images become its input: they are prepared as ImageNet's")
    return replace(source, preprocessing=Preprocessing.default_for(size))


def _weights(asked: str | Path | None) -> str | None:
    """As a request carries them; None is the frontend's default: ImageNet's where they can be had, else random."""
    if asked is None or asked in WEIGHTS_NAMES:
        return None if asked is None else str(asked)
    if not Path(asked).exists():
        raise UserError(f"no weights {asked!r}: it is imagenet, random, or a checkpoint file")
    return str(Path(asked).absolute())


def export_job(
    model: Model,
    out: Path,
    weights: str | Path | None,
    shape: Mapping[str, Sequence[int]] | Sequence[int] | None,
    options: ExportOptions | None = None,
) -> ExportJob:
    """What the frontend is asked for a model of the zoo, a factory or a module.

    :param shape: of the one input, or of each by its name.
    :raises UserError: the factory's file or the weights' file is missing, or MODEL is no such thing.
    """
    name = reference.spelled(model)
    if reference.is_file(name):
        raise UserError(f"{name} is a file; what can be exported is a model of the zoo, or file.py:factory")
    shapes = {key: tuple(dims) for key, dims in shape.items()} if isinstance(shape, Mapping) else tuple(shape or ())
    return ExportJob(
        model=reference.absolute(name) if reference.is_factory(name) else name,
        out=out,
        weights=_weights(weights),
        shape=shapes or None,
        options=options or ExportOptions(),
    )


def export(job: ExportJob, on_event: OnEvent) -> Exported:
    """Have the frontend write ``job.out``."""
    progress(on_event, "export", detail=job.model)
    return run_child(zoo.MODULE, job, Exported, on_event, block=("tvm",))


def export_model(model: Model, job: ExportJob, on_event: OnEvent) -> Exported:
    """The same where MODEL may be a module, which goes to the frontend in a file."""
    if not module_file.is_module(model):
        return export(job, on_event)
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as scratch:
        saved = Path(scratch) / module_file.FILE
        module_file.write_module(model, saved)
        return export(replace(job, saved=saved), on_event)


_ONNX, _NOTE = "model.onnx", "export.json"


class _Note(Document):
    """What lies beside an export in the cache."""

    exported: Exported
    warnings: tuple[str, ...]


def _cached_export(job: ExportJob, on_event: OnEvent) -> Exported:
    """Export into the cache, or find it there: keyed by the request, the weights' bytes and the frontend's sources."""
    sha = _sha256(Path(job.weights)) if job.weights and job.weights not in WEIGHTS_NAMES else ""
    text = f"{zoo.frontend_key()} {sha} {spelled(job)}"
    folder = cache_dir() / "exports" / hashlib.sha256(text.encode()).hexdigest()[:32]
    make_once(folder, lambda new: _export_into(new, job, on_event), lambda folder: (folder / _NOTE).is_file())
    note = _Note.from_json(json.loads((folder / _NOTE).read_text(encoding="utf-8")))
    for message in note.warnings:
        warning(on_event, message)
    return replace(note.exported, onnx=folder / _ONNX)


def _sha256(weights: Path) -> str:
    """Of a file, or of the files of a folder."""
    if weights.is_file():
        return sha256_file(weights)
    return " ".join(sha256_file(path) for path in sorted(weights.rglob("*")) if path.is_file())


def _export_into(folder: Path, job: ExportJob, on_event: OnEvent) -> None:
    warnings: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Warned):
            warnings.append(event.message)
        else:
            on_event(event)

    exported = export(replace(job, out=folder / _ONNX), listen)
    (folder / _NOTE).write_text(json.dumps(_Note(exported=exported, warnings=tuple(warnings)).to_json()))


def find_model(
    model: Model,
    weights: str | Path | None,
    shapes: Shapes | None,
    on_event: OnEvent,
    scratch: Path | None = None,
    outputs: Sequence[str] | None = None,
) -> ModelSource:
    """The ONNX file of MODEL, exported first if it is no ONNX file, and checked.

    :param scratch: a folder for the export of a factory or a module, whose sources nobody can key a cache by, and for
        a network cut at ``outputs``.
    :raises UserError: see ``export_job``, ``check_onnx`` and ``cut_at``.
    """
    source = _whole_model(model, weights, shapes, on_event, scratch)
    return source if scratch is None or not outputs else _cut(source, outputs, scratch)


def _cut(source: ModelSource, outputs: Sequence[str], scratch: Path) -> ModelSource:
    folder = scratch / "cut"
    folder.mkdir()
    onnx = cut_at(source.onnx, outputs, folder)
    inputs = tuple(tensor for tensor in source.inputs if tensor.name in input_names(onnx))
    return replace(source, onnx=onnx, inputs=inputs, outputs=tuple(outputs))


def _whole_model(
    model: Model, weights: str | Path | None, shapes: Shapes | None, on_event: OnEvent, scratch: Path | None
) -> ModelSource:
    name = reference.spelled(model)
    if reference.is_file(name):
        if weights is not None:
            raise UserError(f"--weights does not go with {name}: an ONNX file holds its own")
        return _of_file(Path(name), shapes)
    job = export_job(model, Path("model.onnx"), weights, shapes)
    if scratch is not None and (reference.is_factory(name) or module_file.is_module(model)):
        exported = export_model(model, replace(job, out=scratch / "model.onnx"), on_event)
    else:
        exported = _cached_export(job, on_event)
    return ModelSource(
        exported.model,
        exported.onnx.absolute(),
        sha256_file(exported.onnx),
        check_onnx(exported.onnx),
        exported.weights_note,
        exported.preprocessing,
        exported.labels,
        random_weights=exported.weights == "random",
        classes=exported.classes,
    )


def _of_file(path: Path, shapes: Shapes | None) -> ModelSource:
    """A user's file, with what it says of itself where ``export`` wrote it."""
    source = ModelSource(path.stem, path.absolute(), "", check_onnx(path, shapes), "the file's own")
    notes = read_notes(path)
    fits = notes.preprocessing is not None and notes.preprocessing.crop == source.image_size
    return replace(
        source,
        onnx_sha256=sha256_file(path),
        preprocessing=notes.preprocessing if fits else None,
        labels=notes.labels,
        classes=notes.classes,
    )
