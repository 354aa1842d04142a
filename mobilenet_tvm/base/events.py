"""What a verb tells while it works: progress and warnings, for whoever listens."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

OnEvent = Callable[[dict[str, Any]], None]


def warn_only(event: dict[str, Any]) -> None:
    """The listener of someone who named none, in a notebook say: warnings become Python's, the rest is silent."""
    if event["event"] == "warning":
        warnings.warn(event["message"], stacklevel=3)


def warning(on_event: OnEvent, message: str) -> None:
    """Say something that the user should know and that stops nothing."""
    on_event({"event": "warning", "message": message})


def progress(
    on_event: OnEvent, stage: str, done: int | None = None, total: int | None = None, detail: str = ""
) -> None:
    """Say how far a stage has come."""
    on_event({"event": "progress", "stage": stage, "done": done, "total": total, "detail": detail})
