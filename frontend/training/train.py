"""A network of the zoo, trained on a folder of images, becomes a checkpoint."""

from __future__ import annotations

import time

import torch

from frontend import zoo
from frontend.training.checkpoint import CheckpointNotes, write_checkpoint
from frontend.training.fit import fit
from frontend.training.images import read_images
from mobilenet_tvm.base.answers import Trained
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.jobs import TrainJob
from mobilenet_tvm.base.paths import replacing
from mobilenet_tvm.base.protocol import Emit


def train(job: TrainJob, emit: Emit) -> Trained:
    """Write the checkpoint of the best epoch.

    :raises UserError: the zoo has no such classifier, or the images will not do; nothing is written then.
    """
    entry, options = zoo.find(job.model), job.options
    if entry.labels is None:
        raise UserError(f"{entry.name} is no classifier: train takes one, mobilenet_v1_0.25_32, say")
    started = time.monotonic()
    images = read_images(job.data, entry.preprocessing.resize, emit)
    torch.manual_seed(options.seed)
    module = entry.module(len(images.classes))
    made = fit(module, images, entry.preprocessing, options, emit)
    notes = CheckpointNotes(model=entry.name, classes=images.classes, preprocessing=entry.preprocessing)
    with replacing(job.out) as temporary:
        write_checkpoint(temporary, made.state, notes, job.out.suffix)
    return Trained(
        checkpoint=job.out,
        model=entry.name,
        classes=images.classes,
        images=len(images.labels),
        epochs=made.epochs,
        best_epoch=made.best_epoch,
        accuracy=made.accuracy,
        seconds=time.monotonic() - started,
        interrupted=made.interrupted,
    )
