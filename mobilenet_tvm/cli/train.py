"""``train``"""

from __future__ import annotations

import argparse

from mobilenet_tvm.cli import arguments, output

HELP = "train a small network on a folder of images"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("model", metavar="MODEL", help="a classifier's name in the zoo, mobilenet_v1_0.25_32, say")
    parser.add_argument("--data", required=True, metavar="DIR", help="a sub-folder of images for each class")
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="the checkpoint, which compile --weights takes"
    )
    parser.add_argument("--epochs", type=int, default=30, metavar="N", help="at most, over all images (default: 30)")
    parser.add_argument("--batch", type=int, default=64, metavar="N", help="images per step (default: 64)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of weights, crops and order (default: 0)")


def run(args: argparse.Namespace) -> int:
    """Train and say what came of it."""
    from mobilenet_tvm.verbs.train import train

    with output.progress_on_stderr() as on_event:
        result = train(**arguments.options(train, args), on_event=on_event)
    if args.json:
        output.print_json(result)
        return 0
    ended = "interrupted" if result.interrupted else f"{result.seconds:.0f} s"
    print(
        f"{args.output}: {result.model}, {len(result.classes)} classes, {result.images} images, best after epoch "
        f"{result.best_epoch} of {result.epochs}: {result.accuracy:.2%} of the images held back are right; {ended}"
    )
    return 0
