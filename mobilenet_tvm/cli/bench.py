"""``bench``"""

from __future__ import annotations

import argparse

from mobilenet_tvm.cli import arguments, output

HELP = "how long one inference takes: min, median, p90"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("package", metavar="PACKAGE", help=arguments.PACKAGE_HELP)
    parser.add_argument("--threads", type=arguments.counts, metavar="1,2", help="thread counts to measure with")
    parser.add_argument("--repeat", type=int, default=100, metavar="N", help="timed inferences (default: 100)")
    arguments.add_device(parser, "time it on a free board that a tracker knows")
    parser.add_argument("--emulate", action="store_true", help=argparse.SUPPRESS)  # is refused, with the reason


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    from mobilenet_tvm.verbs.bench import bench

    with output.progress_on_stderr() as on_event:
        result = bench(**arguments.options(bench, args), on_event=on_event)
    if args.json:
        output.print_json(result)
        return 0
    machine = result.gpu.name if result.gpu is not None else result.conditions.cpu
    print(f"{result.model} for {result.target}, {result.dtype}, on {machine}")
    rows = [(r.threads, f"{r.min_ms:.3f}", f"{r.median_ms:.3f}", f"{r.p90_ms:.3f}", r.runs) for r in result.results]
    output.print_table((">threads", ">min ms", ">median ms", ">p90 ms", ">runs"), rows)
    return 0
