"""Which candidates of a layer to measure next."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tvm_pipeline.schedules import Decisions
from tvm_pipeline.schedules.space import Choice, Space

Score = Callable[[Sequence[Choice]], Sequence[float] | None]
"""The cost model's opinion of choices (higher is better); None while it has learnt nothing."""

POOL = 40
"""Candidates that the cost model ranks per batch."""
PARENTS = 6
ATTEMPTS = 400
EXPLORED = 8
"""One of so many choices is random whatever the model says."""


def fastest(measured: Mapping[Choice, float], count: int) -> list[Choice]:
    """So many choices, the fastest first."""
    return sorted(measured, key=lambda choice: measured[choice])[:count]


@dataclass
class LayerSearch:
    """The state of one layer's search: what was tried, and how fast it was.

    :ivar stale: batches since one made the layer faster.
    """

    space: Space
    measured: dict[Choice, float] = field(default_factory=dict)
    failed: set[Choice] = field(default_factory=set)
    stale: int = 0

    @property
    def best(self) -> tuple[Choice, float] | None:
        """The fastest choice and its seconds."""
        return min(self.measured.items(), key=lambda item: item[1]) if self.measured else None

    @property
    def trials(self) -> int:
        return len(self.measured) + len(self.failed)

    @property
    def is_exhausted(self) -> bool:
        return self.trials >= self.space.size

    def is_new(self, choice: Choice) -> bool:
        return choice not in self.measured and choice not in self.failed

    def record(self, choice: Choice, seconds: float | None) -> bool:
        """Books a trial; returns whether it is the fastest so far."""
        if seconds is None:
            self.failed.add(choice)
            return False
        best = self.best
        self.measured[choice] = min(seconds, self.measured.get(choice, seconds))
        return best is None or seconds < best[1]

    def propose(self, count: int, score: Score, random: random.Random, known: Sequence[Decisions] = ()) -> list[Choice]:
        """Up to ``count`` new choices: the rule's default and known records first, then the best ranked of a pool of
        random points and neighbours of the fastest ones."""
        first = [self.space.default, *(self.space.choice(decisions) for decisions in known)]
        chosen = [choice for choice in dict.fromkeys(first) if choice is not None and self.is_new(choice)][:count]
        pool = [choice for choice in self._pool(random) if choice not in chosen]
        left = count - len(chosen)
        scores = score(pool) if pool and left else None
        if scores is None:
            return chosen + pool[:left]
        ranked = [choice for choice, _ in sorted(zip(pool, scores, strict=True), key=lambda item: -item[1])]
        explored = min(count // EXPLORED, left)
        best, rest = ranked[: left - explored], ranked[left - explored :]
        return chosen + best + random.sample(rest, min(explored, len(rest)))

    def _pool(self, random: random.Random) -> list[Choice]:
        """Distinct new points: half neighbours of the fastest, half anywhere."""
        parents = fastest(self.measured, PARENTS)
        pool: dict[Choice, None] = {}
        for attempt in range(ATTEMPTS):
            if len(pool) >= POOL:
                break
            base = random.choice(parents) if parents and attempt % 2 else None
            choice = self._neighbour(base, random) if base is not None else self._anywhere(random)
            if self.is_new(choice) and self.space.generator.is_sensible(
                self.space.layer, self.space.unit, self.space.decisions(choice)
            ):
                pool[choice] = None
        return list(pool)

    def _anywhere(self, random: random.Random) -> Choice:
        return tuple(random.choice(values) for values in self.space.knobs.values())

    def _neighbour(self, base: Choice, random: random.Random) -> Choice:
        """``base`` with one or two decisions changed."""
        values = list(self.space.knobs.values())
        changed = set(random.sample(range(len(values)), k=min(len(values), random.choice((1, 1, 2)))))
        return tuple(random.choice(values[index]) if index in changed else value for index, value in enumerate(base))
