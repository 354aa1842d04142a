"""There and back through LLVM."""

from __future__ import annotations

from emulation import needs_model, words_of

from tvm_pipeline.backends.arm_model.disassemble import UNKNOWN, disassemble


@needs_model
def test_words_come_back_as_the_same_words() -> None:
    words = words_of(("fmla v0.4s, v1.4s, v2.s[1]", "b.ne #-16", "ldp q0, q1, [x2], #32", "hint #126"))
    assert words_of(disassemble(words)) == words


@needs_model
def test_a_word_that_is_no_instruction_keeps_its_place() -> None:
    first, last = words_of(("add x0, x0, #1", "ret"))
    assert disassemble((first, 0xFFFFFFFF, last)) == ["add\tx0, x0, #1", UNKNOWN, "ret"]
