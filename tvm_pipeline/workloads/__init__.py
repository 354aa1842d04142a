"""What a kernel computes, as tensor expressions: one file per kind of layer, found by the layer's kind."""

from tvm_pipeline.workloads.registry import build_workload, prim_func, workload_of
from tvm_pipeline.workloads.workload import Workload

__all__ = ["Workload", "build_workload", "prim_func", "workload_of"]
