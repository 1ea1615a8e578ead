"""Volumes, snapshots, the image cache, images."""

from __future__ import annotations

import numpy as np

from simclone.model.inventory import ADMIN, Image
from simclone.model.ledger.space import SpaceBook
from simclone.model.vms import NONE, Snapshots, Volumes
from simclone.vocabulary import VolumeStatus

_FIGURES = ("type", "status", "vm", "size", "space")
_READY, _DELETED = VolumeStatus.READY, VolumeStatus.DELETED


class VolumeBook(SpaceBook):
    """Verbs about what lies on storages."""

    def add_volume(
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
        row, table = self._row(volumes), volumes
        table.alive[row], table.type[row], table.account[row] = 1, type, account
        table.size[row], table.actual_size[row], table.born_us[row] = size, actual_size, self.now_us
        table.image[row], table.offering[row], table.device[row] = image, offering, device
        if space != NONE:
            held = self.spaces[space]
            table.storage[row], table.host[row], table.space[row] = held.storage, held.host, space
            table.status[row], table.vm[row] = _READY, vm
        self._push(volumes.names, name)
        if tags:
            self._put(volumes.tags, row, tags)
        self._count_volume(row, +1)
        if self.recording:
            self._show_volume(row, "add")
        return row

    def make_volume(
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
        storage = self.cloud.storages[self.spaces[space].storage]
        self._attr(storage, "volume_count", storage.volume_count + 1)
        row = self.add_volume(
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
        self._push(self.cloud.vms.volumes[vm], row)
        return row

    def _show_volume(self, volume: int, cause: str) -> None:
        if not self.recording:
            return
        table = self.cloud.volumes
        values = tuple([table.cells[name][volume] for name in _FIGURES])
        self._show("volume", ("volume", volume), ("account", table.account[volume]), _FIGURES, values, cause)

    def set_volume(self, volume: int, **values: int) -> None:
        """Change fields of a volume; the account's usage follows."""
        self._count_volume(volume, -1)
        for name, value in values.items():
            self._cell(self.cloud.volumes, Volumes.COLUMNS[name], volume, value)
        self._count_volume(volume, +1)
        self._show_volume(volume, "change")

    def attach_volume(self, volume: int, vm: int, device: int) -> None:
        """Give a volume to a VM."""
        self.set_volume(volume, vm=vm, device=device)
        self._push(self.cloud.vms.volumes[vm], volume)

    def detach_volume(self, volume: int) -> None:
        """Take a volume from its VM."""
        vm = self.cloud.volumes.vm[volume]
        rest = [row for row in self.cloud.vms.volumes[vm] if row != volume]
        self._put(self.cloud.vms.volumes, vm, rest)
        self.set_volume(volume, vm=NONE, device=NONE, last_vm=vm)

    def remove_volume(self, volume: int, cause: str = "") -> None:
        """Take a volume out of the database; its space ends."""
        table = self.cloud.volumes
        space = table.space[volume]
        if space != NONE:
            self.end_space(space, cause)
            storage = self.cloud.storages[table.storage[volume]]
            self._attr(storage, "volume_count", storage.volume_count - 1)
        self._count_volume(volume, -1)
        self._cell(self.cloud.volumes, Volumes.alive, volume, 0)
        self._show_volume(volume, "remove")
        vm = table.vm[volume]
        if vm != NONE:
            self._put(self.cloud.vms.volumes, vm, [v for v in self.cloud.vms.volumes[vm] if v != volume])

    def place_volume(self, volume: int, space: int) -> None:
        """Bind a volume to the space held for it; it is Ready."""
        found = self.spaces[space]
        storage = self.cloud.storages[found.storage]
        self._attr(storage, "volume_count", storage.volume_count + 1)
        self.set_volume(volume, storage=found.storage, host=found.host, space=space, status=_READY)

    def _count_volume(self, volume: int, sign: int) -> None:
        table = self.cloud.volumes
        account = table.account[volume]
        if account == ADMIN or not table.alive[volume]:
            return
        self._use(account, "volume.capacity", sign * table.size[volume])
        if table.type[volume] == 1 and table.status[volume] != _DELETED:
            self._use(account, "volume.data.num", sign)

    def add_snapshot(self, name: str, volume: int, size: int, account: int, space: int) -> int:
        """A snapshot of a volume, whose space is already held (`NONE` when nothing was charged)."""
        snapshots, volumes = self.cloud.snapshots, self.cloud.volumes
        storage = volumes.storage[volume]
        row, table = self._row(snapshots), snapshots
        table.alive[row], table.volume[row], table.storage[row] = 1, volume, storage
        table.size[row], table.space[row] = size, space
        table.account[row], table.born_us[row] = account, self.now_us
        self._push(snapshots.names, name)
        older = volumes.snapshots.get(volume)
        if older is None:
            self._put(volumes.snapshots, volume, [row])
        else:
            self._push(older, row)
        if account != ADMIN:
            self._use(account, "snapshot.volume.num", 1)
        return row

    def remove_snapshot(self, row: int, cause: str = "") -> None:
        """Delete a snapshot; its space ends."""
        snapshots, volumes = self.cloud.snapshots, self.cloud.volumes
        if snapshots.space[row] != NONE:
            self.end_space(snapshots.space[row], cause)
        volume, account = snapshots.volume[row], snapshots.account[row]
        self._put(volumes.snapshots, volume, [r for r in volumes.snapshots.get(volume, []) if r != row])
        self._cell(snapshots, Snapshots.alive, row, 0)
        if account != ADMIN:
            self._use(account, "snapshot.volume.num", -1)

    def cache_image(self, image: int, storage: int, host: int, space: int) -> None:
        """Remember that an image is cached; *host* is `ANYWHERE` on shared storage."""
        self._put(self.cloud.storages[storage].caches, (image, host), space)
        self._count_cache(storage, image, host, +1)

    def _count_cache(self, storage: int, image: int, host: int, change: int) -> None:
        """How often an image is cached on a storage, and how many images on each host of it."""
        one = self.cloud.storages[storage]
        self.cloud.amounts += 1
        self._put(one.cached_images, image, one.cached_images.get(image, 0) + change)
        self._put(one.cached_hosts, host, one.cached_hosts.get(host, 0) + change)

    def drop_cache(self, image: int, storage: int, host: int, cause: str = "") -> None:
        """Forget a cached image; its space ends."""
        space = self._drop(self.cloud.storages[storage].caches, (image, host))
        self._count_cache(storage, image, host, -1)
        if space != NONE:
            self.end_space(space, cause)

    def add_image(self, image: Image) -> int:
        """A new image; its bytes are charged to the backup storages that keep it."""
        row = len(self.cloud.images)
        self._push(self.cloud.images, image)
        self._push(self.cloud.image_states, 0)
        for backup in image.backup_storages:
            self._use_backup(backup, image.actual_size)
        self._put(self.cloud.image_space, row, image.backup_storages)
        if image.account != ADMIN:
            self._use(image.account, "image.num", 1)
            self._use(image.account, "image.size", image.actual_size)
        for backup in image.backup_storages if self.recording else ():
            self._emit("hold", f"image/{row}", f"backup/{backup}", (("bytes", image.actual_size),))
        return row

    def remove_image(self, row: int, cause: str = "") -> None:
        """Delete an image; caches of it stay until they are collected."""
        image = self.cloud.images[row]
        for backup in self._drop(self.cloud.image_space, row):
            self._use_backup(backup, -image.actual_size)
            self._emit("end", f"image/{row}", f"backup/{backup}", (("bytes", image.actual_size),), cause)
        self._put(self.cloud.image_states, row, 2)
        if image.account != ADMIN:
            self._use(image.account, "image.num", -1)
            self._use(image.account, "image.size", -image.actual_size)

    def _use_backup(self, row: int, amount: int) -> None:
        backup = self.cloud.backups[row]
        self._attr(backup, "held", backup.held + amount)
        if backup.available is not None:
            self._attr(backup, "available", backup.available - amount)

    def forget_share(self, row: int, host: int) -> None:
        """A host that left takes its share along; volumes and caches on it are gone."""
        storage, volumes = self.cloud.storages[row], self.cloud.volumes
        for image, where in list(storage.caches):
            if where == host:
                self.drop_cache(image, row, host, "hostDeleted")
        here = (
            (volumes.array(volumes.storage) == row)
            & (volumes.array(volumes.host) == host)
            & (volumes.array(volumes.alive) == 1)
        )
        for volume in np.flatnonzero(here).tolist():
            self.end_space(volumes.space[volume], "hostDeleted")
            self.set_volume(volume, space=NONE, storage=NONE, host=NONE, status=_DELETED)
            self._attr(storage, "volume_count", storage.volume_count - 1)
        shares = storage.shares
        left = shares.available[host] if shares is not None else 0
        self.set_storage(row, available=storage.available - left)
        self.set_share(row, host, present=0, total=0, available=0, total_physical=0, available_physical=0, drift=0)
