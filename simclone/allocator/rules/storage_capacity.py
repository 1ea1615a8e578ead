"""The real capacity test of a storage: reserve, physical threshold, size (rules/primary-storage.md#capacity)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simclone.model.cloud import Cloud
from simclone.model.columns import BoolArray
from simclone.units import divided, java_round
from simclone.vocabulary import STORAGE_PHYSICAL, STORAGE_TOO_LARGE, STORAGE_VIRTUAL

VIRTUAL, PHYSICAL, TOO_LARGE = STORAGE_VIRTUAL.code, STORAGE_PHYSICAL.code, STORAGE_TOO_LARGE.code


def threshold_of(cloud: Cloud, storage: int) -> float:
    """The share of physical capacity that may be used."""
    return float(cloud.storage_setting("mevoco.threshold.primaryStorage.physicalCapacity", storage))


def reserved_of(cloud: Cloud) -> int:
    """Bytes kept free on every storage, or on every host of a local one."""
    return int(cloud.settings.values["primaryStorage.reservedCapacity"])


def taken_of(cloud: Cloud, storage: int, size: int, *, exact: bool = False) -> int:
    """The bytes that *size* bytes take of a storage: after over-provisioning, or as they are where *exact*."""
    return size if exact else divided(size, cloud.storage_ratio(storage))


def physical_shortage(total: int, available: int, size: int, threshold: float) -> str | None:
    """Tests B and C of rules/host-selection.md#other-operations on physical figures in bytes; the reason, or None.

    >>> physical_shortage(100, 100, 50, 0.9), physical_shortage(100, 10, 5, 0.9), physical_shortage(100, 50, 90, 0.9)
    (None, 'storage.physical', 'storage.tooLarge')
    """
    limit = java_round(total * threshold)
    if not _below_threshold(total, available, limit):
        return PHYSICAL
    return TOO_LARGE if size >= limit else None


def _below_threshold(total: Any, available: Any, limit: Any) -> Any:
    """Whether so little is used that more may be put there; nothing used is always little. Elementwise."""
    return (available == total) | (total - available < limit)


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
    taken = taken_of(cloud, storage, size, exact=exact)
    if available - taken < reserved_of(cloud):
        return VIRTUAL
    return physical_shortage(total_physical, available_physical, size, threshold_of(cloud, storage))


def storage_shortage(cloud: Cloud, storage: int, size: int, exact: bool) -> str | None:
    """Tests A, B and C for a whole storage."""
    record = cloud.storages[storage]
    return shortage(
        cloud,
        storage,
        available=record.available,
        total_physical=record.total_physical,
        available_physical=record.available_physical,
        size=size,
        exact=exact,
    )


@dataclass(frozen=True, slots=True)
class ShareThreshold:
    """The test of rules/host-selection.md#other-operations on the shares of a storage, per host.

    *sound* shares are *present* and pass by their physical figures; one of them fits with *least* bytes available.
    """

    present: BoolArray
    sound: BoolArray
    least: int


def share_threshold(cloud: Cloud, storage: int, size: int) -> ShareThreshold:
    """What shares of *storage* must have for *size* bytes."""
    shares = cloud.storages[storage].shares
    present = np.zeros(cloud.fleet.row_count, dtype=np.bool_)
    sound = present.copy()
    least = taken_of(cloud, storage, size) + reserved_of(cloud)
    if shares is not None:
        rows = shares.row_count
        present[:rows] = shares.array(shares.present) == 1
        total, free = shares.array(shares.total_physical), shares.array(shares.available_physical)
        limit = np.floor(total * threshold_of(cloud, storage) + 0.5).astype(np.int64)
        sound[:rows] = present[:rows] & _below_threshold(total, free, limit) & (size < limit)
    return ShareThreshold(present, sound, least)


def shares_that_fit(cloud: Cloud, storage: int, threshold: ShareThreshold) -> BoolArray:
    """Hosts whose share of *storage* reaches a threshold."""
    shares = cloud.storages[storage].shares
    fits = threshold.sound.copy()
    if shares is not None:
        fits[: shares.row_count] &= shares.array(shares.available) >= threshold.least
    return fits


def has_share(cloud: Cloud, storage: int, host: int) -> bool:
    """True when the host brings disk to this local storage."""
    shares = cloud.storages[storage].shares
    return shares is not None and host < shares.row_count and shares.present[host] == 1
