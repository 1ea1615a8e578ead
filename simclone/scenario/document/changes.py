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
    like: Name | None = None
    cluster: Name | None = None
    cpu_num: Positive | None = None
    total_physical_memory: PositiveSize | None = None
    local_storage: Size | None = None
    count: Count = 1


class ReplaceHostsDoc(Doc):
    """Hosts by name, or all of a *cluster*, become machines of another size; VMs and names stay."""

    hosts: list[Name] | None = None
    cluster: Name | None = None
    like: Name | None = None
    cpu_num: Positive | None = None
    total_physical_memory: PositiveSize | None = None


class MergeClustersDoc(Doc):
    """The hosts of *clusters* go to *into*, with what was attached to them."""

    clusters: Annotated[list[Name], Field(min_length=1)]
    into: Name


class SplitClusterDoc(Doc):
    """*hosts* leave *cluster* for a new cluster *into* with the same attachments."""

    cluster: Name
    hosts: Annotated[list[Name], Field(min_length=1)]
    into: Name


class MoveVmDoc(Doc):
    """A VM of the file stands on another host."""

    vm: Name
    host: Name


class QuotaChangeDoc(Doc):
    """Limits of an account."""

    account: Name
    limits: dict[Name, Size]


class ChangeDoc(Doc):
    """Exactly one change; *set* writes values at any path of the file (null takes a key out)."""

    add_hosts: AddHostsDoc | None = None
    remove_hosts: Annotated[list[Name], Field(min_length=1)] | None = None
    replace_hosts: ReplaceHostsDoc | None = None
    global_config: dict[Name, Scalar] | None = None
    quota: QuotaChangeDoc | None = None
    demand: AboveZero | None = None
    merge_clusters: MergeClustersDoc | None = None
    split_cluster: SplitClusterDoc | None = None
    move_vm: MoveVmDoc | None = None
    set: Annotated[dict[Name, Any], Field(min_length=1)] | None = None

    def kinds(self) -> list[str]:
        """The keys that are given."""
        return [key for key in type(self).model_fields if getattr(self, key) is not None]


class WhatIfDoc(Doc):
    """A named set of changes, made before the run or *at* a time of it (seconds)."""

    name: Name
    about: str | None = None
    at: Seconds | None = None
    changes: Annotated[list[ChangeDoc], Field(min_length=1)]
