"""``cache``"""

from __future__ import annotations

import argparse

from mobilenet_tvm.cli import output

HELP = "show or clear what is kept to save time"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("what", choices=("show", "clear"), help="show it, or remove it")
    parser.add_argument("--tuning", action="store_true", help="clear: the databases of finished trials too")


def run(args: argparse.Namespace) -> int:
    """Show or clear."""
    from mobilenet_tvm.verbs.cache import CacheCleared, cache_clear, cache_show

    result = cache_clear(tuning=args.tuning) if args.what == "clear" else cache_show()
    if args.json:
        output.print_json(result)
    elif isinstance(result, CacheCleared):
        print(f"{result.folder}: removed {', '.join(result.removed) or 'nothing'}, {result.bytes / 1e6:.1f} MB")
    else:
        print(result.folder)
        rows = [(part.name, part.files, f"{part.bytes / 1e6:.1f}") for part in result.parts]
        output.print_table(("part", ">files", ">MB"), rows)
    return 0
