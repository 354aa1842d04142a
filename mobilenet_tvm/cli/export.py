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
    parser.add_argument(
        "--shape", action="append", metavar="1x3x224x224", help="the input of file.py:factory; NAME:SHAPE of several"
    )


def _shape(texts: list[str]) -> list[int] | dict[str, list[int]]:
    """One shape, or several by name.

    :raises UserError: a text is no shape, or one of several has no name.
    """
    shapes: dict[str, list[int]] = {}
    for text in texts:
        name, _, dims = text.rpartition(":")
        parts = dims.split("x")
        if not all(part.isdecimal() for part in parts) or (len(texts) > 1 and not name):
            raise UserError(f"shape {text!r} is not of the form {'1x3x224x224' if len(texts) == 1 else 'NAME:1x3x9'}")
        shapes[name] = [int(part) for part in parts]
    return shapes.get("", shapes)


def run(args: argparse.Namespace) -> int:
    """Export and say what came of it."""
    from mobilenet_tvm.verbs.export import export

    if args.shape is not None:
        args.shape = _shape(args.shape)
    with output.progress_on_stderr() as on_event:
        result = export(**arguments.options(export, args), on_event=on_event)
    if args.json:
        output.print_json(result)
        return 0
    shapes = ", ".join("x".join(map(str, tensor.shape)) for tensor in result.inputs)
    share = result.max_abs_err / result.output_range if result.output_range else 0.0
    print(
        f"{args.output}: {result.model}, input {shapes}, weights: {result.weights_note}; "
        f"ONNX Runtime and PyTorch differ by {share:.2g} of the output's range"
    )
    return 0
