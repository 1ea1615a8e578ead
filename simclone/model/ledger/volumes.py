"""Volumes, snapshots, the image cache, images."""

from __future__ import annotations

import numpy as np

from simclone.model.inventory import ADMIN, Image
from simclone.model.ledger.journal import Journal
from simclone.model.ledger.part import LedgerPart
from simclone.model.ledger.space import SpaceLedger
from simclone.model.vms import NONE, Snapshots, Volumes
from simclone.vocabulary import VolumeStatus

_FIGURES = ("type", "status", "vm", "size", "space")
_READY, _DELETED = VolumeStatus.READY, VolumeStatus.DELETED


class VolumeLedger(LedgerPart):
    """Volumes, snapshots, cached images and images; their space is held in *space*."""

    def __init__(self, journal: Journal, space: SpaceLedger) -> None:
        super().__init__(journal)
        self.space = space

    def add(
        self,
        name: str,
        tags: tuple[str, ...] = (),
        *,
        type: int,  # noqa: A002 (the column's name)
        size: int,
        account: int,
        actual_size: int = 0,
        image: int = NONE,
        offering: int = NONE,
        device: int = NONE,
        vm: int = NONE,
        space: int = NONE,
    ) -> int:
        """A new volume row, NotInstantiated and on no storage, or Ready on the *space* held for it; sizes in bytes."""
        volumes = self.cloud.volumes
        row, table = self.journal.add_row(volumes), volumes
        table.alive[row], table.type[row], table.account[row] = 1, type, account
        table.size[row], table.actual_size[row], table.born_us[row] = size, actual_size, self.journal.now_us
        table.image[row], table.offering[row], table.device[row] = image, offering, device
        if space != NONE:
            held = self.space.holds[space]
            table.storage[row], table.host[row], table.space[row] = held.storage, held.host, space
            table.status[row], table.vm[row] = _READY, vm
        self.journal.append(volumes.names, name)
        if tags:
            self.journal.put(volumes.tags, row, tags)
        self._count_volume(row, +1)
        if self.journal.recording:
            self._show_volume(row, "add")
        return row

    def add_ready(
        self,
        name: str,
        space: int,
        vm: int,
        tags: tuple[str, ...] = (),
        *,
        type: int,  # noqa: A002 (the column's name)
        size: int,
        account: int,
        image: int = NONE,
        offering: int = NONE,
        device: int = NONE,
    ) -> int:
        """A new volume of a VM, Ready on the space held for it; *size* in bytes."""
        storage = self.cloud.storages[self.space.holds[space].storage]
        self.journal.set_attribute(storage, "volume_count", storage.volume_count + 1)
        row = self.add(
            name,
            tags,
            type=type,
            size=size,
            account=account,
            image=image,
            offering=offering,
            device=device,
            vm=vm,
            space=space,
        )
        self.journal.append(self.cloud.vms.volumes[vm], row)
        return row

    def _show_volume(self, volume: int, cause: str) -> None:
        if not self.journal.recording:
            return
        table = self.cloud.volumes
        values = tuple([table.cells[name][volume] for name in _FIGURES])
        self.journal.show("volume", ("volume", volume), ("account", table.account[volume]), _FIGURES, values, cause)

    def set(self, volume: int, **values: int) -> None:
        """Change fields of a volume; the account's usage follows."""
        self._count_volume(volume, -1)
        for name, value in values.items():
            self.journal.write(self.cloud.volumes, Volumes.COLUMNS[name], volume, value)
        self._count_volume(volume, +1)
        self._show_volume(volume, "change")

    def attach(self, volume: int, vm: int, device: int) -> None:
        """Give a volume to a VM."""
        self.set(volume, vm=vm, device=device)
        self.journal.append(self.cloud.vms.volumes[vm], volume)

    def detach(self, volume: int) -> None:
        """Take a volume from its VM."""
        vm = self.cloud.volumes.vm[volume]
        others = [row for row in self.cloud.vms.volumes[vm] if row != volume]
        self.journal.put(self.cloud.vms.volumes, vm, others)
        self.set(volume, vm=NONE, device=NONE, last_vm=vm)

    def remove(self, volume: int, cause: str = "") -> None:
        """Take a volume out of the database; its space ends."""
        table = self.cloud.volumes
        space = table.space[volume]
        if space != NONE:
            self.space.end(space, cause)
            storage = self.cloud.storages[table.storage[volume]]
            self.journal.set_attribute(storage, "volume_count", storage.volume_count - 1)
        self._count_volume(volume, -1)
        self.journal.write(self.cloud.volumes, Volumes.alive, volume, 0)
        self._show_volume(volume, "remove")
        vm = table.vm[volume]
        if vm != NONE:
            self.journal.put(self.cloud.vms.volumes, vm, [v for v in self.cloud.vms.volumes[vm] if v != volume])

    def place(self, volume: int, space: int) -> None:
        """Bind a volume to the space held for it; it is Ready."""
        result = self.space.holds[space]
        storage = self.cloud.storages[result.storage]
        self.journal.set_attribute(storage, "volume_count", storage.volume_count + 1)
        self.set(volume, storage=result.storage, host=result.host, space=space, status=_READY)

    def _count_volume(self, volume: int, sign: int) -> None:
        table = self.cloud.volumes
        account = table.account[volume]
        if account == ADMIN or not table.alive[volume]:
            return
        self.journal.use_quota(account, "volume.capacity", sign * table.size[volume])
        if table.type[volume] == 1 and table.status[volume] != _DELETED:
            self.journal.use_quota(account, "volume.data.num", sign)

    def add_snapshot(self, name: str, volume: int, size: int, account: int, space: int) -> int:
        """A snapshot of a volume, whose space is already held (`NONE` when nothing was charged)."""
        snapshots, volumes = self.cloud.snapshots, self.cloud.volumes
        storage = volumes.storage[volume]
        row, table = self.journal.add_row(snapshots), snapshots
        table.alive[row], table.volume[row], table.storage[row] = 1, volume, storage
        table.size[row], table.space[row] = size, space
        table.account[row], table.born_us[row] = account, self.journal.now_us
        self.journal.append(snapshots.names, name)
        older = volumes.snapshots.get(volume)
        if older is None:
            self.journal.put(volumes.snapshots, volume, [row])
        else:
            self.journal.append(older, row)
        if account != ADMIN:
            self.journal.use_quota(account, "snapshot.volume.num", 1)
        return row

    def remove_snapshot(self, row: int, cause: str = "") -> None:
        """Delete a snapshot; its space ends."""
        snapshots, volumes = self.cloud.snapshots, self.cloud.volumes
        if snapshots.space[row] != NONE:
            self.space.end(snapshots.space[row], cause)
        volume, account = snapshots.volume[row], snapshots.account[row]
        self.journal.put(volumes.snapshots, volume, [r for r in volumes.snapshots.get(volume, []) if r != row])
        self.journal.write(snapshots, Snapshots.alive, row, 0)
        if account != ADMIN:
            self.journal.use_quota(account, "snapshot.volume.num", -1)

    def cache_image(self, image: int, storage: int, host: int, space: int) -> None:
        """Remember that an image is cached; *host* is `ANYWHERE` on shared storage."""
        self.journal.put(self.cloud.storages[storage].caches, (image, host), space)
        self._count_cache(storage, image, host, +1)

    def _count_cache(self, storage: int, image: int, host: int, change: int) -> None:
        """How often an image is cached on a storage, and how many images on each host of it."""
        item = self.cloud.storages[storage]
        self.cloud.usage_version += 1
        self.journal.put(item.cached_images, image, item.cached_images.get(image, 0) + change)
        self.journal.put(item.cached_hosts, host, item.cached_hosts.get(host, 0) + change)

    def drop_cache(self, image: int, storage: int, host: int, cause: str = "") -> None:
        """Forget a cached image; its space ends."""
        space = self.journal.drop(self.cloud.storages[storage].caches, (image, host))
        self._count_cache(storage, image, host, -1)
        if space != NONE:
            self.space.end(space, cause)

    def add_image(self, image: Image) -> int:
        """A new image; its bytes are charged to the backup storages that keep it."""
        row = len(self.cloud.images)
        self.journal.append(self.cloud.images, image)
        self.journal.append(self.cloud.image_states, 0)
        for backup in image.backup_storages:
            self._use_backup(backup, image.actual_size)
        self.journal.put(self.cloud.image_space, row, image.backup_storages)
        if image.account != ADMIN:
            self.journal.use_quota(image.account, "image.num", 1)
            self.journal.use_quota(image.account, "image.size", image.actual_size)
        for backup in image.backup_storages if self.journal.recording else ():
            self.journal.emit("hold", f"image/{row}", f"backup/{backup}", (("bytes", image.actual_size),))
        return row

    def remove_image(self, row: int, cause: str = "") -> None:
        """Delete an image; caches of it stay until they are collected."""
        image = self.cloud.images[row]
        for backup in self.journal.drop(self.cloud.image_space, row):
            self._use_backup(backup, -image.actual_size)
            self.journal.emit("end", f"image/{row}", f"backup/{backup}", (("bytes", image.actual_size),), cause)
        self.journal.put(self.cloud.image_states, row, 2)
        if image.account != ADMIN:
            self.journal.use_quota(image.account, "image.num", -1)
            self.journal.use_quota(image.account, "image.size", -image.actual_size)

    def _use_backup(self, row: int, amount: int) -> None:
        backup = self.cloud.backups[row]
        self.journal.set_attribute(backup, "held", backup.held + amount)
        if backup.available is not None:
            self.journal.set_attribute(backup, "available", backup.available - amount)

    def forget_share(self, row: int, host: int) -> None:
        """A host that left takes its share along; volumes and caches on it are gone."""
        storage, volumes = self.cloud.storages[row], self.cloud.volumes
        for image, where in list(storage.caches):
            if where == host:
                self.drop_cache(image, row, host, "hostDeleted")
        matching = (
            (volumes.array(volumes.storage) == row)
            & (volumes.array(volumes.host) == host)
            & (volumes.array(volumes.alive) == 1)
        )
        for volume in np.flatnonzero(matching).tolist():
            self.space.end(volumes.space[volume], "hostDeleted")
            self.set(volume, space=NONE, storage=NONE, host=NONE, status=_DELETED)
            self.journal.set_attribute(storage, "volume_count", storage.volume_count - 1)
        shares = storage.shares
        remaining = shares.available[host] if shares is not None else 0
        self.space.set_storage(row, available=storage.available - remaining)
        self.space.set_share(
            row, host, present=0, total=0, available=0, total_physical=0, available_physical=0, drift=0
        )
