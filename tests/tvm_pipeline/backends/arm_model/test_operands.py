"""Registers read and written."""

from __future__ import annotations

import pytest

from tvm_pipeline.backends.arm_model.operands import operands_of


@pytest.mark.parametrize(
    ("text", "reads", "writes", "base", "unit", "is_wide"),
    [
        ("fmla\tv0.4s, v1.4s, v2.s[0]", "v0 v1 v2", "v0", None, "vector", False),
        ("fmul\tv0.4s, v1.4s, v2.4s", "v1 v2", "v0", None, "vector", False),
        ("ldr\tq0, [x1], #16", "x1", "v0", "x1", "memory", True),
        ("ldr\ts25, [x5, #56]", "x5", "v25", None, "memory", False),
        ("ld1\t{ v4.4s, v5.4s }, [x0], #32", "x0", "v4 v5", "x0", "memory", True),
        ("ld1\t{ v0.s }[1], [x3]", "x3 v0", "v0", None, "memory", False),
        ("stp\tq0, q1, [x2, #32]!", "x2 v0 v1", "", "x2", "memory", True),
        ("str\tx3, [x4, x5, lsl #3]", "x3 x4 x5", "", None, "memory", False),
        ("prfm\tpldl1keep, [x0, #512]", "x0", "", None, "memory", False),
        ("subs\tx9, x9, #1", "x9", "x9 flags", None, "integer", False),
        ("cmp\tx4, #1024", "x4", "flags", None, "integer", False),
        ("b.ne\t#-16", "flags", "", None, "branch", False),
        ("cbnz\tw3, #-8", "x3", "", None, "branch", False),
        ("csel\tx0, x1, x2, lt", "x1 x2 flags", "x0", None, "integer", False),
        ("mov\tv0.s[1], w3", "x3 v0", "v0", None, "vector", False),
        ("tbl\tv0.16b, { v1.16b }, v2.16b", "v1 v2", "v0", None, "vector", False),
    ],
)
def test_operands(text: str, reads: str, writes: str, base: str | None, unit: str, is_wide: bool) -> None:
    found = operands_of(text)
    assert (found.reads, found.writes) == (frozenset(reads.split()), frozenset(writes.split()))
    assert (found.base, found.unit, found.is_wide) == (base, unit, is_wide)
