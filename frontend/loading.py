"""From what a request names (a model and weights) to a module ready to export, and what is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from frontend import checkpoints, saved_module, user_module, zoo
from frontend.folding import fold_batch_norms
from frontend.input_shapes import INPUT_NAME, Shapes, read_shape
from frontend.random_weights import make_alive
from frontend.training.checkpoint import CheckpointNotes, read_notes
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.jobs import ExportJob
from mobilenet_tvm.base.paths import sha256_file
from mobilenet_tvm.base.preprocessing import Preprocessing
from mobilenet_tvm.base.protocol import Emit


@dataclass(frozen=True)
class Loaded:
    """A module with its weights.

    ``module`` is the network as its authors define it; ``exportable`` computes the same with fewer layers.
    ``weights`` is one of random, imagenet, file, given; ``shapes`` are the inputs', batch included; ``classes`` are
    names that the weights bring.
    """

    name: str
    module: nn.Module
    exportable: nn.Module
    shapes: Shapes
    weights: str
    weights_note: str
    preprocessing: Preprocessing | None
    labels: str | None
    of_zoo: bool
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Weights:
    kind: str
    note: str
    preprocessing: Preprocessing
    published_classes: bool
    classes: tuple[str, ...] = ()


def load(job: ExportJob, emit: Emit) -> Loaded:
    """The model with the weights, batch, classes, activation and shape that were asked for.

    :raises UserError: any of them is wrong.
    """
    options = job.options
    if options.batch < 1:
        raise UserError(f"the batch is a whole number of at least 1, not {options.batch}")
    if options.classes is not None and options.classes < 1:
        raise UserError(f"the number of classes is a whole number of at least 1, not {options.classes}")
    own = job.saved is not None or user_module.is_reference(job.model)
    return _load_user_module(job) if own else _load_zoo(job, emit)


def _load_user_module(job: ExportJob) -> Loaded:
    weights = job.weights or "given"
    if weights in ("random", "imagenet"):
        raise UserError(
            f"--weights {weights} is for models of the zoo; leave it out to keep the weights that the module has, "
            "or name a file"
        )
    if job.options.activation is not None:
        raise UserError("--activation is for models of the zoo; a module of your own has its own")
    made = _users_module(job)
    note = "as the module has them"
    if weights != "given":
        checkpoints.load(made.module, checkpoints.read_state(Path(weights)), weights)
        weights, note = "file", f"the file {Path(weights).name}"
    return Loaded(made.name, made.module, made.module, made.shapes, weights, note, None, None, False)


def _users_module(job: ExportJob) -> user_module.UserModule:
    if job.saved is None:
        return user_module.load(job.model, job.shape, job.options.batch, job.options.classes)
    if job.options.classes is not None:
        raise UserError("a module has its number of classes: leave classes out, or pass file.py:factory")
    return saved_module.load(job.saved, job.model, job.shape, job.options.batch)


def _load_zoo(job: ExportJob, emit: Emit) -> Loaded:
    entry, options = zoo.find(job.model), job.options
    shape = (options.batch, 3, entry.resolution, entry.resolution)
    _check_shape(job.shape, shape, entry)
    trained = _notes_of(job.weights)
    known = len(trained.classes) if trained is not None else entry.classes
    count = known if options.classes is None else options.classes
    module = entry.module(count, options.activation).eval()
    weights = _set_weights(module, entry, job, count, emit)
    return Loaded(
        entry.name,
        module,
        fold_batch_norms(module),
        {INPUT_NAME: shape},
        weights.kind,
        weights.note,
        weights.preprocessing,
        entry.labels if weights.published_classes and count == entry.classes else None,
        True,
        weights.classes,
    )


def _notes_of(weights: str | None) -> CheckpointNotes | None:
    """What a checkpoint of ``train`` says of itself."""
    return read_notes(Path(weights)) if weights is not None and Path(weights).is_file() else None


def _check_shape(asked: object, shape: tuple[int, ...], entry: zoo.ZooEntry) -> None:
    if asked is None:
        return
    wanted = read_shape(next(iter(asked.values())) if isinstance(asked, Mapping) and len(asked) == 1 else asked)
    if wanted not in (shape, shape[1:]):
        raise UserError(
            f"{entry.name} takes {'x'.join(map(str, shape))}, not {'x'.join(map(str, wanted))}; each model of "
            "the zoo has its resolution (mobilenet_v1_1.0_192), and --batch sets the batch"
        )


def _set_weights(module: nn.Module, entry: zoo.ZooEntry, job: ExportJob, classes: int, emit: Emit) -> _Weights:
    asked = job.weights or _default_weights(entry, classes, emit)
    standard = entry.preprocessing
    if asked == "random":
        make_alive(module, entry.name, (3, entry.resolution, entry.resolution))
        return _Weights("random", "random (He initialisation, calibrated): it classifies nothing", standard, True)
    if asked == "imagenet":
        if entry.imagenet is not None and classes != zoo.IMAGENET_CLASSES:
            raise UserError(
                f"ImageNet's weights have {zoo.IMAGENET_CLASSES} classes, not {classes}; leave --classes out"
            )
        return _Weights("imagenet", checkpoints.load_imagenet(module, entry).note, standard, True)
    if Path(asked).is_dir():
        return _weights_of_folder(module, entry, Path(asked))
    return _weights_of_file(module, entry, Path(asked), job, emit)


def _default_weights(entry: zoo.ZooEntry, classes: int, emit: Emit) -> str:
    """``imagenet`` where those weights can be had, else ``random`` with a warning."""
    if entry.folder is not None:
        emit.warning(f"the weights of {entry.name} are random; for trained ones: {entry.folder.fetch}")
    elif entry.imagenet is None:
        emit.warning(f"no package carries ImageNet weights for {entry.name}: its weights are random")
    elif classes != zoo.IMAGENET_CLASSES:
        emit.warning(f"ImageNet's weights have {zoo.IMAGENET_CLASSES} classes, not {classes}: the weights are random")
    elif checkpoints.packaged_file(entry.imagenet) is None:
        install = checkpoints.how_to_install(entry.imagenet)
        emit.warning(f"the weights of {entry.name} are random; for ImageNet's: {install}")
    else:
        return "imagenet"
    return "random"


def _weights_of_file(module: nn.Module, entry: zoo.ZooEntry, path: Path, job: ExportJob, emit: Emit) -> _Weights:
    trained = _notes_of(str(path))
    if trained is not None and trained.model != entry.name:
        raise UserError(f"{path.name} holds weights of {trained.model}, not of {entry.name}")
    state, naming = checkpoints.translate(entry, checkpoints.read_state(path))
    checkpoints.load(module, state, path.name)
    if trained is not None:
        steps = trained.preprocessing or entry.preprocessing
        return _Weights("file", f"the file {path.name}, of train", steps, False, trained.classes)
    standard = entry.preprocessing
    if naming is not None:
        activation = job.options.activation or entry.activations[0]
        if activation != naming.activation:
            emit.warning(
                f"{path.name} has {naming.title}'s names, whose networks are trained with {naming.activation}: "
                f"add --activation {naming.activation}"
            )
        steps = replace(standard, mean=naming.mean, std=naming.std)
        return _Weights("file", f"the file {path.name}, in {naming.title}'s naming", steps, False)
    known = checkpoints.published(sha256_file(path))
    if known is None:
        return _Weights("file", f"the file {path.name}", standard, False)
    steps = replace(standard, resize=known.resize)
    return _Weights("file", f"{known.note} ({path.name})", steps, True)


def _weights_of_folder(module: nn.Module, entry: zoo.ZooEntry, path: Path) -> _Weights:
    if entry.folder is None:
        raise UserError(f"{path} is a folder; --weights of {entry.name} takes a checkpoint file")
    checkpoints.load(module, entry.folder.read(path), str(path))
    known = entry.folder.hash_of(path) == entry.folder.sha256
    return _Weights("file", entry.folder.note if known else f"the folder {path}", entry.preprocessing, True)
