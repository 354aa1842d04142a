"""How many distinct bytes one block reads: what its multiprocessor's first-level cache cannot keep from the second."""

import math

import numpy as np

from tvm_pipeline.backends.gpu_model.expression import Array
from tvm_pipeline.hardware.multiprocessor import SECTOR_BYTES


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
        found = float(len(np.unique(np.concatenate(self._seen[buffer]))))
        return min(_population(found, self._draws[buffer]), max(found, self._asked[buffer]), self._asked[buffer])


def _population(found: float, draws: float) -> float:
    """The ``u`` of ``found = u (1 - exp(-draws / u))``, by bisection; infinite where nothing was drawn twice."""
    if found < 1 or draws - found < 0.5:
        return math.inf if found else 0.0
    low, high = found, found * draws
    for _ in range(60):
        middle = math.sqrt(low * high)
        if middle * -math.expm1(-draws / middle) < found:
            low = middle
        else:
            high = middle
    return low
