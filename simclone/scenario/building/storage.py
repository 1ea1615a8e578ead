"""Primary storages, backup storages and images of a cloud."""

from __future__ import annotations

from typing import Any

from simclone.model.cloud import Cloud
from simclone.model.inventory import OBJECT_STATES, STATUSES, STORAGE_STATES, Image
from simclone.model.storage import BackupStorage, CephPool, LocalShares, OsdGroup, PrimaryStorage
from simclone.model.storage_types import storage_type
from simclone.scenario.checking.capacities import Book
from simclone.scenario.checking.document import Resolved


def add_storages(cloud: Cloud, resolved: Resolved) -> None:
    """All primary storages; a start state below the total is drift, for nothing is held yet."""
    names, attached = resolved.names, resolved.attached
    hosts = names.kinds["host"].rows
    for row, doc in enumerate(names.docs("primaryStorage")):
        book, groups = resolved.figures.storages[row], resolved.figures.osd_groups[row]
        storage = PrimaryStorage(
            uuid=names.kinds["primaryStorage"].uuids[row],
            name=doc.name,
            zone=attached.storage_zone[row],
            type=doc.type,
            total=book.total,
            available=book.available,
            total_physical=book.total_physical,
            available_physical=book.available_physical,
            state=STORAGE_STATES.index(doc.state),
            status=STATUSES.index(doc.status),
            clusters=set(attached.storage_clusters[row]),
            tags=frozenset(doc.tags),
            system_tags=tuple(doc.system_tags),
            links={hosts[link.host]: STATUSES.index(link.status) for link in doc.host_links},
            ceph_fsid=doc.ceph_fsid,
            osd_groups=[_group(item, of) for item, of in zip(doc.osd_groups, groups, strict=True)],
            drift=book.available - book.total,
        )
        positions = {group.name: position for position, group in enumerate(doc.osd_groups)}
        storage.pools = tuple(CephPool(pool.name, pool.type, positions[pool.osd_group]) for pool in doc.pools)
        if storage_type(doc.type).per_host:
            storage.shares = _shares(cloud.fleet.row_count, resolved.figures.shares[row])
        cloud.storages.append(storage)


def _group(doc: Any, book: Book) -> OsdGroup:
    drift = book.available - book.total
    return OsdGroup(doc.name, book.available, book.total_physical, book.available_physical, drift=drift)


def _shares(hosts: int, books: list[tuple[int, Book]]) -> LocalShares:
    shares = LocalShares(max(hosts, 1))
    shares.reach(hosts)
    for host, book in books:
        shares.present[host] = 1
        shares.total[host] = book.total
        shares.available[host] = book.available
        shares.total_physical[host] = book.total_physical
        shares.available_physical[host] = book.available_physical
        shares.drift[host] = book.available - book.total
    return shares


def add_backups(cloud: Cloud, resolved: Resolved) -> None:
    """All backup storages; one without a total has no limit."""
    names = resolved.names
    for row, doc in enumerate(names.docs("backupStorage")):
        free = doc.total_capacity if doc.available_capacity is None else doc.available_capacity
        cloud.backups.append(
            BackupStorage(
                uuid=names.kinds["backupStorage"].uuids[row],
                name=doc.name,
                type=doc.type,
                zones=set(resolved.attached.backup_zones[row]),
                state=OBJECT_STATES.index(doc.state),
                status=STATUSES.index(doc.status),
                ceph_fsid=doc.ceph_fsid,
                total=doc.total_capacity,
                available=free,
            )
        )


def add_images(cloud: Cloud, resolved: Resolved) -> None:
    """All images, cached nowhere."""
    names = resolved.names
    for row, doc in enumerate(names.docs("image")):
        backups = resolved.attached.image_backups[row]
        cloud.images.append(
            Image(
                uuid=names.kinds["image"].uuids[row],
                name=doc.name,
                media_type=doc.media_type,
                format=doc.format,
                size=doc.size,
                actual_size=doc.actual_size,
                backup_storages=backups,
                architecture=doc.architecture,
                platform=doc.platform,
                guest_os_type=doc.guest_os_type,
            )
        )
        cloud.image_states.append(OBJECT_STATES.index(doc.state))
        cloud.image_space[row] = backups
