"""Which kernels take a network's time, by estimates, and a warning where many of them have no schedule of ours."""

from collections import Counter
from collections.abc import Callable, Sequence

import tvm
from tvm import relax

from mobilenet_tvm.base.compiled import FALLBACK, Kernel, fallback_share
from mobilenet_tvm.base.document import UNSET
from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.unit import Unit
from tvm_pipeline.schedules.registry import estimate_us

MOST_FALLBACK = 0.2
"""Of the estimated time, before a compilation warns."""

LEAST_FALLBACK_US = 100.0
"""With less there is nothing to gain."""


def with_estimates(module: tvm.IRModule, kernels: Sequence[Kernel], unit: Unit) -> tuple[Kernel, ...]:
    """The kernels of a scheduled module with the time that all their calls take; as they are where none is known."""
    calls = Counter(
        binding.value.args[0].name_hint
        for block in module["main"].body.blocks
        for binding in block.bindings
        if isinstance(binding.value, relax.Call) and binding.value.args
        if isinstance(binding.value.args[0], tvm.ir.GlobalVar)
    )
    estimated = []
    for kernel in kernels:
        layer = None if kernel.layer is None else Layer.parse(kernel.layer)
        each = estimate_us(module[kernel.name], layer, unit)
        known = {} if each is None else {"estimated_us": each * calls[kernel.name]}
        estimated.append(Kernel(**{**kernel, **known}))
    return tuple(estimated)


def warn_of_fallbacks(kernels: Sequence[Kernel], warn: Callable[[str], None]) -> None:
    """Tells where kernels without a schedule of ours take more than a fifth of the estimated time."""
    share = fallback_share(kernels)
    plain = [kernel for kernel in kernels if kernel.generator == FALLBACK and kernel.estimated_us is not UNSET]
    spent = sum(kernel.estimated_us for kernel in plain if kernel.estimated_us is not UNSET)
    if share is None or share <= MOST_FALLBACK or spent < LEAST_FALLBACK_US:
        return
    heaviest = max(plain, key=lambda kernel: float(kernel.estimated_us))  # type: ignore[arg-type]
    warn(
        f"about {share:.0%} of the estimated time goes to {len(plain)} kernels that no generator of schedules knows, "
        f"most of it to {heaviest.name}: `profile` measures what they take"
    )
