"""Candidates through the model's backend, compiled by nvcc, several in one call."""

from __future__ import annotations

import tvm
from gpus.hand_kernels import tiled_matmul
from tvm import te
from tvm.s_tir import Schedule

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import MODELLED
from tvm_pipeline.backends.backend import answers
from tvm_pipeline.backends.gpu_model.batch_compiler import BatchCompiler
from tvm_pipeline.backends.gpu_model.device_functions import compiled_functions
from tvm_pipeline.backends.gpu_model.measurement import ModelledGpu
from tvm_pipeline.codegen.cuda.fatbin import KernelResources
from tvm_pipeline.hardware.target import GpuTarget
from tvm_pipeline.schedules.space import Choice, Space

LAYER = Layer.parse("depthwise 14x14x64 k3x3 s1 p1 bias relu")


def candidates(target: GpuTarget, count: int) -> list[tuple[Choice, Schedule]]:
    """The rule's choice and others with fewer or more channels per block."""
    space = Space.of(LAYER, target.unit)
    default = space.default
    others = [(size, *default[1:]) for size in next(iter(space.knobs.values())) if size != default[0]]
    return [(choice, space.schedule(choice)) for choice in [default, *others][:count]]


def test_a_batch_costs_one_call_of_nvcc(a100: GpuTarget) -> None:
    asked = candidates(a100, 2)
    broken = Schedule(Space.of(LAYER, a100.unit).module())
    with ModelledGpu(a100) as backend:
        found = {choice: answer for choice, _, answer in answers([*asked, ((), broken)], LAYER, backend)}
        assert backend.nvcc_calls == 1
        again = {choice: answer for choice, _, answer in answers(asked, LAYER, backend)}
    assert found[()].seconds == ()
    assert "bound to a GPU's threads" in str(found[()].error)
    for choice, _ in asked:
        assert found[choice].error is None
        assert a100.unit.launch_us * 1e-6 < found[choice].seconds[0] < 1e-4
        assert again[choice] == found[choice]


def greedy() -> tvm.tirx.PrimFunc:
    """A copy whose blocks take 64 KiB of static shared memory, which no GPU gives."""
    a = te.placeholder((1 << 16,), name="a")
    schedule = Schedule(te.create_prim_func([a, te.compute(a.shape, lambda i: a[i], name="c")]))
    (loop,) = schedule.get_loops(schedule.get_sblock("c"))
    block, thread, _ = schedule.split(loop, [None, 128, 128])
    schedule.bind(block, "blockIdx.x")
    schedule.bind(thread, "threadIdx.x")
    copy = schedule.cache_read(schedule.get_sblock("c"), 0, "shared")
    schedule.compute_at(copy, block)
    schedule.bind(schedule.split(schedule.get_loops(copy)[-1], [None, 128])[1], "threadIdx.x")
    return schedule.mod["main"]


def test_a_kernel_that_nvcc_refuses_costs_no_other(a100: GpuTarget) -> None:
    compiler = BatchCompiler(a100)
    for name, function in (("good", tiled_matmul()), ("greedy", greedy())):
        compiler.add(name, compiled_functions(function.with_attr("global_symbol", name), a100.tvm))
    good, other = compiler.resources("good"), compiler.resources("greedy")
    assert good == [KernelResources("good_kernel", registers=good[0].registers, shared_bytes=2048, spill_bytes=0)]
    assert isinstance(other, str)
    assert compiler.calls == 3  # together, then one by one


def test_candidates_that_leave_multiprocessors_idle(a100: GpuTarget) -> None:
    layer = Layer.parse("depthwise 28x28x256 k3x3 s1 p1 bias relu")
    space = Space.of(layer, a100.unit)
    few = {**space.generator.default(layer, a100.unit), "tile_c": 16, "rows": 14, "columns": 28, "tile_h": 2}
    choice = space.choice(few)
    assert choice is not None
    with ModelledGpu(a100) as backend:
        ((_, _, answer),) = answers([(choice, space.schedule(choice))], layer, backend)
        assert backend.nvcc_calls == 0
    assert "leaves multiprocessors idle" in str(answer.error)


def test_what_a_session_asks(a100: GpuTarget) -> None:
    backend = ModelledGpu(a100)
    assert (backend.is_repeatable, backend.lanes) == (True, 8)
    assert (backend.conditions.record, backend.conditions.gpu) == (MODELLED, "a100")
