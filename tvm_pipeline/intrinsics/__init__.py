"""Elementary functions as LLVM IR that vectorises, and maxima that keep NaN."""

from tvm_pipeline.intrinsics.library import import_functions
from tvm_pipeline.intrinsics.registry import register_lowerings

__all__ = ["import_functions", "register_lowerings"]
