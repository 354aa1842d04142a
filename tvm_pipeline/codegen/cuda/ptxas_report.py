"""What ``ptxas -v`` says of every kernel: registers, shared memory, spills."""

import re
from dataclasses import dataclass

_KERNEL = re.compile(r"Compiling entry function '(\w+)'")
_SPILL = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")
_REGISTERS = re.compile(r"Used (\d+) registers")
_SHARED = re.compile(r"(\d+) bytes smem")


@dataclass(frozen=True)
class KernelResources:
    """What one thread block of a kernel takes.

    :ivar registers: of each thread.
    :ivar shared_bytes: static shared memory; what is asked for at the launch comes on top.
    :ivar spill_bytes: stored and loaded by each thread because registers ran out.
    """

    name: str
    registers: int
    shared_bytes: int
    spill_bytes: int


def parse_ptxas(report: str) -> list[KernelResources]:
    """The kernels of a report, in order of name; lines about anything else are passed over."""
    kernels = []
    parts = _KERNEL.split(report)
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        spill, registers, shared = _SPILL.search(text), _REGISTERS.search(text), _SHARED.search(text)
        if registers is not None:
            kernels.append(
                KernelResources(
                    name,
                    registers=int(registers[1]),
                    shared_bytes=int(shared[1]) if shared else 0,
                    spill_bytes=int(spill[1]) + int(spill[2]) if spill else 0,
                )
            )
    return sorted(kernels, key=lambda kernel: kernel.name)
