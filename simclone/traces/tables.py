"""Comma-separated trace tables: a header that must be known, then typed fields, each fault with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeVar

from simclone.traces.lines import AnyPath, FaultList, column_of, numbered_lines, shown
from simclone.traces.numbers import Parser, count

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its *name* in the header, what is *expected* in it, and how an amount in it is parsed.

    The parser is not asked where a reader takes the field as text.
    """

    name: str
    expected: str = "text"
    parse: Parser = count


class Record:
    """One line of a table; *good* until a fault is found in it."""

    __slots__ = ("_columns", "_faults", "good", "line", "texts")

    def __init__(self, columns: Sequence[Column], faults: FaultList, line: int, texts: list[str]) -> None:
        self._columns, self._faults = columns, faults
        self.line, self.texts, self.good = line, texts, True

    def text(self, place: int) -> str:
        """The field at *place* as it stands; an empty one is a fault."""
        if not self.texts[place]:
            self.fault(place, "the field is empty")
        return self.texts[place]

    def amount(self, place: int) -> int:
        """The field at *place* in the base unit of its column, 0 after a fault."""
        try:
            return self._columns[place].parse(self.texts[place])
        except ValueError as error:
            self.fault(place, str(error))
            return 0

    def maybe(self, place: int) -> int | None:
        """As `amount`, None for an empty field."""
        return self.amount(place) if self.texts[place] else None

    def fault(self, place: int, message: str, expected: str = "") -> None:
        """Reports a fault at a field; without *expected* the column's own words are used."""
        column = self._columns[place]
        where = column_of(self.texts, place)
        self._faults.add(message, expected or column.expected, path=column.name, line=self.line, column=where)
        self.good = False


def read_table(path: AnyPath, columns: Sequence[Column], build: Callable[[Record], Row]) -> Iterator[Row]:
    """The rows *build* makes of the lines of a table, one at a time.

    After a fault no more rows come, but the rest of the file is looked at, so that `InvalidInput` carries up
    to twenty faults. A header with other columns is refused before any row.
    """
    faults = FaultList(path)
    for record in _records(path, columns, faults):
        row = build(record)
        if not faults:
            yield row
    faults.raise_any()


def _records(path: AnyPath, columns: Sequence[Column], faults: FaultList) -> Iterator[Record]:
    lines = numbered_lines(path, faults)
    number, header = next(lines, (0, ""))
    if number == 1:
        _check_header(header, columns, faults)
    faults.raise_any()
    for number, line in lines:
        texts = line.split(",")
        if '"' in line:
            faults.add("quoted field", "fields without quotes", line=number, column=line.index('"') + 1)
        elif len(texts) != len(columns):
            faults.add(f"{len(texts)} fields", f"{len(columns)} fields", line=number, column=1)
        else:
            yield Record(columns, faults, number, texts)


def _check_header(header: str, columns: Sequence[Column], faults: FaultList) -> None:
    found, names = header.split(","), [column.name for column in columns]
    for place, name in enumerate(found):
        where = column_of(found, place)
        if name not in names:
            near = get_close_matches(name, [known for known in names if known not in found], 1)
            expected = repr(near[0]) if near else f"the columns {','.join(names)}"
            faults.add(f"unknown column {shown(name)}", expected, path=name[:40], line=1, column=where)
        elif name in found[:place]:
            faults.add(f"column {shown(name)} twice", "each column once", path=name, line=1, column=where)
    for name in names:
        if name not in found:
            faults.add(f"column {name!r} is missing", f"the columns {','.join(names)}", path=name, line=1, column=1)
    if not faults and found != names:
        faults.add("the columns are in another order", ",".join(names), line=1, column=1)


class Chronology:
    """Checks that the arrivals in one column never go back in time."""

    def __init__(self, place: int) -> None:
        self._place, self._latest = place, 0

    def check(self, record: Record, arrival_us: int) -> None:
        """Reports an arrival earlier than one before it; a record that has a fault already is left alone."""
        if record.good and arrival_us < self._latest:
            record.fault(self._place, "earlier than a row before it", "rows sorted by arrival")
        elif record.good:
            self._latest = arrival_us


class Names:
    """Checks that no name of one column comes twice. Keeps the names, and only them."""

    def __init__(self, place: int) -> None:
        self._place = place
        self._seen: set[str] = set()

    def check(self, record: Record) -> str:
        """The name of a record, reported when it was there before."""
        name = record.text(self._place)
        if name in self._seen:
            record.fault(self._place, f"{shown(name)} was used before", "a name of its own")
        self._seen.add(name)
        return name
