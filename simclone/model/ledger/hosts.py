"""Host capacity: holds of VMs, returns as ZStack makes them, drift, recalculation."""

from __future__ import annotations

import numpy as np

from simclone.errors import InvariantViolation
from simclone.model.columns import IntArray
from simclone.model.fleet import Fleet
from simclone.model.inventory import device_asks
from simclone.model.ledger.journal import Journal
from simclone.model.vms import NONE, Vms
from simclone.units import divided
from simclone.vocabulary import VmState

_UNCHARGED = frozenset((VmState.DESTROYED, VmState.CREATED, VmState.DESTROYING, VmState.STOPPED))


_FIGURES = ("cpu", "memory", "available_cpu", "available_memory")


class HostBook(Journal):
    """Verbs about hosts."""

    def hold_host(self, vm: int, host: int, cause: str = "") -> None:
        """Charge a VM's vCPUs and memory to a host. One hold at a time (a migration moves it)."""
        if not self.recording and self._undo is None and not self.cloud.fleet.devices:
            self._hold_quietly(vm, host)
            return
        vms = self.cloud.vms
        if vms.hold_host[vm] != NONE:
            raise InvariantViolation(f"VM {vms.names[vm]} already holds a host")
        cpu, memory = vms.cpu[vm], vms.memory[vm]
        charged = divided(memory, self.cloud.fleet.memory_ratio(host))
        self._charge_host(host, cpu, charged)
        self._set_hold(vm, host, cpu, charged)
        self._tell(vm, host, cpu, memory)
        if self.recording:
            self._show("hold", ("vm", vm), ("host", host), _FIGURES, self._moved(host, cpu, charged), cause)
        self._take_devices(vm, host, +1)

    def _hold_quietly(self, vm: int, host: int) -> None:
        """`hold_host` where nobody records and no host has devices: the same writes, without asking for each."""
        vms, fleet = self.cloud.vms, self.cloud.fleet
        if vms.hold_host[vm] != NONE:
            raise InvariantViolation(f"VM {self.cloud.vms.names[vm]} already holds a host")
        cpu, memory = vms.cpu[vm], vms.memory[vm]
        ratio = self.cloud.fleet.memory_ratios[fleet.ratio_class[host]]
        charged = memory if ratio == 1.0 else divided(memory, ratio)
        fleet.available_cpu[host] -= cpu
        fleet.available_memory[host] -= charged
        fleet.held_cpu[host] += cpu
        fleet.held_memory[host] += charged
        vms.hold_host[vm], vms.hold_cpu[vm], vms.hold_memory[vm] = host, cpu, charged
        self.cloud.touched.add(host)
        for watcher in self.watchers:
            watcher(vm, host, cpu, memory)

    def _end_quietly(self, vm: int) -> bool:
        """`end_host` where nobody records and all of it returns; False where the long way must be gone."""
        vms, fleet = self.cloud.vms, self.cloud.fleet
        host, cpu, memory = vms.hold_host[vm], vms.hold_cpu[vm], vms.hold_memory[vm]
        plain = self.cloud.fleet.memory_ratios[fleet.ratio_class[host]] == 1.0
        if not plain or cpu != vms.cpu[vm] or memory != vms.memory[vm]:
            return False
        free_cpu, free_memory = fleet.available_cpu[host] + cpu, fleet.available_memory[host] + memory
        if free_memory > fleet.total_memory[host] or free_cpu > fleet.total_cpu[host]:
            return False
        fleet.available_cpu[host], fleet.available_memory[host] = free_cpu, free_memory
        fleet.held_cpu[host] -= cpu
        fleet.held_memory[host] -= memory
        vms.hold_host[vm], vms.hold_cpu[vm], vms.hold_memory[vm] = NONE, 0, 0
        self.cloud.touched.add(host)
        for watcher in self.watchers:
            watcher(vm, host, -cpu, -memory)
        return True

    def _tell(self, vm: int, host: int, cpu: int, memory: int) -> None:
        """Tell watchers what a host gained or lost by a VM; a trial tells nobody."""
        if self._undo is None:
            for watcher in self.watchers:
                watcher(vm, host, cpu, memory)

    def _take_devices(self, vm: int, host: int, sign: int) -> None:
        """Whole PCI devices go with the host: taken at the start, given back at the stop."""
        tags = self.cloud.vms.shape_of(vm).system_tags
        for spec, count in device_asks(tags) if tags else ():
            held = self.cloud.fleet.devices_held.setdefault(spec, {})
            left = held.get(host, 0) + sign * count
            if left < 0:
                raise InvariantViolation(f"more devices {spec} returned to host {host} than were taken")
            self._put(held, host, left)
            self._touch(host)
            amounts = (("count", sign * count), ("held", left), ("present", self._present(spec, host)))
            self._emit("device", f"vm/{vm}", f"host/{host}", amounts, spec)

    def _present(self, spec: str, host: int) -> int:
        return self.cloud.fleet.devices.get(spec, {}).get(host, 0)

    def _figures(self, host: int, cpu: int, memory: int) -> tuple[tuple[str, int], ...]:
        """What an event about a host says: what was moved, and what the recorded book says afterwards."""
        return tuple(zip(_FIGURES, self._moved(host, cpu, memory), strict=True))

    def _moved(self, host: int, cpu: int, memory: int) -> tuple[int, int, int, int]:
        table = self.cloud.fleet
        return cpu, memory, table.available_cpu[host], table.available_memory[host]

    def _charge_host(self, host: int, cpu: int, memory: int) -> None:
        self._host_add(Fleet.available_cpu, host, -cpu)
        self._host_add(Fleet.available_memory, host, -memory)
        self._host_add(Fleet.held_cpu, host, cpu)
        self._host_add(Fleet.held_memory, host, memory)

    def end_host(self, vm: int, cause: str = "") -> None:
        """End a VM's hold and return its capacity as ZStack does (host-allocation.md 2.5)."""
        table = self.cloud.vms
        host = table.hold_host[vm]
        if host == NONE:
            raise InvariantViolation(f"VM {self.cloud.vms.names[vm]} holds no host")
        if not self.recording and self._undo is None and not self.cloud.fleet.devices and self._end_quietly(vm):
            return
        cpu, memory = table.hold_cpu[vm], table.hold_memory[vm]
        self._host_add(Fleet.held_cpu, host, -cpu)
        self._host_add(Fleet.held_memory, host, -memory)
        self._take_devices(vm, host, -1)
        self._tell(vm, host, -cpu, -table.memory[vm])
        self._set_hold(vm, NONE, 0, 0)
        self._return(host, table.cpu[vm], table.memory[vm], cpu, memory, f"vm/{vm}")
        if self.recording:
            self._show("end", ("vm", vm), ("host", host), _FIGURES, self._moved(host, cpu, memory), cause)

    def return_again(self, vm: int, host: int) -> None:
        """ZStack's second return of the same capacity after a storage failure (host-allocation.md, surprise 7)."""
        table = self.cloud.vms
        self._return(host, table.cpu[vm], table.memory[vm], 0, 0, f"vm/{vm}", "doubleReturn")

    def _return(
        self, host: int, cpu: int, memory: int, held_cpu: int, held_memory: int, subject: str, cause: str = ""
    ) -> None:
        table = self.cloud.fleet
        back = divided(memory, self.cloud.fleet.memory_ratio(host))
        given_cpu = given_memory = 0
        if table.available_memory[host] + back > table.total_memory[host]:
            cause = cause or "allOrNothingReturn"
        else:
            given_cpu = min(table.available_cpu[host] + cpu, table.total_cpu[host]) - table.available_cpu[host]
            given_memory = back
        self._host_add(Fleet.available_cpu, host, given_cpu)
        self._host_add(Fleet.available_memory, host, given_memory)
        self._drift_host(host, given_cpu - held_cpu, given_memory - held_memory, subject, cause or "returnClamped")

    def _drift_host(self, host: int, cpu: int, memory: int, subject: str, cause: str) -> None:
        if cpu or memory:
            self._host_add(Fleet.drift_cpu, host, cpu)
            self._host_add(Fleet.drift_memory, host, memory)
            self._emit("drift", subject, f"host/{host}", self._figures(host, cpu, memory), cause)

    def resize_hold(self, vm: int, cpu: int, memory: int) -> None:
        """Change a running VM's size: the difference is charged to its host (host-allocation.md 2.5)."""
        table = self.cloud.vms
        host = table.hold_host[vm]
        more = divided(memory - table.memory[vm], self.cloud.fleet.memory_ratio(host))
        extra = cpu - table.cpu[vm]
        self._charge_host(host, extra, more)
        self._cell(self.cloud.vms, Vms.hold_cpu, vm, table.hold_cpu[vm] + extra)
        self._cell(self.cloud.vms, Vms.hold_memory, vm, table.hold_memory[vm] + more)
        self._emit("hold", f"vm/{vm}", f"host/{host}", self._figures(host, extra, more), "resize")

    def tell_breach(self, vm: int, host: int, reason: str) -> None:
        """A VM is about to get a host that a filter would refuse by now, because it saw an older cloud."""
        self._emit("breach", f"vm/{vm}", f"host/{host}", (), reason)

    def hold_target(self, vm: int, host: int) -> None:
        """A live migration begins: the target is charged while the source still is."""
        table = self.cloud.vms
        if table.hold_host[vm] in (NONE, host) or table.move_host[vm] != NONE:
            raise InvariantViolation(f"VM {self.cloud.vms.names[vm]} cannot begin to move")
        cpu, memory = table.cpu[vm], table.memory[vm]
        charged = divided(memory, self.cloud.fleet.memory_ratio(host))
        self._charge_host(host, cpu, charged)
        self._set_target(vm, host, cpu, charged)
        self._take_devices(vm, host, +1)
        self._tell(vm, host, cpu, memory)
        self._emit("hold", f"vm/{vm}", f"host/{host}", self._figures(host, cpu, charged), "migrate")

    def end_target(self, vm: int, cause: str) -> None:
        """A live migration has failed: the target gets back what it was charged."""
        table = self.cloud.vms
        host, cpu, memory = table.move_host[vm], table.move_cpu[vm], table.move_memory[vm]
        if host == NONE:
            raise InvariantViolation(f"VM {self.cloud.vms.names[vm]} is not moving")
        self._charge_host(host, -cpu, -memory)
        self._set_target(vm, NONE, 0, 0)
        self._take_devices(vm, host, -1)
        self._tell(vm, host, -cpu, -memory)
        self._emit("end", f"vm/{vm}", f"host/{host}", self._figures(host, cpu, memory), cause)

    def move_hold(self, vm: int) -> None:
        """A live migration has ended: the source's capacity is returned, the target's hold is the VM's."""
        table = self.cloud.vms
        if table.move_host[vm] == NONE:
            raise InvariantViolation(f"VM {self.cloud.vms.names[vm]} is not moving")
        self.end_host(vm, "migrate")
        self._set_hold(vm, table.move_host[vm], table.move_cpu[vm], table.move_memory[vm])
        self._set_target(vm, NONE, 0, 0)

    def _set_hold(self, vm: int, host: int, cpu: int, memory: int) -> None:
        self._cell(self.cloud.vms, Vms.hold_host, vm, host)
        self._cell(self.cloud.vms, Vms.hold_cpu, vm, cpu)
        self._cell(self.cloud.vms, Vms.hold_memory, vm, memory)

    def _set_target(self, vm: int, host: int, cpu: int, memory: int) -> None:
        self._cell(self.cloud.vms, Vms.move_host, vm, host)
        self._cell(self.cloud.vms, Vms.move_cpu, vm, cpu)
        self._cell(self.cloud.vms, Vms.move_memory, vm, memory)

    def fill(self, hosts: IntArray, cpu: int, memory: int, times: IntArray | int = 1) -> None:
        """Charge many hosts for *times* VMs each, without VM rows: for counting on a copy that is thrown away.

        Nothing is journalled and no VM stands behind it, so `check` does not hold afterwards.
        """
        fleet = self.cloud.fleet
        many: IntArray = np.broadcast_to(np.asarray(times, dtype=np.int64), hosts.shape)
        each = np.array([divided(memory, ratio) for ratio in fleet.memory_ratios], dtype=np.int64)
        more = each[fleet.array(fleet.ratio_class)[hosts]] * many
        fleet.array(fleet.available_cpu)[hosts] -= cpu * many
        fleet.array(fleet.held_cpu)[hosts] += cpu * many
        fleet.array(fleet.available_memory)[hosts] -= more
        fleet.array(fleet.held_memory)[hosts] += more
        fleet.array(fleet.vm_count)[hosts] += many
        self.cloud.epoch += 1

    def recalculate_host(self, host: int) -> None:
        """Overwrite a host's recorded figures from the VM rows (host-allocation.md 2.6)."""
        table, vms = self.cloud.fleet, self.cloud.vms
        here = np.flatnonzero((vms.array(vms.host) == host) & (vms.array(vms.alive) == 1))
        charged = [row for row in here.tolist() if vms.state[row] not in _UNCHARGED]
        memory = divided(sum(vms.memory[row] for row in charged), self.cloud.fleet.memory_ratio(host))
        available_memory = table.total_memory[host] - memory
        available_cpu = table.total_cpu[host] - sum(vms.cpu[row] for row in charged)
        expected_cpu = table.total_cpu[host] - table.held_cpu[host] + table.drift_cpu[host]
        expected_memory = table.total_memory[host] - table.held_memory[host] + table.drift_memory[host]
        if (available_cpu, available_memory) != (
            table.available_cpu[host],
            table.available_memory[host],
        ):
            self._host(Fleet.available_cpu, host, available_cpu)
            self._host(Fleet.available_memory, host, available_memory)
        self._drift_host(host, available_cpu - expected_cpu, available_memory - expected_memory, "", "recalculation")

    def add_host(self, uuid: str, name: str, labels: dict[str, str], **values: int) -> int:
        """A new host at the end of the rank order. Not undone by a trial: hosts are added for good or on a fork."""
        if self._undo is not None:
            raise InvariantViolation("a host cannot be added inside a trial; use fork()")
        host = self.cloud.fleet.add(uuid, name, labels, **values)
        self.cloud.epoch += 1
        for storage in self.cloud.storages:
            if storage.shares is not None:
                storage.shares.reach(self.cloud.fleet.row_count)
        self._emit("set", name, f"host/{host}", tuple(values.items()), "add")
        return host

    def monitor(self) -> None:
        """From now on hosts are measured."""
        self.cloud.epoch += 1
        self.cloud.fleet.monitored = True

    def measure_host(self, host: int, **values: int) -> None:
        """Write what a host was measured to use; a figure that is as before changes nothing."""
        for name, value in values.items():
            if self.cloud.fleet.cells[name][host] != value:
                self._host(Fleet.COLUMNS[name], host, value)

    def set_host(self, host: int, cause: str = "", **values: int) -> None:
        """Change descriptive columns of a host (state, status, totals, reserve, ratio class)."""
        self.cloud.epoch += 1
        for name, value in values.items():
            self._host(Fleet.COLUMNS[name], host, value)
        self._emit("set", "host", f"host/{host}", tuple(values.items()), cause)
