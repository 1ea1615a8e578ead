"""IPv4 addresses: three strategies over the ranges of an L3 (rules/networks.md#strategies)."""

from __future__ import annotations

from ipaddress import IPv4Address

from simclone.chance import Order, below, draw
from simclone.model.cloud import AddressPool, Cloud
from simclone.model.inventory import IpRange
from simclone.records import ErrorCode

ALLOCATE_IP = "L3.1000"


def needs_address(cloud: Cloud, l3: int) -> bool:
    """A card gets an address only where DHCP serves the network (4.3)."""
    return cloud.l3s[l3].dhcp


def strategy_of(cloud: Cloud, l3: int) -> str:
    """The strategy in force: the network's own, an override, or the global one."""
    own, settings = cloud.l3s[l3].strategy, cloud.settings
    levels = [("l3Network", l3)] if settings.overrides else ()
    return own or str(settings.get("l3Network.ipAllocateStrategy", levels))


def pick(cloud: Cloud, l3: int, *, wanted: int | None, key: int | None) -> int | ErrorCode:
    """The address the next card gets; *key* None means no chance (lowest first).

    An error names why there is none: exhausted, taken, outside every range, or no range at all.
    """
    pool = cloud.pools[l3]
    if wanted is not None:
        return _static(cloud, l3, wanted)
    if not pool.ranges:
        text = f"there is no available ipRange on L3 network {cloud.l3s[l3].uuid}"
        return ErrorCode(code="SYS.1006", details=text, reason="ip.noRange")
    strategy = strategy_of(cloud, l3)
    if strategy == "RandomIpAllocatorStrategy":
        found = _random(pool, key)
    elif strategy == "AscDelayRecycleIpAllocatorStrategy":
        found = _delayed(pool)
    else:
        found = _first(pool)
    if found is None:
        text = f"no ip is available on L3 network {cloud.l3s[l3].uuid}"
        return ErrorCode(code=ALLOCATE_IP, details=text, reason="ip.exhausted")
    return found


def _static(cloud: Cloud, l3: int, wanted: int) -> int | ErrorCode:
    pool = cloud.pools[l3]
    inside = any(one.start <= wanted <= one.end for one in pool.ranges)
    if inside and wanted not in pool.used:
        return wanted
    text = f"IP[{IPv4Address(wanted)}] is not available on L3 network {cloud.l3s[l3].uuid}"
    return ErrorCode(code=ALLOCATE_IP, details=text, reason="ip.static")


def _ascending(pool: AddressPool) -> list[IpRange]:
    return sorted(pool.ranges, key=lambda one: one.start)


def _gap(pool: AddressPool, low: int, high: int) -> int | None:
    for address in range(low, high + 1):
        if address not in pool.used:
            return address
    return None


def _first(pool: AddressPool) -> int | None:
    for one in _ascending(pool):
        found = _gap(pool, one.start, one.end)
        if found is not None:
            return found
    return None


def _random(pool: AddressPool, key: int | None) -> int | None:
    ranges = pool.ranges
    for turn, one in enumerate(ranges if len(ranges) == 1 else Order(key).walk(_ascending(pool))):
        offset = 0 if key is None else below(draw(key, 1 << 32 | turn), one.size)
        found = _gap(pool, one.start + offset, one.end)
        if found is None:
            found = _gap(pool, one.start, one.start + offset - 1)
        if found is not None:
            return found
    return None


def _delayed(pool: AddressPool) -> int | None:
    cursor = pool.cursor
    if cursor is not None:
        for one in _ascending(pool):
            found = _gap(pool, max(one.start, cursor), one.end)
            if found is not None:
                return found
    return _first(pool)


def free_addresses(cloud: Cloud, l3: int) -> tuple[int, int]:
    """Addresses of a network in all, and used ones among them."""
    pool = cloud.pools[l3]
    return sum(one.size for one in pool.ranges), len(pool.used)
