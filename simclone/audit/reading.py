"""The records of a run directory, read without any other part of simclone."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simclone.errors import Fault, InvalidInput
from simclone.records import Event
from simclone.units import java_round


def read_records(directory: Path) -> dict[str, Any]:
    """``records.json`` of a run directory; raises InvalidInput when it is missing or no record."""
    path = directory / "records.json"
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidInput([Fault("", f"cannot be read: {error.strerror}", "a run directory", str(path))]) from None
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidInput([Fault("", f"is no JSON: {error}", "the records of a run", str(path))]) from None
    missing = [key for key in ("opening", "closing", "answers") if not isinstance(found, dict) or key not in found]
    if missing:
        raise InvalidInput([Fault(key, "is missing", "the records of a run", str(path)) for key in missing])
    records: dict[str, Any] = found
    return records


def read_events(directory: Path) -> Iterator[Event]:
    """The events of a run directory in order; raises InvalidInput naming a line that is none."""
    path = directory / "events.csv"
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            for number, row in enumerate(csv.DictReader(lines), 2):
                try:
                    yield _event(row)
                except (KeyError, ValueError, TypeError) as error:
                    text = f"cannot be understood ({error})"
                    raise InvalidInput([Fault("", text, "an event", str(path), number, 1)]) from None
    except OSError as error:
        raise InvalidInput([Fault("", f"cannot be read: {error.strerror}", "events.csv", str(path))]) from None


def _event(row: dict[str, str]) -> Event:
    pairs = (part.partition("=") for part in row["amounts"].split(";") if part)
    amounts = tuple((name, int(value)) for name, _, value in pairs)
    at_us = java_round(float(row["at_s"]) * 1_000_000)
    return Event(int(row["serial"]), at_us, row["kind"], row["subject"], row["target"], amounts, row["cause"])
