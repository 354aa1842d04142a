"""How a warp's request meets the memory: sectors of global memory, banks of shared memory.

Sources: CUDA C++ Programming Guide, "Device Memory Accesses" (32-byte sectors) and "Shared Memory" of compute
capability 5.x and newer (32 banks of 4 bytes; lanes that read the same word share it). A request of 8 or 16 bytes per
lane is served in two or four parts, of half or a quarter of the warp each; parts of shared memory merge where lanes
that are one or two apart read the same, as answers on NVIDIA's developer forum have it and its documents do not.
"""

from dataclasses import dataclass

import numpy as np

from tvm_pipeline.backends.gpu_model.expression import Array
from tvm_pipeline.hardware.multiprocessor import BANKS, LINE_BYTES, SECTOR_BYTES, WARP, WORD_BYTES


@dataclass(frozen=True)
class WarpCost:
    """Of one request by a warp, on the average over the samples in which any lane takes part.

    :ivar sectors: distinct 32-byte sectors that it touches.
    :ivar wavefronts: cycles of the load/store unit: passes over the banks, or lines of the first-level cache.
    """

    sectors: float
    wavefronts: float


def global_cost(addresses: Array, item: int, mask: Array) -> WarpCost:
    """Of a request to global memory.

    :param addresses: ``[samples, lanes, elements of a vector]``, in elements.
    :param item: bytes of an element.
    :param mask: ``[samples, lanes]``, lanes that take part.
    """
    taking_part = mask.any(axis=1)
    if not taking_part.any():
        return WarpCost(0.0, 0.0)
    positions = _flat(np.where(mask[..., None], addresses * item, -1))[taking_part]
    parts = max(1, addresses.shape[-1] * item * WARP // LINE_BYTES)
    lines = _distinct(np.where(positions < 0, -1, positions // LINE_BYTES))
    sectors = _distinct(np.where(positions < 0, -1, positions // SECTOR_BYTES))
    return WarpCost(float(sectors.mean()), float(np.maximum(lines, _needed(mask[taking_part], parts)).mean()))


def shared_cost(addresses: Array, item: int, mask: Array) -> WarpCost:
    """The same of a request to shared memory, which has no sectors."""
    taking_part = mask.any(axis=1)
    if not taking_part.any():
        return WarpCost(0.0, 0.0)
    width = addresses.shape[-1] * item
    parts = min(max(1, width // WORD_BYTES), 4)
    words = np.where(mask[..., None], addresses * item // WORD_BYTES, -1)[taking_part]
    return WarpCost(0.0, float(_served(words, parts).mean()))


def _served(words: Array, parts: int) -> Array:
    """Passes over the banks per sample; ``words`` is ``[samples, lanes, elements]``."""
    passes = _passes(words.reshape(len(words), parts, -1)).sum(axis=1)
    if parts == 1:
        return np.asarray(passes)
    merging = _merges(words)
    for merged in range(1, parts.bit_length()):
        some = merging >= merged
        if some.any():
            fewer = words[some].reshape(int(some.sum()), parts >> merged, -1)
            passes[some] = _passes(fewer).sum(axis=1)
    return np.asarray(passes)


def _merges(words: Array) -> Array:
    """How often the parts of a wide request halve: once if neighbours read the same, once if every other lane does."""
    lanes = np.arange(WARP)
    first = words[:, :, 0]
    return np.asarray(sum((first == first[:, lanes ^ apart]).all(axis=1).astype(int) for apart in (1, 2)))


def _flat(values: Array) -> Array:
    return np.asarray(values.reshape(len(values), -1))


def _needed(mask: Array, parts: int) -> Array:
    """Parts of a wide request in which any lane takes part, per sample."""
    parts = min(parts, WARP)
    return np.asarray(mask.reshape(len(mask), parts, -1).any(axis=2).sum(axis=1))


def _distinct(values: Array) -> Array:
    """How many different values other than -1 each row holds."""
    ordered = np.sort(values, axis=1)
    new = np.concatenate([ordered[:, :1] >= 0, (np.diff(ordered, axis=1) != 0) & (ordered[:, 1:] >= 0)], axis=1)
    return np.asarray(new.sum(axis=1))


def _passes(words: Array) -> Array:
    """``[samples, parts, lanes]`` words, -1 for none -> ``[samples, parts]``: the most words of one bank."""
    ordered = np.sort(words, axis=2)
    first = np.ones_like(ordered[:, :, :1], dtype=bool)
    new = np.concatenate([first, np.diff(ordered, axis=2) != 0], axis=2) & (ordered >= 0)
    samples, parts, _ = words.shape
    counts = np.zeros((samples * parts, BANKS), dtype=np.int64)
    rows = np.broadcast_to(np.arange(samples * parts).reshape(samples, parts, 1), words.shape)
    np.add.at(counts, (rows[new], ordered[new] % BANKS), 1)
    return np.asarray(counts.max(axis=1).reshape(samples, parts))
