"""Address ranges of layer-3 networks: order, overlap, counts, and the addresses taken at the start."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address

from simclone.scenario.checking.names import Directory
from simclone.scenario.document.networks import L3NetworkDoc
from simclone.scenario.findings import Findings, Path


@dataclass(slots=True)
class CheckedAddresses:
    """Ranges (first, last) and taken addresses of each layer-3 network, as integers."""

    ranges: list[list[tuple[int, int]]] = field(default_factory=list)
    used: list[dict[int, Path]] = field(default_factory=list)


def addresses(names: Directory) -> CheckedAddresses:
    """Read and check the addresses of every layer-3 network."""
    result = CheckedAddresses()
    for row, doc in enumerate(names.docs("l3Network")):
        path = names.kinds["l3Network"].paths[row]
        ranges = _ranges(doc, path, names.findings)
        result.ranges.append(ranges)
        result.used.append({})
        for position, text in enumerate(doc.used_ips):
            take(result, row, text, (*path, "usedIps", position), names.findings)
        size = sum(last - first + 1 for first, last in ranges)
        if doc.ip_count not in (None, size) and len(ranges) == len(doc.ip_ranges):
            message = f"{doc.ip_count} differs from {size}, the addresses of ipRanges"
            names.findings.add((*path, "ipCount"), message, str(size))
    return result


def take(found: CheckedAddresses, l3: int, text: str, path: Path, findings: Findings) -> None:
    """Mark an address as taken; one outside every range or taken twice is a fault."""
    address = ipv4(text, path, findings)
    if address is None:
        return
    if not any(first <= address <= last for first, last in found.ranges[l3]):
        findings.add(path, f"{text} is in no range of its network")
    elif address in found.used[l3]:
        findings.add(path, f"{text} is taken already")
    found.used[l3].setdefault(address, path)


def ipv4(text: str, path: Path, findings: Findings) -> int | None:
    """An address as an integer, or None with a fault."""
    try:
        return int(IPv4Address(text))
    except AddressValueError:
        findings.add(path, f"{text!r} is not an address", "an IPv4 address")
        return None


def _ranges(doc: L3NetworkDoc, path: Path, findings: Findings) -> list[tuple[int, int]]:
    result: list[tuple[int, int]] = []
    for position, ip_range_ in enumerate(doc.ip_ranges):
        at: Path = (*path, "ipRanges", position)
        first, last = ipv4(ip_range_.start, (*at, "start"), findings), ipv4(ip_range_.end, (*at, "end"), findings)
        for key, text in (("netmask", ip_range_.netmask), ("gateway", ip_range_.gateway)):
            if text:
                ipv4(text, (*at, key), findings)
        if first is None or last is None:
            continue
        if first > last:
            findings.add((*at, "end"), f"range is reversed: {ip_range_.end} comes before {ip_range_.start}")
            continue
        if ip_range_.count not in (None, last - first + 1):
            size = last - first + 1
            findings.add(
                (*at, "count"), f"{ip_range_.count} differs from {size}, the addresses of the range", str(size)
            )
        for other_first, other_last in result:
            if first <= other_last and other_first <= last:
                other = f"{IPv4Address(other_first)} - {IPv4Address(other_last)}"
                findings.add((*at, "start"), f"range {ip_range_.start} - {ip_range_.end} overlaps {other}")
        result.append((first, last))
    return result
