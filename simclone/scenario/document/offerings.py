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
    """A constraint by storage."""
    primary_storage: Name
    """The storage that volumes must lie on."""


class TagConstraint(Doc):
    """A primary storage carrying a user tag, as a demand or as a preference."""

    kind: Literal["tag"]
    """A constraint by tag."""
    tag: Name
    """The user tag a storage should carry."""
    required: bool = True
    """False makes the tag a preference."""


ConstraintDoc = Annotated[UuidConstraint | TagConstraint, Field(discriminator="kind")]


class InstanceOfferingDoc(Doc):
    """A VM shape on offer: vCPUs and bytes."""

    name: Name
    """The name by which the rest of the file refers to it."""
    uuid: Uuid | None = None
    """32 hexadecimal digits; without it one is made from the place in the file. Ascending uuid is the order of rank."""
    cpu_num: Positive
    """vCPUs."""
    memory_size: PositiveSize
    """Bytes of memory."""
    allocator_strategy: Name | None = None
    """The host allocator strategy of its VMs; the configured default when left out."""
    primary_storage_constraint: ConstraintDoc | None = None
    """A wish for the storage of its VMs' root volumes."""
    system_tags: list[Name] = Field(default_factory=list)
    """System tags copied into its VMs."""
    cpu_speed: Amount = 0
    """The CPU speed written into answers."""
    state: State = "Enabled"
    """A Disabled offering is refused by the API's checks."""


class DiskOfferingDoc(Doc):
    """A disk shape on offer, in bytes."""

    name: Name
    """The name by which the rest of the file refers to it."""
    uuid: Uuid | None = None
    """32 hexadecimal digits; without it one is made from the place in the file. Ascending uuid is the order of rank."""
    disk_size: PositiveSize
    """Bytes of the disk."""
    allocator_strategy: Name | None = None
    """The primary storage strategy of its disks."""
    primary_storage_constraint: ConstraintDoc | None = None
    """A wish for the storage of its disks."""


class AccountDoc(Doc):
    """An account; a limit it does not name is the configured default."""

    name: Name
    """The name by which the rest of the file refers to it."""
    uuid: Uuid | None = None
    """32 hexadecimal digits; without it one is made from the place in the file. Ascending uuid is the order of rank."""
    quota: dict[str, Size] = Field(default_factory=dict)
    """Limits by quota name, such as `vm.num`; sizes may carry units. The configured default where none is named."""


class HostRuleDoc(Doc):
    """A VM-host rule of an affinity group."""

    policy: RulePolicy
    """Whether members must, should, must not or should not stand on the hosts of the group."""
    host_group: Name
    """The host group."""


class AffinityGroupDoc(Doc):
    """An affinity group; *over* is ``host``, ``cluster``, ``zone`` or a label, *maxSkew* counts members."""

    name: Name
    """The name by which the rest of the file refers to it."""
    uuid: Uuid | None = None
    """32 hexadecimal digits; without it one is made from the place in the file. Ascending uuid is the order of rank."""
    policy: GroupPolicy
    """antiHard, antiSoft, affinityHard, affinitySoft are ZStack's; spreadHard and spreadSoft are simclone's: members
    spread evenly over the values of *over*.
    """
    state: State = "Enabled"
    """A Disabled group's rule is not applied."""
    over: Name = "host"
    """What members are kept apart over, together in or spread over, whatever the policy: `host`, `cluster`, `zone` or a
    label. A host without the label stands for itself.
    """
    max_skew: Positive = 1
    """Spread: how many more members one value may hold than the emptiest."""
    host_rule: HostRuleDoc | None = None
    """A VM-host rule of the group's members."""


class StrategyDoc(Doc):
    """A user's own host strategy: filters by name (absent: the usual ones) and a weighted score."""

    filters: list[Name] | None = None
    """Filter flows by name, in order; the usual ones when left out, none when empty."""
    score: dict[Name, float] = Field(default_factory=dict)
    """Weights by scorer; the host with the highest weighted score is first."""


class VmDoc(Doc):
    """A VM there at the start, or *count* of them; *ips* maps a layer-3 network to an address, sizes in bytes.

    Its clones are used as it is (*utilisation*).
    """

    name: Name
    """The name; with *count* a pattern that holds `{n}`."""
    uuid: Uuid | None = None
    """32 hexadecimal digits; without it one is made from the place in the file. Ascending uuid is the order of rank."""
    instance_offering: Name | None = None
    """The instance offering; vCPUs and memory may be given instead."""
    cpu_num: Positive | None = None
    """vCPUs, instead of the offering's."""
    memory_size: PositiveSize | None = None
    """Bytes of memory, instead of the offering's."""
    image: Name | None = None
    """The image of its root volume."""
    l3_networks: list[Name] = Field(default_factory=list)
    """One card on each of these networks, in this order; the first is the default network."""
    root_disk_offering: Name | None = None
    """The disk offering that gives an ISO's VM its root disk."""
    data_disk_offerings: list[Name] = Field(default_factory=list)
    """One data volume of each."""
    state: Literal["Running", "Stopped", "Created"] = "Running"
    """Its state at the start; a Created VM has a row and nothing else."""
    host: Name | None = None
    """The host it runs on; the allocator places it when left out."""
    last_host: Name | None = None
    """The host a stopped VM ran on last."""
    primary_storage: Name | None = None
    """The storage its volumes lie on; the allocator chooses when left out."""
    ips: dict[Name, Name] = Field(default_factory=dict)
    """Addresses by network."""
    account: Name | None = None
    """The account that owns it; the administrator when left out."""
    affinity_group: Name | None = None
    """The affinity group it is a member of."""
    system_tags: list[Name] = Field(default_factory=list)
    """System tags, such as `ha::NeverStop`."""
    user_tags: list[Name] = Field(default_factory=list)
    """User tags."""
    strategy: Name | None = None
    """The host allocator strategy, instead of the offering's."""
    root_actual_size: Size | None = None
    """Bytes written to its root volume, which full clones and images copy."""
    utilisation: UtilisationDoc | None = None
    """How much of its vCPUs and memory it uses over time."""
    count: Count | None = None
    """So many equal VMs."""
