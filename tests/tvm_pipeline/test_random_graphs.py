"""A hundred random ONNX graphs, the same in every run: each is right or refused. The soak draws others, and more."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from random_graphs.draw import Example, graphs
from verdict import judge


@settings(max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(graphs())
def test_a_random_graph_is_right_or_refused(example: Example) -> None:
    verdict = judge(example.model, example.inputs, example.outputs, slack=example.slack)
    assert verdict.outcome in ("right", "refused"), f"{verdict.outcome}: {verdict.why}"
