"""The symbols that a shared library wants from others, read out of its ELF file."""

import struct
from pathlib import Path

from mobilenet_tvm.base.errors import SystemFailure

_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_DYNSYM = 11


def undefined_symbols(path: Path) -> list[str]:
    """Names that a 64-bit little-endian ELF file uses and does not define, in order of name.

    Raises SystemFailure if it is no such file.
    """
    content = path.read_bytes()
    if content[:6] != b"\x7fELF\x02\x01":
        raise SystemFailure(f"{path} is no 64-bit ELF file")
    (offset,) = struct.unpack_from("<Q", content, 0x28)
    size, count = struct.unpack_from("<HH", content, 0x3A)
    sections = [_SECTION.unpack_from(content, offset + size * index) for index in range(count)]
    names = set()
    for _, kind, _, _, begin, length, link, *_ in sections:
        if kind == _DYNSYM:
            strings = sections[link][4]
            for at in range(begin, begin + length, _SYMBOL.size):
                name, _, _, section, _, _ = _SYMBOL.unpack_from(content, at)
                if section == 0 and name:
                    names.add(content[strings + name : content.index(b"\0", strings + name)].decode())
    return sorted(names)
