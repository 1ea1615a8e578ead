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
    """The name by which the rest of the file refers to it."""
    uuid: Uuid | None = None
    """32 hexadecimal digits; without it one is made from the place in the file. Ascending uuid is the order of rank."""
    zone: Name | None = None
    """The zone it belongs to; may be left out where there is one."""
    attached_clusters: list[Name] | None = None
    """The clusters it reaches; every cluster of its zone when left out."""


class IpRangeDoc(Doc):
    """IPv4 addresses *start* … *end*, both included."""

    start: Name
    """The first address."""
    end: Name
    """The last address, included."""
    count: Amount | None = None
    """The number of addresses; checked against start and end."""
    netmask: Name = "255.255.255.0"
    """The netmask written into answers."""
    gateway: str = ""
    """The gateway written into answers."""
    uuid: Uuid | None = None
    """32 hexadecimal digits; without it one is made from the place in the file. Ascending uuid is the order of rank."""


class L3NetworkDoc(Doc):
    """A layer-3 network; *l2Network* may be left out where there is one."""

    name: Name
    """The name by which the rest of the file refers to it."""
    uuid: Uuid | None = None
    """32 hexadecimal digits; without it one is made from the place in the file. Ascending uuid is the order of rank."""
    l2_network: Name | None = None
    """The layer-2 network it runs on; may be left out where there is one."""
    zone: Name | None = None
    """Checked against the zone of the layer-2 network."""
    attached_clusters: list[Name] | None = None
    """Checked against the clusters of the layer-2 network."""
    ip_ranges: list[IpRangeDoc] = Field(default_factory=list)
    """Its address ranges."""
    ip_count: Amount | None = None
    """Addresses in all; checked against the ranges."""
    used_ips: list[Name] = Field(default_factory=list)
    """Addresses taken at the start by something that is not in the file."""
    ip_allocator_strategy: IpStrategy | None = None
    """How addresses are chosen; the platform's default is random."""
    dhcp: bool = True
    """Without DHCP its cards get no address unless one is asked for."""
    state: State = "Enabled"
    """A Disabled network is refused by the API's checks."""
    system: bool = False
    """A network of the platform's own."""
