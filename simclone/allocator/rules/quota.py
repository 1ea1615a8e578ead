"""Quotas: what an account may have, uses and asks for (rules/quotas.md#limits, rules/quotas.md#clone)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simclone.model.cloud import USAGE, Cloud
from simclone.records import ErrorCode
from simclone.vocabulary import QUOTAS

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
    for quota, amount in asks:
        limit = cloud.limit(account, quota)
        if amount and used[quota] + amount > limit:
            name = cloud.accounts[account].name
            text = f"account {name} would exceed quota {quota}: limit {limit}, used {used[quota]}, asked {amount}"
            return ErrorCode(code=QUOTA_EXCEEDING, details=text, reason=QUOTAS[quota].code)
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


def allocation_asks(cpu: int, memory: int, *, whole: bool, first: bool) -> list[Ask]:
    """What is looked at again while a host is sought (rules/quotas.md#allocation-check).

    *whole* for a VM that is not there yet, not only resized; *first* for one that never had a host.
    """
    sizes: list[Ask] = [("vm.cpuNum", cpu), ("vm.memorySize", memory)]
    return [("vm.num", 1), ("vm.totalNum", int(first)), *sizes] if whole else sizes
