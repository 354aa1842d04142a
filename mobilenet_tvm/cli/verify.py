"""``verify``"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from mobilenet_tvm.base.protocol import EXIT_SYSTEM
from mobilenet_tvm.cli import arguments, output

if TYPE_CHECKING:
    from mobilenet_tvm.check.accuracy.judge import Accuracy

HELP = "whether a package computes what it should, and what its precision costs"
_WORST = 5
"""Layers that are printed; --json has all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("package", metavar="PACKAGE", help=arguments.PACKAGE_HELP)
    parser.add_argument("--onnx", metavar="FILE", help="the file it was compiled from: fresh inputs, ONNX Runtime")
    parser.add_argument("--images", metavar="DIR", help="images: how far its answers are from the float network's")
    parser.add_argument(
        "--float", dest="float_model", metavar="MODEL", help="with --images: the float network, where that is not known"
    )
    parser.add_argument(
        "--labels",
        metavar="FILE|DIR",
        help="lines 'image<TAB>class id', or a folder for each class as ImageNet's: the share of right answers too",
    )
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
    if result.accuracy:
        _print_accuracy(result.accuracy)
    return code


def _print_accuracy(accuracy: Accuracy) -> None:
    print(
        f"against {accuracy.against} on {accuracy.images} images: cosine of the outputs {accuracy.cosine_mean:.4f} on "
        f"average, at least {accuracy.cosine_min:.4f} ({accuracy.worst_image})"
    )
    if accuracy.top1_agreement is not None and accuracy.top5_agreement is not None:
        print(
            f"  the same likeliest class in {100 * accuracy.top1_agreement:.2f} %, "
            f"its likeliest class among the first five in {100 * accuracy.top5_agreement:.2f} %"
        )
    if accuracy.float_labels is not None:
        shares = accuracy.float_labels
        gate = "met" if accuracy.meets_gate else "NOT met"
        print(
            f"  float: top-1 {100 * shares.top1:.2f} %, top-5 {100 * shares.top5:.2f} %; "
            f"98 % of its top-1, MLPerf's gate: {gate}"
        )
    if accuracy.layers:
        print("  the layers with the most noise, signal over noise:")
    for layer in (accuracy.layers or ())[:_WORST]:
        print(f"    {'no noise' if layer.snr_db is None else f'{layer.snr_db:5.1f} dB'}  {layer.kind} {layer.layer}")
