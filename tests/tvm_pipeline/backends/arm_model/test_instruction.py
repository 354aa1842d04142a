"""Classes and branch targets, against LLVM's assembler."""

from __future__ import annotations

import pytest
from emulation import needs_model, words_of

from tvm_pipeline.backends.arm_model.instruction import CLASSES, class_of, is_branch, target_of

EXAMPLES = {
    "fmla": """fmla v0.4s, v1.4s, v2.4s
        fmla v3.4s, v4.4s, v5.s[3]
        fmla v1.2s, v2.2s, v3.s[0]
        fmla v0.8h, v1.8h, v2.8h
        fmla v7.8h, v8.8h, v9.h[7]""",
    "vector_load": """ldr q0, [x1], #16
        ldp q2, q3, [x4, #32]
        ldur s1, [x2, #-4]
        ldr d0, [x1, x2]
        ld1 { v0.4s, v1.4s }, [x0], #32
        ld1r { v30.4s }, [x19], #4
        ld1 { v0.s }[1], [x3]""",
    "vector_store": """str q0, [x1, #64]
        stp q0, q1, [x2]
        st1 { v0.4s }, [x0]
        str s1, [x2, x3, lsl #2]""",
    "scalar_load_store": """ldr x0, [x1]
        str w0, [x1], #4
        ldp x29, x30, [sp], #16
        ldrsw x3, [x4, #8]
        ldxr x0, [x1]""",
    "branch": """b #16
        bl #-8
        b.ne #-128
        cbz x0, #8
        cbnz w1, #-12
        tbz x2, #3, #20
        br x3
        blr x4
        ret""",
    "prefetch": """prfm pldl1keep, [x0, #512]
        prfum pldl2keep, [x1, #-8]
        prfm pldl1strm, [x0, x1]""",
    "other": """add x0, x1, #1
        fmul v0.4s, v1.4s, v2.4s
        fmls v0.4s, v1.4s, v2.4s
        fadd s0, s1, s2
        movi v0.2d, #0
        mrs x0, fpcr
        svc #0
        hint #126
        nop""",
}


@needs_model
@pytest.mark.parametrize("name", CLASSES)
def test_class(name: str) -> None:
    lines = EXAMPLES[name].splitlines()
    for line, word in zip(lines, words_of(lines), strict=True):
        assert class_of(word) == name, line
        assert is_branch(word) == (name == "branch"), line


@needs_model
def test_targets_of_branches() -> None:
    lines = ("b #16", "bl #-8", "b.ne #-128", "cbz x0, #8", "tbnz x2, #40, #-20", "ret", "add x0, x0, #1")
    steps = (16, -8, -128, 8, -20, None, None)
    found = [target_of(0x1000, word) for word in words_of(lines)]
    assert found == [None if step is None else 0x1000 + step for step in steps]
