"""The two ways in which anything here fails; the front door and both halves raise nothing else on purpose."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

_LIKE = 0.5
"""From this likeness on a name may have been meant."""


class UserError(Exception):
    """A user's mistake: one line saying what is wrong and what would be right. Exit code 2."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class SystemFailure(Exception):
    """Something that is not the user's fault went wrong. Exit code 1; ``detail`` is shown under ``--debug``."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(" ".join(message.split()))
        self.detail = detail


def unknown(kind: str, name: str, known: Iterable[str], hint: str | None = None) -> UserError:
    """The error for a name that is not one of ``known``; it offers the nearest right one, or lists a few.

    :param hint: what is said where no name is near, instead of the list.
    """
    names = list(known)
    near = [right for right in names if _likeness(name, right) >= _LIKE or (name and name in right)]
    if near:
        nearest = max(near, key=lambda right: (right.startswith(name), _likeness(name, right)))  # of equals the first
        return UserError(f"unknown {kind} {name!r}: did you mean {nearest!r}?")
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return UserError(f"unknown {kind} {name!r}: {hint or (f'it is one of {shown}' if names else 'there is none')}")


def _likeness(name: str, right: str) -> float:
    """How much of two names agrees, of 1; capitals do not count."""
    return SequenceMatcher(None, right.lower(), name.lower()).ratio()
