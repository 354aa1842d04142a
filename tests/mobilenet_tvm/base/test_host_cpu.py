"""/proc/cpuinfo of a PC and of a board."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mobilenet_tvm.base import host_cpu

PC = """processor\t: 0
model name\t: AMD EPYC
flags\t\t: fpu sse sse2 avx2
bugs\t\t: spectre_v1
"""
RASPBERRY_PI_5 = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 atomics asimddp
CPU implementer\t: 0x41
CPU part\t: 0xd0b

Revision\t: c04170
Model\t\t: Raspberry Pi 5 Model B Rev 1.0
"""


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    yield
    host_cpu.host_features.cache_clear()
    host_cpu.host_model.cache_clear()
    host_cpu.host_cpu.cache_clear()


@pytest.mark.parametrize(
    ("text", "model", "features"),
    [
        (PC, "AMD EPYC", {"fpu", "sse", "sse2", "avx2"}),
        (
            RASPBERRY_PI_5,
            "Raspberry Pi 5 Model B Rev 1.0",
            {"fp", "asimd", "evtstrm", "crc32", "atomics", "asimddp"},
        ),
        ("processor : 0\n", "unknown", set()),
    ],
)
def test_what_the_kernel_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, model: str, features: set[str]
) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(host_cpu, "_CPUINFO", tmp_path / "cpuinfo")
    host_cpu.host_features.cache_clear()
    host_cpu.host_model.cache_clear()
    assert host_cpu.host_features() == features
    assert host_cpu.host_model() == model


@pytest.mark.parametrize(("machine", "arch"), [("arm64", "aarch64"), ("aarch64", "aarch64"), ("AMD64", "x86_64")])
def test_the_architecture_has_one_name(monkeypatch: pytest.MonkeyPatch, machine: str, arch: str) -> None:
    monkeypatch.setattr(host_cpu.platform, "machine", lambda: machine)
    assert host_cpu.host_arch() == arch


def test_what_a_board_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_cpu, "host_arch", lambda: "aarch64")
    monkeypatch.setattr(host_cpu, "host_features", lambda: frozenset({"fp", "asimd"}))
    assert host_cpu.missing_features("aarch64", ["asimd", "asimddp", "fp"]) == ["asimddp"]
    assert host_cpu.missing_features("x86_64", ["avx2"]) == ["x86_64"]


def test_this_cpu_by_llvms_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpuinfo").write_text(RASPBERRY_PI_5)
    monkeypatch.setattr(host_cpu, "_CPUINFO", tmp_path / "cpuinfo")
    host_cpu.host_cpu.cache_clear()
    assert host_cpu.host_cpu() == "cortex-a76"
