"""VM rows and memberships: the counts per host, account and group that follow them."""

from __future__ import annotations

from collections.abc import Sequence

from simclone.errors import InvariantViolation
from simclone.model.columns import IntArray
from simclone.model.fleet import Fleet
from simclone.model.inventory import ADMIN
from simclone.model.ledger.part import LedgerPart
from simclone.model.vms import NONE, Vms
from simclone.vocabulary import VmState

_FIGURES = ("state", "host", "last_host", "cpu", "memory", "root")
_SHOWN = frozenset(_FIGURES)
_MOVING = frozenset({"host", "alive", "account", "group"})
_COUNTED = frozenset({*_FIGURES, *_MOVING})
"""What the counts of hosts, groups and accounts depend on."""
_NOT_RUNNING = frozenset((VmState.STOPPED, VmState.DESTROYING, VmState.DESTROYED, VmState.CREATED))
_STARTING, _STOPPED, _DESTROYED = VmState.STARTING, VmState.STOPPED, VmState.DESTROYED


class VmLedger(LedgerPart):
    """VM rows and memberships in groups."""

    def add(
        self,
        name: str,
        *,
        shape: int,
        account: int,
        cpu: int,
        memory: int,
        zone: int = 0,
        source: int = 0,
        ordinal: int = 0,
        position: int = 0,
        occasion: int = 0,
    ) -> int:
        """A new VM row in state Created, on no host; *cpu* vCPUs, *memory* bytes, the others rows and numbers."""
        vms = self.cloud.vms
        row, table = self.journal.add_row(vms), vms
        table.alive[row], table.shape[row], table.account[row] = 1, shape, account
        table.cpu[row], table.memory[row], table.zone[row] = cpu, memory, zone
        table.source[row], table.ordinal[row] = source, ordinal
        table.position[row], table.occasion[row] = position, occasion
        table.born_us[row] = table.changed_us[row] = self.journal.now_us
        self.journal.append(vms.names, name)
        self.journal.put(vms.by_name, name, [*vms.by_name.get(name, ()), row])
        self.journal.put(vms.volumes, row, [])
        self.journal.put(vms.nics, row, [])
        self._count_vm(row, +1)
        if self.journal.recording:
            self._show_vm(row, f"add {vms.shape_of(row).strategy}")
        return row

    def add_many(self, names: Sequence[str], **values: IntArray | int) -> int:
        """Many new VM rows in state Created at once, unseen by events; *values* are columns or one value for all.

        They are in no group; the first row is given. Not undone by a trial.
        """
        if self.journal.undo is not None or self.journal.recording:
            raise InvariantViolation("rows are added at once only where nobody records them")
        vms = self.cloud.vms
        first = vms.new_rows(len(names))
        usual = {"alive": 1, "state": VmState.CREATED, "born_us": self.journal.now_us}
        for field, value in {**usual, **values}.items():
            vms.array(vms.cells[field])[first:] = value
        vms.names.extend(names)
        return first

    def place(self, vm: int, host: int) -> None:
        """Write a VM's host with its cluster and zone; as `set_vm` does, with less ado where nobody watches."""
        fleet, vms = self.cloud.fleet, self.cloud.vms
        cluster, zone = fleet.cluster[host], fleet.zone[host]
        if self._watched(vm) or vms.host[vm] != NONE:
            self.set(vm, host=host, cluster=cluster, zone=zone)
            return
        fleet.vm_count[host] += 1
        vms.host[vm], vms.cluster[vm], vms.zone[vm] = host, cluster, zone
        vms.changed_us[vm] = self.journal.now_us
        self.cloud.changed_hosts.add(host)

    def displace(self, vm: int) -> None:
        """Forget a VM's host and cluster."""
        vms = self.cloud.vms
        host = vms.host[vm]
        if self._watched(vm) or host == NONE:
            self.set(vm, host=NONE, cluster=NONE)
            return
        self.cloud.fleet.vm_count[host] -= 1
        vms.host[vm] = vms.cluster[vm] = NONE
        vms.changed_us[vm] = self.journal.now_us
        self.cloud.changed_hosts.add(host)

    def _watched(self, vm: int) -> bool:
        """Whether a change of a VM is remembered, told, or counted anywhere but on its host."""
        vms = self.cloud.vms
        return (
            self.journal.recording
            or self.journal.undo is not None
            or vms.account[vm] != ADMIN
            or vms.group[vm] != NONE
            or vms.state[vm] == _STOPPED
            or not vms.alive[vm]
        )

    def set(self, vm: int, **values: int) -> None:
        """Change fields of a VM; counts per host, account and group follow."""
        table = self.cloud.vms
        # of an administrator's VM only its host, its group and its being Stopped count anywhere
        steady = (
            table.account[vm] == ADMIN
            and table.state[vm] != _STOPPED
            and values.get("state") != _STOPPED
            and _MOVING.isdisjoint(values)
        )
        counted = not steady and not _COUNTED.isdisjoint(values)
        if counted:
            self._count_vm(vm, -1)
        if self.journal.undo is None:
            for name, value in values.items():
                table.cells[name][vm] = value
            table.changed_us[vm] = self.journal.now_us
        else:
            for name, value in {**values, "changed_us": self.journal.now_us}.items():
                self.journal.write(table, Vms.COLUMNS[name], vm, value)
        if counted:
            self._count_vm(vm, +1)
        if self.journal.recording and not _SHOWN.isdisjoint(values):
            self._show_vm(vm, "change")

    def _show_vm(self, vm: int, cause: str) -> None:
        table = self.cloud.vms
        values = (
            table.state[vm],
            table.host[vm],
            table.last_host[vm],
            table.cpu[vm],
            table.memory[vm],
            table.root[vm],
        )
        self.journal.show("vm", ("vm", vm), ("account", table.account[vm]), _FIGURES, values, cause)

    def remove(self, vm: int) -> None:
        """Take the row out of the database: its name is free, its group forgets it."""
        table = self.cloud.vms
        if table.group[vm] != NONE:
            self.leave_group(vm)
        if table.hold_host[vm] != NONE:
            raise InvariantViolation(f"VM {self.cloud.vms.names[vm]} is removed while it holds a host")
        self._count_vm(vm, -1)
        self.journal.write(self.cloud.vms, Vms.alive, vm, 0)
        if self.journal.recording:
            self._show_vm(vm, "remove")

    def _count_vm(self, vm: int, sign: int) -> None:
        table = self.cloud.vms
        if not table.alive[vm]:
            return
        state, host, last = table.state[vm], table.host[vm], table.last_host[vm]
        if host != NONE:
            self.journal.add_to_host(Fleet.vm_count, host, sign)
            group = table.group[vm]
            if group != NONE:
                counts = self.cloud.groups[group].counts
                self.journal.put(counts, host, counts.get(host, 0) + sign)
        if state == _STOPPED and last != NONE:
            self.journal.add_to_host(Fleet.stopped_count, last, sign)
            self.journal.add_to_host(Fleet.stopped_cpu, last, sign * table.cpu[vm])
            self.journal.add_to_host(Fleet.stopped_memory, last, sign * table.memory[vm])
        account = table.account[vm]
        if account != ADMIN:
            placed = host != NONE or last != NONE or table.root[vm] != NONE
            if state != _DESTROYED and placed:
                self.journal.use_quota(account, "vm.totalNum", sign)
            if state not in _NOT_RUNNING and not (state == _STARTING and host == NONE):
                self.journal.use_quota(account, "vm.num", sign)
                self.journal.use_quota(account, "vm.cpuNum", sign * table.cpu[vm])
                self.journal.use_quota(account, "vm.memorySize", sign * table.memory[vm])

    def join_group(self, vm: int, group: int) -> None:
        """Make a VM a member; running members count on their host."""
        self.journal.put(self.cloud.groups[group].members, vm, None)
        self.set(vm, group=group)
        self.journal.emit("set", f"vm/{vm}", f"group/{group}", (), "join")

    def leave_group(self, vm: int) -> None:
        """End a membership."""
        group = self.cloud.vms.group[vm]
        self.set(vm, group=NONE)
        self.journal.drop(self.cloud.groups[group].members, vm)
        self.journal.emit("set", f"vm/{vm}", f"group/{group}", (), "leave")
