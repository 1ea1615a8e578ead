"""Flows about primary storage: what is attached, connected and large enough (host-allocation.md 1.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from simclone.allocator.host.flow import (
    NO_AVAILABLE_HOST,
    Candidates,
    Counts,
    FilterFlow,
    HardStop,
    Lookup,
    Pass,
    Sparse,
    Test,
    refusal,
)
from simclone.allocator.host.request import NEW_CREATE, HostRequest
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, DISCONNECTED, StorageConstraint
from simclone.records import ErrorCode
from simclone.units import divided, multiplied


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """*fits*: per cluster."""

    fits: Lookup


class AttachedVolumePrimaryStorageFlow(FilterFlow):
    """For a VM that has volumes: clusters that see every storage they lie on."""

    name: ClassVar[str] = "AttachedVolumePrimaryStorageAllocatorFlow"
    reads: ClassVar[frozenset[str]] = frozenset({"static", "storage"})
    tests: ClassVar[tuple[Test, ...]] = (Test("storage.volumes", lambda host, facts: facts.fits[host.cluster] == 1),)

    def still(self, request: HostRequest, cloud: Cloud, facts: Any, clusters: Sequence[int]) -> bool | None:
        """Attachments change only by an administrator's act."""
        return True

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> Any:
        """Per cluster whether all volumes are in reach."""
        if request.operation == NEW_CREATE:
            return Pass()
        clusters = set(range(len(cloud.clusters))) if request.root_ready else set()
        for row in request.volume_storages:
            clusters &= cloud.storages[row].clusters
        return ClusterFacts(Lookup(cloud.cluster_mask(clusters)))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: Any, candidates: Candidates) -> ErrorCode:
        """Says which storages must be seen together."""
        if not request.root_ready:
            return refusal("storage.volumes", "the VM's root volume is not Ready")
        names = ", ".join(cloud.storages[row].uuid for row in sorted(request.volume_storages))
        return refusal("storage.volumes", f"no host is attached to all primary storages [{names}] of the VM's volumes")


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
    reads: ClassVar[frozenset[str]] = frozenset({"static", "storage"})
    aggregates: ClassVar[frozenset[str]] = frozenset({"clusters"})
    fleeting: ClassVar[bool] = True
    tests: ClassVar[tuple[Test, ...]] = (
        Test("storage.attached", lambda host, facts: facts.fits[host.cluster] == 1),
        Test("storage.link", lambda host, facts: facts.linked[host.index] == 1),
        Test("storage.capacity", lambda host, facts: facts.total[host.cluster] >= facts.required),
    )

    def still(self, request: HostRequest, cloud: Cloud, facts: Any, clusters: Sequence[int]) -> bool | None:
        """The same clusters have room enough, and no others, as far as any candidate stands in them."""
        if request.operation != NEW_CREATE:
            return True
        required = self._required(request, cloud, facts.reach)
        total, enough = self._totals(cloud, facts.reach), facts.enough
        for row in clusters:  # noqa: SIM110 (asked at every decision)
            if (total[row] >= required) != enough[row]:
                return False
        return True

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> Any:
        """Both stages' conditions."""
        new = request.operation == NEW_CREATE
        fits = Lookup([self._fits(request, cloud, cluster, new) for cluster in range(len(cloud.clusters))])
        linked = self._linked(request, cloud, new)
        if not new:
            return StorageFacts(fits, linked, Lookup([0] * len(cloud.clusters)), 0)
        reach = tuple(self._reach(request, cloud, candidates, fits, linked))
        total, required = self._totals(cloud, reach), self._required(request, cloud, reach)
        return StorageFacts(fits, linked, Lookup(total), required, reach, tuple([one >= required for one in total]))

    def _totals(self, cloud: Cloud, reach: Sequence[int]) -> list[int]:
        """Free bytes by cluster over the storages in reach."""
        total, storages = [0] * len(cloud.clusters), cloud.storages
        alike = cloud.storage_ratio(reach[0]) if reach and not cloud.settings.overrides else None
        for row in reach:
            one = storages[row]
            free = multiplied(one.available, cloud.storage_ratio(row) if alike is None else alike)
            for cluster in one.clusters:
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
            return Sparse(bad, cloud.fleet.size, 1)
        good = set.intersection(*(self._connected(cloud, options) for options in request.optional_storages))
        return Sparse({host: 1 for host in sorted(good) if host not in bad}, cloud.fleet.size)

    def _connected(self, cloud: Cloud, options: frozenset[int]) -> set[int]:
        return {host for row in options for host, status in cloud.storages[row].links.items() if status == CONNECTED}

    def _reach(
        self, request: HostRequest, cloud: Cloud, candidates: Candidates, fits: Lookup, linked: Sparse
    ) -> list[int]:
        if request.required_storages:
            return sorted(request.required_storages)
        hosts = candidates.hosts
        left = candidates.index[(fits[hosts.cluster] == 1) & (linked[hosts.index] == 1)]
        clusters = set(np.unique(cloud.fleet.array("cluster")[left]).tolist())
        return [row for row, one in enumerate(cloud.storages) if one.usable(True) and one.clusters & clusters]

    def _required(self, request: HostRequest, cloud: Cloud, reach: Sequence[int]) -> int:
        if request.image is None or not reach:
            return request.disk_size
        cached = cloud.storages[reach[0]].caches_image(request.image)
        return request.disk_size + (0 if cached else cloud.images[request.image].actual_size)

    def refuses(self, request: HostRequest, cloud: Cloud, facts: Any, candidates: Candidates) -> ErrorCode:
        """Says what a usable storage must be; the reason is the last test some host came to."""
        hosts, place = candidates.hosts, 0
        attached = self.tests[0].keep(hosts, facts)
        if candidates.any(attached):
            place = 2 if candidates.any(attached & self.tests[1].keep(hosts, facts)) else 1
        return self._none(request, facts.required, place)

    def refuses_by_counts(self, request: HostRequest, cloud: Cloud, facts: Any, refused: Counts) -> ErrorCode:
        """The same: a test that refused nobody first was come to by nobody, as the last one refuses all that come."""
        reasons = {reason for reason, _ in refused}
        place = max(at for at, test in enumerate(self.tests) if test.reason in reasons)
        return self._none(request, self._required(request, cloud, facts.reach), place)

    def _none(self, request: HostRequest, required: int, place: int) -> ErrorCode:
        new = request.operation == NEW_CREATE
        state = "Enabled" if new else "Enabled or Disabled"
        size = f" with {required} bytes free in all" if new else ""
        text = f"no host has attached primary storage that is Connected, {state}{size}"
        return refusal(self.tests[place].reason, text)


class TagFlow(FilterFlow):
    """Storage wishes of offerings: only clusters with the named or tagged storage (host-allocation.md 1.6)."""

    name: ClassVar[str] = "TagAllocatorFlow"
    reads: ClassVar[frozenset[str]] = frozenset({"static", "storage"})
    aggregates: ClassVar[frozenset[str]] = frozenset({"clusters"})
    tests: ClassVar[tuple[Test, ...]] = (Test("storage.tag", lambda host, facts: facts.fits[host.cluster] == 1),)

    def still(self, request: HostRequest, cloud: Cloud, facts: Any, clusters: Sequence[int]) -> bool | None:
        """Without wishes nobody asks."""
        return True if request.vm_constraint is None and not request.disk_constraints else None

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> Any:
        """Per cluster whether the wishes are met; a wish nobody meets is an error or is dropped."""
        wishes = [w for w in (request.vm_constraint, *request.disk_constraints[:1]) if w is not None]
        if request.operation != NEW_CREATE or not wishes:
            return Pass()
        left = set(candidates.clusters())
        for wish in wishes:
            meeting = left & clusters_meeting(cloud, wish)
            if not meeting and wish.required:
                text = "no host is attached to a primary storage its offering demands"
                return HardStop(refusal("storage.tag", text, NO_AVAILABLE_HOST))
            left = meeting or left
        return ClusterFacts(Lookup(cloud.cluster_mask(left)))


def clusters_meeting(cloud: Cloud, wish: StorageConstraint) -> set[int]:
    """Clusters attached to a storage that a constraint allows."""
    rows = [
        row
        for row, one in enumerate(cloud.storages)
        if row == wish.storage or (wish.tag is not None and wish.tag in one.tags)
    ]
    return set().union(*(cloud.storages[row].clusters for row in rows))


@dataclass(frozen=True, slots=True)
class HostFacts:
    """*fits*: per host."""

    fits: Sparse | Lookup


class MigrationTargetSpaceFlow(FilterFlow):
    """Hosts whose share of the root volume's local storage takes all volumes and snapshots, strictly."""

    name: ClassVar[str] = "AllocatePrimaryStorageForVmMigrationFlow"
    reads: ClassVar[frozenset[str]] = frozenset({"storage"})
    tests: ClassVar[tuple[Test, ...]] = (Test("storage.local", lambda host, facts: facts.fits[host.index] == 1),)

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> Any:
        """Per host whether its share is large enough."""
        row = request.root_storage
        shares = cloud.storages[row].shares if row is not None else None
        if row is None or shares is None:
            return HostFacts(Sparse({}, cloud.fleet.size))
        needed = divided(request.volume_sizes, cloud.storage_ratio(row)) + request.snapshot_sizes
        fits = np.zeros(cloud.fleet.size, dtype=np.int64)
        fits[: shares.size] = (shares.array("present") == 1) & (shares.array("available") > needed)
        return HostFacts(Lookup(fits))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: Any, candidates: Candidates) -> ErrorCode:
        """Says how much a target needs."""
        size = request.volume_sizes + request.snapshot_sizes
        return refusal("storage.local", f"no host has more than {size} bytes free on the VM's local storage")
