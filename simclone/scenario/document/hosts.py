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
    """The name by which the rest of the file refers to it."""
    uuid: Uuid | None = None
    """32 hexadecimal digits; without it one is made from the place in the file. Ascending uuid is the order of rank."""
    state: State = "Enabled"
    """A Disabled zone is refused by the API's checks; its hosts are Disabled with it."""


class ClusterDoc(Doc):
    """A cluster; *zone* may be left out where there is one zone."""

    name: Name
    """The name by which the rest of the file refers to it."""
    uuid: Uuid | None = None
    """32 hexadecimal digits; without it one is made from the place in the file. Ascending uuid is the order of rank."""
    zone: Name | None = None
    """The zone it stands in; may be left out where there is one."""
    hypervisor_type: Hypervisor = "KVM"
    """The hypervisor of its hosts."""
    state: State = "Enabled"
    """A Disabled cluster is refused by the API's checks."""
    architecture: Name | None = None
    """The processor architecture of its hosts, compared with that of images; none is not checked."""
    labels: dict[Name, Name] = Field(default_factory=dict)
    """Labels of every host in it, such as rack, for spread groups."""


class HostDoc(Doc):
    """A host, or *count* equal ones whose name holds ``{n}`` or ``{n:03}``; cores, vCPUs and bytes."""

    name: Name
    """The name; with *count* a pattern that holds `{n}` or `{n:03}`."""
    uuid: Uuid | None = None
    """32 hexadecimal digits; without it one is made from the place in the file. Ascending uuid is the order of rank."""
    cluster: Name | None = None
    """The cluster it stands in; may be left out where there is one."""
    hypervisor_type: Hypervisor | None = None
    """Checked against the cluster's."""
    cpu_num: Positive
    """Physical cores (hyper-threads)."""
    total_cpu: Amount | None = None
    """vCPUs in all; derived as cores times `host.cpu.overProvisioning.ratio`, and checked when given."""
    available_cpu: Number | None = None
    """vCPUs free at the start in the reported book; derived when left out."""
    total_physical_memory: PositiveSize
    """Bytes of memory."""
    available_memory: SignedSize | None = None
    """Bytes of memory free at the start in the reported book; below zero on an over-committed host."""
    reserved_memory: Size | None = None
    """Bytes kept from VMs on this host instead of `kvm.reservedMemory`."""
    state: HostState = "Enabled"
    """Only Enabled hosts take new VMs."""
    status: Status = "Connected"
    """Only Connected hosts take VMs."""
    architecture: Name | None = None
    """The processor architecture, where it differs from the cluster's."""
    os: Name | None = None
    """The operating system's version, compared by migrations."""
    labels: dict[Name, Name] = Field(default_factory=dict)
    """Labels such as rack, for spread groups."""
    pci_devices: dict[Name, Positive] = Field(default_factory=dict)
    """Whole PCI devices by specification, each with their number."""
    count: Count | None = None
    """So many equal hosts."""


class HostGroupDoc(Doc):
    """Hosts named together for VM-host rules."""

    name: Name
    """The name by which the rest of the file refers to it."""
    uuid: Uuid | None = None
    """32 hexadecimal digits; without it one is made from the place in the file. Ascending uuid is the order of rank."""
    hosts: list[Name] = Field(default_factory=list)
    """The hosts of the group."""
