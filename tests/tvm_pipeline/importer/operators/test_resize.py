"""Resize beside ONNX Runtime: modes, coordinates, scales that are not whole, axes, one to three dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from operator_outcome import node_model, outcome_beside_onnxruntime
from outcome import REFUSED, RIGHT

from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.importer.operators.resize_taps import Axis, Rule, taps_of


def _scales(*values: float) -> list[np.ndarray | None]:
    return [None, np.array([1, 1, *values], np.float32)]


def _sizes(*values: int) -> list[np.ndarray | None]:
    return [None, None, np.array(values, np.int64)]


def _crop(*region: float) -> list[np.ndarray | None]:
    return [np.array(region, np.float32), None, np.array([6, 8], np.int64)]


_CASES: dict[str, tuple[list[int], list[np.ndarray | None], dict[str, Any]]] = {
    "nearest 2": ([1, 3, 5, 7], _scales(2, 2), {}),
    "nearest 1.5 rounded up": (
        [1, 3, 5, 7],
        _scales(1.5, 0.6),
        {"nearest_mode": "round_prefer_ceil", "coordinate_transformation_mode": "asymmetric"},
    ),
    "nearest 1d": ([2, 3, 9], _scales(0.4), {"nearest_mode": "ceil"}),
    "linear 2.5": ([1, 3, 5, 7], _scales(2.5, 2.5), {"mode": "linear"}),
    "linear 3d": ([1, 2, 3, 4, 5], _scales(2, 0.7, 1.3), {"mode": "linear"}),
    "linear corners": (
        [1, 3, 5, 7],
        _sizes(1, 3, 8, 4),
        {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
    ),
    "linear symmetric": (
        [1, 3, 5, 7],
        _scales(2.3, 0.7),
        {"mode": "linear", "coordinate_transformation_mode": "half_pixel_symmetric"},
    ),
    "linear antialiased": ([1, 3, 17, 19], _scales(0.3, 0.4), {"mode": "linear", "antialias": 1}),
    "cubic antialiased": ([1, 3, 17, 19], _sizes(1, 3, 4, 5), {"mode": "cubic", "antialias": 1}),
    "cubic 2.5 to one": (
        [1, 2, 5, 7],
        _sizes(1, 2, 1, 13),
        {"mode": "cubic", "coordinate_transformation_mode": "pytorch_half_pixel", "cubic_coeff_a": -0.5},
    ),
    "cubic excluded": ([1, 2, 5, 7], _scales(1.7, 0.8), {"mode": "cubic", "exclude_outside": 1}),
    "crop": (
        [1, 2, 5, 7],
        _crop(0.1, -0.2, 0.8, 1.3),
        {
            "mode": "linear",
            "coordinate_transformation_mode": "tf_crop_and_resize",
            "extrapolation_value": 4.0,
            "axes": [2, 3],
        },
    ),
    "not larger": (
        [1, 2, 5, 7],
        [None, None, np.array([9, 9], np.int64)],
        {"keep_aspect_ratio_policy": "not_larger", "axes": [2, 3]},
    ),
}


@pytest.mark.parametrize("name", _CASES)
def test_resize_agrees_with_onnxruntime(target: CpuTarget, name: str) -> None:
    shape, constants, attributes = _CASES[name]
    outcome = outcome_beside_onnxruntime(node_model("Resize", shape, constants, opset=19, **attributes), target)
    assert outcome.kind == RIGHT, outcome


@pytest.mark.parametrize(("mode", "message"), [("align_corners", "give sizes"), ("tf_crop_and_resize", "give sizes")])
def test_corners_that_do_not_meet_are_refused(target: CpuTarget, mode: str, message: str) -> None:
    model = node_model("Resize", [1, 2, 5, 7], _scales(1.5, 1.5), opset=19, coordinate_transformation_mode=mode)
    outcome = outcome_beside_onnxruntime(model, target)
    assert outcome.kind == REFUSED, outcome
    assert message in outcome.detail


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_weights_sum_to_one(mode: str) -> None:
    rule = Rule(mode, "half_pixel", "floor", -0.75, antialias=True, exclude_outside=False, extrapolation=0.0)
    for resized in (1, 4, 9, 30):
        taps = taps_of(Axis(2, 9, resized, resized / 9), rule)
        np.testing.assert_allclose(taps.weights.sum(axis=1), 1, atol=1e-6)
        assert taps.is_identity == (resized == 9)
