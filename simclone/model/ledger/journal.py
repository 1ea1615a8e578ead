"""Primitive writes that can be undone, and the events they leave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from simclone.errors import InvariantViolation
from simclone.model.cloud import USAGE, Cloud
from simclone.model.columns import Column, Table
from simclone.model.ledger.events import EventLog

_SLOT = {name: place for place, name in enumerate(USAGE)}


class Journal:
    """Writes a cloud cell by cell; inside `trial` every write is remembered and taken back at the end."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.now_us = 0
        self.events = EventLog()
        self.recording = True
        self.watchers: list[Callable[[int, int, int, int], None]] = []
        self._next = 0
        self._undo: list[tuple[Callable[..., Any], tuple[Any, ...]]] | None = None
        self._tried: set[int] = set()

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Everything written inside is undone at the end; the cost is what was touched. May be nested."""
        outer, recording = self._undo, self.recording
        log: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        counter, stamps = self._next, (self.cloud.epoch, self.cloud.amounts)
        self._undo, self.recording = log, False
        try:
            yield
        finally:
            for verb, arguments in reversed(log):
                verb(*arguments)
            self._undo, self.recording = outer, recording
            self.cloud.touched |= self._tried
            if outer is None:
                self._tried.clear()
            self._next = counter
            self.cloud.epoch += self.cloud.epoch != stamps[0]
            self.cloud.amounts += self.cloud.amounts != stamps[1]

    def changed_hosts(self) -> list[int]:
        """Hosts whose values changed since the last call, each once, ascending."""
        found = sorted(self.cloud.touched)
        self.cloud.touched.clear()
        return found

    def _put(self, mapping: Any, key: Any, value: Any) -> None:
        if self._undo is not None:
            old = mapping[key] if not isinstance(mapping, dict) or key in mapping else None
            if isinstance(mapping, dict) and key not in mapping:
                self._undo.append((mapping.pop, (key,)))
            else:
                self._undo.append((mapping.__setitem__, (key, old)))
        mapping[key] = value

    def _drop(self, mapping: dict[Any, Any], key: Any) -> Any:
        value = mapping[key]
        if self._undo is not None:
            before = dict(mapping)
            self._undo.append((_restore, (mapping, before)))
        del mapping[key]
        return value

    def _attr(self, thing: Any, name: str, value: Any) -> None:
        if self._undo is not None:
            self._undo.append((setattr, (thing, name, getattr(thing, name))))
        setattr(thing, name, value)

    def _push(self, rows: list[Any], value: Any) -> None:
        if self._undo is not None:
            self._undo.append((rows.pop, ()))
        rows.append(value)

    def _row(self, table: Table) -> int:
        """A fresh row; its cells are written without being remembered, as the whole row is."""
        row = table.new_row()
        if self._undo is not None:
            self._undo.append((_pop_row, (table, row)))
        return row

    def _cell(self, table: Table, column: Column, row: int, value: int) -> None:
        cells = table.cells[column.name]
        if self._undo is not None:
            self._undo.append((table.put, (column, row, cells[row])))
        cells[row] = value

    def _touch(self, host: int) -> None:
        self.cloud.touched.add(host)
        if self._undo is not None:
            self._tried.add(host)

    def _host(self, column: Column, host: int, value: int) -> None:
        self._cell(self.cloud.fleet, column, host, value)
        self._touch(host)

    def _host_add(self, column: Column, host: int, amount: int) -> None:
        cells = self.cloud.fleet.cells[column.name]
        if self._undo is None:
            cells[host] += amount
            self.cloud.touched.add(host)
        else:
            self._host(column, host, cells[host] + amount)

    def _emit(
        self, kind: str, subject: str, target: str, amounts: tuple[tuple[str, int], ...], cause: str = ""
    ) -> None:
        if self.recording:
            self.events.rows.append((self.now_us, kind, subject, None, target, None, None, amounts, cause))

    def _show(
        self,
        kind: str,
        subject: tuple[str, int],
        target: tuple[str, int],
        names: tuple[str, ...],
        values: tuple[int, ...],
        cause: str = "",
    ) -> None:
        """An event about two rows, for whoever is *recording*: words and numbers are put together when it is read."""
        self.events.rows.append((self.now_us, kind, *subject, *target, names, values, cause))

    def _use(self, account: int, quota: str, amount: int) -> None:
        self.cloud.amounts += 1
        row = self.cloud.usage[account]
        self._put(row, _SLOT[quota], row[_SLOT[quota]] + amount)


def _restore(mapping: dict[Any, Any], before: dict[Any, Any]) -> None:
    mapping.clear()
    mapping.update(before)


def _pop_row(table: Table, row: int) -> None:
    if table.row_count != row + 1:
        raise InvariantViolation("rows are undone out of order")
    table.drop_last_row()
