"""Blocks out of counts."""

from __future__ import annotations

from emulation import needs_model, words_of

from tvm_pipeline.backends.arm_model.blocks import blocks_of, loop_exits


@needs_model
def test_a_loop_is_a_block_apart_from_what_led_into_it() -> None:
    lines = ("mov x9, #10", "fmla v0.4s, v1.4s, v2.4s", "subs x9, x9, #1", "b.ne #-8", "mov x0, #0", "ret")
    executed = (1, 10, 10, 10, 1, 1)
    counts = {0x100 + 4 * i: (word, executed[i]) for i, word in enumerate(words_of(lines))}
    blocks = list(blocks_of(counts))
    assert [(block.address, len(block.words), block.executions, block.is_loop) for block in blocks] == [
        (0x100, 1, 1, False),
        (0x104, 3, 10, True),
        (0x110, 2, 1, False),
    ]
    assert sum(block.instructions for block in blocks) == sum(executed)
    exits = list(loop_exits({block.address: block for block in blocks}))
    assert exits == [(blocks[1], 1)]


@needs_model
def test_code_with_a_hole_or_a_branch_inside_is_cut() -> None:
    word, branch = words_of(("nop", "b #8"))
    counts = {0: (word, 1), 4: (branch, 1), 8: (word, 1), 16: (word, 1)}
    assert [(block.address, len(block.words)) for block in blocks_of(counts)] == [(0, 2), (8, 1), (16, 1)]
