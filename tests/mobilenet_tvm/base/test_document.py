"""Documents: values in Python, objects in JSON."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from msgspec import ValidationError

from mobilenet_tvm.base.document import UNSET, Count, Document, UnsetType


class Part(Document):
    size: Count
    note: str | UnsetType = UNSET


class Whole(Document):
    name: str
    path: Path
    parts: tuple[Part, ...] = ()


WHOLE = Whole(name="a", path=Path("b/c"), parts=(Part(size=1), Part(size=2, note="d")))


def test_through_json_and_back() -> None:
    text = json.dumps(WHOLE.to_json())
    assert json.loads(text) == {"name": "a", "path": "b/c", "parts": [{"size": 1}, {"size": 2, "note": "d"}]}
    assert Whole.from_json(json.loads(text)) == WHOLE


def test_a_key_is_an_attribute_and_what_is_unset_is_not_there() -> None:
    assert (WHOLE["name"], WHOLE["parts"][1]["note"]) == ("a", "d")
    assert "note" not in WHOLE.parts[0]
    assert {**WHOLE.parts[0]} == {"size": 1}
    with pytest.raises(KeyError):
        WHOLE.parts[0]["note"]
    with pytest.raises(KeyError):
        WHOLE["to_json"]


def test_nothing_changes_it() -> None:
    with pytest.raises(FrozenInstanceError):
        WHOLE.name = "b"  # type: ignore[misc]


def test_keys_of_a_newer_version_are_skipped() -> None:
    assert Part.from_json({"size": 1, "colour": "red"}) == Part(size=1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "a"}, "missing required field `path`"),
        ({"name": 1, "path": "b"}, r"Expected `str`, got `int` - at `\$\.name`"),
        ({"name": "a", "path": "b", "parts": [{"size": 0}]}, r"`int` >= 1 - at `\$\.parts\[0\]\.size`"),
    ],
)
def test_what_is_wrong_is_said_and_where(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Whole.from_json(values)


def test_the_part_that_another_document_shares() -> None:
    class Wider(Part):
        colour: str

    assert Part.of(Wider(size=3, colour="red")) == Part(size=3)
