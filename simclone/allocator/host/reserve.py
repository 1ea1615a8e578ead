"""The authoritative test of a reservation, made again on the chosen host (rules/host-capacity.md#reservation)."""

from __future__ import annotations

from simclone.allocator.affinity import active_group, domain_counts, member_counts, spread_limit
from simclone.allocator.host.request import HostRequest
from simclone.model.cloud import Cloud
from simclone.model.inventory import device_asks
from simclone.records import ErrorCode, Try
from simclone.units import divided


def refusal(request: HostRequest, cloud: Cloud, host: int) -> Try | None:
    """Why *host* cannot be reserved, or None. The physical memory size is not looked at here.

    Devices and scheduling rules are reservers of the cloud edition; the open core has none.
    """
    cells = cloud.fleet.cells
    if request.cpu and cells("available_cpu")[host] - request.cpu < 0:
        return _short(cloud, host, "host.cpu", "cpu")
    taken = divided(request.memory, cloud.fleet.memory_ratio(host))
    if request.memory and cells("available_memory")[host] - taken - cells("reserved_memory")[host] < 0:
        kept = cells("available_memory")[host] - taken >= 0
        return _short(cloud, host, "host.reservedMemory" if kept else "host.memory", "memory")
    if cloud.settings.profile == "open":
        return None
    for spec, count in device_asks(request.system_tags if request.full_allocate else ()):
        if cloud.fleet.free_devices(spec)[host] < count:
            return _short(cloud, host, "host.devices", f"device {spec}")
    return _rule(request, cloud, host)


def _short(cloud: Cloud, host: int, reason: str, what: str) -> Try:
    return Try(host, reason, f"no {what} left to reserve on host {cloud.fleet.uuids[host]}")


def _rule(request: HostRequest, cloud: Cloud, host: int) -> Try | None:
    """Hard affinity once more: siblings may have come since the filters ran (rules/affinity.md#evaluation)."""
    group = active_group(cloud, request.group)
    if group is None or not group.policy.endswith("Hard"):
        return None
    counts = member_counts(group, request.vm, cloud)
    broken = False
    if group.policy == "antiHard":
        broken = counts.get(host, 0) > 0
    elif group.policy == "affinityHard":
        broken = bool(counts) and host not in counts
    else:
        where, totals = domain_counts(cloud, group, counts)
        broken = int(totals[where[host]]) > spread_limit(cloud, group, counts)
    if not broken:
        return None
    return Try(host, f"affinity.{group.policy}", f"reserve host {cloud.fleet.uuids[host]} breaks group {group.uuid}")


def all_refused(tried: tuple[Try, ...]) -> ErrorCode:
    """The nameless error list of a search whose every reservation failed (host-allocation.md 7.4)."""
    causes = tuple(ErrorCode(code="SYS.1006", details=one.text, reason=one.reason) for one in tried)
    return ErrorCode(code=None, causes=causes, reason=tried[0].reason if tried else "")
