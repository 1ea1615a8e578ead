"""What kind of failure it is: too little, too scattered, forbidden by a rule, or missed by the way the search goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simclone.allocator.host.filters.capacity import HostCapacityFlow
from simclone.allocator.host.request import HostRequest
from simclone.allocator.rules.capacity import room
from simclone.allocator.rules.storage_capacity import storage_shortage
from simclone.explain.hosts import HostVerdict
from simclone.model.cloud import Cloud
from simclone.units import format_size, plural
from simclone.vocabulary import HOST_PHYSICAL_MEMORY, STORAGE_PHYSICAL, STORAGE_VIRTUAL, Extent, reason_of

CAPACITY = frozenset(test.reason for test in HostCapacityFlow.tests)
"""The codes of the reasons that a host is too small."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """*kind* is shortage, fragmentation, policy, order, transient or request; *figures* are what stands behind it."""

    kind: str
    text: str
    figures: Mapping[str, int] = field(default_factory=dict)


def verdict_of(reason: str, request: HostRequest | None, cloud: Cloud | None, hosts: Sequence[HostVerdict]) -> Verdict:
    """The verdict of a failure by its *reason*, judged on the cloud as it was decided on; *hosts* is that table."""
    refused = reason_of(reason)
    if reason in CAPACITY and request is not None and cloud is not None:
        return _capacity(reason, request, cloud, hosts)
    if refused.extent is Extent.CALL:
        return Verdict("request", f"the call itself cannot be served: {reason}")
    if refused.too_little:
        if refused in (STORAGE_VIRTUAL, STORAGE_PHYSICAL) and request is not None and cloud is not None:
            return _storage(reason, request, cloud)
        return Verdict("shortage", f"nothing is left of what was asked: {reason}")
    return Verdict("policy", f"a rule, state, attachment or limit forbids it: {reason}")


def _capacity(reason: str, request: HostRequest, cloud: Cloud, hosts: Sequence[HostVerdict]) -> Verdict:
    """Sums and holes over the hosts that only lack room; hosts that something else forbids are counted beside."""
    short = [row for row, host in enumerate(hosts) if host.reason in CAPACITY]
    forbidden = sum(item.reason != "" and item.reason not in CAPACITY for item in hosts)
    fleet = cloud.fleet
    cpu = {row: max(fleet.available_cpu[row], 0) for row in short}
    memory = {row: room(fleet, row) for row in short}
    figures = {
        "needed_cpu_vcpus": request.cpu,
        "needed_memory_bytes": request.memory,
        "free_cpu_vcpus": sum(cpu.values()),
        "free_memory_bytes": sum(memory.values()),
        "largest_hole_cpu_vcpus": max(cpu.values(), default=0),
        "largest_hole_memory_bytes": max(memory.values(), default=0),
        "hosts_short": len(short),
        "hosts_forbidden": forbidden,
    }
    fits_in_size = any(fleet.total_memory[row] > request.memory for row in short)
    enough = figures["free_cpu_vcpus"] >= request.cpu and figures["free_memory_bytes"] >= request.memory
    free = f"{_vcpus(figures['free_cpu_vcpus'])} and {format_size(figures['free_memory_bytes'])}"
    needed = f"{_vcpus(request.cpu)} and {format_size(request.memory)}"
    beside = f"; {forbidden} more hosts are forbidden by something else" if forbidden else ""
    if enough and len(short) > 1 and fits_in_size and reason != HOST_PHYSICAL_MEMORY.code:
        hole = f"{_vcpus(figures['largest_hole_cpu_vcpus'])}, {format_size(figures['largest_hole_memory_bytes'])}"
        text = (
            f"{free} are free on {plural(len(short), 'host')}, but no host has {needed} together (most: {hole}){beside}"
        )
        return Verdict("fragmentation", text, figures)
    return Verdict("shortage", f"{needed} are asked, {free} are free on {plural(len(short), 'host')}{beside}", figures)


def _storage(reason: str, request: HostRequest, cloud: Cloud) -> Verdict:
    """A storage failure behind a chosen host: storages of other clusters are never tried for it."""
    size, everywhere = request.disk_size, set(range(len(cloud.clusters)))
    room = [
        storage.name
        for row, storage in enumerate(cloud.storages)
        if storage.usable(True) and storage.clusters and storage.clusters != everywhere
        if storage_shortage(cloud, row, size, exact=False) is None
    ]
    figures = {"needed_bytes": size, "storages_with_room": len(room)}
    if room and len(cloud.clusters) > 1:
        names = ", ".join(room[:3])
        text = f"storage is tried for the chosen host only; {names} would have room for {format_size(size)}"
        return Verdict("order", text, figures)
    return Verdict("shortage", f"no primary storage takes {format_size(size)}: {reason}", figures)


def _vcpus(count: int) -> str:
    return f"{count} vCPU" if count == 1 else f"{count} vCPUs"
