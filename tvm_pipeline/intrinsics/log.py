"""The natural logarithm: ``x = 2**n (1 + f)`` with 1 + f from sqrt(1/2) to sqrt(2), and a polynomial for log(1 + f)."""

import math

from tvm_pipeline.intrinsics.value import Value, polynomial

_SMALLEST_NORMAL = 2.0**-126
_HALF_ROOT_BITS = 0x3F3504F3
"""Of sqrt(1/2)."""
_MANTISSA_BITS, _MANTISSA = 23, 2**23 - 1

_LN2_HIGH = 0.693359375
"""Nine bits: its product with n is exact."""
_LN2_LOW = math.log(2) - _LN2_HIGH

_REST = (
    0.3333333134651184,
    -0.25000837445259094,
    0.2000129222869873,
    -0.16622765362262726,
    0.14199696481227875,
    -0.13164186477661133,
    0.1277911365032196,
    -0.07646101713180542,
)
"""(log(1 + f) - f + f**2 / 2) / f**3: a minimax fit, off by 6.0e-9 of log(1 + f)."""


def log(x: Value) -> Value:
    """At most 2 ulp off, of denormal numbers too; NaN of negative ones."""
    is_denormal = x < _SMALLEST_NORMAL
    normal = is_denormal.choose(x * 2.0**_MANTISSA_BITS, x)
    above_root = normal.bits() - _HALF_ROOT_BITS
    n = (above_root >> _MANTISSA_BITS).to_float() - is_denormal.choose(float(_MANTISSA_BITS), 0.0)
    f = ((above_root & _MANTISSA) + _HALF_ROOT_BITS).from_bits() - 1.0
    square = f * f
    small = n * _LN2_LOW + (f * square * polynomial(_REST, f) - square * 0.5)
    return _special(x, n * _LN2_HIGH + (f + small))


def _special(x: Value, result: Value) -> Value:
    """-inf of 0; infinity and NaN of themselves; NaN of what is negative."""
    of_zero = (x > 0.0).choose((x < math.inf).choose(result, x), -math.inf)
    return x.compare("ult", 0.0).choose(math.nan, of_zero)
