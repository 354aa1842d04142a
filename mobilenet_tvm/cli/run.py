"""``run``"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mobilenet_tvm.cli import arguments, output

if TYPE_CHECKING:
    from mobilenet_tvm.places.answers import Classified, OutputValue

HELP = "the most likely classes of images, or whatever the network puts out"

_MOST_VALUES = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("package", metavar="PACKAGE", help=arguments.PACKAGE_HELP)
    parser.add_argument(
        "images", metavar="IMAGE", nargs="*", help="PNG, JPEG, PPM, or .npy (the input tensor as it is)"
    )
    parser.add_argument(
        "--input",
        dest="inputs",
        action="append",
        default=[],
        metavar="NAME=FILE.npy",
        help="instead: each input, by name",
    )
    parser.add_argument("--save", metavar="FOLDER", help="write every output into FOLDER as NAME.npy")
    parser.add_argument("--threads", type=int, metavar="N", help="default: as many as the package was scheduled for")
    parser.add_argument("--top", type=int, default=5, metavar="K", help="classes per image (default: 5)")
    arguments.add_emulate(parser)
    arguments.add_device(parser)


def _classes(results: Sequence[Classified]) -> list[tuple[object, ...]]:
    return [
        (result.image if place == 0 else "", f"{ranked.probability:.4f}", ranked.label)
        for result in results
        for place, ranked in enumerate(result.top)
    ]


def _values(output: OutputValue) -> str:
    """The first values, as many as a line has room for."""
    values = output.elements or ()
    text = " ".join("nan" if value is None else f"{value:.6g}" for value in values[:_MOST_VALUES])
    return text + (" ..." if len(values) > _MOST_VALUES or not values else "")


def _outputs(results: Sequence[Classified]) -> list[tuple[object, ...]]:
    return [
        (
            result.image if place == 0 else "",
            output.name,
            f"{output.dtype} {'x'.join(map(str, output.shape)) or 'scalar'}",
            _values(output),
        )
        for result in results
        for place, output in enumerate(result.outputs or ())
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
        if any(entry.top for entry in result.results):
            output.print_table(("image", ">probability", "class"), _classes(result.results))
        else:
            output.print_table(("input", "output", "type", "elements"), _outputs(result.results))
        if args.save is not None:
            print(f"all outputs are in {args.save}")
    return 0
