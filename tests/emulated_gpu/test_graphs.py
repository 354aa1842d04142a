"""Streams, events and graphs, as TVM's runtime uses them."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from gpus.emulated_driver import Gpu, KernelFailure

SOURCE = """
extern "C" __global__ void add(float* data, float value) { data[threadIdx.x] += value; }
"""
VALUES = np.zeros(8, np.float32)


@pytest.fixture(scope="module")
def module(gpu: Gpu) -> ctypes.c_void_p:
    return gpu.module(SOURCE)


def test_a_graph_is_recorded_and_replayed(gpu: Gpu, module: ctypes.c_void_p) -> None:
    data = gpu.array(VALUES)
    stream, graph, executable = (ctypes.c_void_p() for _ in range(3))
    gpu.call("cudaStreamCreate", ctypes.byref(stream))
    gpu.call("cudaStreamBeginCapture", stream, 0)
    value = ctypes.c_float(1)
    gpu.launch(module, "add", (1,), (8,), data, value, stream=stream)
    value.value = 10  # arguments are taken when they are given
    gpu.launch(module, "add", (1,), (8,), data, value, stream=stream)
    with pytest.raises(KernelFailure, match="cudaMalloc while a stream captures a graph"):
        gpu.call("cudaMalloc", ctypes.byref(ctypes.c_void_p()), ctypes.c_size_t(4))
    with pytest.raises(KernelFailure, match="cudaStreamSynchronize of a stream that captures"):
        gpu.call("cudaStreamSynchronize", stream)
    gpu.call("cudaStreamEndCapture", stream, ctypes.byref(graph))
    gpu.call("cudaStreamDestroy", stream)
    assert (gpu.read(data, VALUES) == 0).all(), "a launch that is recorded does not run"
    gpu.call("cudaGraphInstantiate", ctypes.byref(executable), graph, ctypes.c_ulonglong(0))
    gpu.call("cudaGraphDestroy", graph)
    for _ in range(3):
        gpu.call("cudaGraphLaunch", executable, None)
    assert (gpu.read(data, VALUES) == 33).all()
    gpu.call("cudaGraphExecDestroy", executable)


def test_events(gpu: Gpu) -> None:
    begin, end, passed = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_float(-1)
    for event in (begin, end):
        gpu.call("cudaEventCreate", ctypes.byref(event))
        gpu.call("cudaEventRecord", event, None)
    gpu.call("cudaEventElapsedTime", ctypes.byref(passed), begin, end)
    assert passed.value >= 0
