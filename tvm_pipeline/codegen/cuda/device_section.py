"""Names the device code inside a linked module, so that NVIDIA's cuobjdump finds it there.

TVM packs a module's device code with everything else that is not host code into one array of bytes. Here the file
gets one more section header, ``.nv_fatbin``, which points at those very bytes: nothing of what is loaded changes.
"""

import struct
from pathlib import Path

from mobilenet_tvm.base.errors import SystemFailure
from mobilenet_tvm.base.paths import replacing

SECTION = ".nv_fatbin"
_HEADER = struct.Struct("<IIQQQQIIQQ")
_SECTIONS_OFFSET, _SECTIONS_SIZE = 0x28, 0x3A
_PROGBITS = 1
_ALIGNMENT = 8


def add_device_section(module: Path, code: bytes) -> None:
    """Adds the section to a shared object that holds ``code``.

    Raises SystemFailure if it does not hold it exactly once.
    """
    content = bytearray(module.read_bytes())
    place = content.find(code)
    if place < 0 or content.find(code, place + 1) >= 0:
        raise SystemFailure(f"{module.name} does not hold the device code that was compiled for it")
    (offset,) = struct.unpack_from("<Q", content, _SECTIONS_OFFSET)
    size, count, names_index = struct.unpack_from("<HHH", content, _SECTIONS_SIZE)
    headers = [list(_HEADER.unpack_from(content, offset + size * index)) for index in range(count)]
    names = headers[names_index]
    name_table = bytes(content[names[4] : names[4] + names[5]])
    headers.append([len(name_table), _PROGBITS, 0, 0, place, len(code), 0, 0, _ALIGNMENT, 0])
    _align(content)
    names[4], names[5] = len(content), len(name_table) + len(SECTION) + 1
    content += name_table + SECTION.encode() + b"\0"
    _align(content)
    struct.pack_into("<Q", content, _SECTIONS_OFFSET, len(content))
    struct.pack_into("<H", content, _SECTIONS_SIZE + 2, count + 1)
    content += b"".join(_HEADER.pack(*header) for header in headers)
    with replacing(module, module.stat().st_mode) as temporary:
        temporary.write_bytes(content)


def device_section(module: Path) -> bytes | None:
    """The device code of a module that was written so; None where there is none."""
    content = module.read_bytes()
    (offset,) = struct.unpack_from("<Q", content, _SECTIONS_OFFSET)
    size, count, names_index = struct.unpack_from("<HHH", content, _SECTIONS_SIZE)
    headers = [_HEADER.unpack_from(content, offset + size * index) for index in range(count)]
    for name, _, _, _, place, length, *_ in headers:
        start = headers[names_index][4] + name
        if content[start : content.index(b"\0", start)] == SECTION.encode():
            return content[place : place + length]
    return None


def _align(content: bytearray) -> None:
    content += bytes(-len(content) % _ALIGNMENT)
