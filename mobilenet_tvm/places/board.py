"""A board that a tracker of TVM's RPC knows: ``--device tracker://HOST:PORT/KEY``.

The tracker's client and the pipeline's jobs are imported where they are needed: no other place needs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warning
from mobilenet_tvm.package.manifest import MANIFEST
from mobilenet_tvm.package.open import Package
from mobilenet_tvm.places.conditions import Conditions, conditions

if TYPE_CHECKING:
    from mobilenet_tvm.base.answers import BoardFacts
    from mobilenet_tvm.base.tracker import Device

_PIPELINE = "tvm_pipeline"


def device_named(text: str, on_event: OnEvent) -> Device:
    """The boards that ``--device`` names; warns of a tracker that others can reach.

    :raises UserError: it is not written ``tracker://HOST:PORT/KEY``.
    """
    from mobilenet_tvm.base.tracker import Device

    device = Device.parse(text)
    if not device.key:
        raise UserError(f"{text!r} names no board: it is written tracker://HOST:PORT/KEY (mobilenet-tvm devices)")
    warn_of_strangers(device, on_event)
    return device


def warn_of_strangers(device: Device, on_event: OnEvent) -> None:
    """A tracker and its boards run code for whoever reaches them."""
    if not device.is_loopback:
        text = "is not on this machine: whoever reaches it can run any code on its boards; an ssh tunnel guards it"
        warning(on_event, f"the tracker at {device.tracker} {text}")


@dataclass(frozen=True)
class Board:
    """A free board that a tracker knows.

    :ivar device: ``tracker://HOST:PORT/KEY``.
    :ivar facts: what it says of itself.
    """

    package: Package
    device: str
    facts: BoardFacts
    reads: ClassVar[frozenset[str]] = frozenset({".npy", ".npz"})

    @classmethod
    def of(cls, package: Package, *, emulate: bool, device: str | None, on_event: OnEvent) -> Board | None:
        """:raises UserError: nothing answers there, no board has that key, the board is of another architecture, or
        the package is damaged or a static program.
        """
        if device is None:
            return None
        from mobilenet_tvm.base.answers import BoardFacts
        from mobilenet_tvm.base.child import run_child
        from mobilenet_tvm.base.jobs import BoardDescribeJob

        if package.program is not None:
            raise UserError(f"{package.shown} is one program: copy it to the board, or compile without --static")
        package.check_sums()
        named = device_named(device, on_event)
        facts = run_child(_PIPELINE, BoardDescribeJob(device=str(named)), BoardFacts, block=("torch",))
        target = package.manifest.target
        if facts.arch not in (None, target.arch):
            raise UserError(f"{package.shown} is for {target.name} ({target.arch}) and {device} is {facts.arch}")
        return cls(package, str(named), facts)

    @property
    def where(self) -> Literal["emulated", "device"]:
        """A board may itself be an emulator."""
        return "emulated" if self.facts.emulated else "device"

    def conditions(self) -> Conditions:
        """This machine's, but for what the board says; what its server does not tell is null."""
        facts = self.facts
        return replace(
            conditions(),
            cpu=facts.cpu or "a board that does not say",
            arch=facts.arch or self.package.manifest.target.arch,
            cores=facts.cores,
            governor=facts.governor,
            load_average=facts.load_average,
            busy_cores=None,
            busy=False,
            board=facts.address,
        )

    def start(self, words: Sequence[str]) -> tuple[int, str, str]:
        from mobilenet_tvm.base.answers import BoardRun
        from mobilenet_tvm.base.child import run_child
        from mobilenet_tvm.base.jobs import BoardRunJob

        job = BoardRunJob(
            device=self.device,
            folder=self.package.folder.absolute(),
            files=(MANIFEST, *self.package.manifest.files),
            words=tuple(words),
        )
        answer = run_child(_PIPELINE, job, BoardRun, block=("torch",))
        return answer.code, answer.output, answer.error


PLACE = Board
