"""``run``"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mobilenet_tvm.cli import arguments, output

if TYPE_CHECKING:
    from mobilenet_tvm.places.answers import Classified

HELP = "the most likely classes of images"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("package", metavar="PACKAGE", help=arguments.PACKAGE_HELP)
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="PNG, JPEG, PPM, or .npy (a float32 input tensor)")
    parser.add_argument("--threads", type=int, metavar="N", help="default: as many as the package was scheduled for")
    parser.add_argument("--top", type=int, default=5, metavar="K", help="classes per image (default: 5)")
    arguments.add_emulate(parser)
    arguments.add_device(parser)


def _rows(results: Sequence[Classified]) -> list[tuple[object, ...]]:
    return [
        (result.image if place == 0 else "", f"{ranked.probability:.4f}", ranked.label)
        for result in results
        for place, ranked in enumerate(result.top)
    ]


def run(args: argparse.Namespace) -> int:
    """Classify and print."""
    from mobilenet_tvm.verbs.run import run as classify

    with output.progress_on_stderr() as on_event:
        result = classify(**arguments.options(classify, args), on_event=on_event)
    if args.json:
        output.print_json(result)
    else:
        output.print_where(result.where, result.device, result.target)
        output.print_table(("image", ">probability", "class"), _rows(result.results))
    return 0
