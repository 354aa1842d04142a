"""Images -> the checkpoint of a small network."""

from __future__ import annotations

from pathlib import Path

from mobilenet_tvm.base.answers import Trained
from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.jobs import TrainJob
from mobilenet_tvm.base.requests import TrainOptions, TrainRequest
from mobilenet_tvm.model import zoo
from mobilenet_tvm.verbs.options import options_of


@options_of(TrainRequest)
def train(request: TrainRequest) -> Trained:
    """Train a small network of the zoo on a folder of images; ``compile MODEL --weights CHECKPOINT`` takes the result.

    :returns: ``schemas/train.json``.
    :raises UserError: there is no such classifier, or the images will not do; nothing is written then.
    """
    options, out = TrainOptions.of(request), Path(request.output).absolute()
    for name, value, least in (("epochs", options.epochs, 1), ("batch", options.batch, 2), ("seed", options.seed, 0)):
        if value < least:
            raise UserError(f"{name} is a whole number of at least {least}, not {value}")
    if out.is_dir():
        raise UserError(f"{request.output} is a folder; name the file to write, such as {out / 'network.pt'}")
    out.parent.mkdir(parents=True, exist_ok=True)
    job = TrainJob(model=request.model, data=Path(request.data).absolute(), out=out, options=options)
    return run_child(zoo.MODULE, job, Trained, request.on_event, block=("tvm",))
