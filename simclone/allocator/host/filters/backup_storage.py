"""Two flows about where the image is kept (rules/host-filters.md#image, rules/primary-storage.md#backup-types)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simclone.allocator.backup_storage import feeds, related_storages
from simclone.allocator.host.flow import (
    Candidates,
    FilterFlow,
    FlowFacts,
    HardStop,
    Pass,
    Test,
    refusal,
)
from simclone.allocator.host.request import NEW_CREATE, HostRequest
from simclone.allocator.lookups import Lookup
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED
from simclone.reason import NO_AVAILABLE_HOST
from simclone.records import ErrorCode
from simclone.vocabulary import IMAGE_BACKUP_STORAGE, IMAGE_STORAGE_TYPE


@dataclass(frozen=True, slots=True)
class Facts:
    """*fits*: per cluster (or zone) whether its storages (or backup storages) serve the image."""

    fits: Lookup


class BackupStorageSelectPrimaryStorageFlow(FilterFlow):
    """Clusters with a primary storage of a type the image's backup storage can feed; no state is looked at."""

    name: ClassVar[str] = "BackupStorageSelectPrimaryStorageAllocatorFlow"
    ends_search: ClassVar[bool] = True
    tests: ClassVar[tuple[Test, ...]] = (Test(IMAGE_STORAGE_TYPE, lambda host, facts: facts.fits[host.cluster] == 1),)

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """Per cluster whether a suitable primary storage is attached."""
        if request.backup_storage is None:
            return Pass()
        backup = cloud.backups[request.backup_storage]
        related = related_storages(cloud, request.backup_storage)
        if related is not None and not related:
            text = f"backup storage {backup.uuid} serves no primary storage"
            return HardStop(refusal(IMAGE_STORAGE_TYPE, text))
        if related is None:
            related = {row for row in range(len(cloud.storages)) if feeds(cloud, request.backup_storage, row)}
        clusters: set[int] = set().union(*(cloud.storages[row].clusters for row in related))
        return Facts(Lookup(cloud.cluster_mask(clusters)))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """Names the backup storage."""
        kind = cloud.backups[request.backup_storage or 0].type
        text = f"no host has a primary storage that a backup storage of type {kind} can feed"
        return refusal(IMAGE_STORAGE_TYPE, text)


class ImageBackupStorageFlow(FilterFlow):
    """Zones with a Connected backup storage that keeps the image, unless every storage in reach has it cached."""

    name: ClassVar[str] = "ImageBackupStorageAllocatorFlow"
    tests: ClassVar[tuple[Test, ...]] = (Test(IMAGE_BACKUP_STORAGE, lambda host, facts: facts.fits[host.zone] == 1),)

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """Per zone whether a Connected backup storage is attached."""
        if (
            request.operation != NEW_CREATE
            or request.image is None
            or is_cached_everywhere(request, cloud, candidates.clusters())
        ):
            return Pass()
        image = cloud.images[request.image]
        if not image.backup_storages:
            return HardStop(refusal(IMAGE_BACKUP_STORAGE, f"image {image.uuid} is on no backup storage"))
        connected = [row for row in image.backup_storages if cloud.backups[row].status == CONNECTED]
        if not connected:
            text = f"every backup storage that keeps image {image.uuid} is disconnected"
            return HardStop(refusal(IMAGE_BACKUP_STORAGE, text, NO_AVAILABLE_HOST))
        zones = np.zeros(len(cloud.zones), dtype=np.int64)
        for row in connected:
            zones[list(cloud.backups[row].zones)] = 1
        return Facts(Lookup(zones))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """Names the image."""
        uuid = cloud.images[request.image or 0].uuid
        return refusal(IMAGE_BACKUP_STORAGE, f"no host stands in a zone whose backup storages keep image {uuid}")


def is_cached_everywhere(request: HostRequest, cloud: Cloud, clusters: Sequence[int]) -> bool:
    """Whether each storage that a request may use in some clusters has its image cached, and there is one."""
    image, needed, some = request.image or 0, request.required_storages, False
    for cluster in clusters:
        for row in cloud.storages_of(cluster):
            if not needed or row in needed:
                if not cloud.storages[row].caches_image(image):
                    return False
                some = True
    return some
