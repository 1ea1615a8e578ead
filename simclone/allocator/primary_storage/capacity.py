"""The real capacity test of a storage: reserve, physical threshold, size (rules/primary-storage.md#capacity)."""

from __future__ import annotations

from simclone.model.cloud import Cloud
from simclone.units import divided, java_round

VIRTUAL, PHYSICAL, TOO_LARGE = "storage.virtual", "storage.physical", "storage.tooLarge"


def threshold_of(cloud: Cloud, storage: int) -> float:
    """The share of physical capacity that may be used."""
    return float(cloud.storage_setting("mevoco.threshold.primaryStorage.physicalCapacity", storage))


def reserved_of(cloud: Cloud) -> int:
    """Bytes kept free on every storage, or on every host of a local one."""
    return int(cloud.settings.values["primaryStorage.reservedCapacity"])


def physical_shortage(total: int, available: int, size: int, threshold: float) -> str | None:
    """Tests B and C of rules/primary-storage.md#capacity on physical figures in bytes; the reason, or None.

    >>> physical_shortage(100, 100, 50, 0.9), physical_shortage(100, 10, 5, 0.9), physical_shortage(100, 50, 90, 0.9)
    (None, 'storage.physical', 'storage.tooLarge')
    """
    limit = java_round(total * threshold)
    if available != total and total - available >= limit:
        return PHYSICAL
    return TOO_LARGE if size >= limit else None


def shortage(
    cloud: Cloud,
    storage: int,
    *,
    available: int,
    total_physical: int,
    available_physical: int,
    size: int,
    exact: bool,
) -> str | None:
    """Tests A, B and C for figures of a storage, a host's share or an OSD group; the reason, or None."""
    taken = size if exact else divided(size, cloud.storage_ratio(storage))
    if available - taken < reserved_of(cloud):
        return VIRTUAL
    return physical_shortage(total_physical, available_physical, size, threshold_of(cloud, storage))


def storage_shortage(cloud: Cloud, storage: int, size: int, exact: bool) -> str | None:
    """Tests A, B and C for a whole storage."""
    one = cloud.storages[storage]
    return shortage(
        cloud,
        storage,
        available=one.available,
        total_physical=one.total_physical,
        available_physical=one.available_physical,
        size=size,
        exact=exact,
    )
