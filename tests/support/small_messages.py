"""What test_child.py's small half is asked, and what it answers."""

from __future__ import annotations

from mobilenet_tvm.base.document import Document


class Echo(Document):
    text: str


class Said(Document):
    said: str
    argv: tuple[str, ...]


class Mistake(Document):
    """A user's."""


class Break(Document):
    """Fail otherwise."""


class Kill(Document):
    """Die without an answer."""


class Dance(Document):
    """What the half does not know."""


class Import(Document):
    name: str


class Imported(Document):
    error: str | None


class Wait(Document):
    ends_with_a_result: bool = False


class Ended(Document):
    ended: str
