"""What a person sees: tables on standard output, progress and warnings on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from mobilenet_tvm.base.document import Document
from mobilenet_tvm.base.events import Event, OnEvent, Progress, Warned

if TYPE_CHECKING:
    import rich.progress

_WHOLE_NAME = 32
"""Names in a table's first column that are no longer are not broken into two lines."""


def print_json(result: Document | Sequence[Document]) -> None:
    """A verb's result as one JSON document."""
    values = result.to_json() if isinstance(result, Document) else [part.to_json() for part in result]
    print(json.dumps(values, indent=1))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table; columns whose name begins with ``>`` are set to the right. In a pipe: plain text, however wide."""
    right = [name.startswith(">") for name in columns]
    names = [name.removeprefix(">") for name in columns]
    cells = [[str(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        from rich import box
        from rich.console import Console
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for place, (name, is_right) in enumerate(zip(names, right, strict=True)):
            stays_whole = place == 0 and max((len(row[0]) for row in cells), default=0) <= _WHOLE_NAME
            justify: Literal["left", "right"] = "right" if is_right else "left"
            table.add_column(name, justify=justify, overflow="fold", no_wrap=stays_whole)
        for row in cells:
            table.add_row(*row)
        Console(markup=False, highlight=False).print(table)
        return
    widths = [max(len(row[i]) for row in [names, *cells]) for i in range(len(names))]
    for row in [names, *cells]:
        padded = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True))
        print("  ".join(padded).rstrip())


def print_where(where: str, device: str | None, target: str) -> None:
    """Say so where an emulator ran the package, or a board."""
    if where == "emulated":
        what = f"{device} is an emulator" if device else _emulator_of(target)
        print(f"emulated: {what}; its times would say nothing about a board")
    elif device:
        print(f"on the board {device}")


def _emulator_of(target: str) -> str:
    """What ran a package for that target: presets are known, a user's own targets are not."""
    from targets import available

    preset = available().get(target)
    if preset is None:
        return f"an emulator ran it as {target}"
    if preset.gpu is not None:
        return f"its CUDA source ran as {target} would run it, its device code did not"
    return f"QEMU ran it as {target}'s CPU"


def print_warning(message: str) -> None:
    """One line on standard error."""
    print(f"warning: {message}", file=sys.stderr, flush=True)


def _show(progress: rich.progress.Progress, tasks: dict[str, rich.progress.TaskID], event: Progress) -> None:
    stage = event.stage
    if stage not in tasks:
        for task in tasks.values():
            progress.update(task, visible=False)
        tasks[stage] = progress.add_task(stage, total=None)
    progress.update(tasks[stage], description=f"{stage} {event.detail}", completed=event.done, total=event.total)


@contextmanager
def progress_on_stderr() -> Iterator[OnEvent]:
    """A listener that shows a verb's progress on a terminal, and its warnings anywhere."""
    if not sys.stderr.isatty():
        yield lambda event: print_warning(event.message) if isinstance(event, Warned) else None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console, transient=True) as progress:
        tasks: dict[str, rich.progress.TaskID] = {}

        def on_event(event: Event) -> None:
            if isinstance(event, Warned):
                console.print(f"warning: {escape(event.message)}", highlight=False)
            elif isinstance(event, Progress):
                _show(progress, tasks, event)

        yield on_event
