"""What is known of a target: what a preset says, and what the pipeline is told."""

from __future__ import annotations

from typing import Any

from mobilenet_tvm.base.document import Document

BFLOAT16_FEATURE = "avx512_bf16"
NATIVE = "native"
"""The richest preset that the CPU at hand can run."""


class GpuFigures(Document):
    """Published figures of a GPU: the ``[gpu]`` table of its preset.

    :ivar compute_capability: major and minor as one number: 80 is 8.0.
    :ivar shared_bytes_per_block: most shared memory of one block, dynamic memory that the driver must be asked for
        included (static arrays end at 48 KiB on every GPU).
    :ivar shared_bytes_per_multiprocessor: what resident blocks share; each also takes 1 KiB for the system from 8.0 on.
    :ivar registers_per_multiprocessor: of 32 bits.
    :ivar bandwidth_gb_s: of the memory, in 10^9 bytes per second.
    :ivar clock_mhz: of the multiprocessors, boosted.
    :ivar fp32_lanes_per_multiprocessor: float32 multiply-adds per cycle.
    :ivar half_tensor_fma_per_cycle: per multiprocessor, float16 multiply-adds of the tensor cores per cycle, dense,
        added up in float32.
    :ivar launch_us: assumed time from one kernel's end to the next one's start inside a CUDA graph, in microseconds.
    """

    compute_capability: int
    multiprocessors: int
    shared_bytes_per_block: int
    shared_bytes_per_multiprocessor: int
    registers_per_multiprocessor: int
    threads_per_multiprocessor: int
    blocks_per_multiprocessor: int
    l2_bytes: int
    bandwidth_gb_s: float
    clock_mhz: float
    fp32_lanes_per_multiprocessor: int
    half_tensor_fma_per_cycle: int
    launch_us: float


class TargetSpec(Document):
    """One kind of machine to compile for.

    :ivar tvm: arguments of ``tvm.target.Target``, without ``num-cores``.
    :ivar cpu_features: what a CPU must have, named as in the flags of /proc/cpuinfo.
    :ivar vector_bits: width of the widest vector that code for it uses.
    :ivar threads: how many threads its packages are scheduled for by default.
    :ivar toolchain: compiler target of its runner and of the modules' link.
    :ivar compiler: a C++ compiler of the system's, which links its modules instead of ziglang's.
    :ivar wheel_platform: pip's name of the platform whose wheels hold TVM's runtime for it.
    :ivar emulator: the CPU model by which QEMU emulates it; null where QEMU cannot.
    :ivar gpu: published figures of the GPU that its code is cut for; null for a CPU.
    :ivar driver: the least branch of the GPU's driver that runs its packages, such as ``580``; null for a CPU.
    :ivar unsupported: why nothing can be compiled for it; null where it can.
    :ivar logs: names of the targets whose tuning logs apply, its own first.
    :ivar cpu: LLVM's name of the CPU whose tuning records are wanted, such as znver5; null: what serves all CPUs best.
    """

    name: str
    title: str
    arch: str
    tvm: dict[str, Any]
    vector_bits: int
    cpu_features: tuple[str, ...] = ()
    threads: int = 1
    toolchain: str | None = None
    compiler: str | None = None
    wheel_platform: str | None = None
    emulator: str | None = None
    gpu: GpuFigures | None = None
    driver: str | None = None
    unsupported: str | None = None
    logs: tuple[str, ...] = ()
    cpu: str | None = None
    aliases: tuple[str, ...] = ()
    remarks: str = ""

    @property
    def dtypes(self) -> tuple[str, ...]:
        """What a package's activations and weights may be, float32 first."""
        if self.gpu is not None:
            return "float32", "float16"
        return ("float32", "int8", *(("bfloat16",) if BFLOAT16_FEATURE in self.cpu_features else ()))
