"""What a launch does: bytes, floating-point operations, barriers. The values that the walk returns."""

from collections.abc import Sequence
from dataclasses import dataclass

from tvm_pipeline.backends.gpu_model.device_functions import DeviceFunction
from tvm_pipeline.hardware.multiprocessor import SECTOR_BYTES

GLOBAL, SHARED = "global", "shared"


@dataclass(frozen=True)
class Access:
    """One load or store in the code, over the whole launch.

    :ivar buffer: the buffer's name.
    :ivar buffer_bytes: of the whole buffer.
    :ivar scope: ``global`` or ``shared``.
    :ivar bytes: that threads ask for, a byte that two ask for twice.
    :ivar requests: by warps.
    :ivar sectors: 32-byte sectors over all requests; 0 for shared memory.
    :ivar wavefronts: cycles of a load/store unit over all requests.
    """

    buffer: str
    buffer_bytes: int
    scope: str
    is_store: bool
    bytes: float
    requests: float
    sectors: float
    wavefronts: float


@dataclass(frozen=True)
class Arithmetic:
    """Over the whole launch.

    :ivar flops: floating-point operations outside tensor cores, a multiply-add counted as two.
    :ivar instructions: the instructions of single lanes that they take, a multiply-add counted as one.
    :ivar tensor_flops: of the matrix products of tensor cores.
    """

    flops: float
    instructions: float
    tensor_flops: float


@dataclass(frozen=True)
class LaunchCounts:
    """What one launch does.

    :ivar shared_bytes: of a block, as the code declares it.
    :ivar barriers: that a block passes.
    :ivar block_footprint: bytes that one block reads of global memory, each sector once.
    """

    function: DeviceFunction
    accesses: tuple[Access, ...]
    arithmetic: Arithmetic
    shared_bytes: int
    barriers: float
    block_footprint: float

    @property
    def global_bytes(self) -> float:
        """That threads ask of global memory, loads and stores."""
        return _sum(self.accesses, "bytes", GLOBAL)

    @property
    def sector_bytes(self) -> float:
        """That warps ask of the caches: whole sectors, each once per request."""
        return SECTOR_BYTES * _sum(self.accesses, "sectors", GLOBAL)

    @property
    def load_sector_bytes(self) -> float:
        """The part of ``sector_bytes`` that loads ask for."""
        return SECTOR_BYTES * sum(one.sectors for one in self.accesses if one.scope == GLOBAL and not one.is_store)

    @property
    def wavefronts(self) -> float:
        """Cycles of all load/store units together."""
        return _sum(self.accesses, "wavefronts", GLOBAL) + _sum(self.accesses, "wavefronts", SHARED)

    def unique_bytes(self, names: Sequence[str] | None = None) -> int:
        """Each global buffer once where it is read and once where it is written, no more of it than is asked for.

        :param names: buffers that count; None: all.
        """
        asked: dict[tuple[str, bool], float] = {}
        size: dict[tuple[str, bool], int] = {}
        for one in self.accesses:
            if one.scope == GLOBAL and (names is None or one.buffer in names):
                key = one.buffer, one.is_store
                asked[key] = asked.get(key, 0.0) + one.bytes
                size[key] = one.buffer_bytes
        return int(sum(min(size[key], asked[key]) for key in asked))


def _sum(accesses: Sequence[Access], field: str, scope: str) -> float:
    return float(sum(getattr(one, field) for one in accesses if one.scope == scope))
