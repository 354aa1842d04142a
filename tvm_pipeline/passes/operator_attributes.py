"""Relax attributes that stand for two axes or four sides, spelled in several ways."""


def pair(values: object) -> tuple[int, int]:
    """(rows, columns) of one or two numbers."""
    first, *rest = [int(value) for value in values]  # type: ignore[attr-defined]
    return first, rest[0] if rest else first


def four(values: object) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of one, two or four numbers."""
    sides = [int(value) for value in values]  # type: ignore[attr-defined]
    top, left, bottom, right = sides * 4 if len(sides) == 1 else sides * 2 if len(sides) == 2 else sides
    return top, left, bottom, right
