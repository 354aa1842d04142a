"""docs/architecture.md tells the truth: the folders it draws, the files it names, and where each kind is registered."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
KINDS = {"a model", "a target", "an engine", "a place", "a backend", "a pass", "an operator", "a verb"}
KINDS |= {"a schedule for CPUs", "a schedule for GPUs"}


@dataclass(frozen=True)
class Row:
    """A line of the table.

    :ivar files: what is written for it, ``NAME`` for the example's.
    :ivar point: where it is registered, ``module:NAME``.
    :ivar is_found: whether that is a function which finds it by its being there.
    :ivar name: the example's file or folder.
    :ivar mark: what stands for the example at the registration point, a string literal in quotes.
    """

    kind: str
    files: tuple[str, ...]
    point: str
    is_found: bool
    name: str
    mark: str


def _rows() -> list[Row]:
    rows = []
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and "`" in line:
            files, (point,), (name, mark) = (re.findall(r"`([^`]+)`", cell) for cell in cells[1:])
            rows.append(Row(cells[0], tuple(files), point, "by being there" in cells[2], name, mark))
    return rows


def _source(module: str) -> Path:
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _defined(path: Path) -> dict[str, ast.stmt]:
    """What a module defines at its own level, by name."""
    names: dict[str, ast.stmt] = {}
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names[statement.name] = statement
        elif isinstance(statement, ast.AnnAssign | ast.Assign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names |= {target.id: statement for target in targets if isinstance(target, ast.Name)}
    return names


def _marks(statement: ast.stmt) -> set[str]:
    """Names, attributes and string literals (in quotes) in a statement."""
    marks = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            marks.add(node.id)
        elif isinstance(node, ast.Attribute):
            marks.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            marks.add(f'"{node.value}"')
    return marks


def _finds(module: str, function: str) -> list[str]:
    """What a registration point finds, in a process of its own: torch does not load beside the pipeline."""
    program = f"from {module} import {function}\nfor entry in {function}(): print(getattr(entry, 'name', entry))"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()


def problem(row: Row) -> str | None:
    """What is not as the row says; None where all is."""
    files = [ROOT / file.replace("NAME", row.name) for file in row.files]
    if missing := [file for file in files if not file.is_file()]:
        return f"there is no {missing[0]}"
    module, _, name = row.point.partition(":")
    if not _source(module).is_file() or name not in _defined(_source(module)):
        return f"there is no {row.point}"
    if row.is_found:
        return None if row.mark in _finds(module, name) else f"{row.point} does not find {row.mark}"
    if row.mark not in _marks(_defined(_source(module))[name]):
        return f"{row.point} does not name {row.mark}"
    if not row.mark.startswith('"') and row.mark not in _defined(files[0]):
        return f"{files[0]} does not define {row.mark}"
    return None


def test_every_kind_has_its_row() -> None:
    assert {row.kind for row in _rows()} >= KINDS


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.kind)
def test_what_a_row_names_is_there(row: Row) -> None:
    assert problem(row) is None


@pytest.mark.parametrize(
    "change",
    [
        {"files": ("mobilenet_tvm/place/NAME.py",)},
        {"name": "docker"},
        {"point": "mobilenet_tvm.places.places:PLACES"},
        {"point": "mobilenet_tvm.places.place:ROOMS"},
        {"mark": "Docker"},
        {"mark": "Host"},
    ],
    ids=str,
)
def test_a_wrong_row_is_found(change: dict[str, object]) -> None:
    row = next(row for row in _rows() if row.kind == "a place")
    assert problem(row) is None
    assert problem(replace(row, **change)) is not None  # type: ignore[arg-type]


def _drawn() -> set[str]:
    """The folders of the picture, those that are set in by two below the one above."""
    folders, top = set(), ""
    for line in PAGE.split("```")[1].splitlines():
        indent, name = re.match(r"( *)([a-z_]+/)?", line).groups()  # type: ignore[union-attr]
        if name:
            top = name if not indent else top
            folders.add(name if not indent else f"{top}{name}")
    return folders


def test_the_picture_has_the_folders_that_there_are() -> None:
    listing = subprocess.run(["git", "ls-files", "*.py", "*.cc", "*.toml"], cwd=ROOT, capture_output=True, text=True)
    there = {path.parent for path in map(Path, listing.stdout.split())}
    tops = {f"{path.parts[0]}/" for path in there if path.parts} - {"tests/", "examples/"}
    assert {folder for folder in _drawn() if folder.count("/") == 1} == tops
    for top in ("mobilenet_tvm/", "tvm_pipeline/"):
        below = {f"{top}{path.parts[1]}/" for path in there if path.parts[:1] == (top[:-1],) and len(path.parts) > 1}
        assert {folder for folder in _drawn() if folder.startswith(top) and folder != top} == below


def test_the_paths_on_the_page_are_there() -> None:
    paths = re.findall(r"(?:^ +|--|`)([a-z_]+/[a-z_/]+)(?=[`\s-])", PAGE, flags=re.MULTILINE)
    assert len(paths) > 20
    packages = ("", "mobilenet_tvm", "tvm_pipeline")
    for path in paths:
        assert any(_exists(ROOT / package / path.rstrip("/")) for package in packages), path


def _exists(path: Path) -> bool:
    return path.is_dir() or any(path.with_suffix(suffix).is_file() for suffix in (".py", ".cc"))
