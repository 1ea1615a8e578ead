"""Quotas: what an account may have, uses and asks for (rules/quotas.md#limits, rules/quotas.md#clone)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simclone.allocator.host.request import HostRequest
from simclone.model.cloud import USAGE, Cloud
from simclone.records import ErrorCode

QUOTA_EXCEEDING = "ID.1003"
Ask = tuple[str, int]


def usage(cloud: Cloud, account: int) -> Mapping[str, int]:
    """What an account uses of each limit."""
    return dict(zip(USAGE, cloud.usage[account], strict=True))


def refusal(cloud: Cloud, account: int, asks: Iterable[Ask]) -> ErrorCode | None:
    """The first limit that *asks* would break, in their order; the administrator (negative) has none.

    A limit is broken when used + asked > limit; asking for nothing is never refused.
    """
    if account < 0:
        return None
    used = usage(cloud, account)
    for quota, asked in asks:
        limit = cloud.limit(account, quota)
        if asked and used[quota] + asked > limit:
            name = cloud.accounts[account].name
            text = f"account {name} would exceed quota {quota}: limit {limit}, used {used[quota]}, asked {asked}"
            return ErrorCode(code=QUOTA_EXCEEDING, details=text, reason=f"quota.{quota}")
    return None


def create_asks(cpu: int, memory: int, volumes: int, capacity: int) -> list[Ask]:
    """What creating one VM asks at the API (rules/quotas.md#api-check), in the product's order."""
    return [
        ("vm.cpuNum", cpu),
        ("vm.memorySize", memory),
        ("volume.data.num", volumes),
        ("volume.capacity", capacity),
        ("vm.totalNum", 1),
        ("vm.num", 1),
    ]


def start_asks(cpu: int, memory: int) -> list[Ask]:
    """What starting one VM asks at the API."""
    return [("vm.cpuNum", cpu), ("vm.memorySize", memory), ("vm.num", 1)]


def clone_asks(names: int, cpu: int, memory: int, root_size: int, snapshots: int, strategy: str) -> list[Ask]:
    """What one clone call asks: an image and snapshots once, running limits per name only if they will run."""
    running = names if strategy == "InstantStart" else 0
    return [
        ("image.num", 1),
        ("image.size", root_size),
        ("snapshot.volume.num", snapshots),
        ("vm.num", running),
        ("vm.cpuNum", running * cpu),
        ("vm.memorySize", running * memory),
        ("volume.capacity", 0 if strategy == "JustCreate" else root_size * names),
    ]


def allocation_refusal(cloud: Cloud, request: HostRequest) -> ErrorCode | None:
    """The limits looked at again while a host is sought (rules/quotas.md#allocation-check)."""
    sizes: list[Ask] = [("vm.cpuNum", request.cpu), ("vm.memorySize", request.memory)]
    if not request.full_allocate:
        return refusal(cloud, request.account, sizes)
    total = 0 if request.last_host is not None else 1
    return refusal(cloud, request.account, [("vm.num", 1), ("vm.totalNum", total), *sizes])
