"""The authoritative test of a reservation, made again on the chosen host (rules/host-capacity.md#reservation)."""

from __future__ import annotations

from simclone.allocator.host.request import HostRequest
from simclone.allocator.rules.affinity import active_group, allowed_band
from simclone.allocator.rules.capacity import reservation_shortfall
from simclone.model.cloud import Cloud
from simclone.records import ErrorCode, Try
from simclone.vocabulary import AFFINITY_RULES, HOST_CPU, HOST_DEVICES, Reason


def refusal(request: HostRequest, cloud: Cloud, host: int) -> Try | None:
    """Why *host* cannot be reserved, or None. The physical memory size is not looked at here.

    Devices and scheduling rules are reservers of the cloud edition; the open core has none.
    """
    short = reservation_shortfall(cloud.fleet, host, request.cpu, request.memory)
    if short is not None:
        return _short(cloud, host, short, "cpu" if short is HOST_CPU else "memory")
    if cloud.settings.profile == "open":
        return None
    for spec, count in request.tags.devices if request.full_allocate else ():
        if cloud.fleet.free_devices(spec)[host] < count:
            return _short(cloud, host, HOST_DEVICES, f"device {spec}")
    return _rule(request, cloud, host)


def _short(cloud: Cloud, host: int, reason: Reason, what: str) -> Try:
    return Try(host, reason.code, f"no {what} left to reserve on host {cloud.fleet.uuids[host]}")


def _rule(request: HostRequest, cloud: Cloud, host: int) -> Try | None:
    """Hard affinity once more: siblings may have come since the filters ran (rules/affinity.md#evaluation)."""
    group = active_group(cloud, request.group)
    if group is None or not group.policy.hard:
        return None
    band = allowed_band(group, cloud, request.vm, request)
    if band is None or band.allows(host):
        return None
    text = f"reserve host {cloud.fleet.uuids[host]} breaks group {group.uuid}"
    return Try(host, AFFINITY_RULES[group.policy].code, text)


def all_refused(tried: tuple[Try, ...]) -> ErrorCode:
    """The nameless error list of a search whose every reservation failed (rules/errors.md#every-reservation-failed)."""
    causes = tuple(ErrorCode(code="SYS.1006", details=item.text, reason=item.reason) for item in tried)
    return ErrorCode(code=None, causes=causes, reason=tried[0].reason if tried else "")
