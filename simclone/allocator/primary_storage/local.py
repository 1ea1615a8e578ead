"""Local storage: the ledger of each host's share (rules/primary-storage.md#local)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simclone.allocator.primary_storage.capacity import (
    physical_shortage,
    reserved_of,
    threshold_of,
)
from simclone.allocator.primary_storage.request import CREATE_VM, StorageRequest
from simclone.model.cloud import Cloud
from simclone.model.columns import BoolArray
from simclone.model.inventory import CONNECTED, ENABLED
from simclone.records import ErrorCode
from simclone.units import divided, multiplied


@dataclass(frozen=True, slots=True)
class ShareFloor:
    """The test of rules/primary-storage.md#capacity on the shares of a storage, per host.

    *sound* shares are *present* and pass by their physical figures; one of them fits with *least* bytes available.
    """

    present: BoolArray
    sound: BoolArray
    least: int


def share_floor(cloud: Cloud, storage: int, size: int) -> ShareFloor:
    """What shares of *storage* must have for *size* bytes."""
    shares = cloud.storages[storage].shares
    present = np.zeros(cloud.fleet.size, dtype=np.bool_)
    sound = present.copy()
    least = divided(size, cloud.storage_ratio(storage)) + reserved_of(cloud)
    if shares is not None:
        many = shares.size
        present[:many] = shares.array("present") == 1
        total, free = shares.array("total_physical"), shares.array("available_physical")
        limit = np.floor(total * threshold_of(cloud, storage) + 0.5).astype(np.int64)
        sound[:many] = present[:many] & ((free == total) | (total - free < limit)) & (size < limit)
    return ShareFloor(present, sound, least)


def shares_that_fit(cloud: Cloud, storage: int, floor: ShareFloor) -> BoolArray:
    """Hosts whose share of *storage* reaches a floor."""
    shares = cloud.storages[storage].shares
    fits = floor.sound.copy()
    if shares is not None:
        fits[: shares.size] &= shares.array("available") >= floor.least
    return fits


def has_share(cloud: Cloud, storage: int, host: int) -> bool:
    """True when the host brings disk to this local storage."""
    shares = cloud.storages[storage].shares
    return shares is not None and host < shares.size and shares.get("present", host) == 1


def share_refusal(cloud: Cloud, storage: int, host: int, request: StorageRequest) -> str | None:
    """Why a host's share does not take the request (tests L1 to L3), or None."""
    one, shares = cloud.storages[storage], cloud.storages[storage].shares
    if shares is None or not has_share(cloud, storage, host):
        return "storage.local"
    ratio, available = cloud.storage_ratio(storage), shares.get("available", host)
    room = available if request.exact else multiplied(available, ratio)
    if room - reserved_of(cloud) < request.size:
        return "storage.virtual"
    total, free = shares.get("total_physical", host), shares.get("available_physical", host)
    short = physical_shortage(total, free, request.size, threshold_of(cloud, storage))
    if short is not None:
        return short
    if request.purpose != CREATE_VM or request.image is None or _warm(cloud, storage, host, request.image):
        return None
    actual = cloud.images[request.image].actual_size
    return None if available > divided(request.size, ratio) + actual else f"storage.imageCache:{one.name}"


def _warm(cloud: Cloud, storage: int, host: int, image: int) -> bool:
    one = cloud.storages[storage]
    if cloud.settings.fidelity["anyCachedImage"]:
        return one.cached_hosts.get(host, 0) > 0
    return (image, host) in one.caches


def local_candidates(cloud: Cloud, request: StorageRequest) -> list[int] | ErrorCode:
    """Local storages whose share on the request's host takes it, ascending by uuid."""
    host = request.host
    if host is None:
        text = "a volume on local storage needs a host"
        return ErrorCode(code="SYS.1007", details=text, reason="storage.localHost")
    fleet = cloud.fleet
    if fleet.get("state", host) != ENABLED or fleet.get("status", host) != CONNECTED:
        text = f"host {fleet.uuids[host]} of the local storage is not usable"
        return ErrorCode(code="SYS.1006", details=text, reason="storage.localHost")
    reasons: list[tuple[int, str]] = []
    found = []
    for row in _in_reach(cloud, request):
        short = share_refusal(cloud, row, host, request)
        if short is None:
            found.append(row)
        else:
            reasons.append((row, short.split(":")[0]))
    return found or _refused(cloud, request, reasons)


def _in_reach(cloud: Cloud, request: StorageRequest) -> list[int]:
    cluster = cloud.fleet.get("cluster", request.host or 0)
    return [
        row
        for row, one in enumerate(cloud.storages)
        if one.is_local
        and one.usable(True)
        and cluster in one.clusters
        and (not request.candidates or row in request.candidates)
        and row not in request.excluded | request.avoid
    ]


def _refused(cloud: Cloud, request: StorageRequest, reasons: list[tuple[int, str]]) -> ErrorCode:
    host = cloud.fleet.uuids[request.host or 0]
    causes = tuple(
        ErrorCode(
            code="SYS.1006",
            details=f"local storage {cloud.storages[row].uuid} on host {host}: {reason}",
            reason=reason,
        )
        for row, reason in reasons
    )
    text = f"local storage on host {host} cannot satisfy conditions for {request.size} bytes"
    reason = reasons[0][1] if reasons else "storage.local"
    return ErrorCode(code="SYS.1006", details=text, causes=causes, reason=reason)
