"""LLVM IR, written as one writes arithmetic: a body collects instructions, a value is the result of one.

TIR's own ``Let`` would do for what is used twice, did TVM not refuse one in the value of another. IR of our own is also
parsed once, where an expression is visited at each of its uses.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Union

FLOAT, INTEGER, SHORT, BYTE, BOOLEAN = "float", "i32", "i16", "i8", "i1"
_SIGN, _ALL_BUT_SIGN = -(2**31), 2**31 - 1
_OPERATIONS = {
    FLOAT: {"+": "fadd contract", "-": "fsub contract", "*": "fmul contract", "/": "fdiv"},
    INTEGER: {"+": "add", "-": "sub", "&": "and", "|": "or", "<<": "shl", ">>": "ashr"},
}
"""``contract``: a product and a sum may become one fused instruction."""

Operand = Union["Value", float, int]


@dataclass
class Body:
    """The instructions of one function on vectors of ``lanes`` elements; 1 stands for scalars.

    :ivar is_aarch64: its ``fmax`` is LLVM's ``maximum``, NaN of NaN, and it rounds to whole numbers as it converts.
    """

    lanes: int
    is_aarch64: bool = False
    lines: list[str] = field(default_factory=list)

    def type_of(self, kind: str) -> str:
        return kind if self.lanes == 1 else f"<{self.lanes} x {kind}>"

    def emit(self, kind: str, instruction: str) -> "Value":
        """The result of an instruction, a ``kind`` in each lane."""
        name = f"%v{len(self.lines)}"
        self.lines.append(f"  {name} = {instruction}")
        return Value(self, kind, name)

    def constant(self, kind: str, number: float) -> str:
        """As an operand without its type."""
        text = _hexadecimal(number) if kind == FLOAT else str(int(number))
        return text if self.lanes == 1 else f"splat ({kind} {text})"


@dataclass(frozen=True)
class Value:
    """A float32, an int32, a byte or a truth in each lane."""

    body: Body
    kind: str
    name: str

    def __add__(self, other: Operand) -> "Value":
        return self._binary("+", other)

    def __sub__(self, other: Operand) -> "Value":
        return self._binary("-", other)

    def __mul__(self, other: Operand) -> "Value":
        return self._binary("*", other)

    def __truediv__(self, other: Operand) -> "Value":
        return self._binary("/", other)

    def __and__(self, other: Operand) -> "Value":
        return self._binary("&", other)

    def __or__(self, other: Operand) -> "Value":
        return self._binary("|", other)

    def __lshift__(self, other: Operand) -> "Value":
        return self._binary("<<", other)

    def __rshift__(self, other: Operand) -> "Value":
        return self._binary(">>", other)

    def __lt__(self, other: Operand) -> "Value":
        return self.compare("olt", other)

    def __gt__(self, other: Operand) -> "Value":
        return self.compare("ogt", other)

    def __neg__(self) -> "Value":
        return self.body.emit(FLOAT, f"fneg {self.typed}")

    @property
    def typed(self) -> str:
        return f"{self.body.type_of(self.kind)} {self.name}"

    def operand(self, other: Operand) -> str:
        """``other``, a number in each lane where it is one, without its type."""
        return other.name if isinstance(other, Value) else self.body.constant(self.kind, other)

    def _binary(self, operator: str, other: Operand) -> "Value":
        return self.body.emit(self.kind, f"{_OPERATIONS[self.kind][operator]} {self.typed}, {self.operand(other)}")

    def compare(self, predicate: str, other: Operand) -> "Value":
        """By one of ``fcmp``'s predicates."""
        return self.body.emit(BOOLEAN, f"fcmp {predicate} {self.typed}, {self.operand(other)}")

    def choose(self, yes: Operand, no: Operand) -> "Value":
        """``yes`` where this is true, else ``no``; floats."""
        kind = self.body.type_of(FLOAT)
        operands = [side.name if isinstance(side, Value) else self.body.constant(FLOAT, side) for side in (yes, no)]
        return self.body.emit(FLOAT, f"select {self.typed}, {kind} {operands[0]}, {kind} {operands[1]}")

    def bits(self) -> "Value":
        """The int32 with a float32's bits."""
        return self.body.emit(INTEGER, f"bitcast {self.typed} to {self.body.type_of(INTEGER)}")

    def from_bits(self) -> "Value":
        """The float32 with an int32's bits."""
        return self.body.emit(FLOAT, f"bitcast {self.typed} to {self.body.type_of(FLOAT)}")

    def to_float(self) -> "Value":
        """The float32 of an int32's value."""
        return self.body.emit(FLOAT, f"sitofp {self.typed} to {self.body.type_of(FLOAT)}")

    def to_integer(self) -> "Value":
        """The int32 of a float32 that is whole."""
        return self.body.emit(INTEGER, f"fptosi {self.typed} to {self.body.type_of(INTEGER)}")


def magnitude(value: Value) -> Value:
    """The value without its sign; NaN stays NaN."""
    return (value.bits() & _ALL_BUT_SIGN).from_bits()


def with_sign_of(value: Value, sign: Value) -> Value:
    """A value that is not negative, with the sign of another."""
    return (value.bits() | (sign.bits() & _SIGN)).from_bits()


def polynomial(coefficients: Sequence[float], x: Value) -> Value:
    """Horner's rule; the constant term comes first, and there are two at least."""
    *others, second, first = coefficients
    value = x * first + second
    for coefficient in reversed(others):
        value = value * x + coefficient
    return value


def _hexadecimal(number: float) -> str:
    """As LLVM writes a float32: the bits of the double of the same value."""
    rounded = struct.unpack("<f", struct.pack("<f", number))[0]
    return "0x" + struct.pack(">d", rounded).hex().upper()
