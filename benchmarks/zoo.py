"""The whole zoo beside ONNX Runtime and OpenVINO: the 16 networks of MobileNetV1, V2 1.0-224 and V3 large 1.0-224.

    python benchmarks/zoo.py [--target x86-64-v4] [--threads 1] [--rounds 15] [--logs tuning_logs] --output FOLDER

A network's result lies in FOLDER as soon as it is there; a second call goes on behind it. Run nothing beside it.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import mobilenet_tvm
from mobilenet_tvm.base.paths import replacing
from mobilenet_tvm.cli.output import print_table, progress_on_stderr

V1 = [f"mobilenet_v1_{width}_{size}" for width in ("1.0", "0.75", "0.5", "0.25") for size in (224, 192, 160, 128)]
NETWORKS = [*V1, "mobilenet_v2_1.0_224", "mobilenet_v3_large_1.0_224"]
PEERS = ["onnxruntime", "openvino"]


def measured(network: str, path: Path, args: argparse.Namespace) -> dict[str, Any]:
    """What ``compare`` finds, or what lies in ``path`` from an earlier call."""
    if not path.exists():
        with progress_on_stderr() as on_event:
            result = mobilenet_tvm.compare(
                network,
                [args.target],
                PEERS,
                threads=[args.threads],
                weights="random",
                logs=args.logs,
                rounds=args.rounds,
                on_event=on_event,
            )
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(result, indent=1), encoding="utf-8")
    return dict(json.loads(path.read_text(encoding="utf-8")))


def row(result: dict[str, Any]) -> tuple[str, dict[str, float], dict[str, Any]]:
    """The network, milliseconds by engine, and the ratio to the faster of the two others."""
    times = {one["engine"]: one["median_ms"] for one in result["results"]}
    faster = min(PEERS, key=lambda peer: times[peer])
    return result["model"], times, next(one for one in result["ratios"] if one["against"] == faster)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default="x86-64-v4")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--logs", default="tuning_logs")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    rows = [row(measured(network, args.output / f"{network}.json", args)) for network in NETWORKS]
    print_table(
        ("network", ">tvm ms", *(f">{peer} ms" for peer in PEERS), "against", ">time, theirs = 1", "p10 to p90"),
        [
            (
                network,
                *(f"{times[engine]:.3f}" for engine in ("tvm", *PEERS)),
                ratio["against"],
                f"{ratio['median']:.3f}",
                f"{ratio['p10']:.3f} to {ratio['p90']:.3f}",
            )
            for network, times, ratio in rows
        ],
    )
    mean = statistics.geometric_mean([ratio["median"] for _, _, ratio in rows])
    print(f"geometric mean {mean:.3f}; the largest 10th percentile {max(ratio['p10'] for *_, ratio in rows):.3f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
