"""The zoo in a terminal."""

from __future__ import annotations

from mobilenet_tvm.cli.models import logs_summary


def test_a_family_of_targets_is_one_span() -> None:
    logs = {
        "cuda-sm_80": {"float32": 0.98, "float16": 0.5},
        "cuda-sm_90-aarch64": {"float32": 0.961},
        "rpi3": {"float32": 0.6},
        "rpi4": {"float32": 0.6},
        "x86-64-v3": {"float32": 0.091},
        "x86-64-v4-vnni": {"float32": 1.0},
        "jetson-orin": {"float32": 0.0},
    }
    assert logs_summary(logs) == "cuda 96-98 %, cuda float16 50 %, rpi 60 %, x86-64 9-100 %"
    assert logs_summary({}) == "none"
