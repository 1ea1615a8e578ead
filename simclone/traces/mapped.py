"""Any other table of VMs, read by a column map; columns that the map does not name are left alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from simclone.traces.column_map import ColumnMap, MappedColumn
from simclone.traces.lines import AnyPath, shown
from simclone.traces.numbers import (
    COPIES_EXPECTED,
    Parser,
    copies,
    count,
    decimal,
    milliseconds,
    seconds,
    sizes,
    vcpus,
    whole,
)
from simclone.traces.rows import VmRow, copy_row
from simclone.traces.table import Chronology, Column, CsvTable, Record
from simclone.units import parse_size

_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?", re.ASCII)
_UNIT_NAMES = {"": "seconds", "s": "seconds", "ms": "milliseconds", "us": "microseconds"}


def read_mapped(path: AnyPath, columns: ColumnMap) -> Iterator[VmRow]:
    """The VMs of a table whose columns a map names, in file order, *count* for each line.

    Raises `InvalidInput` while iterating: for a column that is not there, and for rows that are wrong or not sorted by
    start.
    """
    reader = _Reader(columns)
    for row, number in reader.table.read(path, reader.build):
        yield from copy_row(row, number)


class _Times:
    """Moments in microseconds from the start: dates count from the first one, numbers from 0.

    The first moment of a file decides which of the two the file holds.
    """

    def __init__(self) -> None:
        self._first: datetime | None = None
        self._is_numeric = False

    def parser(self, unit: str) -> Parser:
        """A parser of moments; numbers are in *unit*."""
        number = _durations(unit)

        def parse(text: str) -> int:
            if _DATE.fullmatch(text) is None:
                if self._first is not None:
                    raise ValueError(f"{shown(text)} is not a date, as the first row has")
                amount = number(text)
                self._is_numeric = True
                return amount
            if self._is_numeric:
                raise ValueError(f"{shown(text)} is a date, but the first row has a number")
            moment = _date(text)
            if self._first is None:
                self._first = moment
            return (moment - self._first) // timedelta(microseconds=1)

        return parse


class _Reader:
    """The table of one map, and what is known from the rows before."""

    def __init__(self, columns: ColumnMap) -> None:
        times = _Times()
        self._names = {column.field: column.column for column in columns.columns}
        self.table = CsvTable([_typed(column, times) for column in columns.columns], by_hand=True, ignores_others=True)
        self._arrivals = Chronology(self._names["start"])
        self._groups: dict[str, int] = {}

    def build(self, record: Record) -> tuple[VmRow, int]:
        """One row, and how many VMs it stands for."""
        names = self._names
        start = record.amount(names["start"])
        if start < 0:
            record.fault(names["start"], "before the start of the trace", "rows sorted by arrival, the first at 0")
        self._arrivals.check(record, start)
        end = self._end(record, start)
        cpu, memory = record.amount(names["vcpu"]), record.amount(names["memory"])
        gpus = record.amount(names["gpus"]) if "gpus" in names else 0
        number = record.amount(names["count"]) if "count" in names else 1
        name = record.text(names["name"]) if "name" in names else f"vm-{record.line - 1}"
        return VmRow(start, end, cpu, memory, gpus, self._group(record), name), number

    def _end(self, record: Record, start: int) -> int | None:
        field = "lifetime" if "lifetime" in self._names else "end"
        if field not in self._names:
            return None
        column = self._names[field]
        amount = record.maybe(column)
        if amount is None:
            return None
        end = start + amount if field == "lifetime" else amount
        if record.good and end < start:
            record.fault(column, "ends before it arrives")
        return end

    def _group(self, record: Record) -> int | None:
        """Groups are numbered as they appear; an empty word is none."""
        word = record.field(self._names["group"]) if "group" in self._names else ""
        return self._groups.setdefault(word, len(self._groups)) if word else None


def _typed(mapped: MappedColumn, times: _Times) -> Column:
    """The column of a table that a map describes, with its parser."""
    name, unit = mapped.column, mapped.unit
    match mapped.field:
        case "start":
            return Column(name, _moment_expected(unit), times.parser(unit))
        case "end":
            return Column(name, f"empty, or {_moment_expected(unit)}", times.parser(unit))
        case "lifetime":
            return Column(name, f"empty, or {_UNIT_NAMES[unit]}", _durations(unit))
        case "vcpu" if unit == "milli":
            return Column(name, "1/1000 vCPU, a whole number", whole())
        case "vcpu":
            return Column(name, "vCPU, down to thousandths", vcpus)
        case "memory" if unit:
            return Column(name, f"{unit} that are whole bytes", sizes(unit))
        case "memory":
            return Column(name, "bytes, or a size with a unit, such as 4GiB", _size)
        case "gpus":
            return Column(name, "devices, a whole number", count)
        case "count":
            return Column(name, COPIES_EXPECTED, copies)
    return Column(name)


def _moment_expected(unit: str) -> str:
    return f"a date such as 2024-05-01T10:00:00Z, or {_UNIT_NAMES[unit]} from the start"


def _durations(unit: str) -> Parser:
    if unit == "ms":
        return milliseconds
    if unit == "us":
        return lambda text: decimal(text, 0, "microseconds", "a microsecond")
    return seconds


def _size(text: str) -> int:
    return parse_size(text)


def _date(text: str) -> datetime:
    """A date of ISO 8601, in UTC where it has no offset; ValueError with a sentence."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is not a date") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
