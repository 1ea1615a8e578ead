"""Two flows about where the image is kept (host-allocation.md 1.6, rules/primary-storage.md#backup-types)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from simclone.allocator.backup_storage import related_storages, usable_types
from simclone.allocator.host.flow import (
    NO_AVAILABLE_HOST,
    Candidates,
    FilterFlow,
    HardStop,
    Lookup,
    Pass,
    Test,
    refusal,
)
from simclone.allocator.host.request import NEW_CREATE, HostRequest
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED
from simclone.records import ErrorCode


@dataclass(frozen=True, slots=True)
class Facts:
    """*fits*: per cluster (or zone) whether its storages (or backup storages) serve the image."""

    fits: Lookup


class BackupStorageSelectPrimaryStorageFlow(FilterFlow):
    """Clusters with a primary storage of a type the image's backup storage can feed; no state is looked at."""

    name: ClassVar[str] = "BackupStorageSelectPrimaryStorageAllocatorFlow"
    reads: ClassVar[frozenset[str]] = frozenset({"static", "storage"})
    hard: ClassVar[bool] = True
    tests: ClassVar[tuple[Test, ...]] = (Test("image.storageType", lambda host, facts: facts.fits[host.cluster] == 1),)

    def still(self, request: HostRequest, cloud: Cloud, facts: Any, clusters: Sequence[int]) -> bool | None:
        """Types and attachments change only by an administrator's act."""
        return True

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> Any:
        """Per cluster whether a suitable primary storage is attached."""
        if request.backup_storage is None:
            return Pass()
        backup = cloud.backups[request.backup_storage]
        related = related_storages(cloud, request.backup_storage)
        if related is not None and not related:
            text = f"backup storage {backup.uuid} serves no primary storage"
            return HardStop(refusal("image.storageType", text))
        if related is None:
            types = usable_types(cloud, backup.type)
            related = {row for row, one in enumerate(cloud.storages) if one.type in types}
        clusters: set[int] = set().union(*(cloud.storages[row].clusters for row in related))
        return Facts(Lookup(cloud.cluster_mask(clusters)))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: Any, candidates: Candidates) -> ErrorCode:
        """Names the backup storage."""
        kind = cloud.backups[request.backup_storage or 0].type
        text = f"no host has a primary storage that a backup storage of type {kind} can feed"
        return refusal("image.storageType", text)


class ImageBackupStorageFlow(FilterFlow):
    """Zones with a Connected backup storage that keeps the image, unless every storage in reach has it cached."""

    name: ClassVar[str] = "ImageBackupStorageAllocatorFlow"
    reads: ClassVar[frozenset[str]] = frozenset({"static", "storage"})
    aggregates: ClassVar[frozenset[str]] = frozenset({"clusters"})
    fleeting: ClassVar[bool] = True
    tests: ClassVar[tuple[Test, ...]] = (Test("image.backupStorage", lambda host, facts: facts.fits[host.zone] == 1),)

    def still(self, request: HostRequest, cloud: Cloud, facts: Any, clusters: Sequence[int]) -> bool | None:
        """The image may have been cached since, or its caches dropped."""
        if request.operation != NEW_CREATE or request.image is None:
            return True
        return isinstance(facts, Pass) == self._cached(request, cloud, clusters)

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> Any:
        """Per zone whether a Connected backup storage is attached."""
        if (
            request.operation != NEW_CREATE
            or request.image is None
            or self._cached(request, cloud, candidates.clusters())
        ):
            return Pass()
        image = cloud.images[request.image]
        if not image.backup_storages:
            return HardStop(refusal("image.backupStorage", f"image {image.uuid} is on no backup storage"))
        connected = [row for row in image.backup_storages if cloud.backups[row].status == CONNECTED]
        if not connected:
            text = f"every backup storage that keeps image {image.uuid} is disconnected"
            return HardStop(refusal("image.backupStorage", text, NO_AVAILABLE_HOST))
        zones = np.zeros(len(cloud.zones), dtype=np.int64)
        for row in connected:
            zones[list(cloud.backups[row].zones)] = 1
        return Facts(Lookup(zones))

    def _cached(self, request: HostRequest, cloud: Cloud, clusters: Sequence[int]) -> bool:
        image, needed, some = request.image or 0, request.required_storages, False
        for cluster in clusters:
            for row in cloud.storages_of(cluster):
                if not needed or row in needed:
                    if not cloud.storages[row].caches_image(image):
                        return False
                    some = True
        return some

    def refuses(self, request: HostRequest, cloud: Cloud, facts: Any, candidates: Candidates) -> ErrorCode:
        """Names the image."""
        uuid = cloud.images[request.image or 0].uuid
        return refusal("image.backupStorage", f"no host stands in a zone whose backup storages keep image {uuid}")
