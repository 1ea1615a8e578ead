"""Tables of comma-separated text: a header that must be known, then typed fields, each fault with its position.

Why an own reader and not DuckDB's ``read_csv``, pandas or the csv module: every fault must name file, line, column
and what was expected there, for all faults of a file at once and in one wording, whether the file is a trace, a list
of hosts or a course of use. DuckDB's reject table gives line, column and a reason in DuckDB's words, but knows no
rule that joins fields (an end before a start, a name twice, rows out of order), so half of the faults would need a
second pass to find their position; it reads a whole file before the first row, where a replay needs the first rows
of a trace only; and it is an optional dependency, while a scenario with ``hosts: {csv: …}`` must load without it.
The csv module forgets the column of a field. What is left to write here is splitting a line and naming a position.
Amounts are parsed from text to exact integers (`simclone.traces.numbers`); no float stands in between.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import TypeVar

from simclone.traces.lines import AnyPath, FaultList, column_of, numbered_lines, shown
from simclone.traces.numbers import Parser, count

Row = TypeVar("Row")

_LISTED = 200
_QUOTED = re.compile(r'"[^"]*(?:""[^"]*)*"')
_UNQUOTED = re.compile(r"[^,]*")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its *name* in the header, what is *expected* in it, and how an amount in it is parsed.

    The parser is not asked where a reader takes the field as text. A column that is not *required* may be absent.
    """

    name: str
    expected: str = "text"
    parse: Parser = count
    required: bool = True


@dataclass(frozen=True, slots=True)
class CsvTable:
    """What a table must look like: its *columns*, in this order and no others.

    A table made *by_hand* may have its columns in any order, quoted fields (also over several lines), blank lines and
    spaces around fields, as spreadsheets write them. Columns that begin with *prefix* may stand beside the others;
    with *ignores_others* any column may.
    """

    columns: Sequence[Column]
    by_hand: bool = False
    prefix: str = ""
    ignores_others: bool = False

    def recognise(self, path: AnyPath, header: str) -> float:
        """The share, from 0 to 1, of the required columns that the header line of the file at *path* names."""
        names = header.split(",")
        required = [column.name for column in self.columns if column.required]
        return sum(name in names for name in required) / len(required)

    def read(self, path: AnyPath, build: Callable[[Record], Row]) -> Iterator[Row]:
        """The rows *build* makes of the lines of a file, one at a time.

        After a fault no more rows come, but the rest of the file is looked at, so that `InvalidInput` carries up
        to twenty faults. A header with other columns is refused before any row.
        """
        faults = FaultList(path)
        for record in self.records(path, faults):
            if record.complete:
                row = build(record)
                if not faults:
                    yield row
        faults.raise_any()

    def records(self, path: AnyPath, faults: FaultList, raw: bytes | None = None) -> Iterator[Record]:
        """The lines of a file (or of its bytes *raw*) as records; what is wrong is added to *faults*.

        Raises `InvalidInput` for a file that cannot be read and for a wrong header.
        """
        expected = f"a header line with {', '.join(column.name for column in self.columns if column.required)}"
        lines = numbered_lines(path, faults, raw=raw, expected=expected)
        if self.by_hand:
            lines = _join_quoted(lines, faults)
        start, header = next(lines, (0, ""))
        if start == 0 and not faults:
            faults.add("the file is empty", expected, line=1, column=1)
        faults.raise_any()
        names = self._split(header)
        self._check_header(header, names, start, faults)
        faults.raise_any()
        columns = {column.name: column for column in self.columns}
        heading = _Heading({name: at for at, name in enumerate(names)}, columns, len(names), faults)
        for number, line in lines:
            yield self._record(heading, number, line)

    def _record(self, heading: _Heading, number: int, line: str) -> Record:
        texts = self._split(line)
        complete = len(texts) == heading.width
        if not self.by_hand and '"' in line:
            heading.faults.add("quoted field", "fields without quotes", line=number, column=line.index('"') + 1)
            complete = False
        elif not complete:
            heading.faults.add(f"{len(texts)} fields", f"{heading.width} fields", line=number, column=1)
        return Record(heading, number, texts, line, complete=complete)

    def _split(self, line: str) -> list[str]:
        if not self.by_hand:
            return line.split(",")
        return [text.strip() for text in (line.split(",") if '"' not in line else _split_quoted(line))]

    def _check_header(self, header: str, names: list[str], line: int, faults: FaultList) -> None:
        known = [column.name for column in self.columns]
        for at, name in enumerate(names):
            if self.ignores_others and name not in known:
                continue
            row, column = _position(header, at, line)
            if not (name in known or (self.prefix and name.startswith(self.prefix) and name != self.prefix)):
                expected = self._nearest(name, names)
                faults.add(f"unknown column {shown(name)}", expected, path=name[:40], line=row, column=column)
            elif name in names[:at]:
                faults.add(f"column {shown(name)} twice", "each column once", path=name, line=row, column=column)
        for required in self.columns:
            if required.required and required.name not in names:
                message = f"column {required.name!r} is missing among {','.join(names)[:_LISTED]}"
                faults.add(message, f"the columns {','.join(known)}", path=required.name, line=line, column=1)
        in_order = [name for name in known if name in names]
        if not self.by_hand and not faults and names != in_order:
            faults.add("the columns are in another order", ",".join(in_order), line=line, column=1)

    def _nearest(self, name: str, names: list[str]) -> str:
        """What an unknown column of a header with *names* was meant to be."""
        known = [column.name for column in self.columns]
        free = [other for other in known if other not in names]
        if self.prefix and ":" in name:
            free.append(self.prefix + name.partition(":")[2])
        near = get_close_matches(name, free, 1)
        return repr(near[0]) if near else f"the columns {','.join(known)}"


@dataclass(frozen=True, slots=True)
class _Heading:
    """The header of one file: where each column stands, what is known of it, and how many there are."""

    positions: dict[str, int]
    columns: dict[str, Column]
    width: int
    faults: FaultList


class Record:
    """One line of a table; *good* until a fault is found in it, *complete* when it has a field for each column."""

    __slots__ = ("_heading", "_raw", "complete", "good", "line", "texts")

    def __init__(self, heading: _Heading, line: int, texts: list[str], raw: str, *, complete: bool) -> None:
        self._heading, self._raw = heading, raw
        self.line, self.texts, self.complete, self.good = line, texts, complete, complete

    def has(self, name: str) -> bool:
        """True when the table has the column *name*."""
        return name in self._heading.positions

    def fields(self) -> Iterator[tuple[str, str]]:
        """Each column with the field in it, in the order of the file."""
        return ((name, self.texts[at]) for name, at in self._heading.positions.items())

    def field(self, name: str) -> str:
        """The field of a column as it stands; raises KeyError for a column that is not there."""
        return self.texts[self._heading.positions[name]]

    def text(self, name: str) -> str:
        """As `field`; an empty one is a fault."""
        text = self.field(name)
        if not text:
            self.fault(name, "the field is empty")
        return text

    def amount(self, name: str) -> int:
        """The field of a column in the base unit of the column, 0 after a fault."""
        heading = self._heading
        try:
            return heading.columns[name].parse(self.texts[heading.positions[name]])
        except ValueError as error:
            self.fault(name, str(error))
            return 0

    def maybe(self, name: str) -> int | None:
        """As `amount`, None for an empty field and for a column that is not there."""
        return self.amount(name) if self.has(name) and self.field(name) else None

    def position(self, name: str) -> tuple[int, int]:
        """The line and column, from 1, at which the field of a column begins."""
        return _position(self._raw, self._heading.positions[name], self.line)

    def fault(self, name: str, message: str, expected: str = "") -> None:
        """Reports a fault at a field; without *expected* the column's own words are used."""
        line, column = self.position(name)
        words = expected or self._heading.columns[name].expected
        self._heading.faults.add(message, words, path=name, line=line, column=column)
        self.good = False


def _join_quoted(lines: Iterator[tuple[int, str]], faults: FaultList) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, joined where a quoted field goes on; what cannot be split is a fault."""
    for number, line in lines:
        text = line
        while (wrong := _wrong_quote(text)) is not None:
            begin, expected = wrong
            more = None if expected == "a comma" else _until_quote(lines)
            if more is None:
                row, column = _locate(text, begin, number)
                message = "text behind a quoted field" if expected == "a comma" else "a quoted field does not end"
                faults.add(message, expected, line=row, column=column)
                faults.unreadable = True
                break
            text = f"{text}\n{more}"
        else:
            if text.strip(", \t"):
                yield number, text


def _until_quote(lines: Iterator[tuple[int, str]]) -> str | None:
    """The following lines up to one that holds a quote, None when there is none."""
    parts = []
    for _, line in lines:
        parts.append(line)
        if '"' in line:
            return "\n".join(parts)
    return None


def _wrong_quote(line: str) -> tuple[int, str] | None:
    """Where the fields of a line cannot be told apart, and what should stand there."""
    if '"' not in line:
        return None
    for begin, end in _spans(line):
        if end < 0:
            return begin, 'a closing "'
        if end < len(line) and line[end] != ",":
            return end, "a comma"
    return None


def _split_quoted(line: str) -> list[str]:
    """The fields of a line without their quotes."""
    pieces = (line[begin:end] for begin, end in _spans(line))
    return [piece[1:-1].replace('""', '"') if piece.startswith('"') else piece for piece in pieces]


def _spans(line: str) -> Iterator[tuple[int, int]]:
    """Begin and end of each field of a line; an end of -1 for a quoted field that does not end."""
    at = 0
    while at <= len(line):
        match = (_QUOTED if line.startswith('"', at) else _UNQUOTED).match(line, at)
        if match is None:
            yield at, -1
            return
        yield match.span()
        at = match.end() + 1


def _position(raw: str, at: int, line: int) -> tuple[int, int]:
    """Line and column of field number *at* of a record that begins in *line*."""
    if '"' not in raw:
        return line, column_of(raw.split(","), at)
    return _locate(raw, next(islice(_spans(raw), at, None), (0, 0))[0], line)


def _locate(text: str, offset: int, line: int) -> tuple[int, int]:
    """Line and column of an offset in text that begins in *line*."""
    return line + text.count("\n", 0, offset), offset - text.rfind("\n", 0, offset)


class Chronology:
    """Checks that the arrivals in one column never go back in time."""

    def __init__(self, column: str) -> None:
        self._column, self._latest = column, 0

    def check(self, record: Record, arrival_us: int) -> None:
        """Reports an arrival earlier than one before it; a record that has a fault already is left alone."""
        if record.good and arrival_us < self._latest:
            record.fault(self._column, "earlier than a row before it", "rows sorted by arrival")
        elif record.good:
            self._latest = arrival_us


class Names:
    """Checks that no name of one column comes twice. Keeps the names, and only them."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._known: set[str] = set()

    def check(self, record: Record) -> str:
        """The name of a record, reported when it was there before."""
        name = record.text(self._column)
        if name in self._known:
            record.fault(self._column, f"{shown(name)} was used before", "a name of its own")
        self._known.add(name)
        return name
