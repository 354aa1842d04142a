"""CPUs by LLVM's names (``-mcpu``): which one this is, and which are near each other.

Numbers of families, models and parts: AMD's and Intel's processor programming references, ARM's MIDR_EL1, as LLVM's
``llvm/lib/TargetParser/Host.cpp`` reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Facts = Mapping[str, str]
"""Fields of /proc/cpuinfo of the first core."""

LINES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "x86_64": (
        ("znver1", "znver2", "znver3", "znver4", "znver5"),
        (
            *("haswell", "broadwell", "skylake", "skylake-avx512", "cascadelake", "cooperlake", "icelake-client"),
            *("icelake-server", "tigerlake", "alderlake", "raptorlake", "meteorlake", "sapphirerapids"),
            *("emeraldrapids", "graniterapids"),
        ),
    ),
    "aarch64": (
        ("cortex-a53", "cortex-a55", "cortex-a57", "cortex-a72", "cortex-a76"),
        ("neoverse-n1", "neoverse-n2", "neoverse-v1", "neoverse-v2"),
    ),
}
"""Per architecture lines of descent, oldest first: a schedule suits a neighbour better than one from another line."""

UNKNOWN_DISTANCE = 1
"""Of a record that names no CPU, which an older version wrote: most likely on this machine."""
UNKNOWN = "unknown"
"""In a log: measured on a CPU of which no more than its brand is known."""
_OTHER_LINE = 100

_ZEN_BY_MODEL = ((0x10, 0x1F), (0x60, 0x7F), (0xA0, 0xAF))
"""Models of family 25 that are Zen 4; the others are Zen 3."""
_INTEL_MODELS: Mapping[str, tuple[int, ...]] = {
    "haswell": (0x3C, 0x3F, 0x45, 0x46),
    "broadwell": (0x3D, 0x47, 0x4F, 0x56),
    "skylake": (0x4E, 0x5E, 0x8E, 0x9E, 0xA5, 0xA6),
    "icelake-client": (0x7D, 0x7E),
    "icelake-server": (0x6A, 0x6C),
    "tigerlake": (0x8C, 0x8D),
    "alderlake": (0x97, 0x9A),
    "raptorlake": (0xB7, 0xBA, 0xBF),
    "meteorlake": (0xAA, 0xAC),
    "sapphirerapids": (0x8F,),
    "emeraldrapids": (0xCF,),
    "graniterapids": (0xAD, 0xAE),
}
_SKYLAKE_SERVER = 0x55
_ARM = "0x41"
_ARM_PARTS: Mapping[str, int] = {
    "cortex-a53": 0xD03,
    "cortex-a55": 0xD05,
    "cortex-a57": 0xD07,
    "cortex-a72": 0xD08,
    "cortex-a76": 0xD0B,
    "neoverse-n1": 0xD0C,
    "neoverse-v1": 0xD40,
    "neoverse-n2": 0xD49,
    "neoverse-v2": 0xD4F,
}


def known_cpus(arch: str) -> tuple[str, ...]:
    """The names of an architecture's CPUs."""
    return tuple(name for line in LINES.get(arch, ()) for name in line)


def distance(cpu: str, other: str | None) -> int:
    """How far two CPUs are apart: 0 for the same, generations within a line, 100 for CPUs of different lines."""
    if other is None:
        return UNKNOWN_DISTANCE
    if cpu == other:
        return 0
    for line in (line for lines in LINES.values() for line in lines):
        if cpu in line and other in line:
            return abs(line.index(cpu) - line.index(other))
    return _OTHER_LINE


def cpu_name(facts: Facts) -> str | None:
    """LLVM's name of the CPU; None where it is not known."""
    if "CPU implementer" in facts:
        return _arm(facts)
    reader = _VENDORS.get(facts.get("vendor_id", ""))
    return None if reader is None else reader(facts)


def _arm(facts: Facts) -> str | None:
    part = _number(facts, "CPU part") if facts["CPU implementer"] == _ARM else None
    return next((name for name, known in _ARM_PARTS.items() if known == part), None)


def _amd(facts: Facts) -> str | None:
    family, model = _number(facts, "cpu family"), _number(facts, "model")
    if family == 0x19:
        return "znver4" if any(low <= model <= high for low, high in _ZEN_BY_MODEL) else "znver3"
    if family == 0x17:
        return "znver2" if model >= 0x30 else "znver1"
    return "znver5" if family == 0x1A else None


def _intel(facts: Facts) -> str | None:
    if _number(facts, "cpu family") != 6:
        return None
    model, flags = _number(facts, "model"), facts.get("flags", "").split()
    if model == _SKYLAKE_SERVER:
        newer = {"avx512_bf16": "cooperlake", "avx512_vnni": "cascadelake"}
        return next((name for flag, name in newer.items() if flag in flags), "skylake-avx512")
    return next((name for name, models in _INTEL_MODELS.items() if model in models), None)


_VENDORS: Mapping[str, Callable[[Facts], str | None]] = {"AuthenticAMD": _amd, "GenuineIntel": _intel}


def _number(facts: Facts, field: str) -> int:
    try:
        return int(facts.get(field, "-1"), 0)
    except ValueError:
        return -1
