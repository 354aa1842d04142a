"""Inline PTX as C++: the instructions that TVM's code generator writes, as calls of the emulated device's headers.

What is not known becomes a static_assert that names it, which fails where that code is compiled, and only there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

_BEGIN = re.compile(r"\b(?:asm|__asm__)\s*(?:volatile|__volatile__)?\s*\(")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_OPERAND = re.compile(r'\s*(?:\[\w+\]\s*)?"([^"]*)"\s*\((.*)\)\s*', re.DOTALL)
_GUARD = re.compile(r"@(!?)(\w+)\s+(.*)", re.DOTALL)


def translate_asm(source: str) -> str:
    """The source with every ``asm`` statement replaced, line by line where it was."""
    parts, at = [], 0
    while (found := _BEGIN.search(source, at)) is not None:
        end = closing(source, found.end() - 1)
        text = source[found.end() : end]
        lines = "\n" * source.count("\n", found.start(), end)
        parts += [source[at : found.start()], _statement(text), lines]
        at = end + 1
    return "".join(parts) + source[at:]


def closing(text: str, opening: int) -> int:
    """Where the bracket at ``opening`` closes; brackets in strings and comments do not count.

    :raises ValueError: it does not.
    """
    pairs = {"(": ")", "[": "]", "{": "}"}
    awaited: list[str] = []
    for token in re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|[(){}\[\]]', re.DOTALL).finditer(text, opening):
        word = token.group()
        if word in pairs:
            awaited.append(pairs[word])
        elif awaited and word == awaited[-1]:
            awaited.pop()
            if not awaited:
                return token.start()
    raise ValueError(f"{text[opening]!r} at {opening} is not closed")


def split(text: str, separator: str) -> list[str]:
    """The parts of ``text`` between separators outside of brackets and strings."""
    parts, begin, at = [], 0, 0
    while at < len(text):
        if text[at] == '"':
            string = _STRING.match(text, at)
            assert string is not None
            at = string.end()
        elif text[at] in "([{":
            at = closing(text, at) + 1
        elif text[at] == separator:
            parts.append(text[begin:at])
            begin = at = at + 1
        else:
            at += 1
    return [*parts, text[begin:]]


def _statement(text: str) -> str:
    template, *sections = split(text, ":")
    code = "".join(json.loads(f'"{part}"') for part in _STRING.findall(template))
    operands = []
    for section in sections[:2]:
        for operand in split(section, ","):
            matched = _OPERAND.fullmatch(operand)
            if matched is not None:
                operands.append(f"({' '.join(matched.group(2).split())})")
    code = code.strip()
    if code.startswith("{"):
        code = code[1 : closing(code, 0)]
    statements = [_instruction(one.strip(), operands) for one in split(code, ";") if one.strip()]
    return "{ " + " ".join(statements) + " }"


def _instruction(instruction: str, operands: Sequence[str]) -> str:
    instruction = " ".join(instruction.split())
    if guarded := _GUARD.fullmatch(instruction):
        negation, predicate, rest = guarded.groups()
        return f"if ({negation}{predicate}) {{ {_instruction(rest, operands)} }}"
    for pattern, emit in _KNOWN:
        if matched := re.fullmatch(pattern, instruction):
            return emit([_filled(group, operands) for group in matched.groups(default="")])
    return f"static_assert(false, {json.dumps('the emulated GPU does not know the PTX instruction ' + instruction)});"


def _filled(text: str, operands: Sequence[str]) -> str:
    """A PTX operand as C++: registers of the statement are its operands' expressions."""
    return re.sub(r"%(\d+)", lambda found: operands[int(found.group(1))], text)


def _list(text: str) -> list[str]:
    return [part.strip() for part in split(text, ",")]


def _register(groups: list[str]) -> str:
    kind, name = groups
    return f"{'bool' if kind == 'pred' else f'uint{kind[1:]}_t'} {name}{{}};"


def _set_predicate(groups: list[str]) -> str:
    relation, to, left, right = groups
    return f"{to} = static_cast<uint32_t>({left}) {'==' if relation == 'eq' else '!='} static_cast<uint32_t>({right});"


def _copy_async(groups: list[str]) -> str:
    to, source, count, valid = groups
    valid = valid or count
    return f"emulated_copy_async(emulated_shared_pointer({to}), (const void*)({source}), {count}, {valid}, __LINE__);"


def _store_shared(groups: list[str]) -> str:
    address, values = groups
    stores = [f"to[{i}] = {value};" for i, value in enumerate(_list(values.strip("{}")))]
    return f"{{ auto* to = (uint32_t*)emulated_shared_pointer({address}); {' '.join(stores)} }}"


def _load_global(groups: list[str]) -> str:
    kind, into, address = groups
    element = {"f": "float", "u": "uint32_t", "b": "uint32_t", "s": "int32_t"}[kind]
    loads = [f"{register} = from[{i}];" for i, register in enumerate(_list(into.strip("{}")))]
    return f"{{ auto* from = (const {element}*)({address}); {' '.join(loads)} }}"


def _load_matrix(groups: list[str]) -> str:
    count, transposed, into, address = groups
    results = [f"{register} = load.result[{i}];" for i, register in enumerate(_list(into))]
    return (
        f"{{ EmulatedLoadMatrix<{count}, {'true' if transposed else 'false'}> load; "
        f"load.read(emulated_shared_pointer({address}), __LINE__); {' '.join(results)} }}"
    )


def _multiply(groups: list[str]) -> str:
    depth, accumulator, d, a, b, c = groups
    kind = "float" if accumulator == "f32" else "half"
    results = _list(d)
    words = [f"{register} = mma.{'d' if kind == 'float' else 'words'}[{i}];" for i, register in enumerate(results)]
    return (
        f"{{ EmulatedMma<{depth}, {kind}> mma{{{{{a}}}, {{{b}}}, {{}}}}; mma.accumulate({{{c}}}, __LINE__); "
        f"{' '.join(words)} }}"
    )


_OPERANDS = r"\{([^}]*)\}"
_KNOWN: tuple[tuple[str, Callable[[list[str]], str]], ...] = (
    (r"\.reg \.(pred|[bu]32|[bu]64) (\w+)", _register),
    (r"setp\.(eq|ne)\.[bus]32 (\w+), (\S+), (\S+)", _set_predicate),
    (r"mov\.[bus]32 (\S+), (%?\w+)", lambda g: f"{g[0]} = {g[1]};"),
    (r"cvta\.to\.shared\.u64 (\S+), (\S+)", lambda g: f"{g[0]} = __cvta_generic_to_shared((const void*){g[1]});"),
    (r"cvt\.u32\.u64 (\S+), (\S+)", lambda g: f"{g[0]} = static_cast<uint32_t>({g[1]});"),
    (
        r"cp\.async\.c[ag]\.shared(?:::cta)?\.global(?:\.L2::\w+)? \[(\S+)\], \[(\S+)\], ([^,]+)(?:, ([^,]+))?",
        _copy_async,
    ),
    (r"cp\.async\.commit_group", lambda _: "emulated_copy_commit();"),
    (r"cp\.async\.wait_group (\S+)", lambda g: f"emulated_copy_wait({g[0]});"),
    (r"cp\.async\.wait_all", lambda _: "emulated_copy_commit(); emulated_copy_wait(0);"),
    (r"st\.shared(?:\.v[24])?\.[bu]32 \[(\S+)\], (\S+|\{[^}]*\})", _store_shared),
    (r"ld\.global(?:\.nc)?(?:\.L[12]::\w+)*(?:\.v[24])?\.([fbus])32 (\S+|\{[^}]*\}), \[(\S+)\]", _load_global),
    (
        r"ldmatrix\.sync\.aligned\.m8n8\.x([124])(\.trans)?\.shared(?:::cta)?\.b16 ?" + _OPERANDS + r", \[(\S+)\]",
        _load_matrix,
    ),
    (
        r"mma\.sync\.aligned\.m16n8k(8|16)\.row\.col\.(f32|f16)\.f16\.f16\.(?:f32|f16) ?" + ", ?".join([_OPERANDS] * 4),
        _multiply,
    ),
)
