"""The float network that a package is judged against."""

from __future__ import annotations

from pathlib import Path

from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.events import OnEvent
from mobilenet_tvm.base.requests import Model
from mobilenet_tvm.model.reference import is_file, spelled
from mobilenet_tvm.model.source import ModelSource, find_model
from mobilenet_tvm.package.open import Package
from mobilenet_tvm.package.quantisation import is_quantised


def float_network(package: Package, model: Model | None, onnx: Path | None, on_event: OnEvent) -> ModelSource:
    """The float network, with the package's preprocessing.

    :param model: what the user named; by default ``onnx``, or the zoo's model of the package's name.
    :param onnx: the file that the package was compiled from, where it is at hand.
    :raises UserError: none is known, it is quantised itself, or the package was quantised from another one.
    """
    if model is None and onnx is not None and not is_quantised(onnx):
        model = str(onnx)
    source = _named(package, model, on_event) if model is not None else _of_zoo(package)
    if is_quantised(source.onnx):
        raise UserError(f"{source.name} is quantised itself: --float MODEL is a float network")
    return ModelSource(
        name=source.name,
        onnx=source.onnx,
        onnx_sha256=source.onnx_sha256,
        inputs=source.inputs,
        weights=source.weights,
        preprocessing=package.manifest.preprocessing,
    )


def _made_of(package: Package) -> str:
    """The SHA-256 of the float file that a package was made of."""
    quantisation = package.manifest.quantisation
    return quantisation.float_sha256 if quantisation else package.manifest.model.onnx_sha256


def _named(package: Package, model: Model, on_event: OnEvent) -> ModelSource:
    source = find_model(model, None, None, on_event)
    if not package.manifest.quantisation:
        return source
    if source.onnx_sha256 != _made_of(package) and not is_file(spelled(model)):
        source = find_model(model, "random", None, on_event)
    if source.onnx_sha256 != _made_of(package):
        raise UserError(f"{package.shown} was not quantised from {source.name} (their SHA-256 differ)")
    return source


def _of_zoo(package: Package) -> ModelSource:
    """The zoo's model of the package's name, if it is what the package was made of."""
    name = package.manifest.model.name
    for weights in (None, "random"):
        try:
            source = find_model(name, weights, None, _silent)
        except (UserError, SystemFailure):  # it is none of the zoo, or this machine cannot export it
            break
        if source.onnx_sha256 == _made_of(package):
            return source
    raise UserError(f"what is {package.shown} judged against? --float MODEL names the float network it was made of")


def _silent(_event: object) -> None:
    """Hears nothing."""
