"""Basic blocks, put together from how often each instruction was executed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tvm_pipeline.backends.arm_model.instruction import is_branch, target_of


@dataclass(frozen=True)
class Block:
    """Instructions that follow each other and were executed equally often.

    :ivar is_loop: whether its last instruction leads back to its first.
    """

    address: int
    words: tuple[int, ...]
    executions: int

    @property
    def is_loop(self) -> bool:
        last = self.address + 4 * (len(self.words) - 1)
        return target_of(last, self.words[-1]) == self.address

    @property
    def end(self) -> int:
        return self.address + 4 * len(self.words)

    @property
    def instructions(self) -> int:
        """How many were executed in it."""
        return self.executions * len(self.words)


def blocks_of(counts: Mapping[int, tuple[int, int]]) -> Iterator[Block]:
    """Cuts a program's executed instructions into blocks, in the order of their addresses.

    QEMU's own pieces will not do: they end at every page, and a loop's body is part of what led into it once.
    """
    targets = {target_of(address, word) for address, (word, _) in counts.items()}
    start, words, executions, open_end = 0, list[int](), 0, 0
    for address in sorted(counts):
        word, count = counts[address]
        if words and (address != open_end or count != executions or address in targets or is_branch(words[-1])):
            yield Block(start, tuple(words), executions)
            words = []
        if not words:
            start, executions = address, count
        words.append(word)
        open_end = address + 4
    if words:
        yield Block(start, tuple(words), executions)


def loop_exits(blocks: Mapping[int, Block]) -> Iterator[tuple[Block, int]]:
    """Per loop of one block how often it was left downwards; ``blocks`` by address."""
    for block in blocks.values():
        if block.is_loop:
            behind = blocks.get(block.end)
            yield block, min(behind.executions, block.executions) if behind is not None else 1
