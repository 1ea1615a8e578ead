"""The events of a ledger: a plain row for each as it happens, made an `Event` when somebody looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

from simclone.records import Event

Row = tuple[int, str, str, int | None, str, int | None, tuple[str, ...] | None, tuple[Any, ...], str]
"""Time, kind, subject and its row, target and its row, names of amounts, amounts, cause.

Without a row a word stands for itself; without names the amounts bring their own.
"""


class EventLog(Sequence[Event]):
    """Events in order of their serials; a log that goes on grows, a `standing` one stays as it is."""

    __slots__ = ("_made", "_size", "rows")

    def __init__(self, rows: list[Row] | None = None, size: int | None = None) -> None:
        self.rows: list[Row] = [] if rows is None else rows
        self._size = size
        self._made: list[Event] = []

    def standing(self) -> EventLog:
        """The events until now."""
        return EventLog(self.rows, len(self))

    def _all(self) -> list[Event]:
        result, rows = self._made, self.rows
        for serial in range(len(result), len(self)):
            result.append(_event(serial, rows[serial]))
        return result

    def __len__(self) -> int:
        return len(self.rows) if self._size is None else self._size

    @overload
    def __getitem__(self, place: int) -> Event: ...
    @overload
    def __getitem__(self, place: slice) -> list[Event]: ...
    def __getitem__(self, place: int | slice) -> Event | list[Event]:
        return self._all()[place]

    def __iter__(self) -> Iterator[Event]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, EventLog):
            return self._all() == other._all()
        return isinstance(other, list | tuple) and self._all() == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._all())


def _event(serial: int, row: Row) -> Event:
    at_us, kind, subject, subject_row, target, target_row, names, values, cause = row
    return Event(
        serial,
        at_us,
        kind,
        subject if subject_row is None else f"{subject}/{subject_row}",
        target if target_row is None else f"{target}/{target_row}",
        values if names is None else tuple(zip(names, values, strict=True)),
        cause,
    )
