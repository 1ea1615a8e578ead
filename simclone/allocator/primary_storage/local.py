"""Local storage: the ledger of each host's share (rules/primary-storage.md#local)."""

from __future__ import annotations

from simclone.allocator.primary_storage.request import CREATE_VM, StorageRequest
from simclone.allocator.rules.storage_capacity import has_share, physical_shortage, reserved_of, taken_of, threshold_of
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, ENABLED
from simclone.records import ErrorCode
from simclone.units import multiplied


def share_refusal(cloud: Cloud, storage: int, host: int, request: StorageRequest) -> str | None:
    """Why a host's share does not take the request (tests L1 to L3), or None."""
    record, shares = cloud.storages[storage], cloud.storages[storage].shares
    if shares is None or not has_share(cloud, storage, host):
        return "storage.local"
    ratio, available = cloud.storage_ratio(storage), shares.available[host]
    room = available if request.exact else multiplied(available, ratio)
    if room - reserved_of(cloud) < request.size:
        return "storage.virtual"
    total, free = shares.total_physical[host], shares.available_physical[host]
    short = physical_shortage(total, free, request.size, threshold_of(cloud, storage))
    if short is not None:
        return short
    if request.purpose != CREATE_VM or request.image is None or _warm(cloud, storage, host, request.image):
        return None
    actual = cloud.images[request.image].actual_size
    return None if available > taken_of(cloud, storage, request.size) + actual else f"storage.imageCache:{record.name}"


def _warm(cloud: Cloud, storage: int, host: int, image: int) -> bool:
    record = cloud.storages[storage]
    if cloud.settings.fidelity["anyCachedImage"]:
        return record.cached_hosts.get(host, 0) > 0
    return (image, host) in record.caches


def local_candidates(cloud: Cloud, request: StorageRequest) -> list[int] | ErrorCode:
    """Local storages whose share on the request's host takes it, ascending by uuid."""
    host = request.host
    if host is None:
        text = "a volume on local storage needs a host"
        return ErrorCode(code="SYS.1007", details=text, reason="storage.localHost")
    fleet = cloud.fleet
    if fleet.state[host] != ENABLED or fleet.status[host] != CONNECTED:
        text = f"host {fleet.uuids[host]} of the local storage is not usable"
        return ErrorCode(code="SYS.1006", details=text, reason="storage.localHost")
    reasons: list[tuple[int, str]] = []
    rows = []
    for row in _in_reach(cloud, request):
        short = share_refusal(cloud, row, host, request)
        if short is None:
            rows.append(row)
        else:
            reasons.append((row, short.split(":")[0]))
    return rows or _refused(cloud, request, reasons)


def _in_reach(cloud: Cloud, request: StorageRequest) -> list[int]:
    cluster = cloud.fleet.cluster[request.host or 0]
    return [
        row
        for row, record in enumerate(cloud.storages)
        if record.per_host
        and record.usable(True)
        and cluster in record.clusters
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
