"""``tune``"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mobilenet_tvm.base.events import Event, OnEvent, Trial, TrialLine, Warned
from mobilenet_tvm.cli import arguments, output

if TYPE_CHECKING:
    from mobilenet_tvm.verbs.tune import Tuned

HELP = "search for faster schedules of a network's layers, here, on boards, or by a static model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("model", metavar="MODEL", nargs="+", help=arguments.MODEL_HELP + "; zoo: all of the zoo")
    parser.add_argument("--target", default="native", help=arguments.TARGET_HELP + " (default: native)")
    parser.add_argument("--trials", type=int, metavar="N", help="at most so many trials")
    parser.add_argument("--seconds", type=float, metavar="S", help="at most so much time")
    parser.add_argument(
        "--finals-only", action="store_true", help="no search: time the best known choices inside the network"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="tune for N threads (default: the target's)")
    arguments.add_weights(parser)
    arguments.add_dtype(parser)
    arguments.add_shape(parser)
    parser.add_argument(
        "--measure",
        default="clock",
        metavar="HOW",
        help="clock: on this machine; model: by the static model of the target's ARM core or GPU (default: clock)",
    )
    arguments.add_device(parser, "build here, measure on all free boards that a tracker knows by that key")
    arguments.add_logs(parser, "write logs there instead of to your own, which compile consults first")


def _on_json(event: Event) -> None:
    """A line per durable trial, out at once; everything else goes to standard error."""
    if isinstance(event, Trial):
        print(json.dumps(TrialLine.of(event).to_json()), flush=True)
    elif isinstance(event, Warned):
        output.print_warning(event.message)


def _time_left(begin: float, done: int, trials: int | None, seconds: float | None) -> str:
    """How long it will still take at most, as far as the limits tell."""
    elapsed = time.monotonic() - begin
    left = []
    if seconds is not None:
        left.append(seconds - elapsed)
    if trials is not None and done:
        left.append(elapsed / done * (trials - done))
    return f"{max(0.0, min(left)):.0f} s left" if left else f"{elapsed:.0f} s"


@contextmanager
def _on_terminal(trials: int | None, seconds: float | None) -> Iterator[OnEvent]:
    """Trials done, the best so far of the layer at hand, time left; nothing moves where there is no terminal."""
    if not sys.stderr.isatty():
        with output.progress_on_stderr() as on_event:
            yield on_event
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("preparing", total=trials)
        begin = time.monotonic()
        done = 0

        def on_event(event: Event) -> None:
            nonlocal done
            if isinstance(event, Warned):
                console.print(f"warning: {event.message}", highlight=False, markup=False)
            elif isinstance(event, Trial):
                done += 1
                best = f"best {1e3 * event.best:.4f} ms" if event.best else "none built yet"
                left = _time_left(begin, done, trials, seconds)
                progress.update(task, completed=done, description=f"{done} trials, {event.layer}: {best}, {left}")
            elif not done:
                progress.update(task, description=f"{event.stage} {event.detail}")

        yield on_event


def _print_result(result: Tuned) -> None:
    rows = [
        (
            layer.layer,
            layer.trials,
            f"{1e3 * layer.seconds:.4f}" if layer.seconds else "",
            "faster now" if layer.improved else "",
        )
        for layer in result.layers
    ]
    if rows:
        output.print_table(("layer", ">trials", ">best ms", ""), rows)
    for network in result.networks or ():
        print(f"{network.name}: {1e3 * network.before:.3f} ms before, {1e3 * network.after:.3f} ms now")
    known = f", {result.already_known} layers were known already" if result.already_known else ""
    print(f"{result.trials} trials{known}; {result.log or 'an emulator measured: no log was written'}")


def run(args: argparse.Namespace) -> int:
    """Tune; Ctrl-C ends it early and keeps what was found."""
    from mobilenet_tvm.verbs.tune import tune

    options = arguments.options(tune, args)
    if args.json:
        tune(**options, on_event=_on_json)
        return 0
    with _on_terminal(args.trials, args.seconds) as on_event:
        result = tune(**options, on_event=on_event)
    _print_result(result)
    return 0
