"""What was timed inside networks: a line per network and layer, on disk as soon as it is known."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.schedules import Decisions

FILE = "in_network.jsonl"


@dataclass(frozen=True)
class Timed:
    """A choice, and seconds of one call."""

    decisions: Decisions
    seconds: float


@dataclass(frozen=True)
class Entry:
    """A layer's choices in one network, and how often that calls it."""

    calls: int
    times: Sequence[Timed]

    def seconds(self, decisions: Decisions) -> float | None:
        return next((timed.seconds for timed in self.times if timed.decisions == decisions), None)


class Journal:
    """The times of all networks for one number of threads, in a folder; a line that a kill cut off is passed over."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._path, self._threads = folder / FILE, threads
        self._entries: dict[Layer, dict[str, Entry]] = {}
        for line in self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else ():
            self._read(line)

    def _read(self, line: str) -> None:
        try:
            values = json.loads(line)
        except ValueError:
            return
        if values["threads"] == self._threads:
            times = [Timed(decisions, seconds) for decisions, seconds in values["times"]]
            self._book(values["network"], Layer.parse(values["layer"]), Entry(values["calls"], times))

    def _book(self, network: str, layer: Layer, entry: Entry) -> None:
        self._entries.setdefault(layer, {})[network] = entry

    def add(self, network: str, layer: Layer, calls: int, times: Sequence[Timed]) -> None:
        """Books a layer's times in a network; they take the place of earlier ones."""
        values = {"network": network, "layer": str(layer), "threads": self._threads, "calls": calls}
        line = json.dumps({**values, "times": [[dict(timed.decisions), timed.seconds] for timed in times]})
        is_cut = self._path.exists() and not self._path.read_bytes().endswith(b"\n") and self._path.stat().st_size
        with self._path.open("a", encoding="utf-8") as file:
            file.write(("\n" if is_cut else "") + line + "\n")
        self._book(network, layer, Entry(calls, times))

    def knows(self, network: str, layer: Layer, choices: Sequence[Decisions]) -> bool:
        """Whether these choices of a layer were all timed in a network."""
        entry = self._entries.get(layer, {}).get(network)
        return entry is not None and all(entry.seconds(choice) is not None for choice in choices)

    def best(self, layer: Layer) -> list[Timed]:
        """A layer's choices, the best first: by the mean over all calls in all networks that timed them. What only
        some of the networks timed comes last: it may owe its time to them."""
        entries = list(self._entries[layer].values())
        totals: dict[str, tuple[int, float, int, Decisions]] = {}
        for entry in entries:
            for timed in entry.times:
                key = json.dumps(dict(timed.decisions), sort_keys=True)
                networks, seconds, calls, _ = totals.get(key, (0, 0.0, 0, timed.decisions))
                total = seconds + entry.calls * timed.seconds
                totals[key] = networks + 1, total, calls + entry.calls, timed.decisions
        ranked = sorted(totals.values(), key=lambda total: (-total[0], total[1] / total[2]))
        return [Timed(decisions, seconds / calls) for _, seconds, calls, decisions in ranked]
