"""MODEL -> an ONNX file: a name of the zoo, an ``.onnx`` file, or ``file.py:factory``."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, progress, warning
from mobilenet_tvm.base.paths import cache_dir, replacing, sha256_file
from mobilenet_tvm.model import zoo
from mobilenet_tvm.model.onnx_check import OnnxInput, Shapes, check_onnx

WEIGHTS_NAMES = ("imagenet", "random")


@dataclass(frozen=True)
class ModelSource:
    """A network as an ONNX file, and what is known about it besides.

    :ivar weights: whose the weights are, in words.
    :ivar preprocessing: how an image becomes its input, None if nobody said.
    :ivar labels: the name of a known list of classes, such as ``imagenet-1k``.
    """

    name: str
    onnx: Path
    onnx_sha256: str
    input: OnnxInput
    weights: str
    preprocessing: dict[str, Any] | None = None
    labels: str | None = None


def with_preprocessing(source: ModelSource, on_event: OnEvent) -> ModelSource:
    """A network that does not say how images become its input gets ImageNet's way if it fits; the user is told."""
    from mobilenet_tvm.model.preprocessing import Preprocessing

    shape = source.input.shape
    if source.preprocessing is not None or len(shape) != 4 or shape[1] != 3 or shape[2] != shape[3]:
        return source
    warning(on_event, f"{source.name} does not say how images become its input: they are prepared as ImageNet's")
    return replace(source, preprocessing=Preprocessing.default_for(shape[2]).to_json())


def is_factory(model: str) -> bool:
    """Whether MODEL is ``file.py:factory``."""
    file, colon, factory = model.rpartition(":")
    return bool(colon) and file.endswith(".py") and factory.isidentifier()


def is_file(model: str) -> bool:
    """Whether MODEL is (or was meant as) an ONNX file."""
    return model.endswith(".onnx") or "/" in model or Path(model).is_file()


def _factory(model: str) -> str:
    file, _, factory = model.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise UserError(f"no file {path}")
    return f"{path.absolute()}:{factory}"


def _weights(asked: str | None) -> str | None:
    """As a request carries them; None is the frontend's default: ImageNet's where they can be had, else random."""
    if asked is None or asked in WEIGHTS_NAMES:
        return asked
    if not Path(asked).is_file():
        raise UserError(f"no weights {asked!r}: it is imagenet, random, or a checkpoint file")
    return str(Path(asked).absolute())


def export_request(
    model: str,
    weights: str | None,
    *,
    batch: int = 1,
    classes: int | None = None,
    activation: str | None = None,
    shapes: Shapes | None = None,
) -> dict[str, Any]:
    """The frontend's ``export`` request for a model of the zoo or a factory, but for ``out``.

    :raises UserError: the factory's file or the weights' file is missing, or MODEL is no such thing.
    """
    if not is_factory(model) and is_file(model):
        raise UserError(f"{model} is a file; what can be exported is a model of the zoo, or file.py:factory")
    return {
        "verb": "export",
        "model": _factory(model) if is_factory(model) else model,
        "weights": _weights(weights),
        "batch": batch,
        "classes": classes,
        "activation": activation,
        "shape": next(iter(shapes.values()), None) if shapes else None,
    }


def export(request: dict[str, Any], out: Path, on_event: OnEvent) -> dict[str, Any]:
    """Have the frontend write ``out``; its result."""
    progress(on_event, "export", detail=str(request["model"]))
    return run_child(zoo.MODULE, {**request, "out": str(out)}, on_event, block=("tvm",))


def _cached_export(request: dict[str, Any], on_event: OnEvent) -> dict[str, Any]:
    """Export into the cache, or find it there: keyed by the request, the weights' bytes and the frontend's sources."""
    from filelock import FileLock

    weights = request["weights"]
    sha = sha256_file(Path(weights)) if weights and weights not in WEIGHTS_NAMES else ""
    text = f"{zoo.frontend_key()} {sha} {json.dumps(request, sort_keys=True)}"
    folder = cache_dir() / "exports" / hashlib.sha256(text.encode()).hexdigest()[:32]
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "export.json"
    with FileLock(folder / "lock"):
        if note.is_file():
            found: dict[str, Any] = json.loads(note.read_text(encoding="utf-8"))
            for message in found["warnings"]:
                warning(on_event, message)
            return {**found, "onnx": str(folder / "model.onnx")}
        warnings: list[str] = []

        def listen(event: dict[str, Any]) -> None:
            if event["event"] == "warning":
                warnings.append(event["message"])
            on_event(event)

        result = export(request, folder / "model.onnx", listen)
        with replacing(note) as temporary:
            temporary.write_text(json.dumps({**result, "warnings": warnings}), encoding="utf-8")
    return result


def find_model(
    model: str, weights: str | None, shapes: Shapes | None, on_event: OnEvent, scratch: Path | None = None
) -> ModelSource:
    """The ONNX file of MODEL, exported first if it is no ONNX file, and checked.

    :param scratch: a folder for the export of a factory, whose sources nobody can key a cache by.
    :raises UserError: see ``export_request`` and ``check_onnx``.
    """
    exported = is_factory(model) or not is_file(model)
    if exported:
        request = export_request(model, weights, shapes=shapes)
        if is_factory(model) and scratch is not None:
            result = export(request, scratch / "model.onnx", on_event)
        else:
            result = _cached_export(request, on_event)
        path = Path(result["onnx"])
        name, whose = result["model"], result["weights_note"]
        preprocessing, labels = result["preprocessing"], result["labels"]
    else:
        if weights is not None:
            raise UserError(f"--weights does not go with {model}: an ONNX file holds its own")
        path, name, whose, preprocessing, labels = Path(model), Path(model).stem, "the file's own", None, None
    found = check_onnx(path, None if exported else shapes)
    return ModelSource(name, path.absolute(), sha256_file(path), found, whose, preprocessing, labels)
