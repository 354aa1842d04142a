"""Which registers an AArch64 instruction reads and writes, told from its assembly."""

import re
from dataclasses import dataclass

FLAGS = "flags"

_REGISTER = re.compile(r"\b(?:([xw])|([vqdshb]))(\d+)\b")
_WIDE = re.compile(r"\bq\d+\b|\bv\d+\.(?:16b|8h|4s|2d)\b")
_WRITEBACK = re.compile(r"\]!|\], #-?\d+$|\], [xw]\d+$")
_BRANCHES = ("b", "bl", "br", "blr", "ret", "cbz", "cbnz", "tbz", "tbnz")
_COMPARES = ("cmp", "cmn", "tst", "fcmp", "fcmpe", "ccmp", "ccmn")
_SETS_FLAGS = ("adds", "subs", "ands", "bics", "negs")
_READS_FLAGS = ("csel", "csinc", "csinv", "csneg", "cset", "csetm", "cinc", "fcsel", "adc", "sbc", "ccmp", "ccmn")
_ADDS_UP = ("fmla", "fmls", "mla", "mls", "sdot", "udot", "bif", "bit", "bsl", "movk", "tbx", "ins", "bfi", "bfxil")
_ADDS_UP_PREFIXES = ("smlal", "umlal", "smlsl", "umlsl", "sqrdmlah", "srsra", "usra", "ssra", "bfml")


@dataclass(frozen=True)
class Operands:
    """Registers by name (``x3``, ``v17``, ``flags``), and what kind of unit executes the instruction.

    :ivar unit: ``memory``, ``vector``, ``branch`` or ``integer``.
    :ivar is_wide: a memory access of 128 bits or more.
    """

    reads: frozenset[str]
    writes: frozenset[str]
    base: str | None
    unit: str
    is_wide: bool


def operands_of(text: str) -> Operands:
    """Of one line as LLVM prints it. ``base`` is the address register that a load or store moves on; else None."""
    mnemonic, _, rest = text.replace("\t", " ").strip().partition(" ")
    registers = _registers(rest)
    if mnemonic.startswith(("ld", "st", "prfm", "prfum")):
        return _memory(mnemonic, rest)
    if mnemonic in _BRANCHES or mnemonic.startswith("b."):
        flags = [FLAGS] if mnemonic.startswith("b.") else []
        return Operands(frozenset([*registers, *flags]), frozenset(), None, "branch", False)
    unit = "vector" if any(register.startswith("v") for register in registers) else "integer"
    reads, writes = set(registers[1:]), set(registers[:1])
    if mnemonic in _COMPARES:
        reads, writes = set(registers), {FLAGS}
    if mnemonic in _SETS_FLAGS:
        writes.add(FLAGS)
    if mnemonic in _READS_FLAGS:
        reads.add(FLAGS)
    is_lane = re.match(r"v\d+\.\w+\[", rest) is not None
    if mnemonic in _ADDS_UP or mnemonic.startswith(_ADDS_UP_PREFIXES) or is_lane:
        reads |= set(registers[:1])
    return Operands(frozenset(reads), frozenset(writes), None, unit, False)


def _memory(mnemonic: str, rest: str) -> Operands:
    data, _, address = rest.rpartition("[")
    moved, used = _registers(data), _registers(address)
    base = used[0] if used and _WRITEBACK.search(rest) else None
    writes = set(moved) if mnemonic.startswith("ld") else set()
    reads = {*used, *(moved if mnemonic.startswith("st") or "}[" in data else [])}
    return Operands(frozenset(reads), frozenset(writes), base, "memory", _WIDE.search(data) is not None)


def _registers(text: str) -> list[str]:
    return [("x" if integer else "v") + number for integer, _, number in _REGISTER.findall(text)]
