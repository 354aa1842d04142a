"""What a launch does: bytes, floating-point operations, barriers. The values that the walk returns."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tvm_pipeline.backends.gpu_model.device_functions import DeviceFunction
from tvm_pipeline.backends.gpu_model.expression import Array
from tvm_pipeline.backends.gpu_model.nodes import GLOBAL, SHARED
from tvm_pipeline.hardware.multiprocessor import SECTOR_BYTES


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
        return SECTOR_BYTES * sum(load.sectors for load in self.accesses if load.scope == GLOBAL and not load.is_store)

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
        for access in self.accesses:
            if access.scope == GLOBAL and (names is None or access.buffer in names):
                key = access.buffer, access.is_store
                asked[key] = asked.get(key, 0.0) + access.bytes
                size[key] = access.buffer_bytes
        return int(sum(min(size[key], asked[key]) for key in asked))


def _sum(accesses: Sequence[Access], field: str, scope: str) -> float:
    return float(sum(getattr(access, field) for access in accesses if access.scope == scope))


class Footprint:
    """Distinct sectors per buffer, found by sampling.

    ``n`` draws out of ``u`` sectors find ``d = u (1 - exp(-n / u))`` different ones; that gives ``u``.
    """

    def __init__(self) -> None:
        self._seen: dict[str, list[Array]] = {}
        self._draws: dict[str, float] = {}
        self._asked: dict[str, float] = {}

    def add(self, buffer: str, addresses: Array, mask: Array, asked: float) -> None:
        """Books a load.

        :param addresses: ``[samples, lanes, elements]``, in bytes.
        :param mask: ``[samples, lanes]``, lanes that take part.
        :param asked: sectors that all warps of the block ask for, one that two ask for twice.
        """
        sectors = np.where(mask[..., None], addresses // SECTOR_BYTES, -1)
        rows = np.sort(sectors.reshape(len(sectors), -1), axis=1)
        new = np.concatenate([np.ones_like(rows[:, :1], dtype=bool), np.diff(rows, axis=1) != 0], axis=1) & (rows >= 0)
        self._seen.setdefault(buffer, []).append(rows[new])
        self._draws[buffer] = self._draws.get(buffer, 0.0) + float(new.sum())
        self._asked[buffer] = self._asked.get(buffer, 0.0) + asked

    def bytes(self) -> float:
        """Of all buffers together."""
        return SECTOR_BYTES * sum(self._sectors(buffer) for buffer in self._seen)

    def _sectors(self, buffer: str) -> float:
        seen = float(len(np.unique(np.concatenate(self._seen[buffer]))))
        return min(_population(seen, self._draws[buffer]), self._asked[buffer])


def _population(seen: float, draws: float) -> float:
    """The ``u`` of ``seen = u (1 - exp(-draws / u))``, by bisection; infinite where nothing was drawn twice."""
    if seen < 1 or draws - seen < 0.5:
        return math.inf if seen else 0.0
    low, high = seen, seen * draws
    for _ in range(60):
        middle = math.sqrt(low * high)
        if middle * -math.expm1(-draws / middle) < seen:
            low = middle
        else:
            high = middle
    return low
