"""A target as a request carries it, as the pipeline needs it."""

from collections.abc import Mapping
from typing import Any

from tvm_pipeline.hardware.cpu import CpuTarget
from tvm_pipeline.hardware.gpu_target import GpuTarget

AnyTarget = CpuTarget | GpuTarget


def target_of(values: Mapping[str, Any], dtype: str = "float32") -> AnyTarget:
    """The target of a request's JSON; ``dtype`` is that of activations and weights inside the network.

    :raises UserError: a GPU's target lacks figures of the GPU, or its host.
    """
    if values["tvm"]["kind"] == "cuda":
        return GpuTarget.from_json(values, dtype)
    return CpuTarget.from_json(values)
