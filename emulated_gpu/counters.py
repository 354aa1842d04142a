"""What the emulated GPU counted: ``runtime/checks/counters.cc`` writes a line of JSON per launch, this reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

COUNTERS_VARIABLE = "MOBILENET_TVM_EMULATED_GPU_COUNTERS"
"""Names the file that they go to; without it nothing is counted."""


def read_counters(counters: Path) -> list[dict[str, Any]]:
    """What each launch did, in their order: ``kernel``, ``grid``, ``block``, ``shared_bytes``, and of global memory
    ``unique_bytes_read``, ``unique_bytes_written`` (each byte once), ``bytes_loaded``, ``bytes_stored`` (by threads),
    ``sector_bytes_loaded``, ``sector_bytes_stored`` (the 32-byte sectors of each warp's instructions), ``arguments``.
    """
    if not counters.is_file():
        return []
    return [json.loads(line) for line in counters.read_text().splitlines()]
