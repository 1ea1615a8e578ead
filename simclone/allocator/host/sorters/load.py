"""Sorters by load: VM counts, stopped VMs, measured utilisation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from simclone.allocator.host.flow import Candidates, Figure, FlowFacts, HardStop, SortFlow, refusal
from simclone.allocator.host.request import HostRequest
from simclone.model.cloud import Cloud
from simclone.vocabulary import HOST_NO_MONITORING

COUNT_BITS = 22
SHARE_BITS = 21


class LeastVmPreferredSortFlow(SortFlow):
    """Fewest VM rows on the host first, whatever their size or state (rules/host-selection.md#order)."""

    name: ClassVar[str] = "LeastVmPreferredSortFlow"
    reads: ClassVar[frozenset[str]] = frozenset({"count"})
    by: ClassVar[Figure] = ("vm_count", 1, 0)
    width: ClassVar[int] = COUNT_BITS
    skip_next: ClassVar[bool] = True


class StoppedVmAwareSortFlow(SortFlow):
    """Hosts that could also take back their stopped VMs, fewest stopped ones first.

    Rule: rules/host-selection.md#stopped-aware.

    Ties follow the iteration order of a Java HashMap over host uuids, so one host keeps winning.
    """

    name: ClassVar[str] = "StoppedVmAwareLeastVmPreferredSortFlow"
    reads: ClassVar[frozenset[str]] = frozenset({"capacity", "count"})
    skip_next: ClassVar[bool] = True
    whole_set: ClassVar[bool] = True

    def arrange(self, hosts: list[int], request: HostRequest, cloud: Cloud) -> list[int]:
        """Available hosts by stopped count in hash order, then the rest as they came."""
        table = cloud.fleet
        stopped, cpu, memory = table.stopped_count, table.stopped_cpu, table.stopped_memory
        roomy = [
            host
            for host in hosts
            if not stopped[host]
            or (
                table.available_cpu[host] > cpu[host] + request.cpu
                and table.available_memory[host] > memory[host] + request.memory
            )
        ] or hosts
        retained = set(roomy)
        hashed = hash_order([(cloud.fleet.uuids[host], host) for host in roomy])
        return sorted(hashed, key=lambda host: stopped[host]) + [host for host in hosts if host not in retained]


@lru_cache(maxsize=1 << 17)
def java_hash(text: str) -> int:
    """Java's ``String.hashCode`` as a signed 32-bit integer.

    >>> java_hash("hello")
    99162322
    """
    value = 0
    for letter in text:
        value = (31 * value + ord(letter)) & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def hash_order(pairs: list[tuple[str, int]]) -> list[int]:
    """Values in the order a Java HashMap yields their keys, inserted in the given order."""
    buckets = 16
    while len(pairs) > 0.75 * buckets:
        buckets *= 2
    placed: dict[int, list[int]] = {}
    for key, value in pairs:
        code = java_hash(key) & 0xFFFFFFFF
        placed.setdefault((code ^ (code >> 16)) & (buckets - 1), []).append(value)
    return [value for bucket in sorted(placed) for value in placed[bucket]]


@dataclass(frozen=True, slots=True)
class UseFacts:
    """*measured*: utilisation is known; otherwise VM counts stand in."""

    measured: bool


class MinimumUsageSortFlow(SortFlow):
    """Lowest measured utilisation first; without measurements soft mode counts VMs, hard mode fails."""

    reads: ClassVar[frozenset[str]] = frozenset({"utilisation", "count"})
    width: ClassVar[int] = COUNT_BITS
    skip_next: ClassVar[bool] = True
    column: ClassVar[str]

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """Whether there is something to go by."""
        if not cloud.fleet.monitored and any(request.tag(tag) == "hard" for tag in self.tags):
            return HardStop(refusal(HOST_NO_MONITORING, "utilisation is not monitored and the strategy's mode is hard"))
        return UseFacts(cloud.fleet.monitored)

    def figure(self, facts: FlowFacts) -> Figure:
        """Parts per million in use, or the VM count."""
        return (self.column if facts.measured else "vm_count"), 1, 0


class MinimumCpuUsageSortFlow(MinimumUsageSortFlow):
    """By CPU utilisation."""

    name: ClassVar[str] = "MinimumCPUUsageSortFlow"
    column: ClassVar[str] = "cpu_use_ppm"
    tags: ClassVar[frozenset[str]] = frozenset({"minimumCPUUsageHostAllocatorStrategyMode"})


class MinimumMemoryUsageSortFlow(MinimumUsageSortFlow):
    """By memory utilisation."""

    name: ClassVar[str] = "MinimumMemoryUsageSortFlow"
    column: ClassVar[str] = "memory_use_ppm"
    tags: ClassVar[frozenset[str]] = frozenset({"minimumMemoryUsageHostAllocatorStrategyMode"})
