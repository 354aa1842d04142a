"""Counting layers."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from frontend import zoo
from frontend.cost import cost_of, cost_of_module


@pytest.mark.parametrize("name", ["mobilenet_v1_0.25_128", "mobilenet_v2_0.35_224", "mobilenet_v3_small_1.0_224"])
def test_shares_add_up_and_the_table_is_json(name: str) -> None:
    cost = cost_of(zoo.find(name))
    assert sum(share.mult_adds_share for share in cost.shares) == pytest.approx(1)
    assert sum(share.parameters_share for share in cost.shares) == pytest.approx(1)
    assert json.loads(json.dumps(cost.layers[0].to_json())) == {
        "name": cost.layers[0].name,
        "kind": "conv2d",
        "input": [3, cost.layers[0].input[1], cost.layers[0].input[2]],
        "output": list(cost.layers[0].output),
        "kernel": [3, 3],
        "stride": 2,
        "padding": 1,
        "groups": 1,
        "parameters": cost.layers[0].parameters,
        "mult_adds": cost.layers[0].mult_adds,
    }


def test_a_grouped_convolution_is_no_depthwise_one_and_biases_count_as_parameters() -> None:
    module = nn.Sequential(nn.Conv2d(8, 16, 3, padding=1, groups=2), nn.Conv2d(16, 4, 1, groups=2), nn.Conv2d(4, 4, 1))
    layers = cost_of_module(module, (8, 10, 10)).layers
    assert [layer.kind for layer in layers] == ["conv2d", "conv2d", "pointwise"]
    assert layers[0].mult_adds == 16 * 10 * 10 * 4 * 9
    assert layers[0].parameters == 16 * 4 * 9 + 16


def test_a_depthwise_multiplier_is_depthwise_no_more() -> None:
    assert cost_of_module(nn.Conv2d(4, 8, 3, groups=4), (4, 8, 8)).layers[0].kind == "conv2d"


def test_a_layer_that_runs_twice_counts_twice_and_no_hook_stays_behind() -> None:
    dense = nn.Linear(6, 6, bias=False)
    module = nn.Sequential(dense, dense)
    assert cost_of_module(module, (6,)).mult_adds == 72
    assert not any(layer._forward_hooks for layer in module.modules())
    assert module(torch.zeros(1, 6)).shape == (1, 6)
