"""The records of a run directory, read without any other part of simclone."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from simclone.errors import Fault, InvalidInput
from simclone.records import Event
from simclone.units import java_round


def read_records(directory: Path) -> dict[str, Any]:
    """``records.json`` of a run directory; raises InvalidInput when it is missing or no record."""
    path = directory / "records.json"
    try:
        result = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidInput([Fault("", f"cannot be read: {error.strerror}", "a run directory", str(path))]) from None
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidInput([Fault("", f"is no JSON: {error}", "the records of a run", str(path))]) from None
    missing = [key for key in ("opening", "closing", "answers") if not isinstance(result, dict) or key not in result]
    if missing:
        raise InvalidInput([Fault(key, "is missing", "the records of a run", str(path)) for key in missing])
    _refuse_incomplete(directory / "manifest.json")
    records: dict[str, Any] = result
    return records


def _refuse_incomplete(path: Path) -> None:
    """A run whose rows were dropped on request cannot be replayed."""
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return
    if isinstance(manifest, dict) and manifest.get("complete") is False:
        raise InvalidInput([Fault("", "rows were dropped on request", "a run made with --keep all", str(path))])


def read_events(directory: Path) -> Iterator[Event]:
    """The events of a run directory in order (CSV, Parquet or SQLite); raises InvalidInput naming one that is none."""
    kinds = (("events.csv", _csv_rows), ("events.parquet", _parquet_rows), ("run.sqlite", _sqlite_rows))
    name, rows = next(((name, rows) for name, rows in kinds if (directory / name).is_file()), kinds[0])
    path = directory / name
    try:
        for number, row in enumerate(rows(path), 1):
            try:
                yield _event(row)
            except (KeyError, ValueError, TypeError, AttributeError) as error:
                text = f"row {number} cannot be understood ({error})"
                line = number + 1 if name == "events.csv" else 0
                raise InvalidInput([Fault("", text, "an event", str(path), line, min(line, 1))]) from None
    except OSError as error:
        raise InvalidInput([Fault("", f"cannot be read: {error.strerror or error}", name, str(path))]) from None


def _csv_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _sqlite_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as base:
            base.row_factory = sqlite3.Row
            yield from base.execute("SELECT * FROM events ORDER BY rowid")
    except sqlite3.Error as error:
        raise InvalidInput([Fault("", f"cannot be read: {error}", "a table of events", str(path))]) from None


def _parquet_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        import duckdb
    except ImportError:
        raise InvalidInput([Fault("", "Parquet needs DuckDB: pip install 'simclone[store]'", "", str(path))]) from None
    try:
        with duckdb.connect() as base:
            result = base.execute("SELECT * FROM read_parquet(?)", [str(path)])
            names = [item[0] for item in result.description or ()]
            while rows := result.fetchmany(10_000):
                yield from (dict(zip(names, row, strict=True)) for row in rows)
    except duckdb.Error as error:
        raise InvalidInput([Fault("", f"cannot be read: {error}", "a table of events", str(path))]) from None


def _event(row: Mapping[str, Any]) -> Event:
    pairs = (part.partition("=") for part in row["amounts"].split(";") if part)
    amounts = tuple((name, int(value)) for name, _, value in pairs)
    at_us = java_round(float(row["at_s"]) * 1_000_000)
    return Event(int(row["serial"]), at_us, row["kind"], row["subject"], row["target"], amounts, row["cause"])
