"""The largest single VM that fits now."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simclone.allocator.rules.capacity import checks_physical, room
from simclone.model.cloud import Cloud
from simclone.units import format_size


@dataclass(frozen=True, slots=True)
class LargestVm:
    """*memory_bytes* is the most one VM may have, with up to *cpu_vcpus* on *host*; *most_cpu_vcpus* on any host."""

    host: str
    cpu_vcpus: int
    memory_bytes: int
    most_cpu_vcpus: int

    def summary(self) -> str:
        """One line."""
        if not self.host:
            return "none, no usable host has room"
        text = f"{format_size(self.memory_bytes)} with up to {self.cpu_vcpus} vCPUs on {self.host}"
        return text if self.most_cpu_vcpus <= self.cpu_vcpus else f"{text}; up to {self.most_cpu_vcpus} vCPUs elsewhere"


def largest_vms(cloud: Cloud, most: int = 10) -> list[LargestVm]:
    """The hosts with the largest holes: usable ones with a vCPU free, by memory, then by vCPUs, then by rank."""
    fleet = cloud.fleet
    checked = checks_physical(cloud)
    result = []
    for host in np.flatnonzero(fleet.usable() & (fleet.array(fleet.available_cpu) > 0)).tolist():
        memory = room(fleet, host)
        if checked:
            memory = min(memory, fleet.total_memory[host] - 1)
        if memory > 0:
            result.append((-memory, -fleet.available_cpu[host], host))
    widest = max((-cpu for _, cpu, _ in result), default=0)
    return [LargestVm(fleet.names[host], -cpu, -memory, widest) for memory, cpu, host in sorted(result)[:most]]


def largest_vm(cloud: Cloud) -> LargestVm:
    """The first of `holes`, or an empty one."""
    return next(iter(largest_vms(cloud, 1)), LargestVm("", 0, 0, 0))
