"""Tile sizes that leave no remainder."""


def divisors(extent: int, largest: int) -> tuple[int, ...]:
    """All divisors of ``extent`` up to ``largest``, ascending."""
    return tuple(size for size in range(1, min(extent, largest) + 1) if extent % size == 0)
