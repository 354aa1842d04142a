"""Compiles random small ONNX graphs and sees that each is right or refused: none wrong, none broken.

    python tests/soak/random_graphs.py [--examples 2000] [--seed N] [--target x86-64-v3] [--keep FOLDER]

Prints how many were what, and each kind of fault once with the smallest graph that showed it; --keep writes those
graphs as ONNX files. Exit code 1 where any was wrong or broken.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter
from pathlib import Path

import onnx
from hypothesis import HealthCheck, Phase, given, seed, settings

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from random_graphs.draw import Example, graphs
from verdict import Verdict, judge


def kind_of(verdict: Verdict) -> str:
    """The verdict in words, without numbers, so that faults of one kind fall together."""
    return re.sub(r"\d[\d.e+-]*", "#", f"{verdict.outcome}: {verdict.why}"[:160])


def soak(examples: int, number: int, target: str) -> tuple[Counter[str], Counter[str], dict[str, Example]]:
    """How often each outcome came, each kind of what is not right, and the smallest graph for each of these."""
    outcomes: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    smallest: dict[str, Example] = {}

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(graphs())
    def each(example: Example) -> None:
        verdict = judge(example.model, example.inputs, example.outputs, target, slack=example.slack)
        outcomes[verdict.outcome] += 1
        if verdict.outcome != "right":
            kind = kind_of(verdict)
            kinds[kind] += 1
            smallest[kind] = min(smallest.get(kind, example), example, key=lambda graph: len(repr(graph)))

    each()
    return outcomes, kinds, smallest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--target", default="x86-64-v3")
    parser.add_argument("--keep", type=Path)
    words = parser.parse_args()
    begin = time.monotonic()
    outcomes, kinds, smallest = soak(words.examples, words.seed, words.target)
    for number, (kind, count) in enumerate(kinds.most_common()):
        print(f"\n{count} x {kind}\n{smallest[kind]!r}"[:2000])
        if words.keep is not None:
            words.keep.mkdir(parents=True, exist_ok=True)
            onnx.save(smallest[kind].model, words.keep / f"{number}.onnx")
    summary = ", ".join(f"{outcomes[name]} {name}" for name in ("right", "refused", "wrong", "broken"))
    print(f"\nseed {words.seed}, {sum(outcomes.values())} graphs in {time.monotonic() - begin:.0f} s: {summary}")
    return 1 if outcomes["wrong"] or outcomes["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
