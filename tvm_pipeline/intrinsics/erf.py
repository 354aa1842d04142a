"""The error function: an odd polynomial near 0, ``1 - exp(-g(|x|))`` beyond."""

from tvm_pipeline.intrinsics.exponential import exp
from tvm_pipeline.intrinsics.extremes import smaller
from tvm_pipeline.intrinsics.value import Value, magnitude, polynomial, with_sign_of

_BOUND = 0.9
"""Between the two."""

_ONE_FROM = 3.95
"""1 - erf(3.95) is less than half an ulp."""

_NEAR = (
    1.128379225730896,
    -0.37612634897232056,
    0.11283715069293976,
    -0.02686050906777382,
    0.005203858949244022,
    -0.0008175639086402953,
    8.513103966834024e-05,
)
"""erf(x) / x of x**2: a minimax fit, off by 2.9e-10 of erf(x)."""

_BEYOND = (
    1.1286319494247437,
    0.635219156742096,
    0.10612350702285767,
    -0.023663485422730446,
    0.003595437156036496,
    -0.0003111440746579319,
    1.0057538929686416e-05,
)
"""-log(1 - erf(a)) / a: a minimax fit, erf(a) is off by 9.2e-10."""


def erf(x: Value) -> Value:
    """At most 3 ulp off."""
    a = smaller(magnitude(x), _ONE_FROM)
    near = a * polynomial(_NEAR, a * a)
    beyond = -exp(-(a * polynomial(_BEYOND, a))) + 1.0
    return with_sign_of((a < _BOUND).choose(near, beyond), x)
