"""The only writer: two books, every hold with one owner and exactly one end, and a journal that can be undone.

*Held* is what each VM, volume, cache entry, image and address really holds. *Recorded* are ZStack's own ``available…``
figures, which the allocator reads. They differ only by drift: amounts a named ZStack behaviour added or took.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from simclone.errors import InvariantViolation
from simclone.model.cloud import USAGE, Cloud
from simclone.model.columns import Columns
from simclone.model.inventory import ADMIN, Image, IpRange
from simclone.model.storage import ANYWHERE, PrimaryStorage
from simclone.model.vms import NONE, STATE, VOLUME_STATUS
from simclone.records import Event
from simclone.units import divided

_NOT_RUNNING = frozenset(STATE[name] for name in ("Stopped", "Destroying", "Destroyed", "Created"))
_UNCHARGED = frozenset(STATE[name] for name in ("Destroyed", "Created", "Destroying", "Stopped"))
_STARTING, _STOPPED, _DESTROYED = STATE["Starting"], STATE["Stopped"], STATE["Destroyed"]
_CREATING, _READY, _DELETED = (VOLUME_STATUS[name] for name in ("Creating", "Ready", "Deleted"))
_SLOT = {name: place for place, name in enumerate(USAGE)}


class Space(NamedTuple):
    """A hold of storage bytes: *amount* was charged for *size* bytes asked."""

    storage: int
    host: int
    osd: int
    size: int
    amount: int
    exact: bool
    owner: str


class Ledger:
    """Writes a cloud. Every method is one verb of the books; none decides anything."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.now_us = 0
        self.spaces: dict[int, Space] = {}
        self.events: list[Event] = []
        self.touched: list[int] = []
        self.recording = True
        self._next = 0
        self._undo: list[tuple[Callable[..., Any], tuple[Any, ...]]] | None = None

    # -- journal ---------------------------------------------------------------------------------------

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Everything written inside is undone at the end; the cost is what was touched. May be nested."""
        outer, recording = self._undo, self.recording
        log: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        counter, touched = self._next, len(self.touched)
        self._undo, self.recording = log, False
        try:
            yield
        finally:
            for verb, arguments in reversed(log):
                verb(*arguments)
            self._undo, self.recording = outer, recording
            self._next = counter
            changed = self.touched[touched:]
            self.touched.extend(changed)

    def fork(self) -> Ledger:
        """An independent ledger over an independent copy of the cloud."""
        twin = Ledger(self.cloud.fork())
        twin.now_us, twin._next = self.now_us, self._next
        twin.spaces = dict(self.spaces)
        twin.recording = False
        return twin

    def changed_hosts(self) -> list[int]:
        """Hosts whose values changed since the last call, each once, ascending."""
        found = sorted(set(self.touched))
        self.touched.clear()
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

    def _row(self, table: Columns, **values: int) -> int:
        row = table._new_row()
        if self._undo is not None:
            self._undo.append((_pop_row, (table, row)))
        for name, value in values.items():
            table.cells(name)[row] = value
        return row

    def _cell(self, table: Columns, name: str, row: int, value: int) -> None:
        cells = table.cells(name)
        if self._undo is not None:
            self._undo.append((table.put, (name, row, cells[row])))
        cells[row] = value

    def _host(self, name: str, host: int, value: int) -> None:
        self._cell(self.cloud.fleet, name, host, value)
        self.touched.append(host)

    def _host_add(self, name: str, host: int, amount: int) -> None:
        self._host(name, host, self.cloud.fleet.cells(name)[host] + amount)

    def _emit(
        self, kind: str, subject: str, target: str, amounts: tuple[tuple[str, int], ...], cause: str = ""
    ) -> None:
        if self.recording:
            self.events.append(Event(len(self.events), self.now_us, kind, subject, target, amounts, cause))

    # -- VMs -------------------------------------------------------------------------------------------

    def add_vm(self, name: str, **values: int) -> int:
        """A new VM row in state Created, on no host."""
        vms = self.cloud.vms
        defaults = dict.fromkeys(("host", "last_host", "cluster", "root", "group", "hold_host"), NONE)
        row = self._row(vms, **{**defaults, "alive": 1, "born_us": self.now_us, "changed_us": self.now_us, **values})
        self._push(vms.names, name)
        self._put(vms.by_name, name, [*vms.by_name.get(name, ()), row])
        self._put(vms.volumes, row, [])
        self._put(vms.nics, row, [])
        self._count_vm(row, +1)
        self._emit("vm", name, "", (("row", row), ("state", vms.get("state", row))), "add")
        return row

    def set_vm(self, vm: int, **values: int) -> None:
        """Change fields of a VM; counts per host, account and group follow."""
        cells = self.cloud.vms.cells
        self._count_vm(vm, -1)
        for name, value in values.items():
            self._cell(self.cloud.vms, name, vm, value)
        self._cell(self.cloud.vms, "changed_us", vm, self.now_us)
        self._count_vm(vm, +1)
        if "state" in values or "host" in values:
            amounts = (("row", vm), ("state", cells("state")[vm]), ("host", cells("host")[vm]))
            self._emit("vm", self.cloud.vms.names[vm], "", amounts, "change")

    def remove_vm(self, vm: int) -> None:
        """Take the row out of the database: its name is free, its group forgets it."""
        group = self.cloud.vms.get("group", vm)
        if group != NONE:
            self.leave_group(vm)
        if self.cloud.vms.get("hold_host", vm) != NONE:
            raise InvariantViolation(f"VM {self.cloud.vms.names[vm]} is removed while it holds a host")
        self._count_vm(vm, -1)
        self._cell(self.cloud.vms, "alive", vm, 0)
        self._emit("vm", self.cloud.vms.names[vm], "", (("row", vm),), "remove")

    def _count_vm(self, vm: int, sign: int) -> None:
        cells = self.cloud.vms.cells
        if not cells("alive")[vm]:
            return
        state, host, last = cells("state")[vm], cells("host")[vm], cells("last_host")[vm]
        cpu, memory = cells("cpu")[vm], cells("memory")[vm]
        if host != NONE:
            self._host_add("vm_count", host, sign)
        if state == _STOPPED and last != NONE:
            self._host_add("stopped_count", last, sign)
            self._host_add("stopped_cpu", last, sign * cpu)
            self._host_add("stopped_memory", last, sign * memory)
        group = cells("group")[vm]
        if group != NONE and host != NONE:
            counts = self.cloud.groups[group].counts
            self._put(counts, host, counts.get(host, 0) + sign)
        account = cells("account")[vm]
        if account != ADMIN:
            placed = host != NONE or last != NONE or cells("root")[vm] != NONE
            if state != _DESTROYED and placed:
                self._use(account, "vm.totalNum", sign)
            if state not in _NOT_RUNNING and not (state == _STARTING and host == NONE):
                self._use(account, "vm.num", sign)
                self._use(account, "vm.cpuNum", sign * cpu)
                self._use(account, "vm.memorySize", sign * memory)

    def _use(self, account: int, quota: str, amount: int) -> None:
        row = self.cloud.usage[account]
        self._put(row, _SLOT[quota], row[_SLOT[quota]] + amount)

    def join_group(self, vm: int, group: int) -> None:
        """Make a VM a member; running members count on their host."""
        self._put(self.cloud.groups[group].members, vm, None)
        self.set_vm(vm, group=group)
        self._emit("set", self.cloud.vms.names[vm], self.cloud.groups[group].name, (), "join")

    def leave_group(self, vm: int) -> None:
        """End a membership."""
        group = self.cloud.vms.get("group", vm)
        self.set_vm(vm, group=NONE)
        self._drop(self.cloud.groups[group].members, vm)
        self._emit("set", self.cloud.vms.names[vm], self.cloud.groups[group].name, (), "leave")

    # -- host capacity ---------------------------------------------------------------------------------

    def hold_host(self, vm: int, host: int) -> None:
        """Charge a VM's vCPUs and memory to a host. One hold at a time (a migration moves it)."""
        cells = self.cloud.vms.cells
        if cells("hold_host")[vm] != NONE:
            raise InvariantViolation(f"VM {self.cloud.vms.names[vm]} already holds a host")
        cpu, memory = cells("cpu")[vm], cells("memory")[vm]
        charged = divided(memory, self.cloud.fleet.memory_ratio(host))
        self._charge_host(host, cpu, charged)
        for name, value in (("hold_host", host), ("hold_cpu", cpu), ("hold_memory", charged)):
            self._cell(self.cloud.vms, name, vm, value)
        self._emit(
            "hold",
            self.cloud.vms.names[vm],
            self.cloud.fleet.names[host],
            (("cpu", cpu), ("memory", charged)),
        )

    def _charge_host(self, host: int, cpu: int, memory: int) -> None:
        self._host_add("available_cpu", host, -cpu)
        self._host_add("available_memory", host, -memory)
        self._host_add("held_cpu", host, cpu)
        self._host_add("held_memory", host, memory)

    def end_host(self, vm: int, cause: str = "") -> None:
        """End a VM's hold and return its capacity as ZStack does (host-allocation.md 2.5)."""
        cells = self.cloud.vms.cells
        host = cells("hold_host")[vm]
        if host == NONE:
            raise InvariantViolation(f"VM {self.cloud.vms.names[vm]} holds no host")
        cpu, memory = cells("hold_cpu")[vm], cells("hold_memory")[vm]
        self._host_add("held_cpu", host, -cpu)
        self._host_add("held_memory", host, -memory)
        for name, value in (("hold_host", NONE), ("hold_cpu", 0), ("hold_memory", 0)):
            self._cell(self.cloud.vms, name, vm, value)
        name = self.cloud.vms.names[vm]
        self._emit("end", name, self.cloud.fleet.names[host], (("cpu", cpu), ("memory", memory)), cause)
        self._return(host, cells("cpu")[vm], cells("memory")[vm], cpu, memory, name)

    def return_again(self, vm: int, host: int) -> None:
        """ZStack's second return of the same capacity after a storage failure (host-allocation.md, surprise 7)."""
        cells = self.cloud.vms.cells
        self._return(host, cells("cpu")[vm], cells("memory")[vm], 0, 0, self.cloud.vms.names[vm], "doubleReturn")

    def _return(
        self, host: int, cpu: int, memory: int, held_cpu: int, held_memory: int, subject: str, cause: str = ""
    ) -> None:
        cells = self.cloud.fleet.cells
        back = divided(memory, self.cloud.fleet.memory_ratio(host))
        given_cpu = given_memory = 0
        if cells("available_memory")[host] + back > cells("total_memory")[host]:
            cause = cause or "allOrNothingReturn"
        else:
            given_cpu = min(cells("available_cpu")[host] + cpu, cells("total_cpu")[host]) - cells("available_cpu")[host]
            given_memory = back
        self._host_add("available_cpu", host, given_cpu)
        self._host_add("available_memory", host, given_memory)
        self._drift_host(host, given_cpu - held_cpu, given_memory - held_memory, subject, cause or "returnClamped")

    def _drift_host(self, host: int, cpu: int, memory: int, subject: str, cause: str) -> None:
        if cpu or memory:
            self._host_add("drift_cpu", host, cpu)
            self._host_add("drift_memory", host, memory)
            self._emit("drift", subject, self.cloud.fleet.names[host], (("cpu", cpu), ("memory", memory)), cause)

    def resize_hold(self, vm: int, cpu: int, memory: int) -> None:
        """Change a running VM's size: the difference is charged to its host (host-allocation.md 2.5)."""
        cells = self.cloud.vms.cells
        host = cells("hold_host")[vm]
        more = divided(memory - cells("memory")[vm], self.cloud.fleet.memory_ratio(host))
        extra = cpu - cells("cpu")[vm]
        self._charge_host(host, extra, more)
        self._cell(self.cloud.vms, "hold_cpu", vm, cells("hold_cpu")[vm] + extra)
        self._cell(self.cloud.vms, "hold_memory", vm, cells("hold_memory")[vm] + more)
        name = self.cloud.vms.names[vm]
        self._emit("hold", name, self.cloud.fleet.names[host], (("cpu", extra), ("memory", more)), "resize")

    def move_hold(self, vm: int, target: int) -> None:
        """A finished live migration: the source's capacity is returned, the target's is charged."""
        source = self.cloud.vms.get("hold_host", vm)
        self.end_host(vm, "migrate")
        self.hold_host(vm, target)
        if source == target:
            raise InvariantViolation("a VM migrated to its own host")

    def recalculate_host(self, host: int) -> None:
        """Overwrite a host's recorded figures from the VM rows (host-allocation.md 2.6)."""
        cells, vms = self.cloud.fleet.cells, self.cloud.vms
        here = np.flatnonzero((vms.array("host") == host) & (vms.array("alive") == 1))
        charged = [row for row in here.tolist() if vms.get("state", row) not in _UNCHARGED]
        memory = divided(sum(vms.get("memory", row) for row in charged), self.cloud.fleet.memory_ratio(host))
        available_memory = cells("total_memory")[host] - memory
        available_cpu = cells("total_cpu")[host] - sum(vms.get("cpu", row) for row in charged)
        expected_cpu = cells("total_cpu")[host] - cells("held_cpu")[host] + cells("drift_cpu")[host]
        expected_memory = cells("total_memory")[host] - cells("held_memory")[host] + cells("drift_memory")[host]
        if (available_cpu, available_memory) != (
            cells("available_cpu")[host],
            cells("available_memory")[host],
        ):
            self._host("available_cpu", host, available_cpu)
            self._host("available_memory", host, available_memory)
        self._drift_host(host, available_cpu - expected_cpu, available_memory - expected_memory, "", "recalculation")

    def add_host(self, uuid: str, name: str, labels: dict[str, str], **values: int) -> int:
        """A new host at the end of the rank order. Not undone by a trial: hosts are added for good or on a fork."""
        if self._undo is not None:
            raise InvariantViolation("a host cannot be added inside a trial; use fork()")
        host = self.cloud.fleet.add(uuid, name, labels, **values)
        for storage in self.cloud.storages:
            if storage.shares is not None:
                storage.shares.reach(self.cloud.fleet.size)
        self._emit("set", "", name, (), "add")
        return host

    def set_host(self, host: int, cause: str = "", **values: int) -> None:
        """Change descriptive columns of a host (state, status, totals, reserve, ratio class)."""
        for name, value in values.items():
            self._host(name, host, value)
        self._emit("set", "", self.cloud.fleet.names[host], tuple(values.items()), cause)

    # -- storage space ---------------------------------------------------------------------------------

    def hold_space(
        self,
        owner: str,
        storage: int,
        size: int,
        *,
        host: int = ANYWHERE,
        osd: int = NONE,
        exact: bool = False,
    ) -> int:
        """Charge *size* bytes to a storage (and a host's share or an OSD group); returns the hold.

        The charge is divided by the over-provisioning ratio unless *exact*.
        """
        amount = size if exact else divided(size, self.cloud.storage_ratio(storage))
        number, self._next = self._next, self._next + 1
        space = Space(storage, host, osd, size, amount, exact, owner)
        self._put(self.spaces, number, space)
        self._charge_space(space, amount, amount)
        self._emit("hold", owner, self.cloud.storages[storage].name, self._amounts(space, amount))
        return number

    def end_space(self, number: int, cause: str = "") -> None:
        """End a hold of space; what comes back follows the ratio of now (clone-storage-affinity.md 3.6)."""
        if number not in self.spaces:
            raise InvariantViolation(f"space hold {number} ended twice")
        space = self.spaces[number]
        self._drop(self.spaces, number)
        back = space.amount if space.exact else divided(space.size, self.cloud.storage_ratio(space.storage))
        self._charge_space(space, -space.amount, -back)
        name = self.cloud.storages[space.storage].name
        self._emit("end", space.owner, name, self._amounts(space, space.amount), cause)
        if back != space.amount:
            self._emit("drift", space.owner, name, self._amounts(space, back - space.amount), "ratioChanged")

    def _amounts(self, space: Space, amount: int) -> tuple[tuple[str, int], ...]:
        return (("bytes", amount), ("host", space.host), ("osd", space.osd))

    def _charge_space(self, space: Space, held: int, recorded: int) -> None:
        storage = self.cloud.storages[space.storage]
        books: list[Any] = [storage]
        if space.osd != NONE:
            books.append(storage.osd_groups[space.osd])
        for book in books:
            self._attr(book, "available", book.available - recorded)
            self._attr(book, "held", book.held + held)
            self._attr(book, "drift", book.drift + held - recorded)
        if space.host != ANYWHERE and storage.shares is not None:
            cells = storage.shares.cells
            for name, change in (("available", -recorded), ("held", held), ("drift", held - recorded)):
                self._cell(storage.shares, name, space.host, cells(name)[space.host] + change)

    def move_space(self, number: int, host: int) -> int:
        """Local space that moved to another host of the same storage; returns the new hold."""
        space = self.spaces[number]
        self.end_space(number, "move")
        return self.hold_space(space.owner, space.storage, space.size, host=host, exact=space.exact)

    def resize_space(self, number: int, size: int) -> int:
        """A volume that grew or shrank; returns the new hold."""
        space = self.spaces[number]
        self.end_space(number, "resize")
        return self.hold_space(space.owner, space.storage, size, host=space.host, osd=space.osd, exact=space.exact)

    def recalculate_storage(self, row: int) -> None:
        """Overwrite a storage's recorded figure from what lies on it (clone-storage-affinity.md 3.11)."""
        storage, volumes = self.cloud.storages[row], self.cloud.volumes
        ratio = self.cloud.storage_ratio(row)
        here = (volumes.array("storage") == row) & (volumes.array("alive") == 1)
        here &= np.isin(volumes.array("status"), (_CREATING, _READY, _DELETED))
        sizes, hosts = volumes.array("size")[here].tolist(), volumes.array("host")[here].tolist()
        exact = [space for space in self.spaces.values() if space.storage == row and space.exact]
        free = storage.total - divided(sum(sizes), ratio) - sum(one.amount for one in exact) - storage.system_used
        self._settle(storage, free, storage.total - storage.system_used)
        if storage.shares is None:
            return
        cells = storage.shares.cells
        for host in np.flatnonzero(storage.shares.array("present")).tolist():
            used = divided(sum(s for s, h in zip(sizes, hosts, strict=True) if h == host), ratio)
            used += sum(one.amount for one in exact if one.host == host)
            drift = cells("held")[host] - used
            self._cell(storage.shares, "available", host, cells("total")[host] - used)
            self._cell(storage.shares, "drift", host, drift)

    def _settle(self, storage: PrimaryStorage, free: int, total: int) -> None:
        drift = free - (total - storage.held)
        change = drift - storage.drift
        self._attr(storage, "available", free)
        self._attr(storage, "drift", drift)
        if change:
            self._emit("drift", "", storage.name, (("bytes", change),), "recalculation")

    def set_storage(self, row: int, **values: Any) -> None:
        """Change state, status, attachments or figures of a primary storage."""
        storage = self.cloud.storages[row]
        for name, value in values.items():
            self._attr(storage, name, value)
        if "clusters" in values:
            self.cloud.attachments.forget()
            if self._undo is not None:
                self._undo.insert(0, (self.cloud.attachments.forget, ()))
        self._emit("set", "", storage.name, tuple((n, v) for n, v in values.items() if isinstance(v, int)))

    def zero_storage(self, row: int) -> None:
        """Nobody reports this storage any more: every figure is 0, what is held shows as drift."""
        held = self.cloud.storages[row].held
        figures = ("total", "available", "total_physical", "available_physical", "system_used")
        self.set_storage(row, drift=held, **dict.fromkeys(figures, 0))

    def set_share(self, row: int, host: int, **values: int) -> None:
        """Change figures of one host's share of a local storage."""
        shares = self.cloud.storages[row].shares
        if shares is None:
            raise InvariantViolation(f"{self.cloud.storages[row].name} has no shares")
        shares.reach(self.cloud.fleet.size)
        for name, value in values.items():
            self._cell(shares, name, host, value)
        self._emit("set", self.cloud.fleet.names[host], self.cloud.storages[row].name, tuple(values.items()), "share")

    def forget_share(self, row: int, host: int) -> None:
        """A host that left takes its share along; volumes and caches on it are gone."""
        storage, volumes = self.cloud.storages[row], self.cloud.volumes
        for image, where in list(storage.caches):
            if where == host:
                self.drop_cache(image, row, host, "hostDeleted")
        here = (volumes.array("storage") == row) & (volumes.array("host") == host) & (volumes.array("alive") == 1)
        for volume in np.flatnonzero(here).tolist():
            self.end_space(volumes.get("space", volume), "hostDeleted")
            self.set_volume(volume, space=NONE, storage=NONE, host=NONE, status=_DELETED)
        shares = storage.shares
        left = shares.get("available", host) if shares is not None else 0
        self._attr(storage, "available", storage.available - left)
        self.set_share(row, host, present=0, total=0, available=0, total_physical=0, available_physical=0, drift=0)

    # -- volumes, snapshots, image cache, images -----------------------------------------------------------

    def add_volume(self, name: str, tags: tuple[str, ...] = (), **values: int) -> int:
        """A new volume row, NotInstantiated and on no storage unless *values* say otherwise."""
        volumes = self.cloud.volumes
        none = ("vm", "storage", "host", "space", "image", "offering", "device", "last_vm")
        row = self._row(volumes, **{**dict.fromkeys(none, NONE), "alive": 1, "born_us": self.now_us, **values})
        self._push(volumes.names, name)
        if tags:
            self._put(volumes.tags, row, tags)
        self._count_volume(row, +1)
        return row

    def set_volume(self, volume: int, **values: int) -> None:
        """Change fields of a volume; the account's usage follows."""
        self._count_volume(volume, -1)
        for name, value in values.items():
            self._cell(self.cloud.volumes, name, volume, value)
        self._count_volume(volume, +1)

    def attach_volume(self, volume: int, vm: int, device: int) -> None:
        """Give a volume to a VM."""
        self.set_volume(volume, vm=vm, device=device)
        self._push(self.cloud.vms.volumes[vm], volume)

    def detach_volume(self, volume: int) -> None:
        """Take a volume from its VM."""
        vm = self.cloud.volumes.get("vm", volume)
        rest = [row for row in self.cloud.vms.volumes[vm] if row != volume]
        self._put(self.cloud.vms.volumes, vm, rest)
        self.set_volume(volume, vm=NONE, device=NONE, last_vm=vm)

    def remove_volume(self, volume: int, cause: str = "") -> None:
        """Take a volume out of the database; its space ends."""
        space = self.cloud.volumes.get("space", volume)
        if space != NONE:
            self.end_space(space, cause)
            row = self.cloud.volumes.get("storage", volume)
            self._attr(self.cloud.storages[row], "volume_count", self.cloud.storages[row].volume_count - 1)
        self._count_volume(volume, -1)
        self._cell(self.cloud.volumes, "alive", volume, 0)
        vm = self.cloud.volumes.get("vm", volume)
        if vm != NONE:
            self._put(self.cloud.vms.volumes, vm, [v for v in self.cloud.vms.volumes[vm] if v != volume])

    def place_volume(self, volume: int, space: int) -> None:
        """Bind a volume to the space held for it; it is Ready."""
        found = self.spaces[space]
        storage = self.cloud.storages[found.storage]
        self._attr(storage, "volume_count", storage.volume_count + 1)
        self.set_volume(volume, storage=found.storage, host=found.host, space=space, status=_READY)

    def _count_volume(self, volume: int, sign: int) -> None:
        cells = self.cloud.volumes.cells
        account = cells("account")[volume]
        if account == ADMIN or not cells("alive")[volume]:
            return
        self._use(account, "volume.capacity", sign * cells("size")[volume])
        if cells("type")[volume] == 1 and cells("status")[volume] != _DELETED:
            self._use(account, "volume.data.num", sign)

    def add_snapshot(self, name: str, volume: int, size: int, account: int, space: int) -> int:
        """A snapshot of a volume, whose space is already held (`NONE` when nothing was charged)."""
        snapshots, volumes = self.cloud.snapshots, self.cloud.volumes
        storage = volumes.get("storage", volume)
        row = self._row(
            snapshots,
            alive=1,
            volume=volume,
            storage=storage,
            size=size,
            space=space,
            account=account,
            born_us=self.now_us,
        )
        self._push(snapshots.names, name)
        self._put(volumes.snapshots, volume, [*volumes.snapshots.get(volume, ()), row])
        if account != ADMIN:
            self._use(account, "snapshot.volume.num", 1)
        return row

    def remove_snapshot(self, row: int, cause: str = "") -> None:
        """Delete a snapshot; its space ends."""
        snapshots, volumes = self.cloud.snapshots, self.cloud.volumes
        if snapshots.get("space", row) != NONE:
            self.end_space(snapshots.get("space", row), cause)
        volume, account = snapshots.get("volume", row), snapshots.get("account", row)
        self._put(volumes.snapshots, volume, [r for r in volumes.snapshots.get(volume, []) if r != row])
        self._cell(snapshots, "alive", row, 0)
        if account != ADMIN:
            self._use(account, "snapshot.volume.num", -1)

    def cache_image(self, image: int, storage: int, host: int, space: int) -> None:
        """Remember that an image is cached; *host* is `ANYWHERE` on shared storage."""
        self._put(self.cloud.storages[storage].caches, (image, host), space)

    def drop_cache(self, image: int, storage: int, host: int, cause: str = "") -> None:
        """Forget a cached image; its space ends."""
        space = self._drop(self.cloud.storages[storage].caches, (image, host))
        if space != NONE:
            self.end_space(space, cause)

    def add_image(self, image: Image) -> int:
        """A new image; its bytes are charged to the backup storages that keep it."""
        row = len(self.cloud.images)
        self._push(self.cloud.images, image)
        self._push(self.cloud.image_states, 0)
        for backup in image.backup_storages:
            self._use_backup(backup, image.actual_size)
        self._put(self.cloud.image_space, row, image.backup_storages)
        if image.account != ADMIN:
            self._use(image.account, "image.num", 1)
            self._use(image.account, "image.size", image.actual_size)
        self._emit("hold", image.name, "backup storage", (("bytes", image.actual_size),))
        return row

    def remove_image(self, row: int, cause: str = "") -> None:
        """Delete an image; caches of it stay until they are collected."""
        image = self.cloud.images[row]
        for backup in self._drop(self.cloud.image_space, row):
            self._use_backup(backup, -image.actual_size)
        self._put(self.cloud.image_states, row, 2)
        if image.account != ADMIN:
            self._use(image.account, "image.num", -1)
            self._use(image.account, "image.size", -image.actual_size)
        self._emit("end", image.name, "backup storage", (("bytes", image.actual_size),), cause)

    def _use_backup(self, row: int, amount: int) -> None:
        backup = self.cloud.backups[row]
        self._attr(backup, "held", backup.held + amount)
        if backup.available is not None:
            self._attr(backup, "available", backup.available - amount)

    # -- cards and addresses -------------------------------------------------------------------------------

    def add_nic(self, vm: int, l3: int, device: int, mac: int) -> int:
        """A card without address."""
        row = self._row(self.cloud.nics, alive=1, vm=vm, l3=l3, ip=NONE, device=device, mac=mac, born_us=self.now_us)
        self._put(self.cloud.vms.nics, vm, [*self.cloud.vms.nics[vm], row])
        return row

    def remove_nic(self, nic: int, cause: str = "") -> None:
        """Take a card away; its address is returned."""
        cells = self.cloud.nics.cells
        self.return_address(nic, cause)
        self._cell(self.cloud.nics, "alive", nic, 0)
        vm = cells("vm")[nic]
        self._put(self.cloud.vms.nics, vm, [row for row in self.cloud.vms.nics[vm] if row != nic])

    def return_address(self, nic: int, cause: str) -> None:
        """A card's address returns; the card stays."""
        cells = self.cloud.nics.cells
        if cells("ip")[nic] != NONE:
            self.end_ip(cells("l3")[nic], cells("ip")[nic], cause)
            self._cell(self.cloud.nics, "ip", nic, NONE)

    def hold_ip(self, l3: int, ip: int, nic: int = NONE) -> None:
        """Take an address; *nic* is the card that gets it, if any."""
        used = self.cloud.pools[l3].used
        if ip in used:
            raise InvariantViolation(f"address {ip} on {self.cloud.l3s[l3].name} taken twice")
        self._put(used, ip, nic)
        if nic != NONE:
            self._cell(self.cloud.nics, "ip", nic, ip)
        self._emit("hold", str(nic), self.cloud.l3s[l3].name, (("ip", ip),))

    def end_ip(self, l3: int, ip: int, cause: str = "") -> None:
        """Give an address back."""
        if ip not in self.cloud.pools[l3].used:
            raise InvariantViolation(f"address {ip} on {self.cloud.l3s[l3].name} returned twice")
        self._forget(self.cloud.pools[l3].used, ip)
        self._emit("end", "", self.cloud.l3s[l3].name, (("ip", ip),), cause)

    def _forget(self, mapping: dict[int, int], key: int) -> None:
        if self._undo is not None:
            self._undo.append((mapping.__setitem__, (key, mapping[key])))
        del mapping[key]

    def set_cursor(self, l3: int, ip: int) -> None:
        """Where AscDelayRecycle goes on."""
        self._attr(self.cloud.pools[l3], "cursor", ip)

    # -- anything else ---------------------------------------------------------------------------------------

    def put(self, rows: Any, key: Any, value: Any, subject: str, cause: str) -> None:
        """Write one entry of a list or dict of the cloud (states, limits, overrides) through the journal."""
        self._put(rows, key, value)
        self._emit("set", subject, "", (("value", value),) if isinstance(value, int) else (), cause)

    def set_group(self, row: int, **values: Any) -> None:
        """Change an affinity group."""
        for name, value in values.items():
            self._attr(self.cloud.groups[row], name, value)
        self._emit("set", "", self.cloud.groups[row].name, (), "group")

    def set_backup(self, row: int, **values: Any) -> None:
        """Change a backup storage."""
        for name, value in values.items():
            self._attr(self.cloud.backups[row], name, value)
        self._emit("set", "", self.cloud.backups[row].name, (), "backupStorage")

    def add_range(self, l3: int, one: IpRange) -> None:
        """Add an address range to a network."""
        self._push(self.cloud.pools[l3].ranges, one)

    def put_last_placed(self, host: int) -> None:
        """Remember where the last VM went, for round robin."""
        self._attr(self.cloud, "last_placed", host)

    def check(self) -> None:
        """Compare the two books; raises InvariantViolation with the first difference."""
        fleet, vms = self.cloud.fleet, self.cloud.vms
        holders = vms.array("hold_host")
        for name in ("cpu", "memory"):
            held = np.zeros(fleet.size, dtype=np.int64)
            mask = holders >= 0
            np.add.at(held, holders[mask], vms.array(f"hold_{name}")[mask])
            _same(f"held {name}", fleet.array(f"held_{name}"), held)
            recorded = fleet.array(f"total_{name}") - held + fleet.array(f"drift_{name}")
            _same(f"available {name}", fleet.array(f"available_{name}"), recorded)
        for row, storage in enumerate(self.cloud.storages):
            mine = sum(space.amount for space in self.spaces.values() if space.storage == row)
            if storage.held != mine:
                raise InvariantViolation(f"{storage.name}: held {storage.held}, holds add up to {mine}")
            books = storage.total - storage.system_used - storage.held + storage.drift
            if storage.available != books:
                raise InvariantViolation(f"{storage.name}: available {storage.available}, books say {books}")


def _restore(mapping: dict[Any, Any], before: dict[Any, Any]) -> None:
    mapping.clear()
    mapping.update(before)


def _pop_row(table: Columns, row: int) -> None:
    if table.size != row + 1:
        raise InvariantViolation("rows are undone out of order")
    for name in table.FIELDS:
        table.cells(name)[row] = 0
    table.size = row


def _same(what: str, found: Any, expected: Any) -> None:
    if not np.array_equal(found, expected):
        host = int(np.flatnonzero(found != expected)[0])
        raise InvariantViolation(f"{what} of host {host}: {found[host]}, expected {expected[host]}")
