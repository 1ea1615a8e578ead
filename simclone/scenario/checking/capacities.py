"""Figures of hosts and storages: given ones are checked against what the settings yield, others are derived."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from simclone.model.settings import Settings
from simclone.model.storage_types import Scope, storage_type, storage_types
from simclone.scenario.checking.attachments import CheckedAttachments
from simclone.scenario.checking.names import UNKNOWN, Directory
from simclone.scenario.findings import Findings, Path
from simclone.scenario.reading.expand import expanded
from simclone.units import MAX_AMOUNT


class HostFigures(NamedTuple):
    """A host at the start: vCPUs, bytes, and the memory over-provisioning ratio."""

    total_cpu: int
    available_cpu: int
    total_memory: int
    available_memory: int
    reserved_memory: int
    memory_ratio: float


class Book(NamedTuple):
    """The four figures of a storage, in bytes."""

    total: int
    available: int
    total_physical: int
    available_physical: int


@dataclass(slots=True)
class Capacities:
    """Figures by row; *shares* are (host, book) pairs of local storages, *osd_groups* books of Ceph ones."""

    hosts: list[HostFigures] = field(default_factory=list)
    storages: list[Book] = field(default_factory=list)
    shares: list[list[tuple[int, Book]]] = field(default_factory=list)
    osd_groups: list[list[Book]] = field(default_factory=list)


def capacities(names: Directory, found: CheckedAttachments, settings: Settings) -> Capacities:
    """Derive and check all figures of a document."""
    result = Capacities()
    for row in range(len(names.docs("host"))):
        result.hosts.append(_host(names, found, settings, row))
    for row in range(len(names.docs("primaryStorage"))):
        _storage(names, found, result, row)
    for row, doc in enumerate(names.docs("backupStorage")):
        path = names.kinds["backupStorage"].paths[row]
        if doc.total_capacity is None and doc.available_capacity is not None:
            names.findings.add((*path, "totalCapacity"), "is missing where availableCapacity is given")
        elif doc.available_capacity is not None:
            _at_most(names.findings, (*path, "availableCapacity"), doc.available_capacity, doc.total_capacity)
    return result


def _host(names: Directory, found: CheckedAttachments, settings: Settings, row: int) -> HostFigures:
    doc, path, findings = names.docs("host")[row], names.kinds["host"].paths[row], names.findings
    cluster = found.host_cluster[row]
    levels = [("host", row), ("cluster", cluster), ("zone", found.host_zone[row])]
    total = doc.cpu_num * int(settings.get("host.cpu.overProvisioning.ratio", levels))
    if total > MAX_AMOUNT:
        findings.compare((*path, "cpuNum"), f"{doc.cpu_num} cores make more vCPUs than a database column holds")
        total = 0
    kind = None if cluster == UNKNOWN else names.docs("cluster")[cluster].hypervisor_type
    reserved = int(settings.get("kvm.reservedMemory", levels)) if kind == "KVM" else 0
    if kind is not None:
        _same(findings, (*path, "totalCpu"), doc.total_cpu, total, "cpuNum times host.cpu.overProvisioning.ratio")
        _same(findings, (*path, "reservedMemory"), doc.reserved_memory, reserved, "what the settings reserve")
    memory = doc.total_physical_memory
    free_cpu = total if doc.available_cpu is None else doc.available_cpu
    free_memory = memory if doc.available_memory is None else doc.available_memory
    _at_most(findings, (*path, "availableCpu"), free_cpu, total)
    _at_most(findings, (*path, "availableMemory"), free_memory, memory)
    ratio = float(settings.get("mevoco.overProvisioning.memory", levels))
    return HostFigures(total, free_cpu, memory, free_memory, reserved, ratio)


def _storage(names: Directory, found: CheckedAttachments, made: Capacities, row: int) -> None:
    doc, path, findings = names.docs("primaryStorage")[row], names.kinds["primaryStorage"].paths[row], names.findings
    kind, shares = storage_type(doc.type), _shares(names, found, row)
    groups = [
        _book(osd_group, (*path, "osdGroups", position), osd_group.total_physical_capacity, findings)
        for position, osd_group in enumerate(doc.osd_groups)
    ]
    made.shares.append(shares)
    made.osd_groups.append(groups)
    for key, arguments, of in (
        ("localHosts", doc.local_hosts, Scope.PER_HOST),
        ("osdGroups", doc.osd_groups, Scope.POOLED),
        ("pools", doc.pools, Scope.POOLED),
    ):
        if arguments and kind.scope is not of:
            names_of = ", ".join(known.name for known in storage_types().values() if known.scope is of)
            findings.compare((*path, key), f"only a storage of type {names_of} has them, this is {doc.type}")
    if kind.per_host:
        made.storages.append(_summed(doc, path, [book for _, book in shares], findings))
    else:
        made.storages.append(_given(doc, path, groups, findings))
    _pools(names, row)


def _shares(names: Directory, found: CheckedAttachments, row: int) -> list[tuple[int, Book]]:
    doc, path, findings = names.docs("primaryStorage")[row], names.kinds["primaryStorage"].paths[row], names.findings
    entries = doc.local_hosts or []
    paths: list[Path] = [(*path, "localHosts", number) for number in range(len(entries))]
    result: dict[int, Book] = {}
    for item, at in expanded(entries, paths, findings, "host"):
        host = names.find("host", item.host, (*at, "host"))
        if host == UNKNOWN:
            continue
        if host in result:
            findings.add((*at, "host"), f"{item.host!r} has a share already")
        if found.host_cluster[host] not in (UNKNOWN, *found.storage_clusters[row]):
            cluster = names.docs("cluster")[found.host_cluster[host]].name
            findings.compare((*at, "host"), f"cluster {cluster} of {item.host} is not attached to {doc.name}")
        result[host] = _book(item, at, item.total_capacity, findings)
    return list(result.items())


def _book(doc: object, path: Path, total: int, findings: Findings) -> Book:
    physical = getattr(doc, "total_physical_capacity", None)
    physical = total if physical is None else physical
    free, real = getattr(doc, "available_capacity", None), getattr(doc, "available_physical_capacity", None)
    book = Book(total, total if free is None else free, physical, physical if real is None else real)
    _at_most(findings, (*path, "availableCapacity"), book.available, book.total)
    _at_most(findings, (*path, "availablePhysicalCapacity"), book.available_physical, book.total_physical)
    return book


def _summed(doc: object, path: Path, books: list[Book], findings: Findings) -> Book:
    why = "the sum of localHosts"
    sums = Book(*(sum(book[number] for book in books) for number in range(4)))
    if max(sums) > MAX_AMOUNT:
        findings.compare((*path, "localHosts"), "add up to more bytes than a database column holds")
        return Book(0, 0, 0, 0)
    _same(findings, (*path, "totalCapacity"), getattr(doc, "total_capacity", None), sums.total, why)
    physical = getattr(doc, "total_physical_capacity", None)
    _same(findings, (*path, "totalPhysicalCapacity"), physical, sums.total_physical, why)
    free, real = getattr(doc, "available_capacity", None), getattr(doc, "available_physical_capacity", None)
    sums = sums._replace(available=sums.available if free is None else free)
    sums = sums._replace(available_physical=sums.available_physical if real is None else real)
    _at_most(findings, (*path, "availableCapacity"), sums.available, sums.total)
    _at_most(findings, (*path, "availablePhysicalCapacity"), sums.available_physical, sums.total_physical)
    return sums


def _given(doc: object, path: Path, groups: list[Book], findings: Findings) -> Book:
    total = getattr(doc, "total_capacity", None)
    if total is None and groups:
        total = sum(book.total for book in groups)
    if total is None:
        findings.add((*path, "totalCapacity"), "is missing", "a size in bytes or with a unit, such as 10TiB")
        return Book(0, 0, 0, 0)
    return _book(doc, path, total, findings)


def _pools(names: Directory, row: int) -> None:
    doc, path = names.docs("primaryStorage")[row], names.kinds["primaryStorage"].paths[row]
    groups = [group.name for group in doc.osd_groups]
    for key, words in (("osdGroups", groups), ("pools", [pool.name for pool in doc.pools])):
        for position, word in enumerate(words):
            if word in words[:position]:
                names.findings.add((*path, key, position, "name"), f"{word!r} is taken")
    for position, pool in enumerate(doc.pools):
        if pool.osd_group not in groups:
            expected = "one of " + ", ".join(groups) if groups else "a group under osdGroups"
            names.findings.add((*path, "pools", position, "osdGroup"), f"unknown osdGroup {pool.osd_group!r}", expected)


def _same(findings: Findings, path: Path, given: int | None, expected: int, why: str) -> None:
    if given is not None and given != expected:
        findings.compare(path, f"{given} differs from {expected}, {why}", str(expected))


def _at_most(findings: Findings, path: Path, available: int, total: int) -> None:
    if available > total:
        findings.compare(path, f"{available} is more than the total {total}", f"at most {total}")
