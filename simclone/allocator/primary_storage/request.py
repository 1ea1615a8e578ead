"""What one storage allocation asks for."""

from __future__ import annotations

from msgspec import Struct

from simclone.model.inventory import StorageConstraint

CREATE_VM, CREATE_DATA, DOWNLOAD_IMAGE, SNAPSHOT = (
    "CreateNewVm",
    "CreateDataVolume",
    "DownloadImage",
    "CreateVolumeSnapshot",
)


class StorageRequest(Struct, frozen=True, gc=False):
    """*size* bytes for *purpose*; empty *candidates* means all.

    *host* or *cluster* says from where it must be seen, *pool* is a Ceph pool's name, *exact* leaves the
    over-provisioning ratio out, *blocked* are (host, storage) pairs the host search found too small.
    """

    size: int
    purpose: str
    host: int | None = None
    cluster: int | None = None
    zone: int | None = None
    candidates: tuple[int, ...] = ()
    excluded: frozenset[int] = frozenset()
    avoid: frozenset[int] = frozenset()
    strategy: str | None = None
    constraint: StorageConstraint | None = None
    image: int | None = None
    backup_storage: int | None = None
    pool: str | None = None
    exact: bool = False
    require_local: bool = False
