"""Training from nothing: AdamW, a rate that rises and falls once, random crops, the best epoch by images held back."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional

from frontend.training.images import LabelledImages
from mobilenet_tvm.base.preprocessing import Preprocessing
from mobilenet_tvm.base.protocol import Emit
from mobilenet_tvm.base.requests import TrainOptions

HELD_BACK = 10
"""Of so many images of a class one is held back, to judge the epochs by."""
PATIENCE = 8
"""So many epochs in a row without a better one end the training."""
_RATE, _WARM_UP, _WEIGHT_DECAY, _SMOOTHING = 4e-3, 0.15, 0.02, 0.05
_MOMENTUM = 0.1  # of batch normalisation's running statistics: a small folder has few steps


@dataclass
class Fit:
    """How far a training has come.

    :ivar accuracy: the best so far, of the images held back.
    :ivar state: the weights of that epoch.
    :ivar epochs: how many were run.
    """

    accuracy: float = -1.0
    best_epoch: int = 0
    epochs: int = 0
    interrupted: bool = False
    state: dict[str, torch.Tensor] = field(default_factory=dict)

    @property
    def is_stuck(self) -> bool:
        return self.epochs - self.best_epoch >= PATIENCE


def fit(module: nn.Module, images: LabelledImages, plan: Preprocessing, options: TrainOptions, emit: Emit) -> Fit:
    """Train a network whose weights are PyTorch's own; Ctrl-C keeps what the best epoch made.

    :raises KeyboardInterrupt: there is no epoch yet.
    """
    torch.use_deterministic_algorithms(True)
    generator = torch.Generator().manual_seed(options.seed)
    training, judging = split(images.labels, generator)
    steps = options.epochs * math.ceil(len(training) / options.batch)
    optimizer = torch.optim.AdamW(module.parameters(), _RATE, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, steps, pct_start=_WARM_UP)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.momentum = _MOMENTUM
    progress = Fit()
    try:
        while progress.epochs < options.epochs and not progress.is_stuck:
            order = training[torch.randperm(len(training), generator=generator)]
            for part in torch.split(order, options.batch):
                if len(part) > 1:  # a batch of one has no variance
                    _step(module, optimizer, cropped(images.pixels[part], plan, generator), images.labels[part])
                schedule.step()
            _judge(module, images, judging, plan, progress)
            best = f"{progress.accuracy:.4f} of the images held back are right at best"
            emit.progress("train", progress.epochs, options.epochs, best)
    except KeyboardInterrupt:
        if not progress.state:
            raise
        progress.interrupted = True
    return progress


def split(labels: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """The images to learn from, and those held back: of every class the same share, at least one."""
    training, judging = [], []
    for label in range(int(labels.max()) + 1):
        places = torch.nonzero(labels == label)[:, 0]
        places = places[torch.randperm(len(places), generator=generator)]
        count = max(1, len(places) // HELD_BACK)
        judging.append(places[:count])
        training.append(places[count:])
    return torch.cat(training), torch.cat(judging)


def normalised(pixels: torch.Tensor, plan: Preprocessing) -> torch.Tensor:
    """Bytes ``[N, 3, H, W]`` as the network takes them."""
    mean, std = (torch.tensor(values)[:, None, None] for values in (plan.mean, plan.std))
    return (pixels * plan.scale - mean) / std


def cropped(pixels: torch.Tensor, plan: Preprocessing, generator: torch.Generator) -> torch.Tensor:
    """A square of ``plan.crop`` pixels out of each image, at random."""
    slack = pixels.shape[-1] - plan.crop
    corners = torch.randint(slack + 1, (len(pixels), 2), generator=generator).tolist()
    size = plan.crop
    parts = [image[:, y : y + size, x : x + size] for image, (y, x) in zip(pixels, corners, strict=True)]
    return normalised(torch.stack(parts), plan)


def centred(pixels: torch.Tensor, plan: Preprocessing) -> torch.Tensor:
    """The middle of each image, as when the network is used."""
    begin = round((pixels.shape[-1] - plan.crop) / 2)
    middle = slice(begin, begin + plan.crop)
    return normalised(pixels[:, :, middle, middle], plan)


def _step(module: nn.Module, optimizer: torch.optim.Optimizer, inputs: torch.Tensor, labels: torch.Tensor) -> None:
    module.train()
    optimizer.zero_grad()
    loss = functional.cross_entropy(module(inputs), labels, label_smoothing=_SMOOTHING)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


@torch.no_grad()
def predicted(module: nn.Module, pixels: torch.Tensor, plan: Preprocessing) -> torch.Tensor:
    """The most likely class of each image, ``[N]``."""
    module.eval()
    return torch.cat([module(centred(part, plan)).argmax(1) for part in torch.split(pixels, 256)])


def _judge(
    module: nn.Module, images: LabelledImages, judging: torch.Tensor, plan: Preprocessing, progress: Fit
) -> None:
    """Count an epoch, and keep its weights if no other was as good."""
    progress.epochs += 1
    right = predicted(module, images.pixels[judging], plan) == images.labels[judging]
    accuracy = float(right.double().mean())
    if accuracy > progress.accuracy:
        progress.accuracy, progress.best_epoch = accuracy, progress.epochs
        progress.state = copy.deepcopy(module.state_dict())
