"""Host capacity: holds of VMs, returns as ZStack makes them, drift, recalculation."""

from __future__ import annotations

import numpy as np

from simclone.errors import InvariantViolation
from simclone.model.columns import IntArray
from simclone.model.inventory import device_asks
from simclone.model.ledger.journal import Journal
from simclone.model.vms import NONE, STATE
from simclone.units import divided

_UNCHARGED = frozenset(STATE[name] for name in ("Destroyed", "Created", "Destroying", "Stopped"))


_FIGURES = ("cpu", "memory", "available_cpu", "available_memory")


class HostBook(Journal):
    """Verbs about hosts."""

    def hold_host(self, vm: int, host: int, cause: str = "") -> None:
        """Charge a VM's vCPUs and memory to a host. One hold at a time (a migration moves it)."""
        if not self.recording and self._undo is None and not self.cloud.fleet.devices:
            self._hold_quietly(vm, host)
            return
        vms = self.cloud.vms
        if vms.get("hold_host", vm) != NONE:
            raise InvariantViolation(f"VM {vms.names[vm]} already holds a host")
        cpu, memory = vms.get("cpu", vm), vms.get("memory", vm)
        charged = divided(memory, self.cloud.fleet.memory_ratio(host))
        self._charge_host(host, cpu, charged)
        self._cell(vms, "hold_host", vm, host)
        self._cell(vms, "hold_cpu", vm, cpu)
        self._cell(vms, "hold_memory", vm, charged)
        self._tell(vm, host, cpu, memory)
        if self.recording:
            self._show("hold", ("vm", vm), ("host", host), _FIGURES, self._moved(host, cpu, charged), cause)
        self._take_devices(vm, host, +1)

    def _hold_quietly(self, vm: int, host: int) -> None:
        """`hold_host` where nobody records and no host has devices: the same writes, without asking for each."""
        vms, fleet = self.cloud.vms._cells, self.cloud.fleet._cells
        if vms["hold_host"][vm] != NONE:
            raise InvariantViolation(f"VM {self.cloud.vms.names[vm]} already holds a host")
        cpu, memory = vms["cpu"][vm], vms["memory"][vm]
        ratio = self.cloud.fleet.memory_ratios[fleet["ratio_class"][host]]
        charged = memory if ratio == 1.0 else divided(memory, ratio)
        fleet["available_cpu"][host] -= cpu
        fleet["available_memory"][host] -= charged
        fleet["held_cpu"][host] += cpu
        fleet["held_memory"][host] += charged
        vms["hold_host"][vm], vms["hold_cpu"][vm], vms["hold_memory"][vm] = host, cpu, charged
        self.cloud.touched.add(host)
        for watcher in self.watchers:
            watcher(vm, host, cpu, memory)

    def _end_quietly(self, vm: int) -> bool:
        """`end_host` where nobody records and all of it returns; False where the long way must be gone."""
        vms, fleet = self.cloud.vms._cells, self.cloud.fleet._cells
        host, cpu, memory = vms["hold_host"][vm], vms["hold_cpu"][vm], vms["hold_memory"][vm]
        plain = self.cloud.fleet.memory_ratios[fleet["ratio_class"][host]] == 1.0
        if not plain or cpu != vms["cpu"][vm] or memory != vms["memory"][vm]:
            return False
        free_cpu, free_memory = fleet["available_cpu"][host] + cpu, fleet["available_memory"][host] + memory
        if free_memory > fleet["total_memory"][host] or free_cpu > fleet["total_cpu"][host]:
            return False
        fleet["available_cpu"][host], fleet["available_memory"][host] = free_cpu, free_memory
        fleet["held_cpu"][host] -= cpu
        fleet["held_memory"][host] -= memory
        vms["hold_host"][vm], vms["hold_cpu"][vm], vms["hold_memory"][vm] = NONE, 0, 0
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
        tags = self.cloud.vms.shape(vm).system_tags
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
        cells = self.cloud.fleet._cells
        return cpu, memory, cells["available_cpu"][host], cells["available_memory"][host]

    def _charge_host(self, host: int, cpu: int, memory: int) -> None:
        self._host_add("available_cpu", host, -cpu)
        self._host_add("available_memory", host, -memory)
        self._host_add("held_cpu", host, cpu)
        self._host_add("held_memory", host, memory)

    def end_host(self, vm: int, cause: str = "") -> None:
        """End a VM's hold and return its capacity as ZStack does (rules/host-capacity.md#return)."""
        cells = self.cloud.vms.cells
        host = cells("hold_host")[vm]
        if host == NONE:
            raise InvariantViolation(f"VM {self.cloud.vms.names[vm]} holds no host")
        if not self.recording and self._undo is None and not self.cloud.fleet.devices and self._end_quietly(vm):
            return
        cpu, memory = cells("hold_cpu")[vm], cells("hold_memory")[vm]
        self._host_add("held_cpu", host, -cpu)
        self._host_add("held_memory", host, -memory)
        self._take_devices(vm, host, -1)
        self._tell(vm, host, -cpu, -cells("memory")[vm])
        for name, value in (("hold_host", NONE), ("hold_cpu", 0), ("hold_memory", 0)):
            self._cell(self.cloud.vms, name, vm, value)
        self._return(host, cells("cpu")[vm], cells("memory")[vm], cpu, memory, f"vm/{vm}")
        if self.recording:
            self._show("end", ("vm", vm), ("host", host), _FIGURES, self._moved(host, cpu, memory), cause)

    def return_again(self, vm: int, host: int) -> None:
        """ZStack's second return of the same capacity after a storage failure.

        Rule: rules/host-capacity.md#double-return.
        """
        cells = self.cloud.vms.cells
        self._return(host, cells("cpu")[vm], cells("memory")[vm], 0, 0, f"vm/{vm}", "doubleReturn")

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
            self._emit("drift", subject, f"host/{host}", self._figures(host, cpu, memory), cause)

    def resize_hold(self, vm: int, cpu: int, memory: int) -> None:
        """Change a running VM's size: the difference is charged to its host (rules/host-capacity.md#return)."""
        cells = self.cloud.vms.cells
        host = cells("hold_host")[vm]
        more = divided(memory - cells("memory")[vm], self.cloud.fleet.memory_ratio(host))
        extra = cpu - cells("cpu")[vm]
        self._charge_host(host, extra, more)
        self._cell(self.cloud.vms, "hold_cpu", vm, cells("hold_cpu")[vm] + extra)
        self._cell(self.cloud.vms, "hold_memory", vm, cells("hold_memory")[vm] + more)
        self._emit("hold", f"vm/{vm}", f"host/{host}", self._figures(host, extra, more), "resize")

    def tell_breach(self, vm: int, host: int, reason: str) -> None:
        """A VM is about to get a host that a filter would refuse by now, because it saw an older cloud."""
        self._emit("breach", f"vm/{vm}", f"host/{host}", (), reason)

    def hold_target(self, vm: int, host: int) -> None:
        """A live migration begins: the target is charged while the source still is."""
        cells = self.cloud.vms.cells
        if cells("hold_host")[vm] in (NONE, host) or cells("move_host")[vm] != NONE:
            raise InvariantViolation(f"VM {self.cloud.vms.names[vm]} cannot begin to move")
        cpu, memory = cells("cpu")[vm], cells("memory")[vm]
        charged = divided(memory, self.cloud.fleet.memory_ratio(host))
        self._charge_host(host, cpu, charged)
        for name, value in (("move_host", host), ("move_cpu", cpu), ("move_memory", charged)):
            self._cell(self.cloud.vms, name, vm, value)
        self._take_devices(vm, host, +1)
        self._tell(vm, host, cpu, memory)
        self._emit("hold", f"vm/{vm}", f"host/{host}", self._figures(host, cpu, charged), "migrate")

    def end_target(self, vm: int, cause: str) -> None:
        """A live migration has failed: the target gets back what it was charged."""
        cells = self.cloud.vms.cells
        host, cpu, memory = (cells(f"move_{name}")[vm] for name in ("host", "cpu", "memory"))
        if host == NONE:
            raise InvariantViolation(f"VM {self.cloud.vms.names[vm]} is not moving")
        self._charge_host(host, -cpu, -memory)
        for name in ("host", "cpu", "memory"):
            self._cell(self.cloud.vms, f"move_{name}", vm, NONE if name == "host" else 0)
        self._take_devices(vm, host, -1)
        self._tell(vm, host, -cpu, -memory)
        self._emit("end", f"vm/{vm}", f"host/{host}", self._figures(host, cpu, memory), cause)

    def move_hold(self, vm: int) -> None:
        """A live migration has ended: the source's capacity is returned, the target's hold is the VM's."""
        cells = self.cloud.vms.cells
        if cells("move_host")[vm] == NONE:
            raise InvariantViolation(f"VM {self.cloud.vms.names[vm]} is not moving")
        self.end_host(vm, "migrate")
        for name in ("host", "cpu", "memory"):
            self._cell(self.cloud.vms, f"hold_{name}", vm, cells(f"move_{name}")[vm])
            self._cell(self.cloud.vms, f"move_{name}", vm, NONE if name == "host" else 0)

    def fill(self, hosts: IntArray, cpu: int, memory: int, times: IntArray | int = 1) -> None:
        """Charge many hosts for *times* VMs each, without VM rows: for counting on a copy that is thrown away.

        Nothing is journalled and no VM stands behind it, so `check` does not hold afterwards.
        """
        fleet = self.cloud.fleet
        many: IntArray = np.broadcast_to(np.asarray(times, dtype=np.int64), hosts.shape)
        each = np.array([divided(memory, ratio) for ratio in fleet.memory_ratios], dtype=np.int64)
        for name, more in (("cpu", cpu * many), ("memory", each[fleet.array("ratio_class")[hosts]] * many)):
            fleet.array(f"available_{name}")[hosts] -= more
            fleet.array(f"held_{name}")[hosts] += more
        fleet.array("vm_count")[hosts] += many
        self.cloud.epoch += 1

    def recalculate_host(self, host: int) -> None:
        """Overwrite a host's recorded figures from the VM rows (rules/host-capacity.md#recalculation)."""
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
        self.cloud.epoch += 1
        for storage in self.cloud.storages:
            if storage.shares is not None:
                storage.shares.reach(self.cloud.fleet.size)
        self._emit("set", name, f"host/{host}", tuple(values.items()), "add")
        return host

    def monitor(self) -> None:
        """From now on hosts are measured."""
        self.cloud.epoch += 1
        self.cloud.fleet.monitored = True

    def measure_host(self, host: int, **values: int) -> None:
        """Write what a host was measured to use; a figure that is as before changes nothing."""
        for name, value in values.items():
            if self.cloud.fleet.get(name, host) != value:
                self._host(name, host, value)

    def set_host(self, host: int, cause: str = "", **values: int) -> None:
        """Change descriptive columns of a host (state, status, totals, reserve, ratio class)."""
        self.cloud.epoch += 1
        for name, value in values.items():
            self._host(name, host, value)
        self._emit("set", "host", f"host/{host}", tuple(values.items()), cause)
