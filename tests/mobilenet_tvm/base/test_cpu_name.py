"""CPUs by LLVM's names, and how near they are to each other."""

from __future__ import annotations

import pytest

from mobilenet_tvm.base.cpu_name import LINES, cpu_name, distance, known_cpus


def _x86(vendor: str, family: int, model: int, flags: str = "") -> dict[str, str]:
    return {"vendor_id": vendor, "cpu family": str(family), "model": str(model), "flags": flags}


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (_x86("AuthenticAMD", 26, 2), "znver5"),
        (_x86("AuthenticAMD", 25, 0x11), "znver4"),
        (_x86("AuthenticAMD", 25, 0x61), "znver4"),
        (_x86("AuthenticAMD", 25, 0x21), "znver3"),
        (_x86("AuthenticAMD", 23, 0x31), "znver2"),
        (_x86("AuthenticAMD", 23, 1), "znver1"),
        (_x86("AuthenticAMD", 21, 1), None),
        (_x86("GenuineIntel", 6, 143), "sapphirerapids"),
        (_x86("GenuineIntel", 6, 106), "icelake-server"),
        (_x86("GenuineIntel", 6, 85, "avx512f"), "skylake-avx512"),
        (_x86("GenuineIntel", 6, 85, "avx512f avx512_vnni"), "cascadelake"),
        (_x86("GenuineIntel", 6, 85, "avx512f avx512_vnni avx512_bf16"), "cooperlake"),
        (_x86("GenuineIntel", 6, 63), "haswell"),
        (_x86("GenuineIntel", 15, 4), None),
        (_x86("SomebodyElse", 6, 85), None),
        ({"CPU implementer": "0x41", "CPU part": "0xd08"}, "cortex-a72"),
        ({"CPU implementer": "0x41", "CPU part": "0xd0b"}, "cortex-a76"),
        ({"CPU implementer": "0x42", "CPU part": "0xd0b"}, None),
        ({"CPU implementer": "0x41"}, None),
        ({}, None),
    ],
)
def test_name(facts: dict[str, str], name: str | None) -> None:
    assert cpu_name(facts) == name


def test_distance() -> None:
    assert distance("znver5", "znver5") == 0
    assert distance("znver5", "znver4") < distance("znver5", "znver1") < distance("znver5", "icelake-server")
    assert distance("znver5", None) == distance("znver5", "znver4"), "an older version's records are this machine's"
    assert distance("znver5", "unknown") == distance("znver5", "haswell")


def test_names_are_of_one_line_each() -> None:
    names = [name for arch in LINES for name in known_cpus(arch)]
    assert len(names) == len(set(names))
    assert known_cpus("riscv64") == ()
