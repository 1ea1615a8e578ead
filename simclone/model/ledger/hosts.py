"""Host capacity: holds of VMs, returns as ZStack makes them, drift, recalculation."""

from __future__ import annotations

import numpy as np

from simclone.errors import InvariantViolation
from simclone.model.columns import IntArray
from simclone.model.fleet import Fleet
from simclone.model.ledger.part import LedgerPart
from simclone.model.vms import NONE
from simclone.units import divided
from simclone.vocabulary import VmState

_UNCHARGED = frozenset((VmState.DESTROYED, VmState.CREATED, VmState.DESTROYING, VmState.STOPPED))


_FIGURES = ("cpu", "memory", "available_cpu", "available_memory")
_HOST_BOOKS = ("available_cpu", "available_memory", "held_cpu", "held_memory", "drift_cpu", "drift_memory")
_VM_HOLDS = ("hold_host", "hold_cpu", "hold_memory", "move_host", "move_cpu", "move_memory")


class HostLedger(LedgerPart):
    """What VMs hold of hosts, and the hosts' own figures."""

    def hold(self, vm: int, host: int, cause: str = "") -> None:
        """Charge a VM's vCPUs and memory to a host. One hold at a time (a migration moves it)."""
        vms, fleet, journal = self.cloud.vms, self.cloud.fleet, self.journal
        if vms.hold_host[vm] != NONE:
            raise InvariantViolation(f"VM {vms.names[vm]} already holds a host")
        cpu, memory = vms.cpu[vm], vms.memory[vm]
        ratio = fleet.memory_ratios[fleet.ratio_class[host]]
        charged = memory if ratio == 1.0 else divided(memory, ratio)
        if journal.undo is not None:
            self._remember(vm, host)
        self.cloud.changed_hosts.add(host)
        fleet.available_cpu[host] -= cpu
        fleet.available_memory[host] -= charged
        fleet.held_cpu[host] += cpu
        fleet.held_memory[host] += charged
        vms.hold_host[vm], vms.hold_cpu[vm], vms.hold_memory[vm] = host, cpu, charged
        if journal.watchers:
            self._tell(vm, host, cpu, memory)
        if journal.recording:
            journal.show("hold", ("vm", vm), ("host", host), _FIGURES, self._figures(host, cpu, charged), cause)
        if fleet.devices:
            self._take_devices(vm, host, +1)

    def end(self, vm: int, cause: str = "") -> None:
        """End a VM's hold and return its capacity as ZStack does (rules/host-capacity.md#return)."""
        vms, fleet, journal = self.cloud.vms, self.cloud.fleet, self.journal
        host = vms.hold_host[vm]
        if host == NONE:
            raise InvariantViolation(f"VM {vms.names[vm]} holds no host")
        cpu, memory = vms.hold_cpu[vm], vms.hold_memory[vm]
        if journal.undo is not None:
            self._remember(vm, host)
        self.cloud.changed_hosts.add(host)
        fleet.held_cpu[host] -= cpu
        fleet.held_memory[host] -= memory
        vms.hold_host[vm], vms.hold_cpu[vm], vms.hold_memory[vm] = NONE, 0, 0
        if fleet.devices:
            self._take_devices(vm, host, -1)
        if journal.watchers:
            self._tell(vm, host, -cpu, -vms.memory[vm])
        self._return(vm, host, cpu, memory)
        if journal.recording:
            journal.show("end", ("vm", vm), ("host", host), _FIGURES, self._figures(host, cpu, memory), cause)

    def return_again(self, vm: int, host: int) -> None:
        """ZStack's second return of the same capacity after a storage failure.

        Rule: rules/host-capacity.md#double-return.
        """
        self._remember(vm, host)
        self._return(vm, host, 0, 0, "doubleReturn")

    def _return(self, vm: int, host: int, held_cpu: int, held_memory: int, cause: str = "") -> None:
        """Give the reported book back what ZStack gives it; what differs from what was held is drift."""
        vms, fleet = self.cloud.vms, self.cloud.fleet
        back = divided(vms.memory[vm], fleet.memory_ratios[fleet.ratio_class[host]])
        free_cpu, free_memory = fleet.available_cpu[host], fleet.available_memory[host]
        given_cpu = given_memory = 0
        if free_memory + back > fleet.total_memory[host]:
            cause = cause or "allOrNothingReturn"
        else:
            given_cpu, given_memory = min(vms.cpu[vm], fleet.total_cpu[host] - free_cpu), back
        fleet.available_cpu[host], fleet.available_memory[host] = free_cpu + given_cpu, free_memory + given_memory
        if given_cpu != held_cpu or given_memory != held_memory:
            subject, cause = f"vm/{vm}", cause or "returnClamped"
            self._drift(host, given_cpu - held_cpu, given_memory - held_memory, subject, cause)

    def _drift(self, host: int, cpu: int, memory: int, subject: str, cause: str) -> None:
        fleet = self.cloud.fleet
        fleet.drift_cpu[host] += cpu
        fleet.drift_memory[host] += memory
        self.journal.emit("drift", subject, f"host/{host}", self._named_figures(host, cpu, memory), cause)

    def _charge(self, host: int, cpu: int, memory: int) -> None:
        """Both books of a host; what was there is remembered before."""
        fleet = self.cloud.fleet
        fleet.available_cpu[host] -= cpu
        fleet.available_memory[host] -= memory
        fleet.held_cpu[host] += cpu
        fleet.held_memory[host] += memory

    def _remember(self, vm: int, host: int) -> None:
        """Mark a host as changed; in a trial keep the figures of host and VM to put them back.

        The figures of one hold are remembered together and then written directly. A cell that is remembered by itself
        (`Journal.write`) costs a call, and a hold writes seven.
        """
        self.cloud.changed_hosts.add(host)
        if self.journal.undo is not None:
            fleet, vms = self.cloud.fleet, self.cloud.vms
            of_host = tuple([fleet.cells[name][host] for name in _HOST_BOOKS])
            of_vm = tuple([vms.cells[name][vm] for name in _VM_HOLDS])
            self.journal.remember(host, self._restore, (vm, host, of_vm, of_host))

    def _restore(self, vm: int, host: int, of_vm: tuple[int, ...], of_host: tuple[int, ...]) -> None:
        for name, value in zip(_HOST_BOOKS, of_host, strict=True):
            self.cloud.fleet.cells[name][host] = value
        for name, value in zip(_VM_HOLDS, of_vm, strict=True):
            self.cloud.vms.cells[name][vm] = value

    def _tell(self, vm: int, host: int, cpu: int, memory: int) -> None:
        """Tell watchers what a host gained or lost by a VM; a trial tells nobody."""
        if self.journal.undo is None:
            for watcher in self.journal.watchers:
                watcher(vm, host, cpu, memory)

    def _take_devices(self, vm: int, host: int, sign: int) -> None:
        """Whole PCI devices go with the host: taken at the start, given back at the stop."""
        for spec, count in self.cloud.vms.shape_of(vm).tags.devices:
            held = self.cloud.fleet.devices_held.setdefault(spec, {})
            remaining = held.get(host, 0) + sign * count
            if remaining < 0:
                raise InvariantViolation(f"more devices {spec} returned to host {host} than were taken")
            self.journal.put(held, host, remaining)
            self.journal.mark_changed(host)
            amounts = (("count", sign * count), ("held", remaining), ("present", self._present(spec, host)))
            self.journal.emit("device", f"vm/{vm}", f"host/{host}", amounts, spec)

    def set_devices(self, host: int, spec: str, count: int) -> None:
        """Set how many whole PCI devices of a specification a host has; VMs keep what they took."""
        self.cloud.config_version += 1
        self.journal.put(self.cloud.fleet.devices.setdefault(spec, {}), host, count)
        self.journal.mark_changed(host)

    def _present(self, spec: str, host: int) -> int:
        return self.cloud.fleet.devices.get(spec, {}).get(host, 0)

    def _named_figures(self, host: int, cpu: int, memory: int) -> tuple[tuple[str, int], ...]:
        return tuple(zip(_FIGURES, self._figures(host, cpu, memory), strict=True))

    def _figures(self, host: int, cpu: int, memory: int) -> tuple[int, int, int, int]:
        """What an event about a host says: what was moved, and what the reported book says afterwards."""
        fleet = self.cloud.fleet
        return cpu, memory, fleet.available_cpu[host], fleet.available_memory[host]

    def resize_hold(self, vm: int, cpu: int, memory: int) -> None:
        """Change a running VM's size: the difference is charged to its host (rules/host-capacity.md#return)."""
        vms = self.cloud.vms
        host = vms.hold_host[vm]
        more = divided(memory - vms.memory[vm], self.cloud.fleet.memory_ratio(host))
        extra = cpu - vms.cpu[vm]
        self._remember(vm, host)
        self._charge(host, extra, more)
        vms.hold_cpu[vm] += extra
        vms.hold_memory[vm] += more
        self.journal.emit("hold", f"vm/{vm}", f"host/{host}", self._named_figures(host, extra, more), "resize")

    def report_violation(self, vm: int, host: int, reason: str) -> None:
        """A VM is about to get a host that a filter would refuse by now, because it saw an older cloud."""
        self.journal.emit("breach", f"vm/{vm}", f"host/{host}", (), reason)

    def hold_target(self, vm: int, host: int) -> None:
        """A live migration begins: the target is charged while the source still is."""
        vms = self.cloud.vms
        if vms.hold_host[vm] in (NONE, host) or vms.move_host[vm] != NONE:
            raise InvariantViolation(f"VM {vms.names[vm]} cannot begin to move")
        cpu, memory = vms.cpu[vm], vms.memory[vm]
        charged = divided(memory, self.cloud.fleet.memory_ratio(host))
        self._remember(vm, host)
        self._charge(host, cpu, charged)
        vms.move_host[vm], vms.move_cpu[vm], vms.move_memory[vm] = host, cpu, charged
        self._take_devices(vm, host, +1)
        self._tell(vm, host, cpu, memory)
        self.journal.emit("hold", f"vm/{vm}", f"host/{host}", self._named_figures(host, cpu, charged), "migrate")

    def end_target(self, vm: int, cause: str) -> None:
        """A live migration has failed: the target gets back what it was charged."""
        vms = self.cloud.vms
        host, cpu, memory = vms.move_host[vm], vms.move_cpu[vm], vms.move_memory[vm]
        if host == NONE:
            raise InvariantViolation(f"VM {vms.names[vm]} is not moving")
        self._remember(vm, host)
        self._charge(host, -cpu, -memory)
        vms.move_host[vm], vms.move_cpu[vm], vms.move_memory[vm] = NONE, 0, 0
        self._take_devices(vm, host, -1)
        self._tell(vm, host, -cpu, -memory)
        self.journal.emit("end", f"vm/{vm}", f"host/{host}", self._named_figures(host, cpu, memory), cause)

    def move_hold(self, vm: int) -> None:
        """A live migration has ended: the source's capacity is returned, the target's hold is the VM's."""
        vms = self.cloud.vms
        target, cpu, memory = vms.move_host[vm], vms.move_cpu[vm], vms.move_memory[vm]
        if target == NONE:
            raise InvariantViolation(f"VM {vms.names[vm]} is not moving")
        self.end(vm, "migrate")
        self._remember(vm, target)
        vms.hold_host[vm], vms.hold_cpu[vm], vms.hold_memory[vm] = target, cpu, memory
        vms.move_host[vm], vms.move_cpu[vm], vms.move_memory[vm] = NONE, 0, 0

    def fill(self, hosts: IntArray, cpu: int, memory: int, times: IntArray | int = 1) -> None:
        """Charge many hosts for *times* VMs each, without VM rows: for counting on a copy that is thrown away.

        Nothing is journalled and no VM stands behind it, so `check` does not hold afterwards.
        """
        fleet = self.cloud.fleet
        count: IntArray = np.broadcast_to(np.asarray(times, dtype=np.int64), hosts.shape)
        each = np.array([divided(memory, ratio) for ratio in fleet.memory_ratios], dtype=np.int64)
        more = each[fleet.array(fleet.ratio_class)[hosts]] * count
        fleet.array(fleet.available_cpu)[hosts] -= cpu * count
        fleet.array(fleet.held_cpu)[hosts] += cpu * count
        fleet.array(fleet.available_memory)[hosts] -= more
        fleet.array(fleet.held_memory)[hosts] += more
        fleet.array(fleet.vm_count)[hosts] += count
        self.cloud.config_version += 1

    def recalculate(self, host: int) -> None:
        """Overwrite a host's reported figures from the VM rows (rules/host-capacity.md#recalculation)."""
        fleet, vms = self.cloud.fleet, self.cloud.vms
        matching = np.flatnonzero((vms.array(vms.host) == host) & (vms.array(vms.alive) == 1))
        charged = [row for row in matching.tolist() if vms.state[row] not in _UNCHARGED]
        memory = divided(sum(vms.memory[row] for row in charged), fleet.memory_ratio(host))
        free_memory = fleet.total_memory[host] - memory
        free_cpu = fleet.total_cpu[host] - sum(vms.cpu[row] for row in charged)
        drift_cpu = free_cpu - fleet.total_cpu[host] + fleet.held_cpu[host]
        drift_memory = free_memory - fleet.total_memory[host] + fleet.held_memory[host]
        if (free_cpu, free_memory) != (fleet.available_cpu[host], fleet.available_memory[host]):
            self.journal.write_host(Fleet.available_cpu, host, free_cpu)
            self.journal.write_host(Fleet.available_memory, host, free_memory)
        more_cpu, more_memory = drift_cpu - fleet.drift_cpu[host], drift_memory - fleet.drift_memory[host]
        if more_cpu or more_memory:
            self.journal.write_host(Fleet.drift_cpu, host, drift_cpu)
            self.journal.write_host(Fleet.drift_memory, host, drift_memory)
            figures = self._named_figures(host, more_cpu, more_memory)
            self.journal.emit("drift", "", f"host/{host}", figures, "recalculation")

    def add(self, uuid: str, name: str, labels: dict[str, str], **values: int) -> int:
        """A new host at the end of the rank order. Not undone by a trial: hosts are added for good or on a fork."""
        if self.journal.undo is not None:
            raise InvariantViolation("a host cannot be added inside a trial; use fork()")
        host = self.cloud.fleet.add(uuid, name, labels, **values)
        self.cloud.config_version += 1
        for storage in self.cloud.storages:
            if storage.shares is not None:
                storage.shares.reach(self.cloud.fleet.row_count)
        self.journal.emit("set", name, f"host/{host}", tuple(values.items()), "add")
        return host

    def start_measuring(self) -> None:
        """From now on hosts are measured."""
        self.cloud.config_version += 1
        self.cloud.fleet.monitored = True

    def measure(self, host: int, **values: int) -> None:
        """Write what a host was measured to use; a figure that is as before changes nothing."""
        for name, value in values.items():
            if self.cloud.fleet.cells[name][host] != value:
                self.journal.write_host(Fleet.COLUMNS[name], host, value)

    def set(self, host: int, cause: str = "", **values: int) -> None:
        """Change descriptive columns of a host (state, status, totals, reserve, ratio class)."""
        self.cloud.config_version += 1
        for name, value in values.items():
            self.journal.write_host(Fleet.COLUMNS[name], host, value)
        self.journal.emit("set", "host", f"host/{host}", tuple(values.items()), cause)
