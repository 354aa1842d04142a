"""What ``compile`` says of its check."""

from __future__ import annotations

from typing import Literal

from mobilenet_tvm.base.document import Document
from mobilenet_tvm.places.answers import SelfTest


class Checked(Document):
    """How a package was checked, and how far its worst output is off.

    :ivar how: ``run``: the package itself ran; ``lowered``: its code does not run on this machine, and the same graph
        compiled for ``target`` did; ``remembered``: that was so when the same file was compiled before.
    :ivar target: what ran.
    :ivar relative_err: as a share of the output's range.
    """

    how: Literal["run", "lowered", "remembered"]
    target: str
    max_abs_err: float
    output_range: float
    relative_err: float

    @staticmethod
    def of_test(test: SelfTest, how: Literal["run", "lowered"], target: str) -> Checked:
        errors = {key: test[key] for key in ("max_abs_err", "output_range", "relative_err")}
        return Checked(how=how, target=target, **errors)
