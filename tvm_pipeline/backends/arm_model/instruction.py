"""AArch64 instructions by class, told from their encoding (Arm Architecture Reference Manual, C4.1)."""

FMLA, VECTOR_LOAD, VECTOR_STORE, SCALAR_MEMORY, BRANCH, PREFETCH, OTHER = CLASSES = (
    "fmla",
    "vector_load",
    "vector_store",
    "scalar_load_store",
    "branch",
    "prefetch",
    "other",
)

_BRANCH_BITS = {0x7C000000: (0x14000000, 26), 0xFF000010: (0x54000000, 19), 0x7E000000: (0x34000000, 19)}
_TEST_BRANCH = (0x7E000000, 0x36000000)


def class_of(word: int) -> str:
    """The class of one instruction. ``fmla`` is every multiply-add of float32 or float16 vectors, by element or not."""
    if _is_multiply_add(word):
        return FMLA
    if word >> 25 & 0b0101 == 0b0100:
        return _memory_class(word)
    if word >> 26 & 0b111 == 0b101:  # the branches' half of "branches, exceptions and system instructions"
        return OTHER if word >> 24 in (0xD4, 0xD5) else BRANCH
    return OTHER


def _is_multiply_add(word: int) -> bool:
    same = word & 0xBFA0FC00 == 0x0E20CC00 or word & 0xBFE0FC00 == 0x0E400C00  # vector: fmla .4s .2s .2d, .8h .4h
    by_element = word & 0xBF80F400 == 0x0F801000 or word & 0xBFC0F400 == 0x0F001000
    return same or by_element


def _memory_class(word: int) -> str:
    if word & 0x3B000000 == 0x18000000 and word >> 30 == 3 and not word >> 26 & 1:
        return PREFETCH  # literal
    if word & 0x3A000000 == 0x38000000 and word >> 30 == 3 and word >> 22 & 3 == 2 and not word >> 26 & 1:
        return PREFETCH
    if not word >> 26 & 1:
        return SCALAR_MEMORY
    if word & 0x3B000000 == 0x18000000:
        return VECTOR_LOAD  # literal
    return VECTOR_LOAD if _loads(word) else VECTOR_STORE


def _loads(word: int) -> bool:
    """The direction of a vector load or store: bit 22, which is the low bit of a single register's opcode too."""
    return bool(word >> 22 & 1)


def is_branch(word: int) -> bool:
    """Whether the next instruction need not be the one behind it."""
    return class_of(word) == BRANCH


def target_of(address: int, word: int) -> int | None:
    """Where a direct branch leads; None for other instructions, and for a branch to a register's content."""
    for mask, (pattern, bits) in _BRANCH_BITS.items():
        if word & mask == pattern:
            return address + _signed(word >> (0 if bits == 26 else 5), bits) * 4
    mask, pattern = _TEST_BRANCH
    if word & mask == pattern:
        return address + _signed(word >> 5, 14) * 4
    return None


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value
