"""What the emulated GPU counted: ``runtime/checks/counters.cc`` writes a line of JSON per launch, this reads them."""

from __future__ import annotations

import json
from pathlib import Path

from mobilenet_tvm.base.document import Document

COUNTERS_VARIABLE = "MOBILENET_TVM_EMULATED_GPU_COUNTERS"
"""Names the file that they go to; without it nothing is counted."""


class BufferUse(Document):
    """What one launch did to the memory behind one of its arguments, each byte counted once.

    :ivar name: the argument's position and name, ``0 'data'``.
    :ivar bytes: of the whole buffer.
    """

    name: str
    bytes: int
    unique_bytes_read: int
    unique_bytes_written: int


class Launch(Document):
    """What one launch did in global memory.

    :ivar unique_bytes_read: each byte once; ``unique_bytes_written`` likewise.
    :ivar bytes_loaded: by all threads; ``bytes_stored`` likewise.
    :ivar sector_bytes_loaded: the 32-byte sectors of each warp's instructions; ``sector_bytes_stored`` likewise.
    """

    kernel: str
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    shared_bytes: int
    unique_bytes_read: int
    unique_bytes_written: int
    bytes_loaded: int
    bytes_stored: int
    sector_bytes_loaded: int
    sector_bytes_stored: int
    arguments: tuple[BufferUse, ...]


def read_counters(counters: Path) -> list[Launch]:
    """All launches in their order."""
    if not counters.is_file():
        return []
    return [Launch.from_json(json.loads(line)) for line in counters.read_text().splitlines()]
