"""Zones, clusters, hosts and host groups as a file writes them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from simclone.scenario.document.base import (
    Amount,
    Count,
    Doc,
    Name,
    Number,
    Positive,
    PositiveSize,
    SignedSize,
    Size,
    Uuid,
)

State = Literal["Enabled", "Disabled"]
Status = Literal["Connected", "Connecting", "Disconnected"]
HostState = Literal["Enabled", "Disabled", "PreMaintenance", "Maintenance"]
Hypervisor = Literal["KVM", "Simulator", "ESX"]


class ZoneDoc(Doc):
    """A zone."""

    name: Name
    uuid: Uuid | None = None
    state: State = "Enabled"


class ClusterDoc(Doc):
    """A cluster; *zone* may be left out where there is one zone."""

    name: Name
    uuid: Uuid | None = None
    zone: Name | None = None
    hypervisor_type: Hypervisor = "KVM"
    state: State = "Enabled"
    architecture: Name | None = None
    labels: dict[Name, Name] = Field(default_factory=dict)


class HostDoc(Doc):
    """A host, or *count* equal ones whose name holds ``{n}`` or ``{n:03}``; cores, vCPUs and bytes."""

    name: Name
    uuid: Uuid | None = None
    cluster: Name | None = None
    hypervisor_type: Hypervisor | None = None
    cpu_num: Positive
    total_cpu: Amount | None = None
    available_cpu: Number | None = None
    total_physical_memory: PositiveSize
    available_memory: SignedSize | None = None
    reserved_memory: Size | None = None
    state: HostState = "Enabled"
    status: Status = "Connected"
    architecture: Name | None = None
    os: Name | None = None
    labels: dict[Name, Name] = Field(default_factory=dict)
    pci_devices: dict[Name, Positive] = Field(default_factory=dict)
    count: Count | None = None


class HostGroupDoc(Doc):
    """Hosts named together for VM-host rules."""

    name: Name
    uuid: Uuid | None = None
    hosts: list[Name] = Field(default_factory=list)
