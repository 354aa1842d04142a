"""The static model beside published times, network by network left out: static_model_table.py RESULTS.jsonl

The results are those of benchmarks/static_model.py. A network is left out when the scale between modelled and published
times of a board, with so many threads, is fitted (the geometric mean of their ratios), and then predicted with it.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Published:
    """Milliseconds that an engine's authors published for a board, at its clock."""

    engine: str
    network: str
    core: str
    gigahertz: float
    threads: int
    milliseconds: float


def _ncnn(core: str, gigahertz: float, threads: int, **milliseconds: float) -> list[Published]:
    return [Published("ncnn", name, core, gigahertz, threads, published) for name, published in milliseconds.items()]


PUBLISHED = [
    # Tencent/ncnn, benchmark/README.md: averages of benchncnn
    *_ncnn("cortex-a53", 1.4, 1, v1=205.65, v2=158.80, v3=127.23, squeezenet=125.58, resnet18=379.57),
    *_ncnn("cortex-a53", 1.4, 4, v1=108.66, v2=111.68, v3=86.44, squeezenet=85.22, resnet18=271.93),
    *_ncnn("cortex-a72", 1.8, 1, v1=124.32, v2=93.48, v3=72.81, squeezenet=73.96, resnet18=191.10),
    *_ncnn("cortex-a72", 1.8, 4, v1=61.17, v2=61.88, v3=47.53, squeezenet=46.65, resnet18=123.12),
    *_ncnn("cortex-a76", 2.4, 1, v1=20.3),
    # google/XNNPACK, README.md: 64-bit, all four cores
    Published("tflite", "v1", "cortex-a72", 1.5, 4, 77.0),
    Published("tflite", "v2", "cortex-a72", 1.5, 4, 46.0),
]


def modelled(result: dict[str, float], row: Published) -> float:
    """Milliseconds at the published clock: the pipelines' work is shared by the threads, the memory is not."""
    return (result["pipeline"] / row.threads + result["memory"]) / row.gigahertz


def main() -> None:
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    results = {(result["engine"], result["network"], result["core"]): result for result in map(json.loads, lines)}
    rows = [
        (row, modelled(results[key], row))
        for row in PUBLISHED
        if (key := (row.engine, row.network, row.core)) in results
    ]
    print("| core | engine | network | threads | published ms | modelled ms | off by | left out, off by |")
    print("|---|---|---|---|---|---|---|---|")
    errors = []
    for row, milliseconds in rows:
        others = [
            math.log(other.milliseconds / theirs)
            for other, theirs in rows
            if (other.core, other.threads) == (row.core, row.threads) and other.network != row.network
        ]
        scale = math.exp(sum(others) / len(others)) if others else None
        predicted = scale * milliseconds / row.milliseconds - 1 if scale is not None else None
        if predicted is not None:
            errors.append(abs(predicted))
        cells = (
            *(row.core, row.engine, row.network, row.threads, f"{row.milliseconds:.1f}", f"{milliseconds:.1f}"),
            f"{milliseconds / row.milliseconds - 1:+.0%}",
            "" if predicted is None else f"{predicted:+.0%}",
        )
        print("|", " | ".join(map(str, cells)), "|")
    if errors:
        print(f"\nleft out, off by {sum(errors) / len(errors):.0%} on average, {max(errors):.0%} at most")


if __name__ == "__main__":
    main()
