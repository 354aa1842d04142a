"""``models``"""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from mobilenet_tvm.cli import output

if TYPE_CHECKING:
    from mobilenet_tvm.verbs.models import DescribedModel

HELP = "the zoo: parameters, Mult-Adds, tuning logs; with NAME its layers and what they cost"

_VARIANT = re.compile(r"-v\d|-sm_|\d+$")  # where a target's name goes on with what tells it from its family


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="a model of the zoo")


def _per_cent(share: float) -> str:
    return f"{100 * share:.2f} %"


def logs_text(logs: dict[str, dict[str, float]]) -> str:
    """What share of the layers each target's logs know, in a few words."""
    parts = [
        f"{target} {dtype} {100 * share:.0f} %" for target, by in logs.items() for dtype, share in by.items() if share
    ]
    return ", ".join(parts) or "none"


def logs_summary(logs: dict[str, dict[str, float]]) -> str:
    """The same in brief: by family of targets, from the least share to the largest."""
    families: dict[str, list[float]] = {}
    for target, by_dtype in logs.items():
        for dtype, share in by_dtype.items():
            family = _VARIANT.split(target)[0] + ("" if dtype == "float32" else f" {dtype}")
            if share:
                families.setdefault(family, []).append(100 * share)
    spans = {family: sorted({f"{share:.0f}" for share in shares}, key=float) for family, shares in families.items()}
    return ", ".join(f"{family} {'-'.join(dict.fromkeys((s[0], s[-1])))} %" for family, s in spans.items()) or "none"


def _print_one(model: DescribedModel) -> None:
    print(f"{model.name}: {model.parameters:,} parameters, {model.mult_adds / 1e6:.2f} M Mult-Adds")
    print(f"tuning logs: {logs_text(model.logs)}\n")
    rows = [
        (
            layer.name,
            layer.kind,
            "x".join(map(str, layer.input)),
            "x".join(map(str, layer.output)),
            "x".join(map(str, layer.kernel)) if layer.kernel else "",
            layer.stride or "",
            f"{layer.parameters:,}",
            f"{layer.mult_adds:,}",
        )
        for layer in model.layers
    ]
    output.print_table(("layer", "kind", "input", "output", "kernel", ">stride", ">parameters", ">Mult-Adds"), rows)
    print()
    shares = [(s.kind, _per_cent(s.mult_adds_share), _per_cent(s.parameters_share)) for s in model.shares]
    output.print_table(("kind", ">Mult-Adds", ">parameters"), shares)
    print()
    blocks = [
        (b.name, f"{b.mult_adds:,}", f"{b.full_convolution_mult_adds:,}", f"{b.ratio:.4f} = {b.formula}")
        for b in model.separable_blocks
    ]
    output.print_table(("separable block", ">Mult-Adds", ">as a full convolution", "ratio"), blocks)


def run(args: argparse.Namespace) -> int:
    """Print the zoo or one model."""
    from mobilenet_tvm.verbs.models import models

    with output.progress_on_stderr() as on_event:
        result = models(args.name, on_event=on_event)
    if args.json:
        output.print_json(result)
    elif isinstance(result, list):
        rows = [
            (
                model.name,
                f"{model.parameters:,}",
                f"{model.mult_adds / 1e6:.2f}",
                "yes" if model.imagenet else "",
                logs_summary(model.logs),
            )
            for model in result
        ]
        output.print_table(("model", ">parameters", ">M Mult-Adds", "ImageNet", "layers in tuning logs"), rows)
    else:
        _print_one(result)
    return 0
