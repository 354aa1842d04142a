"""A tenth of ONNX's own backend tests, by benchmarks/onnx_backend.py's rules: none is wrong, none is broken."""

from __future__ import annotations

from collections import Counter

from backend_cases import collect
from onnx_backend import run_case
from outcome import REFUSED, RIGHT

from tvm_pipeline.hardware.target import CpuTarget


def test_a_tenth_of_the_backend_tests_is_right_or_refused(target: CpuTarget) -> None:
    cases = [case for case in collect() if case.is_sample(10)]
    outcomes = {case.name: run_case(case, target) for case in cases}
    kinds = Counter(outcome.kind for outcome in outcomes.values())
    assert len(cases) > 60
    assert not {name: outcome for name, outcome in outcomes.items() if outcome.kind not in (RIGHT, REFUSED)}
    assert kinds[RIGHT] >= 0.9 * len(cases)
