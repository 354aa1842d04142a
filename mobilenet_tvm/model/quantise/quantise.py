"""The work of the process that quantises: from a float file and images to a QDQ file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tvm.base.compiled import Quantisation
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.paths import sha256_file
from mobilenet_tvm.base.protocol import Emit
from mobilenet_tvm.model.quantise import quantisers
from mobilenet_tvm.model.quantise.activations import channel_ranges
from mobilenet_tvm.model.quantise.complete import complete
from mobilenet_tvm.model.quantise.equalise import between, equalise
from mobilenet_tvm.model.quantise.finish import finish
from mobilenet_tvm.model.quantise.images import RANDOM_IMAGES, Feeds, batches, random_batches
from mobilenet_tvm.model.quantise.job import QuantiseJob
from mobilenet_tvm.model.quantise.prepare import prepared

if TYPE_CHECKING:
    import numpy as np
    from onnx import ModelProto


def quantise_file(job: QuantiseJob, emit: Emit) -> Quantisation:
    """Write ``job.out``.

    :raises UserError: the network cannot be quantised, or an image does not decode.
    """
    import onnx

    emit.progress("quantise", detail="preparing")
    model = prepared(job.onnx, job.input)
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as scratch:
        feeds = Feeds(job.input.name, _inputs(job, Path(scratch)))
        emit.progress("quantise", detail="equalising")
        equalised = equalise(model, channel_ranges(model, between(model), feeds))
        emit.progress("quantise", detail=quantisers.version(job.quantiser))
        quantised = complete(_quantised(job, model, feeds), model, feeds)
    onnx.save(finish(quantised, equalised), job.out)
    return Quantisation(
        float_sha256=sha256_file(job.onnx),
        quantiser=quantisers.version(job.quantiser),
        calibration="images" if job.files else "random",
        images=len(job.files) or RANDOM_IMAGES,
        equalised=len(equalised),
    )


def _inputs(job: QuantiseJob, scratch: Path) -> np.ndarray:
    if not job.files:
        return random_batches(job.input)
    return batches(job.files, job.input, job.preprocessing, scratch / "images.npy")


def _quantised(job: QuantiseJob, model: ModelProto, feeds: Feeds) -> ModelProto:
    try:
        quantised: ModelProto = quantisers.quantiser(job.quantiser).quantise(model, feeds)
    except Exception as error:  # whatever a library makes of somebody's network
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(f"{job.onnx} cannot be quantised by {job.quantiser}: {reason}") from error
    return quantised
