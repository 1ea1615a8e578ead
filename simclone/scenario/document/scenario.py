"""A topology and a scenario as files write them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from simclone.scenario.document.base import Doc, Name, Scalar
from simclone.scenario.document.changes import WhatIfDoc
from simclone.scenario.document.expectations import ScenarioExpectation
from simclone.scenario.document.hosts import ClusterDoc, HostDoc, HostGroupDoc, ZoneDoc
from simclone.scenario.document.incidents import FaultDoc, IncidentDoc, Step
from simclone.scenario.document.networks import L2NetworkDoc, L3NetworkDoc
from simclone.scenario.document.offerings import (
    AccountDoc,
    AffinityGroupDoc,
    DiskOfferingDoc,
    InstanceOfferingDoc,
    StrategyDoc,
    VmDoc,
)
from simclone.scenario.document.prices import PricesDoc
from simclone.scenario.document.requests import RequestDoc, RunDoc
from simclone.scenario.document.storage import BackupStorageDoc, ImageDoc, PrimaryStorageDoc
from simclone.scenario.document.workload import WorkloadDoc


class ResourceConfigDoc(Doc):
    """A setting overridden for one object."""

    resource_type: Literal["zone", "cluster", "host", "primaryStorage", "backupStorage", "l3Network"]
    """What kind of thing the setting is overridden for."""
    resource: Name
    """Its name or uuid."""
    key: Name
    """The setting, as `category.name`."""
    value: Scalar
    """Its value there."""


class TopologyDoc(Doc):
    """What exists at the start; every list may be left out."""

    zones: list[ZoneDoc] = Field(default_factory=list)
    """Zones; one is made when left out."""
    clusters: list[ClusterDoc] = Field(default_factory=list)
    """Clusters of hosts."""
    hosts: list[HostDoc] = Field(default_factory=list)
    """Hosts, or `{csv: FILE}` with a column for each key."""
    primary_storages: list[PrimaryStorageDoc] = Field(default_factory=list)
    """Primary storages."""
    backup_storages: list[BackupStorageDoc] = Field(default_factory=list)
    """Backup storages."""
    images: list[ImageDoc] = Field(default_factory=list)
    """Images."""
    l2_networks: list[L2NetworkDoc] = Field(default_factory=list)
    """Layer-2 networks."""
    l3_networks: list[L3NetworkDoc] = Field(default_factory=list)
    """Layer-3 networks."""
    instance_offerings: list[InstanceOfferingDoc] = Field(default_factory=list)
    """Instance offerings."""
    disk_offerings: list[DiskOfferingDoc] = Field(default_factory=list)
    """Disk offerings."""
    accounts: list[AccountDoc] = Field(default_factory=list)
    """Accounts besides the administrator."""
    affinity_groups: list[AffinityGroupDoc] = Field(default_factory=list)
    """Affinity groups."""
    host_groups: list[HostGroupDoc] = Field(default_factory=list)
    """Host groups, for VM-host rules."""
    vms: list[VmDoc] = Field(default_factory=list)
    """VMs that are there at the start."""
    strategies: dict[Name, StrategyDoc] = Field(default_factory=dict)
    """Host strategies of one's own, by name."""
    global_config: dict[Name, Scalar] = Field(default_factory=dict)
    """Settings by `category.name`."""
    resource_config: list[ResourceConfigDoc] = Field(default_factory=list)
    """Settings overridden for one object."""


class ScenarioDoc(TopologyDoc):
    """A scenario: a topology, requests, how to run them, what is expected, and changes to look at beside it."""

    schema_version: Literal[1] = 1
    """The version of this file format."""
    name: Name | None = None
    """The scenario's name; the file's when left out."""
    about: str | None = None
    """What the scenario shows, for people."""
    fidelity: dict[Name, Scalar] = Field(default_factory=dict)
    """Behaviours of the platform that can be switched off, such as `doubleReturn`."""
    requests: list[RequestDoc] = Field(default_factory=list)
    """Clone requests at their times."""
    workload: list[WorkloadDoc] = Field(default_factory=list)
    """Streams of clone requests, drawn from laws or replayed from a trace."""
    incidents: list[IncidentDoc] = Field(default_factory=list)
    """What happens to the cloud on the way: failures, maintenance, changes of settings."""
    faults: list[FaultDoc] = Field(default_factory=list)
    """Faults injected into steps of operations."""
    timing: dict[Name, Step] = Field(default_factory=dict)
    """Durations of steps for `run.timing: model`."""
    run: RunDoc = RunDoc()
    """How the scenario is run."""
    expect: dict[Name, ScenarioExpectation] = Field(default_factory=dict)
    """What each request must lead to, by its name."""
    prices: PricesDoc = PricesDoc()
    """What changes cost beside each other, for fixes and sizing."""
    whatif: list[WhatIfDoc] = Field(default_factory=list)
    """Changes to look at beside the scenario as it is."""
