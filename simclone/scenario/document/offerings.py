"""Offerings, accounts, affinity groups, strategies and the VMs that are there at the start."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simclone.scenario.document.base import Amount, Count, Doc, Name, Positive, PositiveSize, Size, Uuid
from simclone.scenario.document.hosts import State
from simclone.scenario.document.usage import UtilisationDoc

GroupPolicy = Literal["antiHard", "antiSoft", "affinityHard", "affinitySoft", "spreadHard", "spreadSoft"]
RulePolicy = Literal["antiHard", "antiSoft", "affinityHard", "affinitySoft"]


class UuidConstraint(Doc):
    """Exactly that primary storage."""

    kind: Literal["uuid"]
    primary_storage: Name


class TagConstraint(Doc):
    """A primary storage carrying a user tag, as a demand or as a preference."""

    kind: Literal["tag"]
    tag: Name
    required: bool = True


ConstraintDoc = Annotated[UuidConstraint | TagConstraint, Field(discriminator="kind")]


class InstanceOfferingDoc(Doc):
    """A VM shape on offer: vCPUs and bytes."""

    name: Name
    uuid: Uuid | None = None
    cpu_num: Positive
    memory_size: PositiveSize
    allocator_strategy: Name | None = None
    primary_storage_constraint: ConstraintDoc | None = None
    system_tags: list[Name] = Field(default_factory=list)
    cpu_speed: Amount = 0
    state: State = "Enabled"


class DiskOfferingDoc(Doc):
    """A disk shape on offer, in bytes."""

    name: Name
    uuid: Uuid | None = None
    disk_size: PositiveSize
    allocator_strategy: Name | None = None
    primary_storage_constraint: ConstraintDoc | None = None


class AccountDoc(Doc):
    """An account; a limit it does not name is the configured default."""

    name: Name
    uuid: Uuid | None = None
    quota: dict[str, Size] = Field(default_factory=dict)


class HostRuleDoc(Doc):
    """A VM-host rule of an affinity group."""

    policy: RulePolicy
    host_group: Name


class AffinityGroupDoc(Doc):
    """An affinity group; *over* is ``host`` or a label, *maxSkew* counts members."""

    name: Name
    uuid: Uuid | None = None
    policy: GroupPolicy
    state: State = "Enabled"
    over: Name = "host"
    max_skew: Positive = 1
    host_rule: HostRuleDoc | None = None


class StrategyDoc(Doc):
    """A user's own host strategy: filters by name (absent: the usual ones) and a weighted score."""

    filters: list[Name] | None = None
    score: dict[Name, float] = Field(default_factory=dict)


class VmDoc(Doc):
    """A VM there at the start, or *count* of them; *ips* maps a layer-3 network to an address, sizes in bytes.

    Its clones are used as it is (*utilisation*).
    """

    name: Name
    uuid: Uuid | None = None
    instance_offering: Name | None = None
    cpu_num: Positive | None = None
    memory_size: PositiveSize | None = None
    image: Name | None = None
    l3_networks: list[Name] = Field(default_factory=list)
    root_disk_offering: Name | None = None
    data_disk_offerings: list[Name] = Field(default_factory=list)
    state: Literal["Running", "Stopped", "Created"] = "Running"
    host: Name | None = None
    last_host: Name | None = None
    primary_storage: Name | None = None
    ips: dict[Name, Name] = Field(default_factory=dict)
    account: Name | None = None
    affinity_group: Name | None = None
    system_tags: list[Name] = Field(default_factory=list)
    user_tags: list[Name] = Field(default_factory=list)
    strategy: Name | None = None
    root_actual_size: Size | None = None
    utilisation: UtilisationDoc | None = None
    count: Count | None = None
