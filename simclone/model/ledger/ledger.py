"""The only writer of a cloud: two books, every hold with one owner and exactly one end, a journal that can be undone.

*Actual* is what each VM, volume, cache entry, image and address really holds (columns *held_…*). *Reported* are
ZStack's own ``available…`` figures, which the allocator reads. They differ only by drift: amounts that a named ZStack
behaviour added or took.
"""

from __future__ import annotations

from collections.abc import MutableMapping, MutableSequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from simclone.errors import InvariantViolation
from simclone.model.cloud import Cloud
from simclone.model.columns import IntArray
from simclone.model.inventory import Wish
from simclone.model.ledger.addresses import AddressLedger
from simclone.model.ledger.events import EventLog
from simclone.model.ledger.hosts import HostLedger
from simclone.model.ledger.journal import Journal, Watcher
from simclone.model.ledger.space import SpaceLedger
from simclone.model.ledger.vms import VmLedger
from simclone.model.ledger.volumes import VolumeLedger
from simclone.vocabulary import Policy


class Ledger:
    """Writes a cloud through its parts, each with verbs of its own: ``ledger.hosts.hold(vm, host)``.

    The parts share one journal: *now_us* is the time written into rows and events, *events* what happened while
    *recording*. Nothing here decides anything.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.journal = Journal(cloud)
        self.hosts = HostLedger(self.journal)
        self.vms = VmLedger(self.journal)
        self.space = SpaceLedger(self.journal)
        self.volumes = VolumeLedger(self.journal, self.space)
        self.addresses = AddressLedger(self.journal)

    @property
    def now_us(self) -> int:
        """The time of whatever is written now, microseconds."""
        return self.journal.now_us

    @now_us.setter
    def now_us(self, at_us: int) -> None:
        self.journal.now_us = at_us

    @property
    def events(self) -> EventLog:
        """What happened, in order."""
        return self.journal.events

    @property
    def recording(self) -> bool:
        """Whether events are written down."""
        return self.journal.recording

    @recording.setter
    def recording(self, on: bool) -> None:
        self.journal.recording = on

    def watch(self, watcher: Watcher) -> None:
        """Have *watcher* called with (VM, host, vCPUs, bytes) whenever a VM takes or gives back capacity of a host.

        A function, not an object with methods: it is called for every hold, and a trial calls nobody.
        """
        self.journal.watchers.append(watcher)

    def trial(self) -> AbstractContextManager[None]:
        """Undo at the end whatever is written inside; the cost is what was touched. May be nested."""
        return self.journal.trial()

    def changed_hosts(self) -> list[int]:
        """Hosts whose values changed since the last call, each once, ascending."""
        return self.journal.changed_hosts()

    def fork(self) -> Ledger:
        """An independent ledger over an independent copy of the cloud, which records no events."""
        twin = Ledger(self.cloud.fork())
        twin.journal.now_us, twin.journal.next_hold = self.journal.now_us, self.journal.next_hold
        twin.space.holds = dict(self.space.holds)
        twin.recording = False
        return twin

    # -- administration --------------------------------------------------------------------------------

    def set_state(self, states: MutableSequence[int], row: int, state: int, subject: str, cause: str) -> None:
        """Change the state of a zone, cluster or image."""
        self._administer(states, row, state, subject, cause)

    def set_setting(self, key: str, value: object) -> None:
        """Change a global setting."""
        self._administer(self.cloud.settings.values, key, value, key, "globalConfig")

    def set_override(self, kind: str, row: int, key: str, value: object, subject: str) -> None:
        """Change a setting of one zone, cluster, host or storage."""
        overrides = self.cloud.settings.overrides
        values = {**overrides.get((kind, row), {}), key: value}
        self._administer(overrides, (kind, row), values, subject, "resourceConfig")

    def attach_l2(self, l2: int, cluster: int) -> None:
        """Attach a layer-2 network to a cluster."""
        clusters = self.cloud.l2_clusters
        self._administer(clusters, l2, clusters[l2] | {cluster}, "l2", "attach")

    def _administer(
        self,
        rows: MutableSequence[Any] | MutableMapping[Any, Any],
        key: object,
        value: object,
        subject: str,
        cause: str,
    ) -> None:
        self.cloud.config_version += 1
        self.journal.put(rows, key, value)
        self.journal.emit("set", subject, "", (("value", value),) if isinstance(value, int) else (), cause)

    def set_limit(self, account: int, quota: str, value: int) -> None:
        """Change an account's limit."""
        self.cloud.usage_version += 1
        self.journal.put(self.cloud.limits[account], quota, value)
        self.journal.emit("set", f"quota/{quota}", f"account/{account}", (("value", value),))

    def set_group(self, row: int, **values: Any) -> None:
        """Change an affinity group."""
        self.cloud.config_version += 1
        for name, value in values.items():
            self.journal.set_attribute(self.cloud.groups[row], name, Policy(value) if name == "policy" else value)
        self.journal.emit("set", "group", f"group/{row}", (("enabled", int(self.cloud.groups[row].enabled)),))

    def set_backup(self, row: int, **values: Any) -> None:
        """Change a backup storage."""
        self.cloud.config_version += 1
        for name, value in values.items():
            self.journal.set_attribute(self.cloud.backups[row], name, value)
        numbers = tuple((name, value) for name, value in values.items() if isinstance(value, int))
        self.journal.emit("set", "backup", f"backup/{row}", numbers)

    def set_last_placed(self, host: int) -> None:
        """Remember where the last VM went, for round robin."""
        self.journal.set_attribute(self.cloud, "last_placed", host)

    def set_wish(self, vm: int, wish: Wish) -> None:
        """Remember where a VM is wished to start."""
        self.journal.put(self.cloud.vms.wishes, vm, wish)

    def set_vm_uuid(self, vm: int, uuid: str) -> None:
        """Give a VM the uuid a file says."""
        self.journal.put(self.cloud.vms.uuids, vm, uuid)

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
            mine = sum(space.amount for space in self.space.holds.values() if space.storage == row)
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


def _same(what: str, found: IntArray, expected: IntArray) -> None:
    if not np.array_equal(found, expected):
        host = int(np.flatnonzero(found != expected)[0])
        raise InvariantViolation(f"{what} of host {host}: {found[host]}, expected {expected[host]}")
