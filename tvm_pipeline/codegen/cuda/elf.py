"""Shared libraries as files: the symbols that one wants from others, and a section that names its device code.

TVM packs a module's device code with everything else that is not host code into one array of bytes. Here the file
gets one more section header, ``.nv_fatbin``, which points at those very bytes, so that NVIDIA's cuobjdump finds them:
nothing of what is loaded changes.
"""

import struct
from pathlib import Path
from typing import NamedTuple

from mobilenet_tvm.base.errors import SystemFailure
from mobilenet_tvm.base.paths import replacing

SECTION = ".nv_fatbin"
_HEADER, _SYMBOL = struct.Struct("<IIQQQQIIQQ"), struct.Struct("<IBBHQQ")
_SECTIONS_OFFSET, _SECTIONS_SIZE = 0x28, 0x3A
_PROGBITS, _DYNSYM = 1, 11
_ALIGNMENT = 8


class _Section(NamedTuple):
    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry_size: int


def undefined_symbols(path: Path) -> list[str]:
    """Names that a 64-bit little-endian ELF file uses and does not define, in order of name.

    :raises SystemFailure: it is no such file.
    """
    content = path.read_bytes()
    if content[:6] != b"\x7fELF\x02\x01":
        raise SystemFailure(f"{path} is no 64-bit ELF file")
    sections, _ = _sections(content)
    names = set()
    for table in sections:
        if table.kind == _DYNSYM:
            for at in range(table.offset, table.offset + table.size, _SYMBOL.size):
                name, _, _, section, _, _ = _SYMBOL.unpack_from(content, at)
                if section == 0 and name:
                    names.add(_text(content, sections[table.link].offset + name))
    return sorted(names)


def add_device_section(module: Path, code: bytes) -> None:
    """Adds the section to a shared object that holds ``code``.

    :raises SystemFailure: it does not hold it exactly once.
    """
    content = bytearray(module.read_bytes())
    place = content.find(code)
    if place < 0 or content.find(code, place + 1) >= 0:
        raise SystemFailure(f"{module.name} does not hold the device code that was compiled for it")
    sections, names_index = _sections(content)
    names = sections[names_index]
    name_table = bytes(content[names.offset : names.offset + names.size])
    sections.append(_Section(len(name_table), _PROGBITS, 0, 0, place, len(code), 0, 0, _ALIGNMENT, 0))
    _align(content)
    sections[names_index] = names._replace(offset=len(content), size=len(name_table) + len(SECTION) + 1)
    content += name_table + SECTION.encode() + b"\0"
    _align(content)
    struct.pack_into("<Q", content, _SECTIONS_OFFSET, len(content))
    struct.pack_into("<H", content, _SECTIONS_SIZE + 2, len(sections))
    content += b"".join(_HEADER.pack(*section) for section in sections)
    with replacing(module, module.stat().st_mode) as temporary:
        temporary.write_bytes(content)


def device_section(module: Path) -> bytes | None:
    """The device code of a module that was written so; None where there is none."""
    content = module.read_bytes()
    sections, names_index = _sections(content)
    for section in sections:
        if _text(content, sections[names_index].offset + section.name) == SECTION:
            return content[section.offset : section.offset + section.size]
    return None


def _sections(content: bytes | bytearray) -> tuple[list[_Section], int]:
    """The section headers, and which of them is that of their names."""
    (offset,) = struct.unpack_from("<Q", content, _SECTIONS_OFFSET)
    size, count, names_index = struct.unpack_from("<HHH", content, _SECTIONS_SIZE)
    return [_Section(*_HEADER.unpack_from(content, offset + size * index)) for index in range(count)], names_index


def _text(content: bytes, start: int) -> str:
    return content[start : content.index(b"\0", start)].decode()


def _align(content: bytearray) -> None:
    content += bytes(-len(content) % _ALIGNMENT)
