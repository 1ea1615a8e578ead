"""Resource bindings: the hosts a VM is bound to, by its tag or to its cluster (rules/host-filters.md#binding)."""

from __future__ import annotations

from collections.abc import Iterable

from simclone.model.cloud import Cloud

ACROSS_CLUSTERS = "vm.vm.ha.across.clusters"
"""The setting that lets a VM leave its cluster."""


def binds_cluster(cloud: Cloud) -> bool:
    """Whether every VM is bound to its own cluster."""
    return not cloud.settings.flag(ACROSS_CLUSTERS)


def binding_counts(cloud: Cloud, scene: str | None) -> bool:
    """Whether bindings are looked at in this *scene*: in all of them, or only in automatic ones."""
    where = cloud.settings.values["vm.resourceBinding.Scene"]
    return where in ("All", scene)


def is_soft(cloud: Cloud) -> bool:
    """Whether a binding that no host meets is dropped."""
    return bool(cloud.settings.values["vm.resourceBinding.strategy"] == "Soft")


def bound_hosts(cloud: Cloud, bindings: Iterable[tuple[str, int]], own_cluster: int | None) -> list[int]:
    """The hosts that (type, row) pairs and the VM's own cluster allow, ascending."""
    pairs = list(bindings)
    clusters = {row for kind, row in pairs if kind == "Cluster"}
    if own_cluster is not None:
        clusters.add(own_cluster)
    hosts = {row for kind, row in pairs if kind == "Host"}
    members = cloud.fleet.array(cloud.fleet.cluster).tolist()
    return [host for host, cluster in enumerate(members) if cluster in clusters or host in hosts]
