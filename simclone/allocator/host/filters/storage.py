"""Flows about primary storage: what is attached, connected and large enough (rules/host-filters.md#storage)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simclone.allocator.host.flow import (
    Candidates,
    Counts,
    FilterFlow,
    FlowFacts,
    HardStop,
    Pass,
    Test,
    refusal,
)
from simclone.allocator.host.request import NEW_CREATE, HostRequest
from simclone.allocator.lookups import Lookup, Sparse
from simclone.allocator.rules.storage_capacity import taken_of
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, DISCONNECTED, StorageConstraint
from simclone.reason import NO_AVAILABLE_HOST
from simclone.records import ErrorCode
from simclone.units import multiplied
from simclone.vocabulary import (
    STORAGE_ATTACHED,
    STORAGE_CAPACITY,
    STORAGE_LINK,
    STORAGE_LOCAL,
    STORAGE_TAG,
    STORAGE_VOLUMES,
)


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """*fits*: per cluster."""

    fits: Lookup


class AttachedVolumePrimaryStorageFlow(FilterFlow):
    """For a VM that has volumes: clusters that see every storage they lie on."""

    name: ClassVar[str] = "AttachedVolumePrimaryStorageAllocatorFlow"
    tests: ClassVar[tuple[Test, ...]] = (Test(STORAGE_VOLUMES, lambda host, facts: facts.fits[host.cluster] == 1),)

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """Per cluster whether all volumes are in reach."""
        if request.operation == NEW_CREATE:
            return Pass()
        clusters = set(range(len(cloud.clusters))) if request.root_ready else set()
        for row in request.volume_storages:
            clusters &= cloud.storages[row].clusters
        return ClusterFacts(Lookup(cloud.cluster_mask(clusters)))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """Says which storages must be seen together."""
        if not request.root_ready:
            return refusal(STORAGE_VOLUMES, "the VM's root volume is not Ready")
        names = ", ".join(cloud.storages[row].uuid for row in sorted(request.volume_storages))
        return refusal(STORAGE_VOLUMES, f"no host is attached to all primary storages [{names}] of the VM's volumes")


@dataclass(frozen=True, slots=True)
class StorageFacts:
    """Per cluster and per host whether storage allows; *total* free bytes per cluster against *required*.

    *reach* are the storages that were added up, *enough* says which clusters had room.
    """

    fits: Lookup
    linked: Sparse
    total: Lookup
    required: int
    reach: tuple[int, ...] = ()
    enough: tuple[bool, ...] = ()


class HostPrimaryStorageFlow(FilterFlow):
    """Usable storages attached and linked; for a new VM, together large enough.

    The sum over all storages of a cluster is compared, so hosts pass where no single storage fits
    (rules/primary-storage.md#failed-storage-fails-the-vm).
    """

    name: ClassVar[str] = "HostPrimaryStorageAllocatorFlow"
    tests: ClassVar[tuple[Test, ...]] = (
        Test(STORAGE_ATTACHED, lambda host, facts: facts.fits[host.cluster] == 1),
        Test(STORAGE_LINK, lambda host, facts: facts.linked[host.index] == 1),
        Test(STORAGE_CAPACITY, lambda host, facts: facts.total[host.cluster] >= facts.required),
    )

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """Both stages' conditions."""
        new = request.operation == NEW_CREATE
        fits = Lookup([self._fits(request, cloud, cluster, new) for cluster in range(len(cloud.clusters))])
        linked = self._linked(request, cloud, new)
        if not new:
            return StorageFacts(fits, linked, Lookup([0] * len(cloud.clusters)), 0)
        reach = tuple(self._reach(request, cloud, candidates, fits, linked))
        total, required = self._totals(cloud, reach), self._required(request, cloud, reach)
        return StorageFacts(fits, linked, Lookup(total), required, reach, tuple([free >= required for free in total]))

    def has_same_room(self, request: HostRequest, cloud: Cloud, facts: StorageFacts, clusters: Sequence[int]) -> bool:
        """Whether those of *clusters* have room enough for which *facts* say so, and no others."""
        required = self._required(request, cloud, facts.reach)
        total, enough = self._totals(cloud, facts.reach), facts.enough
        for row in clusters:  # noqa: SIM110 (asked at every decision)
            if (total[row] >= required) != enough[row]:
                return False
        return True

    def _totals(self, cloud: Cloud, reach: Sequence[int]) -> list[int]:
        """Free bytes by cluster over the storages in reach."""
        total, storages = [0] * len(cloud.clusters), cloud.storages
        alike = cloud.storage_ratio(reach[0]) if reach and not cloud.settings.overrides else None
        for row in reach:
            storage = storages[row]
            free = multiplied(storage.available, cloud.storage_ratio(row) if alike is None else alike)
            for cluster in storage.clusters:
                total[cluster] += free
        return total

    def _fits(self, request: HostRequest, cloud: Cloud, cluster: int, new: bool) -> bool:
        attached = set(cloud.storages_of(cluster))
        usable = {row for row in attached if cloud.storages[row].usable(new)}
        needed = request.required_storages <= usable if request.required_storages else bool(usable)
        return needed and all(options & attached for options in request.optional_storages)

    def _linked(self, request: HostRequest, cloud: Cloud, new: bool) -> Sparse:
        bad: dict[int, int] = {}
        for row in request.required_storages:
            for host, status in cloud.storages[row].links.items():
                if status == DISCONNECTED or (new and status != CONNECTED):
                    bad[host] = 0
        if not request.optional_storages:
            return Sparse(bad, cloud.fleet.row_count, 1)
        good = set.intersection(*(self._connected(cloud, options) for options in request.optional_storages))
        return Sparse({host: 1 for host in sorted(good) if host not in bad}, cloud.fleet.row_count)

    def _connected(self, cloud: Cloud, options: frozenset[int]) -> set[int]:
        return {host for row in options for host, status in cloud.storages[row].links.items() if status == CONNECTED}

    def _reach(
        self, request: HostRequest, cloud: Cloud, candidates: Candidates, fits: Lookup, linked: Sparse
    ) -> list[int]:
        if request.required_storages:
            return sorted(request.required_storages)
        hosts = candidates.hosts
        retained = candidates.index[(fits[hosts.cluster] == 1) & (linked[hosts.index] == 1)]
        clusters = set(np.unique(cloud.fleet.array(cloud.fleet.cluster)[retained]).tolist())
        return [
            row for row, storage in enumerate(cloud.storages) if storage.usable(True) and storage.clusters & clusters
        ]

    def _required(self, request: HostRequest, cloud: Cloud, reach: Sequence[int]) -> int:
        if request.image is None or not reach:
            return request.disk_size
        cached = cloud.storages[reach[0]].caches_image(request.image)
        return request.disk_size + (0 if cached else cloud.images[request.image].actual_size)

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """Says what a usable storage must be; the reason is the last test some host came to."""
        hosts, position = candidates.hosts, 0
        attached = self.tests[0].keep(hosts, facts)
        if candidates.any(attached):
            position = 2 if candidates.any(attached & self.tests[1].keep(hosts, facts)) else 1
        return self._none(request, facts.required, position)

    def refusal_of(self, request: HostRequest, cloud: Cloud, facts: StorageFacts, refused: Counts) -> ErrorCode:
        """The same: a test that refused nobody first was come to by nobody, as the last one refuses all that come."""
        reasons = {reason for reason, _ in refused}
        last = max(position for position, test in enumerate(self.tests) if test.reason in reasons)
        return self._none(request, self._required(request, cloud, facts.reach), last)

    def _none(self, request: HostRequest, required: int, position: int) -> ErrorCode:
        new = request.operation == NEW_CREATE
        state = "Enabled" if new else "Enabled or Disabled"
        size = f" with {required} bytes free in all" if new else ""
        text = f"no host has attached primary storage that is Connected, {state}{size}"
        return refusal(self.tests[position].why, text)


class TagFlow(FilterFlow):
    """Storage wishes of offerings: only clusters with the named or tagged storage (rules/host-filters.md#storage)."""

    name: ClassVar[str] = "TagAllocatorFlow"
    tests: ClassVar[tuple[Test, ...]] = (Test(STORAGE_TAG, lambda host, facts: facts.fits[host.cluster] == 1),)

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """Per cluster whether the wishes are met; a wish nobody meets is an error or is dropped."""
        wishes = [w for w in (request.vm_constraint, *request.disk_constraints[:1]) if w is not None]
        if request.operation != NEW_CREATE or not wishes:
            return Pass()
        retained = set(candidates.clusters())
        for wish in wishes:
            meeting = retained & clusters_meeting(cloud, wish)
            if not meeting and wish.required:
                text = "no host is attached to a primary storage its offering demands"
                return HardStop(refusal(STORAGE_TAG, text, NO_AVAILABLE_HOST))
            retained = meeting or retained
        return ClusterFacts(Lookup(cloud.cluster_mask(retained)))


def clusters_meeting(cloud: Cloud, wish: StorageConstraint) -> set[int]:
    """Clusters attached to a storage that a constraint allows."""
    rows = [
        row
        for row, storage in enumerate(cloud.storages)
        if row == wish.storage or (wish.tag is not None and wish.tag in storage.tags)
    ]
    return set().union(*(cloud.storages[row].clusters for row in rows))


@dataclass(frozen=True, slots=True)
class HostFacts:
    """*fits*: per host."""

    fits: Sparse | Lookup


class MigrationTargetSpaceFlow(FilterFlow):
    """Hosts whose share of the root volume's local storage takes all volumes and snapshots, strictly."""

    name: ClassVar[str] = "AllocatePrimaryStorageForVmMigrationFlow"
    tests: ClassVar[tuple[Test, ...]] = (Test(STORAGE_LOCAL, lambda host, facts: facts.fits[host.index] == 1),)

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """Per host whether its share is large enough."""
        row = request.root_storage
        shares = cloud.storages[row].shares if row is not None else None
        if row is None or shares is None:
            return HostFacts(Sparse({}, cloud.fleet.row_count))
        needed = taken_of(cloud, row, request.volume_sizes) + request.snapshot_sizes
        fits = np.zeros(cloud.fleet.row_count, dtype=np.int64)
        fits[: shares.row_count] = (shares.array(shares.present) == 1) & (shares.array(shares.available) > needed)
        return HostFacts(Lookup(fits))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """Says how much a target needs."""
        size = request.volume_sizes + request.snapshot_sizes
        return refusal(STORAGE_LOCAL, f"no host has more than {size} bytes free on the VM's local storage")
