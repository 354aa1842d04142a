"""``compare``"""

from __future__ import annotations

import argparse

from mobilenet_tvm.cli import arguments, output

HELP = "a network's latency beside other engines', in interleaved rounds"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("model", metavar="MODEL", help=arguments.MODEL_HELP)
    parser.add_argument("--targets", type=arguments.names, default=["native"], metavar="A,B", help="default: native")
    parser.add_argument(
        "--against",
        type=arguments.names,
        default=["onnxruntime"],
        metavar="A,B",
        help="engines: onnxruntime, openvino (default: onnxruntime)",
    )
    parser.add_argument("--threads", type=arguments.counts, default=[1], metavar="1,2", help="thread counts")
    arguments.add_weights(parser)
    arguments.add_dtype(parser)
    arguments.add_calibration(parser)
    arguments.add_shape(parser)
    arguments.add_logs(parser, "tuning logs to use instead of your own and the checked-in ones")
    parser.add_argument("--rounds", type=int, default=20, metavar="N", help="interleaved rounds (default: 20)")
    parser.add_argument("--csv", metavar="FILE", help="write the results there too, a row each")


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    from mobilenet_tvm.verbs.compare import compare

    with output.progress_on_stderr() as on_event:
        result = compare(**arguments.options(compare, args), on_event=on_event)
    if args.json:
        output.print_json(result)
        return 0
    conditions = result.conditions
    print(f"{result.model} on {conditions.cpu}, {conditions.rounds} rounds, {conditions.date}")
    rows = [
        (
            r.engine,
            r.version,
            r.target or "",
            r.dtype,
            r.threads,
            f"{r.median_ms:.3f}",
            f"{r.min_ms:.3f}",
            f"{r.max_abs_err:.2g}",
        )
        for r in result.results
    ]
    columns = ("engine", "version", "target", "dtype", ">threads", ">median ms", ">min ms", ">largest error")
    output.print_table(columns, rows)
    print()
    ratios = [
        (
            f"{r.engine} {r.target}",
            r.against,
            r.threads,
            f"{r.median:.3f}",
            f"{r.p10:.3f} to {r.p90:.3f}",
        )
        for r in result.ratios
    ]
    output.print_table(("engine", "against", ">threads", ">time, theirs = 1", "p10 to p90 of rounds"), ratios)
    return 0
