"""Hosts as columns: a CSV file named under ``hosts: {csv: …}``, with the line and column of everything wrong."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from simclone.errors import Fault
from simclone.scenario.findings import Path, dotted, nearest
from simclone.scenario.reading.locations import Place
from simclone.scenario.reading.text import decode, read_bytes

REQUIRED = ("name", "cluster", "cpuNum", "totalPhysicalMemory")
OPTIONAL = ("uuid", "state", "status", "hypervisorType", "architecture")
LABEL = "label:"


@dataclass(slots=True)
class HostTable:
    """The rows of a file as host entries; *lines* are where they begin, *lost* names hosts of unusable rows."""

    name: str
    text: str = ""
    raw: bytes = b""
    columns: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    usable: bool = True

    def fault(self, path: Path, message: str, expected: str = "") -> Fault:
        """A fault of a host (``hosts.3.cpuNum``) at its cell."""
        row = path[1] if len(path) > 1 and isinstance(path[1], int) else -1
        if not 0 <= row < len(self.lines):
            return Fault(dotted(path), message, expected, self.name, 1, 1)
        line, column = self._cell(self.lines[row], path[2:])
        return Fault(dotted(path), message, expected, self.name, line, column)

    def _cell(self, line: int, path: Path) -> Place:
        column = f"{LABEL}{path[1]}" if len(path) > 1 and path[0] == "labels" else str(path[0]) if path else ""
        pieces = self.text.split("\n")[line - 1].split(",")
        if column not in self.columns or len(pieces) != len(self.columns):
            return line, 1
        return line, 1 + sum(len(piece) + 1 for piece in pieces[: self.columns.index(column)])


def read_hosts(folder: FilePath, file: str) -> HostTable:
    """Read a file of hosts; *file* is relative to *folder*. Raises InvalidInput when it cannot be read as text."""
    raw, name = read_bytes(folder / file)
    table = HostTable(name, decode(raw, name), raw)
    reader = csv.reader(io.StringIO(table.text, newline=""), strict=True)
    try:
        _head(table, next(reader, []))
        begin = reader.line_num + 1
        for cells in reader if table.usable else ():
            _row(table, cells, begin)
            begin = reader.line_num + 1
    except csv.Error as error:
        table.faults.append(Fault("", str(error), "", name, reader.line_num, 1))
        table.usable = False
    return table


def _head(table: HostTable, cells: list[str]) -> None:
    table.columns = [cell.strip() for cell in cells]
    known = [*REQUIRED, *OPTIONAL]
    if not any(table.columns):
        return _unusable(table, "", "the file is empty", f"a header line with {', '.join(REQUIRED)}")
    for column in REQUIRED:
        if column not in table.columns:
            _unusable(table, column, "column is missing")
    for place, column in enumerate(table.columns):
        if column in table.columns[:place]:
            _unusable(table, column, "column stands twice", "", place)
        elif column not in known and not (column.startswith(LABEL) and len(column) > len(LABEL)):
            _unusable(table, column, "unknown column", nearest(column, [*known, "label:rack"]), place)


def _unusable(table: HostTable, path: str, message: str, expected: str = "", place: int = 0) -> None:
    column = 1 + sum(len(one) + 1 for one in table.columns[:place])
    table.faults.append(Fault(path, message, expected, table.name, 1, column))
    table.usable = False


def _row(table: HostTable, cells: list[str], line: int) -> None:
    if not any(cells):
        return
    if len(cells) != len(table.columns):
        expected = f"{len(table.columns)}: {', '.join(table.columns)}"
        table.faults.append(Fault("", f"{len(cells)} fields", expected, table.name, line, 1))
        table.lost.extend(cells)
        return
    row: dict[str, Any] = {}
    for column, cell in zip(table.columns, cells, strict=True):
        text = cell.strip()
        if not text:
            continue
        if column == "cpuNum":
            row[column] = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else text
        elif column.startswith(LABEL):
            row.setdefault("labels", {})[column[len(LABEL) :]] = text
        else:
            row[column] = text
    table.rows.append(row)
    table.lines.append(line)
