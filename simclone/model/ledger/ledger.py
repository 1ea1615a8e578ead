"""The only writer: two books, every hold with one owner and exactly one end, and a journal that can be undone.

*Held* is what each VM, volume, cache entry, image and address really holds. *Recorded* are ZStack's own ``available…``
figures, which the allocator reads. They differ only by drift: amounts a named ZStack behaviour added or took.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simclone.errors import InvariantViolation
from simclone.model.columns import IntArray
from simclone.model.ledger.addresses import AddressBook
from simclone.model.ledger.hosts import HostBook
from simclone.model.ledger.space import Space
from simclone.model.ledger.vms import VmBook
from simclone.model.ledger.volumes import VolumeBook
from simclone.vocabulary import Policy

__all__ = ["Ledger", "Space"]


class Ledger(VmBook, HostBook, VolumeBook, AddressBook):
    """Writes a cloud. Every method is one verb of the books; none decides anything."""

    def fork(self) -> Ledger:
        """An independent ledger over an independent copy of the cloud."""
        twin = Ledger(self.cloud.fork())
        twin.now_us, twin._next = self.now_us, self._next
        twin.spaces = dict(self.spaces)
        twin.recording = False
        return twin

    def keep(self, rows: Any, key: Any, value: Any) -> None:
        """Write one entry of a list or dict that no book counts (wishes, given uuids)."""
        self._put(rows, key, value)

    def set_limit(self, account: int, quota: str, value: int) -> None:
        """Change an account's limit."""
        self.cloud.amounts += 1
        self._put(self.cloud.limits[account], quota, value)
        self._emit("set", f"quota/{quota}", f"account/{account}", (("value", value),))

    def put(self, rows: Any, key: Any, value: Any, subject: str, cause: str) -> None:
        """Write one entry of a list or dict of the cloud (states, settings, overrides) through the journal."""
        self.cloud.epoch += 1
        self._put(rows, key, value)
        self._emit("set", subject, "", (("value", value),) if isinstance(value, int) else (), cause)

    def set_group(self, row: int, **values: Any) -> None:
        """Change an affinity group."""
        self.cloud.epoch += 1
        for name, value in values.items():
            self._attr(self.cloud.groups[row], name, Policy(value) if name == "policy" else value)
        self._emit("set", "group", f"group/{row}", (("enabled", int(self.cloud.groups[row].enabled)),))

    def set_backup(self, row: int, **values: Any) -> None:
        """Change a backup storage."""
        self.cloud.epoch += 1
        for name, value in values.items():
            self._attr(self.cloud.backups[row], name, value)
        self._emit("set", "backup", f"backup/{row}", tuple((n, v) for n, v in values.items() if isinstance(v, int)))

    def put_last_placed(self, host: int) -> None:
        """Remember where the last VM went, for round robin."""
        self._attr(self.cloud, "last_placed", host)

    def check(self) -> None:
        """Compare the two books; raises InvariantViolation with the first difference."""
        fleet, vms = self.cloud.fleet, self.cloud.vms
        cpu = _held(
            fleet.row_count,
            (vms.array(vms.hold_host), vms.array(vms.hold_cpu)),
            (vms.array(vms.move_host), vms.array(vms.move_cpu)),
        )
        memory = _held(
            fleet.row_count,
            (vms.array(vms.hold_host), vms.array(vms.hold_memory)),
            (vms.array(vms.move_host), vms.array(vms.move_memory)),
        )
        _same("held cpu", fleet.array(fleet.held_cpu), cpu)
        _same(
            "available cpu",
            fleet.array(fleet.available_cpu),
            fleet.array(fleet.total_cpu) - cpu + fleet.array(fleet.drift_cpu),
        )
        _same("held memory", fleet.array(fleet.held_memory), memory)
        reported = fleet.array(fleet.total_memory) - memory + fleet.array(fleet.drift_memory)
        _same("available memory", fleet.array(fleet.available_memory), reported)
        for row, storage in enumerate(self.cloud.storages):
            mine = sum(space.amount for space in self.spaces.values() if space.storage == row)
            if storage.held != mine:
                raise InvariantViolation(f"{storage.name}: held {storage.held}, holds add up to {mine}")
            books = storage.total - storage.system_used - storage.held + storage.drift
            if storage.available != books:
                raise InvariantViolation(f"{storage.name}: available {storage.available}, books say {books}")


def _held(hosts: int, *holds: tuple[IntArray, IntArray]) -> IntArray:
    """What the holds (hosts, amounts) add up to per host, shape (hosts,)."""
    total = np.zeros(hosts, dtype=np.int64)
    for holders, amounts in holds:
        np.add.at(total, holders[holders >= 0], amounts[holders >= 0])
    return total


def _same(what: str, found: Any, expected: Any) -> None:
    if not np.array_equal(found, expected):
        host = int(np.flatnonzero(found != expected)[0])
        raise InvariantViolation(f"{what} of host {host}: {found[host]}, expected {expected[host]}")
