"""exp, and what is made of it: sigmoid and tanh.

``x = n ln 2 + r`` with a whole n and ``|r| <= ln 2 / 2``. A polynomial gives exp(r), and 2**n is made of bits (Cody and
Waite, Software Manual for the Elementary Functions, chapter 6). Adding 1.5 * 2**23 rounds to a whole number, and leaves
it in the lowest bits.
"""

import math

from tvm_pipeline.intrinsics.extremes import larger, smaller
from tvm_pipeline.intrinsics.value import Value, magnitude, polynomial, with_sign_of

_LARGEST, _SMALLEST = 89.0, -104.0
"""exp overflows beyond 88.72, and is less than half of the smallest denormal below -103.98."""

_SATURATED = -32.0
"""1 - tanh(16) is far below what float32 tells from nothing."""

_ROUNDER, _ROUNDER_BITS = 1.5 * 2**23, 0x4B400000
_EXPONENT_BIAS, _MANTISSA_BITS = 127, 23

_LN2_HIGH = 0.693359375
"""Nine bits: its product with n is exact."""
_LN2_LOW = math.log(2) - _LN2_HIGH

_REST = (0.5, 0.16666512191295624, 0.0416661873459816, 0.008369598537683487, 0.0013951719738543034)
"""(exp(r) - 1 - r) / r**2: a minimax fit, off by 3.4e-9 of exp(r)."""


def exp(x: Value) -> Value:
    """At most 2 ulp off, results that are denormal included."""
    n, less_one = _reduce(smaller(larger(x, _SMALLEST), _LARGEST))
    half = n >> 1  # 2**128 and 2**-150 are no float32, their halves are
    return (less_one + 1.0) * _power_of_two(half) * _power_of_two(n - half)


def sigmoid(x: Value) -> Value:
    """At most 4 ulp off: ``1 / (1 + exp(-x))``, and ``exp(x) / (1 + exp(x))`` where the former would overflow."""
    power = exp(-magnitude(x))
    return (x < 0.0).choose(power, 1.0) / (power + 1.0)


def tanh(x: Value) -> Value:
    """At most 4 ulp off: ``-m / (m + 2)`` of ``m = exp(-2 |x|) - 1``, which keeps the digits of a small x."""
    n, less_one = _reduce(larger(magnitude(x) * -2.0, _SATURATED))
    scale = _power_of_two(n)
    m = scale * less_one + (scale - 1.0)
    return with_sign_of(magnitude(m) / (m + 2.0), x)


def _power_of_two(exponent: Value) -> Value:
    return ((exponent + _EXPONENT_BIAS) << _MANTISSA_BITS).from_bits()


def _reduce(x: Value) -> tuple[Value, Value]:
    """n, an int32, and exp(r) - 1."""
    rounded = x * (1 / math.log(2)) + _ROUNDER
    whole = rounded - _ROUNDER
    r = x - whole * _LN2_HIGH - whole * _LN2_LOW
    return rounded.bits() - _ROUNDER_BITS, polynomial(_REST, r) * (r * r) + r
