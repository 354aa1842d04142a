"""``verify``"""

from __future__ import annotations

import argparse

from mobilenet_tvm.base.protocol import EXIT_SYSTEM
from mobilenet_tvm.cli import arguments, output

HELP = "whether a package computes what it should"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("package", metavar="PACKAGE", help=arguments.PACKAGE_HELP)
    parser.add_argument("--onnx", metavar="FILE", help="the file it was compiled from: fresh inputs, ONNX Runtime")
    parser.add_argument("--labels", metavar="FILE", help="lines 'image<TAB>class id': the share of right answers too")
    arguments.add_emulate(parser)
    arguments.add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Verify; exit code 1 if the numbers are wrong."""
    from mobilenet_tvm.verbs.verify import verify

    with output.progress_on_stderr() as on_event:
        result = verify(**arguments.options(verify, args), on_event=on_event)
    code = 0 if result.passed else EXIT_SYSTEM
    if args.json:
        output.print_json(result)
        return code
    output.print_where(result.where, result.device, result.target)
    classes = f", the five most likely classes {'agree' if result.top5_agrees else 'DISAGREE'}"
    print(
        f"{result.package}: {'passed' if result.passed else 'FAILED'}: "
        f"largest error {result.max_abs_err:.3g}, {result.relative_err:.2g} of the output's range "
        f"(at most {result.tolerance:g} is right)"
        f"{classes if result.scores_classes else ''}; against {result.against}"
    )
    for error in (result.outputs or ()) if len(result.outputs or ()) > 1 or not result.passed else ():
        print(f"  {error.name} ({error.dtype}): {'right' if error.passed else 'WRONG'}, off {error.by_how_much}")
    if result.labels:
        shares = result.labels
        print(f"{shares.images} images: top-1 {100 * shares.top1:.2f} %, top-5 {100 * shares.top5:.2f} %")
    return code
