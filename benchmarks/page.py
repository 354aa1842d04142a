"""The page of figures: sections under headings, of which a run replaces those that it measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from os import sched_getaffinity
from textwrap import fill

from mobilenet_tvm.base.host_cpu import host_model

HEAD = """# Figures

What was measured, counted and modelled, each with its conditions. `python benchmarks/figures.py` writes this page
anew, and with names of sections (`--help` shows them) a part of it; run nothing beside it. All is for batch 1, float32,
random weights and the checked-in logs, unless a section says otherwise. How engines are compared:
[Comparing](compare.md).
"""


@dataclass(frozen=True)
class Section:
    """One heading of the page.

    :ivar title: the heading, by which a later run finds the section again.
    :ivar about: what the figures mean.
    :ivar conditions: where, when and with what they were measured.
    :ivar command: what renews the section.
    :ivar columns: the table's; those whose name begins with ``>`` are set to the right.
    :ivar rows: the table's cells.
    :ivar remark: what the rows come to.
    """

    title: str
    about: str
    conditions: str
    command: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    remark: str = ""

    def markdown(self) -> str:
        """The section from its heading to its last line."""
        names = [name.removeprefix(">") for name in self.columns]
        rule = ["---:" if name.startswith(">") else "---" for name in self.columns]
        table = "\n".join(f"| {' | '.join(row)} |" for row in [names, rule, *self.rows])
        texts = (self.about, self.conditions, self.remark)
        about, terms, remark = (fill(text, 120, break_on_hyphens=False) for text in texts)
        parts = [f"## {self.title}", about, terms, f"```\n{self.command}\n```", table, remark]
        return "\n\n".join(part for part in parts if part) + "\n"


def renewed(page: str, sections: Iterable[Section]) -> str:
    """The page with these sections in place of those with the same titles, new ones behind the others."""
    _, *known = page.split("\n## ")
    texts = {text.partition("\n")[0]: f"## {text.rstrip()}\n" for text in known}
    texts |= {section.title: section.markdown() for section in sections}
    return "\n".join([HEAD, *texts.values()])


def conditions(*distributions: str, rounds: int | None = None) -> str:
    """This machine, today, these packages' versions; how often things were repeated."""
    machine = f"{host_model()}, {len(sched_getaffinity(0))} cores, {date.today().isoformat()}"
    versions = ", ".join(f"{name} {version(name)}" for name in ("apache-tvm", *distributions))
    return f"{machine}; {versions}" + (f"; {rounds} rounds." if rounds is not None else ".")
