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
    resource: Name
    key: Name
    value: Scalar


class TopologyDoc(Doc):
    """What exists at the start; every list may be left out."""

    zones: list[ZoneDoc] = Field(default_factory=list)
    clusters: list[ClusterDoc] = Field(default_factory=list)
    hosts: list[HostDoc] = Field(default_factory=list)
    primary_storages: list[PrimaryStorageDoc] = Field(default_factory=list)
    backup_storages: list[BackupStorageDoc] = Field(default_factory=list)
    images: list[ImageDoc] = Field(default_factory=list)
    l2_networks: list[L2NetworkDoc] = Field(default_factory=list)
    l3_networks: list[L3NetworkDoc] = Field(default_factory=list)
    instance_offerings: list[InstanceOfferingDoc] = Field(default_factory=list)
    disk_offerings: list[DiskOfferingDoc] = Field(default_factory=list)
    accounts: list[AccountDoc] = Field(default_factory=list)
    affinity_groups: list[AffinityGroupDoc] = Field(default_factory=list)
    host_groups: list[HostGroupDoc] = Field(default_factory=list)
    vms: list[VmDoc] = Field(default_factory=list)
    strategies: dict[Name, StrategyDoc] = Field(default_factory=dict)
    global_config: dict[Name, Scalar] = Field(default_factory=dict)
    resource_config: list[ResourceConfigDoc] = Field(default_factory=list)


class ScenarioDoc(TopologyDoc):
    """A scenario: a topology, requests, how to run them, what is expected, and changes to look at beside it."""

    schema_version: Literal[1] = 1
    name: Name | None = None
    about: str | None = None
    fidelity: dict[Name, Scalar] = Field(default_factory=dict)
    requests: list[RequestDoc] = Field(default_factory=list)
    workload: list[WorkloadDoc] = Field(default_factory=list)
    incidents: list[IncidentDoc] = Field(default_factory=list)
    faults: list[FaultDoc] = Field(default_factory=list)
    timing: dict[Name, Step] = Field(default_factory=dict)
    run: RunDoc = RunDoc()
    expect: dict[Name, ScenarioExpectation] = Field(default_factory=dict)
    prices: PricesDoc = PricesDoc()
    whatif: list[WhatIfDoc] = Field(default_factory=list)
