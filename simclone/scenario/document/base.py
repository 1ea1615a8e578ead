"""What all documents share: the camelCase spelling, names, uuids, sizes and counts."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from simclone.units import MAX_AMOUNT, parse_size


def camel(name: str) -> str:
    """The file's spelling of a Python name.

    >>> camel("total_physical_memory"), camel("l2_network"), camel("for_")
    ('totalPhysicalMemory', 'l2Network', 'for')
    """
    head, *tail = name.rstrip("_").split("_")
    return head + "".join(part.capitalize() for part in tail)


def snake(key: str) -> str:
    """The Python name of a file's key.

    >>> snake("totalPhysicalMemory"), snake("l2Network")
    ('total_physical_memory', 'l2_network')
    """
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)


class Doc(BaseModel):
    """A part of a file: unknown keys are faults, nothing is converted silently, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=camel, populate_by_name=True)

    def given(self) -> dict[str, Any]:
        """What the file said, in the file's spelling."""
        return self.model_dump(by_alias=True, exclude_unset=True)


def _signed_size(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value < 0 else parse_size(value)


def _size_schema(least: int) -> dict[str, Any]:
    text = {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*([KMGTPkmgtp]?)([iI]?[bB])?\s*$"}
    return {"anyOf": [{"type": "integer", "minimum": least, "maximum": MAX_AMOUNT}, text]}


Size = Annotated[int, BeforeValidator(parse_size), WithJsonSchema(_size_schema(0))]
"""Bytes, as an integer or with a binary unit."""
PositiveSize = Annotated[int, Field(gt=0), BeforeValidator(parse_size), WithJsonSchema(_size_schema(1))]
"""Bytes, at least one."""
SignedSize = Annotated[
    int, Field(ge=-MAX_AMOUNT), BeforeValidator(_signed_size), WithJsonSchema(_size_schema(-MAX_AMOUNT))
]
"""Bytes of a start state, below zero on something over-committed."""
Number = Annotated[int, Field(ge=-MAX_AMOUNT, le=MAX_AMOUNT)]
Amount = Annotated[int, Field(ge=0, le=MAX_AMOUNT)]
Positive = Annotated[int, Field(gt=0, le=MAX_AMOUNT)]
Name = Annotated[str, StringConstraints(min_length=1)]
Uuid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Scalar = bool | int | float | str
Count = Annotated[int, Field(gt=0, le=1_000_000)]
