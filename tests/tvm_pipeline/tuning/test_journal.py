"""What was timed inside networks is on disk at once, and the best over all networks is told."""

from __future__ import annotations

from pathlib import Path

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.tuning.journal import FILE, Journal, Timed

LAYER = Layer.parse("pointwise 28x28x128->128 bias relu")
A, B, C = {"tile_m": 1}, {"tile_m": 2}, {"tile_m": 3}


def _choices(journal: Journal) -> list[object]:
    return [timed.decisions for timed in journal.best(LAYER)]


def test_the_best_is_that_over_all_calls_of_all_networks(tmp_path: Path) -> None:
    journal = Journal(tmp_path, threads=1)
    journal.add("once", LAYER, 1, [Timed(A, 1.0), Timed(B, 3.0), Timed(C, 0.1)])
    assert _choices(journal) == [C, A, B]
    journal.add("often", LAYER, 9, [Timed(A, 2.0), Timed(B, 1.0)])
    assert _choices(journal) == [B, A, C], "what one network alone has timed comes last"
    assert journal.best(LAYER)[0].seconds == (3.0 + 9 * 1.0) / 10


def test_another_process_knows_them_but_not_those_of_other_threads(tmp_path: Path) -> None:
    Journal(tmp_path, threads=1).add("network", LAYER, 1, [Timed(A, 1.0), Timed(B, 2.0)])
    again = Journal(tmp_path, threads=1)
    assert again.knows("network", LAYER, [A, B])
    assert not again.knows("network", LAYER, [A, C])
    assert not again.knows("another", LAYER, [A])
    assert not Journal(tmp_path, threads=2).knows("network", LAYER, [A])


def test_a_line_that_a_kill_cut_off_is_passed_over(tmp_path: Path) -> None:
    Journal(tmp_path, threads=1).add("network", LAYER, 1, [Timed(A, 1.0)])
    whole = (tmp_path / FILE).read_text()
    (tmp_path / FILE).write_text(whole + whole[:40])
    journal = Journal(tmp_path, threads=1)
    assert journal.knows("network", LAYER, [A])
    journal.add("another", LAYER, 1, [Timed(B, 1.0)])
    assert Journal(tmp_path, threads=1).knows("another", LAYER, [B])
