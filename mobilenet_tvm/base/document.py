"""The values that pass between the parts: frozen, typed, and JSON objects on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import PurePath
from typing import Annotated, Any, ClassVar, Self, dataclass_transform

import msgspec
from msgspec import UNSET, Meta, UnsetType

__all__ = ["UNSET", "Amount", "Count", "Document", "Factor", "Sha256", "Share", "UnsetType", "Whole"]

Whole = Annotated[int, Meta(ge=0)]
Count = Annotated[int, Meta(ge=1)]
Amount = Annotated[float, Meta(ge=0)]
Factor = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Document(Mapping[str, Any]):
    """A JSON object with known keys. Every class below this one becomes a frozen dataclass.

    ``document["key"]`` is ``document.key``. A field that is ``UNSET`` is not there: neither as a key nor in JSON. Keys
    that a newer version added are skipped when a document is read.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init_subclass__(cls, kw_only: bool = True) -> None:
        super().__init_subclass__()
        # Python compiles each method that a dataclass is given: what all can share halves what a class costs.
        dataclass(frozen=True, kw_only=kw_only, repr=False, eq=False)(cls)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._compared() == other._compared()

    def __hash__(self) -> int:
        return hash(self._compared())

    def __repr__(self) -> str:
        shown = (own.name for own in fields(self) if own.repr)
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    def _compared(self) -> tuple[object, ...]:
        return tuple(getattr(self, own.name) for own in fields(self) if own.compare)

    def to_json(self) -> Any:
        """The document as plain JSON values."""
        return _plain(self)

    @classmethod
    def from_json(cls, values: object) -> Self:
        """The document that plain JSON values spell.

        :raises msgspec.ValidationError: a key lacks or its value is of another type; the message says which.
        """
        return msgspec.convert(values, cls, dec_hook=_read)

    @classmethod
    def of(cls, other: Document) -> Self:
        """The part of another document that has this one's keys."""
        return cls(**{own.name: getattr(other, own.name) for own in fields(cls)})

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys():
            raise KeyError(key)
        return getattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys())

    def __len__(self) -> int:
        return len(self._keys())

    def _keys(self) -> list[str]:
        return [own.name for own in fields(self) if getattr(self, own.name) is not UNSET]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, PurePath) else value


def _read(kind: type[PurePath], value: str) -> PurePath:
    return kind(value)
