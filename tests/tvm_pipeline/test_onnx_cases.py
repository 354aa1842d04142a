"""Files that were got wrong once: each is right now, every output of it, or refused by one line that says where."""

from __future__ import annotations

import re
from pathlib import Path

import onnx
import pytest
from onnx_cases import Case, cases
from verdict import Verdict, judge

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.model.onnx_check import check_onnx
from mobilenet_tvm.package.quantisation import output_steps
from mobilenet_tvm.package.yardstick import make_pairs

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"


def _verdict(case: Case, folder: Path) -> Verdict:
    path = folder / f"{case.name}.onnx"
    onnx.save(case.model, path)
    try:
        inputs = check_onnx(path)
    except UserError as error:
        return Verdict("refused", str(error))
    if case.refusal is not None:
        return judge(case.model, [], [])
    pairs = make_pairs(path, inputs, count=1)
    return judge(case.model, pairs[0].inputs, pairs[0].outputs, steps=output_steps(path, pairs))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_right_or_refused(case: Case, tmp_path: Path) -> None:
    verdict = _verdict(case, tmp_path)
    if case.refusal is None:
        assert verdict == Verdict("right")
    else:
        assert verdict.outcome == "refused", verdict
        assert re.search(case.refusal, verdict.why), verdict.why
        assert "\n" not in verdict.why


def test_a_light_network_of_the_onnx_wheel() -> None:
    """IR 3, whose initialisers are inputs; ``python tests/soak/light_networks.py`` takes all of them all the way."""
    path = LIGHT / "light_squeezenet.onnx"
    (pair,) = make_pairs(path, check_onnx(path), count=1)
    assert judge(onnx.load(path), pair.inputs, pair.outputs) == Verdict("right")
