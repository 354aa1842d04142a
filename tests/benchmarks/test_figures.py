"""The page of figures is what the command writes, and the README shows its first table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
PAGE = ROOT / "docs" / "figures.md"


def _sections(page: str) -> dict[str, list[str]]:
    """The lines of each section of the page, by its title."""
    return {text.partition("\n")[0]: text.split("\n") for text in page.split("\n## ")[1:]}


def _table(lines: list[str]) -> list[list[str]]:
    return [line.split(" | ") for line in lines if line.startswith("| ")]


def _assert_well_formed(lines: list[str]) -> None:
    fences = [number for number, line in enumerate(lines) if line == "```"]
    assert len(fences) == 2
    assert fences[1] > fences[0] + 1, "the command is missing"
    table = _table(lines)
    assert len(table) > 2, "the table is missing"
    assert {len(row) for row in table} == {len(table[0])}


def test_the_page_is_as_the_command_would_leave_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    from page import renewed

    page = PAGE.read_text(encoding="utf-8")
    assert renewed(page, []) == page
    sections = _sections(page)
    assert list(sections)[-1] == "By hand"
    for title, lines in sections.items():
        if title != "By hand":
            _assert_well_formed(lines)


def test_the_readme_shows_the_page_s_first_table() -> None:
    first = next(iter(_sections(PAGE.read_text(encoding="utf-8")).values()))
    table = [line for line in first if line.startswith("| ")]
    assert "\n".join(table) in (ROOT / "README.md").read_text(encoding="utf-8")


def test_a_quick_run_renews_its_sections_and_no_others(tmp_path: Path) -> None:
    page = tmp_path / "figures.md"
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    command = [sys.executable, "-W", "ignore", BENCHMARKS / "figures.py", "--quick", "--page", page]
    subprocess.run([*command, "peers", "unknown", "layers", "peak", "footprint", "gpu"], check=True, cwd=tmp_path)
    before, after = _sections(PAGE.read_text(encoding="utf-8")), _sections(page.read_text(encoding="utf-8"))
    assert list(after) == list(before)
    renewed = {title for title in before if before[title] != after[title]}
    kept = {"The whole zoo", "Compiling", "Raspberry Pi 4, modelled", "What int8 costs", "By hand"}
    assert renewed == set(before) - kept
    for title in renewed:
        _assert_well_formed(after[title])


def test_a_section_that_there_is_not_is_named() -> None:
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "figures.py", "speed"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no section speed: there are peers, zoo" in done.stderr
