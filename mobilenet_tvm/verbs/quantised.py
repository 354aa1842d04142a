"""The network in the dtype that was asked for: ``int8`` means that a float file is quantised first."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import Event, OnEvent, Warned
from mobilenet_tvm.base.paths import replacing
from mobilenet_tvm.base.requests import QuantisedRequest
from mobilenet_tvm.model.quantise.cached import quantised
from mobilenet_tvm.model.quantise.images import image_files
from mobilenet_tvm.model.source import ModelSource, with_preprocessing
from mobilenet_tvm.package.quantisation import is_quantised
from mobilenet_tvm.package.store import check_folder

INT8 = "int8"


def check_calibration(request: QuantisedRequest, dtype: str) -> None:
    """Find out what can be said of the options before anything is made.

    :raises UserError: they are for int8 alone, there are no images, or the file cannot be written.
    """
    for option in ("calibration", "keep_quantised"):
        if request[option] is not None and dtype != INT8:
            raise UserError(f"--{option.replace('_', '-')} goes with --dtype int8, not {dtype}")
    if request.calibration is not None:
        image_files(Path(request.calibration))
    if request.keep_quantised is not None:
        path = Path(request.keep_quantised)
        if path.suffix != ".onnx" or path.is_dir():
            raise UserError(f"--keep-quantised {path}: it is a file, and its name ends in .onnx")
        check_folder(path.absolute().parent)


def in_dtype(source: ModelSource, request: QuantisedRequest, dtype: str) -> ModelSource:
    """The network as it is, or, for ``int8``, quantised; one that is quantised already has its own scales.

    :raises UserError: it cannot be quantised, or is and options ask for it again.
    """
    if dtype != INT8:
        return source
    if is_quantised(source.onnx):
        if request.calibration is not None or request.keep_quantised is not None:
            raise UserError(f"{source.name} is quantised already: leave --calibration and --keep-quantised away")
        return source
    calibration = Path(request.calibration) if request.calibration is not None else None
    return quantised(with_preprocessing(source, request.on_event), calibration, request.on_event)


def for_tuning(source: ModelSource, dtype: str, on_event: OnEvent) -> ModelSource:
    """The same for ``tune``: scales are arguments of int8 kernels, so any will do, those of random inputs too."""
    if dtype != INT8 or is_quantised(source.onnx):
        return source
    return quantised(replace(source, random_weights=True), None, lambda event: _but_warnings(event, on_event))


def _but_warnings(event: Event, on_event: OnEvent) -> None:
    if not isinstance(event, Warned):
        on_event(event)


def keep(source: ModelSource, request: QuantisedRequest) -> None:
    """Write the quantised file where the user wants it."""
    if request.keep_quantised is not None:
        with replacing(Path(request.keep_quantised)) as temporary:
            shutil.copyfile(source.onnx, temporary)
