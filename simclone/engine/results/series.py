"""Series of places, storages and queues: exact integers in columns that only grow, a row per thing and sample."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from simclone.engine.workflow_driver import WorkflowDriver
from simclone.model.cloud import Cloud
from simclone.model.columns import IntArray
from simclone.units import MIB

PLACE_FIELDS = (
    *("at_us", "kind", "row", "vms", "held_cpu", "held_memory", "available_cpu", "available_memory"),
    *("cpu_use_ppm", "memory_use_ppm"),
)
STORAGE_FIELDS = ("at_us", "row", "held", "available", "available_physical", "volumes")
QUEUE_FIELDS = ("at_us", "queue", "waiting", "busy", "entered", "waited_us")
PLACES = ("zones", "clusters", "hosts")
NOT_MEASURED = -1


class Table:
    """Columns of whole numbers by name."""

    def __init__(self, fields: Sequence[str]) -> None:
        self.columns = {name: array("q") for name in fields}

    def add(self, *values: int) -> None:
        """A row."""
        for column, value in zip(self.columns.values(), values, strict=True):
            column.append(value)

    def add_rows(self, *values: IntArray) -> None:
        """Rows, a column each."""
        for column, part in zip(self.columns.values(), values, strict=True):
            column.frombytes(np.ascontiguousarray(part, dtype=np.int64).tobytes())


class PlaceSeries:
    """What `sample` saw of the *kinds* asked for: zones, clusters, hosts, storages, queues."""

    def __init__(self, cloud: Cloud, clock: WorkflowDriver, kinds: Iterable[str]) -> None:
        self._cloud, self._driver, self._kinds = cloud, clock, frozenset(kinds)
        self.places, self.storages, self.queues = (
            Table(fields) for fields in (PLACE_FIELDS, STORAGE_FIELDS, QUEUE_FIELDS)
        )
        self.queue_names: list[str] = []

    def sample(self) -> None:
        """A row for each thing."""
        at_us = self._driver.now_us
        for kind in PLACES:
            if kind in self._kinds:
                self._places(at_us, kind)
        if "storages" in self._kinds:
            for row, storage in enumerate(self._cloud.storages):
                figures = (storage.held, storage.available, storage.available_physical, storage.volume_count)
                self.storages.add(at_us, row, *figures)
        if "queues" in self._kinds:
            for name, figures in self._driver.queues.figures().items():
                if name not in self.queue_names:
                    self.queue_names.append(name)
                self.queues.add(at_us, self.queue_names.index(name), *figures)

    def _places(self, at_us: int, kind: str) -> None:
        fleet = self._cloud.fleet
        present = fleet.array(fleet.exists) == 1
        count = {"zones": len(self._cloud.zones), "clusters": len(self._cloud.clusters), "hosts": fleet.row_count}[kind]
        group = np.arange(fleet.row_count) if kind == "hosts" else fleet.array(fleet.cells[kind[:-1]])

        def total(values: IntArray) -> IntArray:
            sums = np.zeros(count, dtype=np.int64)
            np.add.at(sums, group[present], values[present])
            return sums

        names = ("vm_count", "held_cpu", "held_memory", "available_cpu", "available_memory")
        sums = [total(fleet.array(fleet.cells[name])) for name in names]
        rows = np.arange(count) if kind != "hosts" else np.flatnonzero(present)
        fixed = (np.full(len(rows), at_us), np.full(len(rows), PLACES.index(kind)), rows)
        self.places.add_rows(*fixed, *(item[rows] for item in (*sums, *self._use(total))))

    def _use(self, total: Callable[[IntArray], IntArray]) -> tuple[IntArray, IntArray]:
        """Mean use weighted by threads and MiB; `NOT_MEASURED` where nobody measures."""
        fleet = self._cloud.fleet
        result = []
        for name, weight in (
            ("cpu_use_ppm", fleet.array(fleet.cpu_num)),
            ("memory_use_ppm", fleet.array(fleet.total_memory) // MIB),
        ):
            mean = total(fleet.array(fleet.cells[name]) * weight) // np.maximum(total(weight), 1)
            result.append(mean if fleet.monitored else np.full_like(mean, NOT_MEASURED))
        return result[0], result[1]

    def tables(self) -> Mapping[str, Mapping[str, array[int]]]:
        """The columns of all three by name."""
        return {"places": self.places.columns, "storages": self.storages.columns, "queues": self.queues.columns}
