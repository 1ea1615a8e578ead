"""A column map: which column of a table anybody exported says what about a VM, and in which unit.

Written ``start=created_at,end=terminated_at,vcpu=vcpus,memory=memory_mb:MiB`` on the command line and as a mapping of
the same words in a file.

=============  =========================================================================================
`start`        when the VM came: a date (ISO 8601, UTC without an offset) or seconds; units ``s, ms, us``
`end`          when it went, as `start`; empty or absent while it runs
`lifetime`     in place of `end`: how long it lived, in seconds; units ``s, ms, us``
`vcpu`         its vCPUs, down to thousandths; unit ``milli`` for thousandths
`memory`       bytes, or a number with its unit; units ``B, KB, KiB, MB, MiB, GB, GiB, TB, TiB``
`gpus`         its devices; absent means 0
`count`        how many such VMs the line stands for; absent means 1
`group`        any word that the VMs asked for at once share
`name`         its name
=============  =========================================================================================

K, M, G and T are binary with and without an i, as in every file of simclone. Of dates the first start is second 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

SIZE_UNITS = ("B", "KB", "KiB", "MB", "MiB", "GB", "GiB", "TB", "TiB")
TIME_UNITS = ("s", "ms", "us")

UNITS: Mapping[str, tuple[str, ...]] = {
    "start": TIME_UNITS,
    "end": TIME_UNITS,
    "lifetime": TIME_UNITS,
    "vcpu": ("milli",),
    "memory": SIZE_UNITS,
    "gpus": (),
    "count": (),
    "group": (),
    "name": (),
}
"""What a map may name, each with the units that may stand behind its column."""

REQUIRED = ("start", "vcpu", "memory")


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One *column* of the table, the *field* of a VM that it gives, and the *unit* of it (empty: the usual one)."""

    field: str
    column: str
    unit: str


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """The columns of a table that are read, in the order of the map.

    >>> ColumnMap.parse("start=at,vcpu=cpu,memory=mb:MiB").columns[2]
    MappedColumn(field='memory', column='mb', unit='MiB')
    """

    columns: tuple[MappedColumn, ...]

    @classmethod
    def parse(cls, text: str) -> ColumnMap:
        """The map of ``field=column[:unit],…``; raises ValueError with a sentence."""
        pairs: dict[str, str] = {}
        for piece in text.split(","):
            field, equals, column = (part.strip() for part in piece.partition("="))
            if not (field and equals and column):
                raise ValueError(f"{piece.strip()!r} is no part of a map; expected field=column or field=column:unit")
            if field in pairs:
                raise ValueError(f"the map names {field} twice")
            pairs[field] = column
        return cls.of(pairs)

    @classmethod
    def of(cls, pairs: Mapping[str, str]) -> ColumnMap:
        """The map of columns (with their units) by field; raises ValueError with a sentence."""
        columns = tuple(_column(field, text) for field, text in pairs.items())
        missing = [field for field in REQUIRED if field not in pairs]
        if missing:
            raise ValueError(f"the map does not name {' and '.join(missing)}; expected {', '.join(REQUIRED)} at least")
        if "end" in pairs and "lifetime" in pairs:
            raise ValueError("the map names both end and lifetime; expected one of the two")
        names = [column.column for column in columns]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"the map names the column {twice!r} twice")
        return cls(columns)


def _column(field: str, text: str) -> MappedColumn:
    if field not in UNITS:
        near = get_close_matches(field, UNITS, 1)
        expected = near[0] if near else f"one of {', '.join(UNITS)}"
        raise ValueError(f"the map names {field!r}; expected {expected}")
    name, colon, unit = text.rpartition(":")
    if not colon:
        return MappedColumn(field, text, "")
    if unit not in UNITS[field]:
        expected = f"one of {', '.join(UNITS[field])}" if UNITS[field] else "no unit"
        raise ValueError(f"unknown unit {unit!r} of {field}; expected {expected}")
    if not name:
        raise ValueError(f"the map names no column for {field}; expected {field}=column:{unit}")
    return MappedColumn(field, name, unit)
