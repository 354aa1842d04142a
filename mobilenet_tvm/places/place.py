"""Where a package's program runs. A new place is a file whose ``PLACE`` is a ``Place``, and its name in ``PLACES``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Literal, Protocol

from mobilenet_tvm.base.compiled import Dtype
from mobilenet_tvm.base.document import Document
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warning
from mobilenet_tvm.package.open import Package
from mobilenet_tvm.places.conditions import Conditions, MeasuredUnder, busy_warning, versions

Where = Literal["host", "emulated", "device"]
"""What kind of place it is. An emulator's times are no device's and are not told."""


class Ran(Document):
    """What a verb says of a package and the place that ran it.

    :ivar where: where it ran; an emulator's times say nothing about a device.
    :ivar device: the board that ran it, as tracker://HOST:PORT/KEY.
    """

    package: str
    model: str
    dtype: Dtype
    target: str
    where: Where
    device: str | None

    @staticmethod
    def at(place: Place, shown: str | Path) -> Ran:
        """:param shown: what the user called the package."""
        manifest = place.package.manifest
        return Ran(
            package=str(shown),
            model=manifest.model.name,
            dtype=manifest.dtype,
            target=manifest.target.name,
            where=place.where,
            device=place.device,
        )


class Place(Protocol):
    """A place with the package that it runs."""

    @property
    def package(self) -> Package: ...

    @property
    def where(self) -> Where: ...

    @property
    def device(self) -> str | None:
        """The board's ``tracker://HOST:PORT/KEY``; None on this machine."""

    @property
    def reads(self) -> frozenset[str]:
        """Suffixes of the files that its program may be given; what else there is goes to it as a tensor (``.npy``)."""

    @classmethod
    def of(cls, package: Package, *, emulate: bool, device: str | None, on_event: OnEvent) -> Place | None:
        """The package there; None where ``--emulate`` and ``--device`` say another place.

        Whatever the package's program cannot check before it is loaded is checked here.

        :raises UserError: the package cannot run there, or is damaged.
        """

    def conditions(self) -> Conditions:
        """Under what conditions a time would be measured there."""

    def start(self, words: Sequence[str]) -> tuple[int, str, str]:
        """``mobilenet-run PACKAGE WORDS...`` there: exit code, standard output, standard error.

        :raises UserError: the program may not be run, or its board is gone.
        :raises SystemFailure: it does not start, or the board broke off.
        """


PLACES = ("host", "qemu", "emulated_gpu", "board")
"""Files of this folder. The first that serves is taken, and none behind it is imported: ``run`` shall start at once."""


def place_of(package: Package, *, emulate: bool, device: str | None, on_event: OnEvent) -> Place:
    """The place that ``--emulate`` and ``--device`` say, with the package.

    :raises UserError: both are asked for, the package cannot run there, or there is no emulator or no such board.
    """
    if emulate and device is not None:
        raise UserError("--emulate runs a package here, --device on a board: one of them")
    kinds: Iterator[type[Place]] = (import_module(f"mobilenet_tvm.places.{name}").PLACE for name in PLACES)
    places = (kind.of(package, emulate=emulate, device=device, on_event=on_event) for kind in kinds)
    return next(place for place in places if place is not None)


def measured_under(place: Place, on_event: OnEvent) -> MeasuredUnder:
    """The conditions there, now, and the versions of what runs; warns of other programs that disturb a time."""
    now = place.conditions()
    if place.where == "host" and (text := busy_warning(now)):
        warning(on_event, text)
    return MeasuredUnder(**now, versions={**versions(), **place.package.manifest.versions})
