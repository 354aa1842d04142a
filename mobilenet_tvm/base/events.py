"""What a verb tells while it works, for whoever listens."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Literal

from mobilenet_tvm.base.document import UNSET, Document, UnsetType, Whole


class Progress(Document):
    """How far a stage has come.

    :ivar elapsed: seconds since it began.
    """

    event: Literal["progress"] = "progress"
    stage: str
    done: int | None = None
    total: int | None = None
    detail: str = ""
    elapsed: float | UnsetType = UNSET


class Warned(Document):
    """Something that the user should know and that stops nothing."""

    event: Literal["warning"] = "warning"
    message: str


class TrialLine(Document):
    """A trial of ``tune``, durable or lost with its board.

    :ivar seconds: of one call; null where it failed.
    :ivar best: of this layer so far.
    """

    trial: Whole
    layer: str
    seconds: float | None
    error: str | None
    best: float | None = None


class Trial(TrialLine):
    """The same, for a listener."""

    event: Literal["trial"] = "trial"


Event = Progress | Warned | Trial
OnEvent = Callable[[Event], None]


def warn_only(event: Event) -> None:
    """The listener of someone who named none, in a notebook say: warnings become Python's, the rest is silent."""
    if isinstance(event, Warned):
        warnings.warn(event.message, stacklevel=3)


def warning(on_event: OnEvent, message: str) -> None:
    """Say something that the user should know and that stops nothing."""
    on_event(Warned(message=message))


def progress(
    on_event: OnEvent, stage: str, done: int | None = None, total: int | None = None, detail: str = ""
) -> None:
    """Say how far a stage has come."""
    on_event(Progress(stage=stage, done=done, total=total, detail=detail))
