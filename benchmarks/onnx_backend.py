"""ONNX's own backend tests through the project: onnx_backend.py [--results FILE] [--page docs/operators.md]

Every case of ``backend_cases`` is compiled for this machine and compared with what the test expects. Each runs in a
child of its own, so that a crash costs one case. What was run is kept in FILE; a second start goes on from there.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from backend_cases import LEFT_OUT, BackendCase, collect
from outcome import BROKEN, KINDS, REFUSED, RIGHT, Outcome, outcome_of

import targets
from tvm_pipeline import skip_tensor_intrinsics
from tvm_pipeline.hardware.target import CpuTarget

SECONDS_PER_CASE = 120.0
BEGIN, END = "<!-- benchmarks/onnx_backend.py: begin -->", "<!-- end -->"


def target_here() -> CpuTarget:
    """The x86-64 preset that this machine runs best, or ``native``."""
    name = next((name for name in ("x86-64-v4", "x86-64-v3") if not targets.load(name).missing_here()), "native")
    return CpuTarget.from_json(targets.load(name))


def run_case(case: BackendCase, target: CpuTarget) -> Outcome:
    """In this process."""
    return outcome_of(case.model, [case.data], case.expected, target, case.tolerance)


def _run_apart(case: BackendCase, target: CpuTarget) -> Outcome:
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(case, target, there))
    child.start()
    there.close()
    try:
        return here.recv() if here.poll(SECONDS_PER_CASE) else Outcome(BROKEN, f"not ready in {SECONDS_PER_CASE:g} s")
    except EOFError:
        child.join()
        return Outcome(BROKEN, f"the process ended with {child.exitcode}")
    finally:
        child.kill()
        child.join()


def _child(case: BackendCase, target: CpuTarget, there: Connection) -> None:
    there.send(run_case(case, target))


def read_results(path: Path) -> dict[str, dict[str, str]]:
    """By name of the case; empty where nothing was run yet."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {result["name"]: result for result in map(json.loads, lines)}


def run_all(cases: Sequence[BackendCase], path: Path) -> dict[str, dict[str, str]]:
    """Runs what ``path`` does not have yet, and appends to it."""
    results, target = read_results(path), target_here()
    with path.open("a") as file:
        for number, case in enumerate(cases, 1):
            if case.name in results:
                continue
            outcome = _run_apart(case, target)
            result = {"name": case.name, "operator": case.operator, "kind": outcome.kind, "detail": outcome.detail}
            results[case.name] = result
            print(json.dumps(result), file=file, flush=True)
            if outcome.kind != RIGHT:
                print(f"{number}/{len(cases)} {case.name}: {outcome.kind}: {outcome.detail}", flush=True)
    return {case.name: results[case.name] for case in cases}


def table(results: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Markdown: a sum, a line for each operator, and the refusals."""
    totals = Counter(result["kind"] for result in results.values())
    share = 100 * totals[RIGHT] / len(results)
    yield f"{len(results)} tests: {', '.join(f'{totals[kind]} {kind}' for kind in KINDS)} ({share:.1f} % right)."
    yield ""
    yield f"| operator | {' | '.join(KINDS)} |"
    yield f"| --- |{' ---: |' * len(KINDS)}"
    counts: dict[str, Counter[str]] = {}
    for result in results.values():
        counts.setdefault(result["operator"], Counter())[result["kind"]] += 1
    for operator, kinds in sorted(counts.items()):
        yield f"| {operator} | {' | '.join(str(kinds[kind] or '') for kind in KINDS)} |"
    yield ""
    yield "What is refused, and how:"
    yield ""
    for result in results.values():
        if result["kind"] == REFUSED:
            yield f"- `{result['name']}`: {result['detail']}"


def left_out() -> str:
    return "; ".join(f"{group} ({', '.join(names)})" for group, names in LEFT_OUT.items())


def write_page(path: Path, results: Mapping[str, Mapping[str, str]]) -> None:
    """Replaces what stands between the marks."""
    lines = [BEGIN, f"Left out: {left_out()}.", "", *table(results), END]
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    path.write_text(pattern.sub(lambda _: "\n".join(lines), path.read_text()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("onnx_backend.jsonl"), help="what was run (JSON lines)")
    parser.add_argument("--page", type=Path, help="the page whose table is written anew")
    parser.add_argument("--only", default="", help="cases whose name matches this regular expression")
    arguments = parser.parse_args()
    skip_tensor_intrinsics()
    cases = [case for case in collect() if re.search(arguments.only, case.name)]
    results = run_all(cases, arguments.results)
    if arguments.page is not None:
        write_page(arguments.page, results)
    kinds = Counter(result["kind"] for result in results.values())
    print(", ".join(f"{kinds[kind]} {kind}" for kind in KINDS))
    return 0 if set(kinds) <= {RIGHT, REFUSED} else 1


if __name__ == "__main__":
    sys.exit(main())
