"""A host grows or shrinks where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from simclone.changes.entries import host_entry
from simclone.changes.kind import Data, DocKind, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.hosts import host_size, resize_host
from simclone.scenario.document.base import Name, Positive, PositiveSize
from simclone.units import parse_size


class ResizeHost(DocKind):
    """A host has another number of cores, or other memory; its VMs stay."""

    key: ClassVar[str] = "resizeHost"
    prices: ClassVar[Mapping[str, float]] = {"growHost": 20.0}

    host: Name
    """The host."""
    cpu_num: Positive | None = None
    """Its cores; as before when left out."""
    total_physical_memory: PositiveSize | None = None
    """Its memory in bytes; as before when left out."""

    def to_file(self, data: Data) -> None:
        """Write the new size; a start state of the memory moves with it. Raises InvalidInput."""
        entry = host_entry(data, self.host, f"{self.key}.host")
        if self.cpu_num is not None:
            entry["cpuNum"] = self.cpu_num
            entry.pop("totalCpu", None)
        if self.total_physical_memory is not None:
            more = self.total_physical_memory - parse_size(entry["totalPhysicalMemory"])
            entry["totalPhysicalMemory"] = self.total_physical_memory
            if "availableMemory" in entry:
                entry["availableMemory"] = parse_size(entry["availableMemory"]) + more

    def to_cloud(self, ctx: Context) -> Workflows:
        """Give the host its new size; what is free moves by as much."""
        row = ctx.cloud.find("host", self.host)
        cpu_num, memory = host_size(ctx, row)
        yield finished(resize_host(ctx, row, self.cpu_num or cpu_num, self.total_physical_memory or memory))

    def words(self) -> str:
        """What is done."""
        return f"resize host {self.host}"
