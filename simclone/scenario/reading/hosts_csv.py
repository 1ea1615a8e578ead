"""Hosts as columns: a CSV file named under ``hosts: {csv: …}``, with the line and column of everything wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from simclone.errors import Fault
from simclone.scenario.findings import Path, dotted
from simclone.scenario.reading.text import read_bytes
from simclone.traces.lines import GZIP, FaultList
from simclone.traces.table import Column, CsvTable, Record

LABEL = "label:"
HostEntry = dict[str, Any]
TABLE = CsvTable(
    (
        *(Column(name) for name in ("name", "cluster", "cpuNum", "totalPhysicalMemory")),
        *(Column(name, required=False) for name in ("uuid", "state", "status", "hypervisorType", "architecture")),
    ),
    by_hand=True,
    prefix=LABEL,
)
_MOST_DIGITS = 20


@dataclass(slots=True)
class HostTable:
    """The rows of a file as host entries; *records* are where they stand, *lost* names hosts of unusable rows."""

    name: str
    raw: bytes = b""
    rows: list[HostEntry] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    usable: bool = True

    def fault(self, path: Path, message: str, expected: str = "") -> Fault:
        """A fault of a host (``hosts.3.cpuNum``) at its cell."""
        row = path[1] if len(path) > 1 and isinstance(path[1], int) else -1
        if not 0 <= row < len(self.records):
            return Fault(dotted(path), message, expected, self.name, 1, 1)
        record, column = self.records[row], _column(path[2:])
        line, position = record.position(column) if record.has(column) else (record.line, 1)
        return Fault(dotted(path), message, expected, self.name, line, position)


def _column(path: Path) -> str:
    """The column that holds a key of a host."""
    if len(path) > 1 and path[0] == "labels":
        return f"{LABEL}{path[1]}"
    return str(path[0]) if path else ""


def read_hosts(folder: FilePath, file: str) -> HostTable:
    """Read a file of hosts; *file* is relative to *folder*.

    Raises InvalidInput when it cannot be read, or has another header.
    """
    raw, name = read_bytes(folder / file)
    table = HostTable(name, raw)
    faults = FaultList(name, most=None)
    for record in TABLE.records(name, faults, raw=_with_line_feeds(raw)):
        if record.complete:
            table.records.append(record)
            table.rows.append(_host(record))
        else:
            table.lost.extend(record.texts)
    table.faults, table.usable = faults.faults, not faults.unreadable
    return table


def _with_line_feeds(raw: bytes) -> bytes:
    """Text whose lines end with a carriage return alone, as some spreadsheets write it, with line feeds instead."""
    return raw if b"\n" in raw or raw.startswith(GZIP) else raw.replace(b"\r", b"\n")


def _host(record: Record) -> HostEntry:
    """A host as a list of hosts would have it; what is empty is left out."""
    host: HostEntry = {}
    for column, text in record.fields():
        if not text:
            continue
        if column == "cpuNum":
            host[column] = int(text) if text.isascii() and text.isdigit() and len(text) < _MOST_DIGITS else text
        elif column.startswith(LABEL):
            host.setdefault("labels", {})[column.removeprefix(LABEL)] = text
        else:
            host[column] = text
    return host
