"""Domains that groups are judged over: hosts, clusters, zones, values of a label (rules/affinity.md#domains)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from simclone.allocator.rules.capacity import ANYTHING, checks_physical, need_of
from simclone.model.cloud import Cloud
from simclone.model.columns import BoolArray, IntArray
from simclone.model.vms import NONE
from simclone.records import Tags

HOST = "host"
"""What a group is judged over unless it says otherwise: each host is a domain."""
ROOMS = ("cluster", "zone")
"""Domains that are no labels."""


def domains_of(cloud: Cloud, over: str) -> IntArray:
    """The domain of each host under *over* (host, zone, cluster or a host label) as a small integer, shape (hosts,).

    A host without the label is a domain of its own (`hosts_without_label`). Not to be written.
    """
    known, key = cloud.remembered(), ("domains", over, cloud.fleet.row_count)
    domains: IntArray | None = known.get(key)
    if domains is None:
        domains = known[key] = _domains_of(cloud, over)
    return domains


def _domains_of(cloud: Cloud, over: str) -> IntArray:
    if over in ROOMS:
        return cloud.fleet.array(cloud.fleet.cells[over]).copy()
    if over == HOST:
        return np.arange(cloud.fleet.row_count)
    known: dict[str, int] = {}
    rows = [
        known.setdefault(labels.get(over, f"\0{host}"), len(known)) for host, labels in enumerate(cloud.fleet.labels)
    ]
    return np.array(rows, dtype=np.int64)


def hosts_without_label(cloud: Cloud, over: str) -> tuple[int, ...]:
    """The hosts, ascending, that lack the label *over* and so are domains of their own; none where it is no label."""
    if over in (HOST, *ROOMS):
        return ()
    fleet = cloud.fleet
    return tuple(host for host, labels in enumerate(fleet.labels) if fleet.exists[host] and over not in labels)


class SpreadRequest(Protocol):
    """What says on which hosts a VM could ever run: *cpu* vCPUs, *memory* bytes, networks, storages, devices in *tags*.

    A `HostRequest` is one, `demand_of_vm` makes one of a VM.
    """

    @property
    def cpu(self) -> int:
        """The vCPUs; 0 asks for none."""

    @property
    def memory(self) -> int:
        """The bytes; 0 asks for none."""

    @property
    def l3s(self) -> tuple[int, ...]:
        """Rows of the layer-3 networks of its cards."""

    @property
    def required_storages(self) -> frozenset[int]:
        """Rows of the primary storages it is bound to."""

    @property
    def tags(self) -> Tags:
        """Its tags, of which the devices count."""


@dataclass(frozen=True, slots=True)
class VmDemand:
    """The demand of a VM that exists."""

    cpu: int
    memory: int
    l3s: tuple[int, ...]
    required_storages: frozenset[int]
    tags: Tags


def demand_of_vm(cloud: Cloud, vm: int) -> VmDemand:
    """What a VM, with its volumes, would ask for if it were started again."""
    vms, storage = cloud.vms, cloud.volumes.storage
    storages = frozenset(storage[volume] for volume in vms.volumes[vm]) - {NONE}
    l3s = tuple(cloud.nics.l3[nic] for nic in vms.nics[vm])
    return VmDemand(vms.cpu[vm], vms.memory[vm], l3s, storages, vms.shape_of(vm).tags)


def demand_key(demand: SpreadRequest) -> tuple[object, ...]:
    """What tells demands apart that different hosts could hold."""
    return demand.cpu, demand.memory, demand.l3s, demand.required_storages, demand.tags.devices


def hosts_able(cloud: Cloud, demand: SpreadRequest) -> BoolArray:
    """The hosts that could hold a VM if no other stood there, shape (hosts,) (rules/affinity.md#spread).

    They are Enabled and Connected; their cluster has every network of the VM, and every storage it is bound to, or any
    storage where it is bound to none; all their vCPUs, all their memory and all their devices are enough.
    """
    fleet, memory = cloud.fleet, demand.memory
    physical = memory if memory and checks_physical(cloud) else ANYTHING
    needs = [need_of(demand.cpu, memory, ratio, physical) for ratio in fleet.memory_ratios]
    total = fleet.array(fleet.total_memory)
    able: BoolArray = (
        fleet.usable()
        & cloud.cluster_mask(_clusters_able(cloud, demand))[fleet.array(fleet.cluster)]
        & (fleet.array(fleet.total_cpu) >= needs[0].cpu)
        & (total > physical)
        & (total >= fleet.by_ratio_class([need.least for need in needs]))
        & (total - fleet.array(fleet.reserved_memory) >= fleet.by_ratio_class([need.above_reserve for need in needs]))
    )
    for spec, count in demand.tags.devices:
        enough = [host for host, present in fleet.devices.get(spec, {}).items() if present >= count]
        able &= np.isin(np.arange(fleet.row_count), enough) | (count <= 0)
    return able


def _clusters_able(cloud: Cloud, demand: SpreadRequest) -> frozenset[int]:
    """The clusters that have the networks and the storages attached."""
    clusters = cloud.clusters_of_l3s(demand.l3s)
    if demand.required_storages:
        return clusters.intersection(*(cloud.storages[storage].clusters for storage in demand.required_storages))
    return frozenset(cluster for cluster in clusters if cloud.storages_of(cluster))
