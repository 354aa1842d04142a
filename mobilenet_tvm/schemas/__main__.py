"""``python -m mobilenet_tvm.schemas``: writes the schemas beside this file from the types that they publish."""

from __future__ import annotations

from pathlib import Path

from mobilenet_tvm.schemas.generate import SCHEMAS, schema_text


def main(folder: Path = Path(__file__).parent) -> None:
    """Write every schema into ``folder``."""
    for name in SCHEMAS:
        (folder / f"{name}.json").write_text(schema_text(name), encoding="utf-8")


if __name__ == "__main__":
    main()
