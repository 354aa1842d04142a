"""Measures what docs/figures.md says, on this machine, and writes that page anew; names renew these sections alone.

    python benchmarks/figures.py [peers zoo unknown layers peak footprint compiling raspberry gpu
        quantisation] [--rounds 15]

Run nothing beside it. --quick shows how the page will look: one small network, two rounds, figures of no worth.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from alone import compiling, gpu, peak, raspberry
from beside_peers import Run, layers, peers, unknown, zoo
from footprint import footprint
from page import renewed
from quantisation import quantisation

PAGE = Path(__file__).parents[1] / "docs" / "figures.md"
SECTIONS = {
    make.__name__: make
    for make in (peers, zoo, unknown, layers, peak, footprint, compiling, raspberry, gpu, quantisation)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", default=list(SECTIONS), metavar="SECTION")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--page", type=Path, default=PAGE, help="the file to write (default: docs/figures.md)")
    parser.add_argument("--results", type=Path, help="a folder of comparisons: those in it are not made again")
    parser.add_argument("--quick", action="store_true", help="one small network, two rounds")
    given = parser.parse_args()
    if strange := set(given.sections) - set(SECTIONS):
        parser.error(f"no section {', '.join(sorted(strange))}: there are {', '.join(SECTIONS)}")
    with tempfile.TemporaryDirectory() as scratch:
        run = Run(given.results or Path(scratch), 2 if given.quick else given.rounds, given.quick)
        for name in given.sections:
            page = given.page.read_text(encoding="utf-8") if given.page.exists() else ""
            given.page.write_text(renewed(page, [SECTIONS[name](run)]), encoding="utf-8")


if __name__ == "__main__":
    main()
