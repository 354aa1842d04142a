"""The two ways in which anything here fails; the front door and both halves raise nothing else on purpose."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """A user's mistake: one line saying what is wrong and what would be right. Exit code 2."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class SystemFailure(Exception):
    """Something that is not the user's fault went wrong. Exit code 1; ``detail`` is shown under ``--debug``."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(" ".join(message.split()))
        self.detail = detail


def unknown(kind: str, name: str, known: Iterable[str]) -> UserError:
    """The error for a name that is not one of ``known``; it offers the nearest right one, or lists a few."""
    names = list(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5) or [n for n in names if name and name in n][:1]
    if near:
        return UserError(f"unknown {kind} {name!r}: did you mean {near[0]!r}?")
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return UserError(f"unknown {kind} {name!r}: it is one of {shown}")
