"""What the kernel says of NVIDIA's driver."""

from __future__ import annotations

from pathlib import Path

import pytest

from targets import gpu_at_hand

VERSION = """NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (build)
GCC version:  gcc version 13.3.0 (Ubuntu 13.3.0-6ubuntu2~24.04)
"""


@pytest.mark.parametrize(
    ("text", "version"),
    [(VERSION, "580.65.06"), ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  590.44  now", "590.44"), ("odd", None)],
)
def test_the_drivers_version(text: str, version: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "version").write_text(text)
    monkeypatch.setattr(gpu_at_hand, "_VERSION", tmp_path / "version")
    assert gpu_at_hand.driver_version() == version


def test_no_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_at_hand, "_VERSION", tmp_path / "version")
    monkeypatch.setattr(gpu_at_hand, "_SIGNS", (tmp_path / "version", tmp_path / "nvhost-gpu"))
    assert gpu_at_hand.driver_version() is None
    assert not gpu_at_hand.has_gpu()
    (tmp_path / "nvhost-gpu").touch()
    assert gpu_at_hand.has_gpu()
