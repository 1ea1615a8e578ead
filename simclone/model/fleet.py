"""Hosts as columns; the row number of a host is its rank (ascending uuid)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from simclone.model.columns import IntArray, IntColumn, IntTable
from simclone.model.inventory import CONNECTED, ENABLED


class Fleet(IntTable):
    """All hosts.

    CPU figures are vCPUs, memory figures bytes. *available_…* are the recorded book (ZStack's columns, which the
    allocator reads), *held_…* what VMs really hold, *drift_…* the named differences: for CPU and memory alike
    ``available = total - held + drift`` always. *ratio_class* points into `memory_ratios`. *vm_count* counts
    VM rows on the host in any state; *stopped_…* sum Stopped VMs that remember the host as their last.
    """

    exists = IntColumn()
    zone = IntColumn()
    cluster = IntColumn()
    hypervisor = IntColumn()
    architecture = IntColumn()
    os = IntColumn()
    state = IntColumn()
    status = IntColumn()
    cpu_num = IntColumn()
    total_cpu = IntColumn()
    available_cpu = IntColumn()
    total_memory = IntColumn()
    available_memory = IntColumn()
    reserved_memory = IntColumn()
    ratio_class = IntColumn()
    vm_count = IntColumn()
    stopped_count = IntColumn()
    stopped_cpu = IntColumn()
    stopped_memory = IntColumn()
    cpu_use_ppm = IntColumn()
    memory_use_ppm = IntColumn()
    held_cpu = IntColumn()
    held_memory = IntColumn()
    drift_cpu = IntColumn()
    drift_memory = IntColumn()

    def __init__(self, capacity: int = 16) -> None:
        super().__init__(capacity)
        self.uuids: list[str] = []
        self.names: list[str] = []
        self.labels: list[dict[str, str]] = []
        self.memory_ratios: list[float] = [1.0]
        self.monitored = False
        self.devices: dict[str, dict[int, int]] = {}
        self.devices_held: dict[str, dict[int, int]] = {}

    def add(self, uuid: str, name: str, labels: dict[str, str], **values: int) -> int:
        """Append a host; returns its row. Columns not given are 0."""
        row = self.new_row()
        self.uuids.append(uuid)
        self.names.append(name)
        self.labels.append(labels)
        self.exists[row] = 1
        for field, value in values.items():
            self.cells[field][row] = value
        return row

    def extend(self, uuids: list[str], names: list[str], **values: IntArray | int) -> None:
        """Append many hosts without labels at once; *values* are columns or one value for all."""
        first = self.new_rows(len(uuids))
        self.uuids.extend(uuids)
        self.names.extend(names)
        self.labels.extend({} for _ in uuids)
        for field, value in {"exists": 1, **values}.items():
            self.array(self.cells[field])[first:] = value

    def ratio_class_of(self, ratio: float) -> int:
        """The class of a memory ratio, made when new."""
        if ratio not in self.memory_ratios:
            self.memory_ratios.append(ratio)
        return self.memory_ratios.index(ratio)

    def usable(self) -> npt.NDArray[np.bool_]:
        """Which hosts are there, Enabled and Connected, shape (row_count,)."""
        good: npt.NDArray[np.bool_] = (
            (self.array(self.exists) == 1)
            & (self.array(self.state) == ENABLED)
            & (self.array(self.status) == CONNECTED)
        )
        return good

    def by_ratio_class(self, values: Sequence[int]) -> IntArray:
        """What each memory-ratio class is given in *values*, by host; shape (row_count,)."""
        return np.asarray(values, dtype=np.int64)[self.array(self.ratio_class)]

    def free_devices(self, spec: str) -> IntArray:
        """Free PCI devices of a specification per host, shape (row_count,)."""
        free = np.zeros(self.row_count, dtype=np.int64)
        for sign, counts in ((1, self.devices.get(spec)), (-1, self.devices_held.get(spec))):
            if counts:
                rows = np.fromiter(counts, np.int64, len(counts))
                free[rows] += sign * np.fromiter(counts.values(), np.int64, len(counts))
        return free

    def memory_ratio(self, host: int) -> float:
        """The memory over-provisioning ratio in force on a host."""
        return self.memory_ratios[self.ratio_class[host]]

    def copy(self) -> Fleet:
        """An independent copy of every column; names and uuids are shared."""
        twin = Fleet(1)
        self.copy_columns(twin)
        twin.uuids, twin.names = list(self.uuids), list(self.names)
        twin.labels = list(self.labels)
        twin.memory_ratios = list(self.memory_ratios)
        twin.monitored = self.monitored
        twin.devices = {spec: dict(counts) for spec, counts in self.devices.items()}
        twin.devices_held = {spec: dict(counts) for spec, counts in self.devices_held.items()}
        return twin
