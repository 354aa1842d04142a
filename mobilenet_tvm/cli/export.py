"""``export``"""

from __future__ import annotations

import argparse

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.cli import arguments, output

HELP = "write a network as an ONNX file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("model", metavar="MODEL", help="a name of the zoo, or file.py:factory")
    parser.add_argument("-o", "--output", required=True, metavar="FILE.onnx", help="the file to write")
    arguments.add_weights(parser)
    parser.add_argument("--classes", type=int, metavar="N", help="classes of the last layer (default: 1000)")
    parser.add_argument("--batch", type=int, default=1, metavar="N", help="images per call (default: 1)")
    parser.add_argument("--activation", choices=("relu", "relu6"), help="of MobileNetV1 (published ones use relu6)")
    parser.add_argument("--shape", type=_shape, metavar="1x3x224x224", help="the input of file.py:factory")


def _shape(text: str) -> list[int]:
    parts = text.rpartition(":")[2].split("x")
    if not all(part.isdecimal() for part in parts):
        raise UserError(f"shape {text!r} is not of the form 1x3x224x224")
    return [int(part) for part in parts]


def run(args: argparse.Namespace) -> int:
    """Export and say what came of it."""
    from mobilenet_tvm.verbs.export import export

    with output.progress_on_stderr() as on_event:
        result = export(**arguments.options(export, args), on_event=on_event)
    if args.json:
        output.print_json(result)
        return 0
    shape = "x".join(map(str, result.input.shape))
    print(
        f"{args.output}: {result.model}, input {shape}, weights: {result.weights_note}; "
        f"ONNX Runtime and PyTorch differ by {result.max_abs_err / result.output_range:.2g} of the output's range"
    )
    return 0
