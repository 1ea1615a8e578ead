"""Changes to a scenario as a file writes them: what would be otherwise, now or at a later time."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from simclone.scenario.document.base import Count, Doc, Name, Positive, PositiveSize, Scalar, Size
from simclone.scenario.document.distributions import AboveZero
from simclone.scenario.document.requests import Seconds


class AddHostsDoc(Doc):
    """*count* new hosts: like one that is there (*like*), or of *cpuNum* and *totalPhysicalMemory* in *cluster*.

    Local storages take as much from each as from the host it is like, or *localStorage* bytes.
    """

    name: Name = "new-{n}"
    """The name; for several a pattern that holds `{n}`."""
    like: Name | None = None
    """A host they are equal to."""
    cluster: Name | None = None
    """The cluster they join."""
    cpu_num: Positive | None = None
    """Physical cores of each, instead of *like*."""
    total_physical_memory: PositiveSize | None = None
    """Bytes of memory of each, instead of *like*."""
    local_storage: Size | None = None
    """Bytes that each brings to every local storage."""
    count: Count = 1
    """So many hosts."""


class ReplaceHostsDoc(Doc):
    """Hosts by name, or all of a *cluster*, become machines of another size; VMs and names stay."""

    hosts: list[Name] | None = None
    """The hosts, by name."""
    cluster: Name | None = None
    """All hosts of this cluster."""
    like: Name | None = None
    """A host of the new size."""
    cpu_num: Positive | None = None
    """Physical cores of the new size."""
    total_physical_memory: PositiveSize | None = None
    """Bytes of memory of the new size."""


class MergeClustersDoc(Doc):
    """The hosts of *clusters* go to *into*, with what was attached to them."""

    clusters: Annotated[list[Name], Field(min_length=1)]
    """The clusters that become one."""
    into: Name
    """The cluster they become."""


class SplitClusterDoc(Doc):
    """*hosts* leave *cluster* for a new cluster *into* with the same attachments."""

    cluster: Name
    """The cluster that is split."""
    hosts: Annotated[list[Name], Field(min_length=1)]
    """The hosts that leave it."""
    into: Name
    """The new cluster."""


class MoveVmDoc(Doc):
    """A VM of the file stands on another host."""

    vm: Name
    """The VM."""
    host: Name
    """The host it stands on."""


class QuotaChangeDoc(Doc):
    """Limits of an account."""

    account: Name
    """The account."""
    limits: dict[Name, Size]
    """Its new limits, by quota name."""


class ChangeDoc(Doc):
    """Exactly one change; *set* writes values at any path of the file (null takes a key out)."""

    add_hosts: AddHostsDoc | None = None
    """New hosts."""
    remove_hosts: Annotated[list[Name], Field(min_length=1)] | None = None
    """Hosts that go, by name."""
    replace_hosts: ReplaceHostsDoc | None = None
    """Hosts that become machines of another size."""
    global_config: dict[Name, Scalar] | None = None
    """Settings that take these values."""
    quota: QuotaChangeDoc | None = None
    """Limits of an account."""
    demand: AboveZero | None = None
    """The factor on all demand."""
    merge_clusters: MergeClustersDoc | None = None
    """Clusters that become one."""
    split_cluster: SplitClusterDoc | None = None
    """Hosts that leave for a new cluster."""
    move_vm: MoveVmDoc | None = None
    """A VM of the file that stands on another host."""
    set: Annotated[dict[Name, Any], Field(min_length=1)] | None = None
    """Values at paths of the file; null takes a key out."""

    def kinds(self) -> list[str]:
        """The keys that are given."""
        return [key for key in type(self).model_fields if getattr(self, key) is not None]


class WhatIfDoc(Doc):
    """A named set of changes, made before the run or *at* a time of it (seconds)."""

    name: Name
    """The what-if's name."""
    about: str | None = None
    """What it is about, for people."""
    at: Seconds | None = None
    """Seconds after t = 0 at which it is made; before the run when left out."""
    changes: Annotated[list[ChangeDoc], Field(min_length=1)]
    """The changes, made one after the other."""
