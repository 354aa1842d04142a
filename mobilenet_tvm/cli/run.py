"""``run``"""

from __future__ import annotations

import argparse
from typing import Any

from mobilenet_tvm.cli import arguments, output

HELP = "the most likely classes of images"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("package", metavar="PACKAGE", help=arguments.PACKAGE_HELP)
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="PNG, JPEG, PPM, or .npy (a float32 input tensor)")
    parser.add_argument("--threads", type=int, metavar="N", help="default: as many as the package was scheduled for")
    parser.add_argument("--top", type=int, default=5, metavar="K", help="classes per image (default: 5)")
    arguments.add_emulate(parser)
    arguments.add_device(parser)


def _rows(results: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for result in results:
        for i, entry in enumerate(result["top"]):
            label = entry["label"] if entry["label"] is not None else f"class {entry['class_id']}"
            rows.append((result["image"] if i == 0 else "", f"{entry['probability']:.4f}", label))
    return rows


def run(args: argparse.Namespace) -> int:
    """Classify and print."""
    from mobilenet_tvm.verbs.run import run as classify

    with output.progress_on_stderr() as on_event:
        result = classify(
            args.package,
            args.images,
            threads=args.threads,
            top=args.top,
            emulate=args.emulate,
            device=args.device,
            on_event=on_event,
        )
    if args.json:
        output.print_json(result)
    else:
        output.print_where(result)
        output.print_table(("image", ">probability", "class"), _rows(result["results"]))
    return 0
