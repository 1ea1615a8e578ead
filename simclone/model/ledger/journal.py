"""Primitive writes that can be undone, and the events they leave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from simclone.errors import InvariantViolation
from simclone.model.cloud import USAGE, Cloud
from simclone.model.columns import IntColumn, IntTable
from simclone.model.ledger.events import EventLog

_SLOT = {name: position for position, name in enumerate(USAGE)}


Watcher = Callable[[int, int, int, int], None]
"""Called with VM, host, vCPUs and bytes."""


class Journal:
    """Writes a cloud cell by cell; inside `trial` every write is remembered and taken back at the end."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.now_us = 0
        self.events = EventLog()
        self.recording = True
        self.watchers: list[Watcher] = []
        self.next_hold = 0
        self.undo: list[tuple[Callable[..., Any], tuple[Any, ...]]] | None = None
        self._tried: set[int] = set()

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Everything written inside is undone at the end; the cost is what was touched. May be nested."""
        outer, recording = self.undo, self.recording
        log: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        counter, stamps = self.next_hold, (self.cloud.config_version, self.cloud.usage_version)
        self.undo, self.recording = log, False
        try:
            yield
        finally:
            for verb, arguments in reversed(log):
                verb(*arguments)
            self.undo, self.recording = outer, recording
            self.cloud.changed_hosts |= self._tried
            if outer is None:
                self._tried.clear()
            self.next_hold = counter
            self.cloud.config_version += self.cloud.config_version != stamps[0]
            self.cloud.usage_version += self.cloud.usage_version != stamps[1]

    def remember(self, host: int, restore: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        """For a write about a host that is made directly, inside a trial: what puts it back."""
        if self.undo is not None:
            self.undo.append((restore, arguments))
            self._tried.add(host)

    def changed_hosts(self) -> list[int]:
        """Hosts whose values changed since the last call, each once, ascending."""
        result = sorted(self.cloud.changed_hosts)
        self.cloud.changed_hosts.clear()
        return result

    def put(self, mapping: Any, key: Any, value: Any) -> None:
        if self.undo is not None:
            old = mapping[key] if not isinstance(mapping, dict) or key in mapping else None
            if isinstance(mapping, dict) and key not in mapping:
                self.undo.append((mapping.pop, (key,)))
            else:
                self.undo.append((mapping.__setitem__, (key, old)))
        mapping[key] = value

    def drop(self, mapping: dict[Any, Any], key: Any) -> Any:
        value = mapping[key]
        if self.undo is not None:
            before = dict(mapping)
            self.undo.append((_restore, (mapping, before)))
        del mapping[key]
        return value

    def set_attribute(self, thing: Any, name: str, value: Any) -> None:
        if self.undo is not None:
            self.undo.append((setattr, (thing, name, getattr(thing, name))))
        setattr(thing, name, value)

    def append(self, rows: list[Any], value: Any) -> None:
        if self.undo is not None:
            self.undo.append((rows.pop, ()))
        rows.append(value)

    def add_row(self, table: IntTable) -> int:
        """A fresh row; its cells are written without being remembered, as the whole row is."""
        row = table.new_row()
        if self.undo is not None:
            self.undo.append((_pop_row, (table, row)))
        return row

    def write(self, table: IntTable, column: IntColumn, row: int, value: int) -> None:
        cells = table.cells[column.name]
        if self.undo is not None:
            self.undo.append((table.put, (column, row, cells[row])))
        cells[row] = value

    def mark_changed(self, host: int) -> None:
        self.cloud.changed_hosts.add(host)
        if self.undo is not None:
            self._tried.add(host)

    def write_host(self, column: IntColumn, host: int, value: int) -> None:
        self.write(self.cloud.fleet, column, host, value)
        self.mark_changed(host)

    def add_to_host(self, column: IntColumn, host: int, amount: int) -> None:
        cells = self.cloud.fleet.cells[column.name]
        if self.undo is None:
            cells[host] += amount
            self.cloud.changed_hosts.add(host)
        else:
            self.write_host(column, host, cells[host] + amount)

    def emit(self, kind: str, subject: str, target: str, amounts: tuple[tuple[str, int], ...], cause: str = "") -> None:
        if self.recording:
            self.events.rows.append((self.now_us, kind, subject, None, target, None, None, amounts, cause))

    def show(
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

    def use_quota(self, account: int, quota: str, amount: int) -> None:
        self.cloud.usage_version += 1
        row = self.cloud.usage[account]
        self.put(row, _SLOT[quota], row[_SLOT[quota]] + amount)


def _restore(mapping: dict[Any, Any], before: dict[Any, Any]) -> None:
    mapping.clear()
    mapping.update(before)


def _pop_row(table: IntTable, row: int) -> None:
    if table.row_count != row + 1:
        raise InvariantViolation("rows are undone out of order")
    table.drop_last_row()
