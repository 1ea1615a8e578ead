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


def pick(cloud: Cloud, l3: int, *, requested: int | None, key: int | None) -> int | ErrorCode:
    """The address the next card gets; *key* None means no chance (lowest first).

    An error names why there is none: exhausted, taken, outside every range, or no range at all.
    """
    pool = cloud.pools[l3]
    if requested is not None:
        return _static(cloud, l3, requested)
    if not pool.ranges:
        text = f"there is no available ipRange on L3 network {cloud.l3s[l3].uuid}"
        return ErrorCode(code="SYS.1006", details=text, reason="ip.noRange")
    strategy = strategy_of(cloud, l3)
    if strategy == "RandomIpAllocatorStrategy":
        address = _random(pool, key)
    elif strategy == "AscDelayRecycleIpAllocatorStrategy":
        address = _delayed(pool)
    else:
        address = _first(pool)
    if address is None:
        text = f"no ip is available on L3 network {cloud.l3s[l3].uuid}"
        return ErrorCode(code=ALLOCATE_IP, details=text, reason="ip.exhausted")
    return address


def _static(cloud: Cloud, l3: int, requested: int) -> int | ErrorCode:
    pool = cloud.pools[l3]
    inside = any(span.start <= requested <= span.end for span in pool.ranges)
    if inside and requested not in pool.used:
        return requested
    text = f"IP[{IPv4Address(requested)}] is not available on L3 network {cloud.l3s[l3].uuid}"
    return ErrorCode(code=ALLOCATE_IP, details=text, reason="ip.static")


def _ascending(pool: AddressPool) -> list[IpRange]:
    return sorted(pool.ranges, key=lambda span: span.start)


def _gap(pool: AddressPool, low: int, high: int) -> int | None:
    for address in range(low, high + 1):
        if address not in pool.used:
            return address
    return None


def _first(pool: AddressPool) -> int | None:
    for span in _ascending(pool):
        address = _gap(pool, span.start, span.end)
        if address is not None:
            return address
    return None


def _random(pool: AddressPool, key: int | None) -> int | None:
    ranges = pool.ranges
    for turn, span in enumerate(ranges if len(ranges) == 1 else Order(key).walk(_ascending(pool))):
        offset = 0 if key is None else below(draw(key, 1 << 32 | turn), span.size)
        address = _gap(pool, span.start + offset, span.end)
        if address is None:
            address = _gap(pool, span.start, span.start + offset - 1)
        if address is not None:
            return address
    return None


def _delayed(pool: AddressPool) -> int | None:
    cursor = pool.cursor
    if cursor is not None:
        for span in _ascending(pool):
            address = _gap(pool, max(span.start, cursor), span.end)
            if address is not None:
                return address
    return _first(pool)


def free_addresses(cloud: Cloud, l3: int) -> tuple[int, int]:
    """Addresses of a network in all, and used ones among them."""
    pool = cloud.pools[l3]
    return sum(span.size for span in pool.ranges), len(pool.used)
