"""``doctor``"""

from __future__ import annotations

import argparse

from mobilenet_tvm.base.protocol import EXIT_SYSTEM
from mobilenet_tvm.cli import output

HELP = "what works on this machine, and the command that mends what does not"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(args: argparse.Namespace) -> int:
    """Print the checks; exit code 1 if something required does not work."""
    from mobilenet_tvm.verbs.doctor import doctor

    result = doctor()
    if args.json:
        output.print_json(result)
    else:
        marks = {(True, True): "ok", (True, False): "ok", (False, True): "MISSING", (False, False): "absent"}
        rows = [(c.name, marks[c.ok, c.required], c.detail, c.mend or "") for c in result.checks]
        output.print_table(("what", "", "found", "mend it with"), rows)
    return 0 if result.ok else EXIT_SYSTEM
