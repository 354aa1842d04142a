"""Sections of the page: networks beside ONNX Runtime and OpenVINO, those of the zoo and those that no log knows."""

from __future__ import annotations

import json
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from page import Section, conditions
from single_layers import CHANNELS, LENGTH, PIXELS, write_layers

import mobilenet_tvm
import targets
from mobilenet_tvm.base.paths import package_folder, replacing
from mobilenet_tvm.cli.output import progress_on_stderr

PEERS = ["onnxruntime", "openvino"]
V1 = [f"mobilenet_v1_{width}_{size}" for width in ("1.0", "0.75", "0.5", "0.25") for size in (224, 192, 160, 128)]
LARGE = ["mobilenet_v1_1.0_224", "mobilenet_v2_1.0_224", "mobilenet_v3_large_1.0_224"]
LOGS = str(package_folder("tuning_logs"))
SMALL = "mobilenet_v1_0.25_128"
FOREIGN = Path(__file__).parents[1] / "tests" / "support" / "networks"
UNKNOWN = {
    "squeezenet": "squeezenet1_1",
    "resnet": "resnet18",
    "efficientnet": "efficientnet_b0",
    "resnext": "resnext26",
    "unet": "unet",
    "shufflenet": "shufflenet_v2",
    "inception": "inception",
    "vit": "vit",
}
"""Factories of networks by their files in ``FOREIGN``."""


@dataclass(frozen=True)
class Run:
    """How much is measured.

    :ivar results: a folder that keeps what ``compare`` said, so that a run that was stopped goes on.
    :ivar rounds: of each measurement.
    :ivar quick: one small network in place of all, with one thread: for the look of the page, not for its figures.
    """

    results: Path
    rounds: int
    quick: bool

    def networks(self, names: list[str]) -> list[str]:
        """These networks, or the small one."""
        return [SMALL] if self.quick else names

    def compared(self, name: str, model: str, targets: list[str], threads: list[int], logs: str) -> dict[str, Any]:
        """What ``compare`` says of a model, or said in an earlier run."""
        path = self.results / f"{name}-{Path(model).name.partition(':')[0]}.json"
        if not path.exists():
            options: dict[str, Any] = {"threads": threads, "logs": logs, "rounds": self.rounds}
            if "/" not in model:  # files and factories have weights of their own
                options["weights"] = "random"
            with progress_on_stderr() as on_event:
                result = mobilenet_tvm.compare(model, targets, PEERS, on_event=on_event, **options)
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                temporary.write_text(json.dumps(result.to_json(), indent=1), encoding="utf-8")
        return dict(json.loads(path.read_text(encoding="utf-8")))

    def conditions(self) -> str:
        """Those of a comparison."""
        return conditions(*PEERS, rounds=self.rounds)


def runnable() -> list[str]:
    """The float32 targets that are compared, as far as this CPU runs them, the richest first."""
    return [name for name in ("x86-64-v4", "x86-64-v3") if not targets.load(name).missing_here()]


def _command(model: str, more: str, rounds: int, logs: str = "tuning_logs") -> str:
    return (
        f"mobilenet-tvm compare {model} {more} --against {','.join(PEERS)} --rounds {rounds} --logs {logs} "
        "--weights random"
    )


def _ratios(result: dict[str, Any], target: str, threads: int) -> dict[str, dict[str, Any]]:
    """Our time over each peer's, by the peer's name."""
    rows = (row for row in result["ratios"] if (row["target"], row["threads"]) == (target, threads))
    return {row["against"]: row for row in rows}


def _milliseconds(result: dict[str, Any], threads: int) -> dict[str, float]:
    """Medians by target, by the peer's name for peers."""
    return {row["target"] or row["engine"]: row["median_ms"] for row in result["results"] if row["threads"] == threads}


def _spread(row: dict[str, Any]) -> str:
    return f"{row['p10']:.3f} to {row['p90']:.3f}"


def peers(run: Run) -> Section:
    """Three networks, with one thread and with two, for AVX-512 and for AVX2."""
    chosen, threads = runnable(), [1] if run.quick else [1, 2]
    rows, widest = [], dict.fromkeys(threads, 0.0)
    for network in run.networks(LARGE):
        result = run.compared("peers", network, chosen, threads, LOGS)
        for count in threads:
            times = _milliseconds(result, count)
            cells = {name: f"{ms:.2f}" for name, ms in times.items()}
            fastest = min(times, key=lambda name: times[name])
            cells[fastest] = f"**{cells[fastest]}**"
            for target in chosen:
                ratios = _ratios(result, target, count)
                medians = [f"{ratios[peer]['median']:.3f}" for peer in PEERS]
                cells[target] += f" ({', '.join(medians)})"
            spreads = ((row["p90"] - row["p10"]) / row["median"] for row in _ratios(result, chosen[0], count).values())
            widest[count] = max([widest[count], *spreads])
            rows.append((network, str(count), *(cells[name] for name in (*chosen, *PEERS))))
    return Section(
        "Beside ONNX Runtime and OpenVINO",
        "Milliseconds, the median of interleaved rounds; in brackets the medians of the rounds' ratios to ONNX Runtime "
        "and to OpenVINO, held to f32: below 1 this project is faster. Outputs were compared before any time counted.",
        run.conditions(),
        _command("NETWORK", f"--targets {','.join(chosen)} --threads {','.join(map(str, threads))}", run.rounds),
        ("network", ">threads", *(f">{name}" for name in (*chosen, *PEERS))),
        rows,
        f"From the 10th to the 90th percentile of the rounds the ratios of {chosen[0]} spread by at most "
        + ", ".join(f"{share:.0%} of the median with {count} thread(s)" for count, share in widest.items())
        + ".",
    )


def zoo(run: Run) -> Section:
    """The 16 networks of MobileNetV1, V2 1.0-224 and V3 large 1.0-224, each beside the faster peer."""
    target, rows, ratios = runnable()[0], [], []
    for network in run.networks([*V1, *LARGE[1:]]):
        result = run.compared("zoo", network, [target], [1], LOGS)
        times = _milliseconds(result, 1)
        faster = min(PEERS, key=lambda peer: times[peer])
        ratio = _ratios(result, target, 1)[faster]
        ratios.append(ratio)
        milliseconds = (f"{times[name]:.3f}" for name in (target, *PEERS))
        rows.append((network, *milliseconds, faster, f"{ratio['median']:.3f}", _spread(ratio)))
    mean = statistics.geometric_mean([ratio["median"] for ratio in ratios])
    return Section(
        "The whole zoo",
        "One thread; the ratio is that to the faster of the two peers, with its 10th and 90th percentile.",
        run.conditions(),
        f"python benchmarks/figures.py zoo --rounds {run.rounds}",
        ("network", f">{target} ms", *(f">{peer} ms" for peer in PEERS), "faster peer", ">ratio", ">p10 to p90"),
        rows,
        f"The geometric mean of the ratios is {mean:.3f}, the largest 10th percentile "
        f"{max(ratio['p10'] for ratio in ratios):.3f}.",
    )


def unknown(run: Run) -> Section:
    """Networks by the rules alone: without logs, and of families that the zoo does not know."""
    target, rows = runnable()[0], []
    foreign = [f"{FOREIGN / file}.py:{name}" for file, name in UNKNOWN.items()]
    with tempfile.TemporaryDirectory() as empty:
        for model in run.networks([LARGE[0], *foreign]):
            result = run.compared("unknown", model, [target], [1], empty)
            ratios = _ratios(result, target, 1)
            cells = (cell for peer in PEERS for cell in (f"{ratios[peer]['median']:.3f}", _spread(ratios[peer])))
            rows.append((Path(model).name, f"{_milliseconds(result, 1)[target]:.2f}", *cells))
    return Section(
        "Networks that no log knows",
        "One thread, no logs: every schedule comes from a rule. All but V1 are those of `tests/support/networks/`.",
        run.conditions(),
        _command("NETWORK", f"--targets {target}", run.rounds, "EMPTY_FOLDER").removesuffix(" --weights random"),
        ("network", f">{target} ms", *(column for peer in PEERS for column in (f">{peer} = 1", ">p10 to p90"))),
        rows,
    )


def layers(run: Run) -> Section:
    """Single layers between two 1x1 convolutions, beside ONNX Runtime."""
    target, rows, worst = runnable()[0], [], {}
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as empty:
        written = list(write_layers(Path(scratch)))
        for name, path in written[:1] if run.quick else written:
            result = run.compared("layers", str(path), [target], [1], empty)
            ratio, times = _ratios(result, target, 1)[PEERS[0]], _milliseconds(result, 1)
            worst[name] = ratio["median"]
            cells = (f"{times[engine]:.3f}" for engine in (target, PEERS[0]))
            rows.append((name, *cells, f"{ratio['median']:.3f}", _spread(ratio)))
    slowest = max(worst, key=lambda name: worst[name])
    return Section(
        "Single layers",
        f"One thread, no logs: a layer on {CHANNELS} channels of {PIXELS}x{PIXELS} pixels (a sequence of {LENGTH} for "
        "1-D layers and products) between two 1x1 convolutions, all three timed together.",
        run.conditions(),
        f"python benchmarks/figures.py layers --rounds {run.rounds}",
        ("layer", f">{target} ms", f">{PEERS[0]} ms", ">ratio", ">p10 to p90"),
        rows,
        f"The geometric mean of the ratios is {statistics.geometric_mean(worst.values()):.3f}; the largest is that of "
        f"{slowest}.",
    )
