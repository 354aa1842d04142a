"""The published form of everything that ``--json`` prints, of manifests and of tuning logs: JSON Schema, one file each.

Keys are added here, never renamed or removed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def load_schema(name: str) -> dict[str, Any]:
    """The schema of that name: a verb's (``run``, ``logs_show``), ``manifest``, or ``tuning_log_line``."""
    schema: dict[str, Any] = json.loads((Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8"))
    return schema
