"""Layer-2 and layer-3 networks as a file writes them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from simclone.scenario.document.base import Amount, Doc, Name, Uuid
from simclone.scenario.document.hosts import State

IpStrategy = Literal[
    "RandomIpAllocatorStrategy", "FirstAvailableIpAllocatorStrategy", "AscDelayRecycleIpAllocatorStrategy"
]


class L2NetworkDoc(Doc):
    """A layer-2 network; without *attachedClusters* it reaches every cluster of its zone."""

    name: Name
    uuid: Uuid | None = None
    zone: Name | None = None
    attached_clusters: list[Name] | None = None


class IpRangeDoc(Doc):
    """IPv4 addresses *start* … *end*, both included."""

    start: Name
    end: Name
    count: Amount | None = None
    netmask: Name = "255.255.255.0"
    gateway: str = ""
    uuid: Uuid | None = None


class L3NetworkDoc(Doc):
    """A layer-3 network; *l2Network* may be left out where there is one."""

    name: Name
    uuid: Uuid | None = None
    l2_network: Name | None = None
    zone: Name | None = None
    attached_clusters: list[Name] | None = None
    ip_ranges: list[IpRangeDoc] = Field(default_factory=list)
    ip_count: Amount | None = None
    used_ips: list[Name] = Field(default_factory=list)
    ip_allocator_strategy: IpStrategy | None = None
    dhcp: bool = True
    state: State = "Enabled"
    system: bool = False
