"""The rules of placement told once more for planning questions, one host and one VM at a time.

Nothing here comes from the package: a scenario is read as the mapping it is in the file, sizes by a parser of its own,
and every figure is a sum over the VMs that are there. So nothing drifts, and a VM is moved by naming another host.
Questions stand in files of their own beside this one; when a rule changes, it changes here.

In the order of the file:

* figures: ``bytes_of``, ``rounded``, ``memory_down``, ``memory_up``;
* the cloud: ``Host``, ``Storage``, ``Network``, ``Group``, ``Account``, ``Volume``, ``Vm``, ``Cloud``; ``cloud_of``
  reads a mapping; VMs of the file that name no host are in ``Cloud.unplaced``;
* rules of one host: capacity, devices, networks, groups, storage, local disks; ``can_place``, ``place``, ``unplace``,
  ``remove``, and ``faults_of``, which lists whatever is over its limit or against a hard rule;
* the allocator: ``open_call`` checks a clone call, ``candidates`` are hosts a clone may go to, ``preferred`` those that
  may come first, ``clone_choices`` both with their storage, ``start_clone`` carries one out; ``settle`` creates the VMs
  the file leaves without a host.

What is left out: several storages in one cluster, Ceph pools, backup storages, pages of hosts, data volumes of clones,
address ranges with an end, all settings that ``Cloud`` does not name, and capacity that is returned twice
(rules/host-capacity.md#double-return): scenarios switch it off.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Doc = Mapping[str, Any]

LEAST = "LeastVmPreferredHostAllocatorStrategy"
FIRST_FIT = "simclone.FirstFit"
UNITS = {"": 1, "B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
DEFAULT_QUOTA = {  # rules/quotas.md#limits
    "vm.totalNum": 20,
    "vm.num": 20,
    "vm.cpuNum": 80,
    "vm.memorySize": 80 << 30,
    "volume.data.num": 40,
    "volume.capacity": 10 << 40,
}


# -- figures -----------------------------------------------------------------------------------------------------


def bytes_of(size: Any) -> int:
    """Bytes of a number or of text such as ``64GiB``, ``64G`` or ``1.5T``: every unit is a power of 1024.

    >>> bytes_of("64GiB"), bytes_of("1G"), bytes_of(7)
    (68719476736, 1073741824, 7)
    """
    if not isinstance(size, str):
        return int(size)
    match = re.fullmatch(r"\s*([0-9.]+)\s*([KMGT]?)(?:i?B)?\s*", size)
    if match is None:
        raise ValueError(f"{size!r} is no size")
    number, unit = match.groups()
    return int(float(number) * UNITS[unit]) if "." in number else int(number) * UNITS[unit]


def rounded(value: float) -> int:
    """Java's ``Math.round``: halves go up (rules/host-capacity.md#ratios)."""
    return math.floor(value + 0.5)


def memory_down(memory: int, ratio: float) -> int:
    """Bytes of a host that a VM's memory takes (rules/host-capacity.md#ratios)."""
    return memory if ratio == 1 else rounded(memory / ratio)


def memory_up(memory: int, ratio: float) -> int:
    """Bytes of VM memory that bytes of a host are worth (rules/host-capacity.md#ratios)."""
    return memory if ratio == 1 else rounded(memory * ratio)


# -- the cloud ---------------------------------------------------------------------------------------------------


@dataclass
class Host:
    """A host; *cpu* are vCPUs in all (cores times ratio), *rank* its place in the order of ascending uuid."""

    name: str
    rank: int
    cluster: str
    zone: str
    cpu: int
    memory: int
    reserve: int
    memory_ratio: float
    labels: dict[str, str]
    devices: dict[str, int]
    state: str = "Enabled"
    status: str = "Connected"

    @property
    def is_usable(self) -> bool:
        """Whether it takes VMs (rules/states.md#effect)."""
        return self.state == "Enabled" and self.status == "Connected"


@dataclass
class Storage:
    """A primary storage; a local one has a *share* of its own on each host that brings a disk."""

    name: str
    zone: str
    clusters: frozenset[str]
    is_local: bool
    total: int
    ratio: float
    threshold: float
    reserve: int
    is_usable: bool = True
    physical_free: int | None = None
    shares: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Network:
    """A layer-3 network: the clusters its layer-2 network reaches."""

    name: str
    clusters: frozenset[str]


@dataclass(frozen=True)
class Group:
    """An affinity group and its policy; *over* says what a domain is: a host, a cluster, a zone or a label."""

    name: str
    policy: str
    over: str = "host"
    skew: int = 1


@dataclass(frozen=True)
class Account:
    """An account with all its limits."""

    name: str
    quota: Mapping[str, int]


@dataclass
class Volume:
    """Virtual bytes on a storage, on a local one beside a host."""

    storage: str
    size: int
    host: str | None = None
    is_data: bool = False


@dataclass
class Vm:
    """A VM; without a *host* it holds neither vCPUs nor memory. *written* are the actual bytes of its root volume.

    *snapshots* are the bytes of the snapshots of its root.
    """

    name: str
    cpu: int
    memory: int
    host: str | None = None
    state: str = "Running"
    offering: str = ""
    networks: tuple[str, ...] = ()
    volumes: list[Volume] = field(default_factory=list)
    root_size: int = 0
    data_sizes: tuple[int, ...] = ()
    wanted_storage: str | None = None
    last_host: str | None = None
    group: str | None = None
    account: str | None = None
    devices: dict[str, int] = field(default_factory=dict)
    strategy: str = LEAST
    written: int = 0
    snapshots: int = 0
    ha: bool = False


@dataclass
class Cloud:
    """Everything the rules look at. *charges* are bytes on storages beside VMs' volumes: snapshots, cached images."""

    hosts: dict[str, Host]
    storages: dict[str, Storage]
    networks: dict[str, Network]
    groups: dict[str, Group]
    accounts: dict[str, Account]
    vms: dict[str, Vm]
    offerings: dict[str, Vm]
    unplaced: list[str] = field(default_factory=list)
    charges: list[Volume] = field(default_factory=list)
    checks_size: bool = True
    zone_of: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Cloud:
        """An independent copy of what can change: VMs, charges and hosts."""
        return replace(
            self,
            hosts={name: copy.copy(host) for name, host in self.hosts.items()},
            vms={
                name: replace(vm, volumes=[copy.copy(volume) for volume in vm.volumes]) for name, vm in self.vms.items()
            },
            storages=dict(self.storages),
            unplaced=list(self.unplaced),
            charges=list(self.charges),
        )

    def on(self, host: str) -> list[Vm]:
        """VMs that hold a host."""
        return [vm for vm in self.vms.values() if vm.host == host]

    def usable(self) -> list[Host]:
        """Hosts that take VMs, by rank."""
        return sorted((host for host in self.hosts.values() if host.is_usable), key=lambda host: host.rank)


def _config(doc: Doc, key: str, default: Any, *levels: tuple[str, str]) -> Any:
    """A setting: the override of the first level that has one, else the global value, else the default."""
    overrides = {
        (entry["resourceType"], entry["resource"], entry["key"]): entry["value"]
        for entry in doc.get("resourceConfig", ())
    }
    for level in levels:
        if (*level, key) in overrides:
            return overrides[(*level, key)]
    return doc.get("globalConfig", {}).get(key, default)


def _several(entries: Iterable[Doc]) -> Iterator[dict[str, Any]]:
    """Entries of the file, those with a count written out."""
    for entry in entries:
        for number in range(1, entry.get("count", 1) + 1):
            name = entry["name"]
            yield {**entry, "name": name.format(n=number) if "count" in entry else name}


def _hosts_of(doc: Doc, clusters: Mapping[str, Doc], zone_of: Mapping[str, str]) -> dict[str, Host]:
    entries = list(_several(doc["hosts"]))
    uuids = [str(entry.get("uuid", "")) for entry in entries]
    order = sorted(range(len(entries)), key=lambda at: (uuids[at], at)) if all(uuids) else list(range(len(entries)))
    hosts = {}
    for rank, position in enumerate(order):
        entry = entries[position]
        cluster = entry.get("cluster", next(iter(clusters)))
        levels = (("host", entry["name"]), ("cluster", cluster), ("zone", zone_of[cluster]))
        reserve = _config(doc, "kvm.reservedMemory", "1G", *levels)
        if clusters[cluster].get("hypervisorType", "KVM") != "KVM":
            reserve = 0
        hosts[entry["name"]] = Host(
            name=entry["name"],
            rank=rank,
            cluster=cluster,
            zone=zone_of[cluster],
            cpu=entry["cpuNum"] * int(_config(doc, "host.cpu.overProvisioning.ratio", 10, *levels)),
            memory=bytes_of(entry["totalPhysicalMemory"]),
            reserve=bytes_of(entry.get("reservedMemory", reserve)),
            memory_ratio=float(_config(doc, "mevoco.overProvisioning.memory", 1.0, *levels)),
            labels={**clusters[cluster].get("labels", {}), **entry.get("labels", {})},
            devices=dict(entry.get("pciDevices", {})),
            state=entry.get("state", "Enabled"),
            status=entry.get("status", "Connected"),
        )
    return hosts


def _storage_of(doc: Doc, entry: Doc, zone_of: Mapping[str, str]) -> Storage:
    zone = entry.get("zone", next(iter(zone_of.values())))
    every = [cluster for cluster, where in zone_of.items() if where == zone]
    shares = {share["host"]: bytes_of(share["totalCapacity"]) for share in entry.get("localHosts", ())}
    levels = (("primaryStorage", entry["name"]), ("zone", zone))
    free = entry.get("availablePhysicalCapacity")
    return Storage(
        name=entry["name"],
        zone=zone,
        clusters=frozenset(entry.get("attachedClusters", every)),
        is_local=entry["type"] == "LocalStorage",
        total=sum(shares.values()) if shares else bytes_of(entry.get("totalCapacity", 0)),
        ratio=float(_config(doc, "mevoco.overProvisioning.primaryStorage", 1.0, *levels)),
        threshold=float(_config(doc, "mevoco.threshold.primaryStorage.physicalCapacity", 0.9, levels[0])),
        reserve=bytes_of(_config(doc, "primaryStorage.reservedCapacity", "1G")),
        is_usable=entry.get("state", "Enabled") == "Enabled" and entry.get("status", "Connected") == "Connected",
        physical_free=None if free is None else bytes_of(free),
        shares=shares,
    )


def _devices_of(tags: Iterable[str]) -> dict[str, int]:
    """Whole PCI devices a VM wants: tags ``pciDeviceSpec::NAME::COUNT``."""
    parts = [tag.split("::") for tag in tags if tag.startswith("pciDeviceSpec::")]
    return {part[1]: int(part[2]) for part in parts}


def cloud_of(doc: Doc) -> Cloud:
    """The cloud of a scenario's mapping, VMs with a host and a storage adopted whatever their order in the file."""
    zones = [zone["name"] for zone in doc.get("zones", ())] or ["zone"]
    clusters = {entry["name"]: entry for entry in doc.get("clusters", ())} or {"cluster-1": {"name": "cluster-1"}}
    zone_of = {name: entry.get("zone", zones[0]) for name, entry in clusters.items()}
    l2s = {entry["name"]: frozenset(entry.get("attachedClusters", clusters)) for entry in doc.get("l2Networks", ())}
    cloud = Cloud(
        hosts=_hosts_of(doc, clusters, zone_of),
        storages={entry["name"]: _storage_of(doc, entry, zone_of) for entry in doc.get("primaryStorages", ())},
        networks={
            entry["name"]: Network(
                entry["name"], l2s.get(entry.get("l2Network", next(iter(l2s), "")), frozenset(clusters))
            )
            for entry in doc.get("l3Networks", ())
        },
        groups={
            entry["name"]: Group(entry["name"], entry["policy"], entry.get("over", "host"), entry.get("maxSkew", 1))
            for entry in doc.get("affinityGroups", ())
        },
        accounts={
            entry["name"]: Account(
                entry["name"],
                {**DEFAULT_QUOTA, **{key: bytes_of(limit) for key, limit in entry.get("quota", {}).items()}},
            )
            for entry in doc.get("accounts", ())
        },
        vms={},
        offerings={},
        checks_size=bool(_config(doc, "hostAllocator.hostAllocator.checkHostMem", True)),
        zone_of=zone_of,
    )
    for entry in doc.get("instanceOfferings", ()):
        tags = entry.get("systemTags", ())
        cloud.offerings[entry["name"]] = Vm(
            entry["name"],
            entry["cpuNum"],
            bytes_of(entry["memorySize"]),
            offering=entry["name"],
            devices=_devices_of(tags),
            strategy=entry.get("allocatorStrategy", LEAST),
        )
    for entry in _several(doc.get("vms", ())):
        _adopt(cloud, doc, entry)
    return cloud


def _root_size(entry: Doc, images: Mapping[str, Doc], disks: Mapping[str, int]) -> int:
    """The size of the root disk offering where one is named, else the image's."""
    if entry.get("rootDiskOffering"):
        return disks[entry["rootDiskOffering"]]
    return bytes_of(images[entry["image"]]["size"]) if entry.get("image") else 0


def _adopt(cloud: Cloud, doc: Doc, entry: Doc) -> None:
    """Take a VM of the file as it stands; one that names no host waits in ``unplaced``."""
    kind = cloud.offerings.get(entry.get("instanceOffering", ""))
    tags = list(entry.get("systemTags", ()))
    images = {image["name"]: image for image in doc.get("images", ())}
    disks = {disk["name"]: bytes_of(disk["diskSize"]) for disk in doc.get("diskOfferings", ())}
    vm = Vm(
        name=entry["name"],
        cpu=entry.get("cpuNum") or (kind.cpu if kind else 0),
        memory=bytes_of(entry.get("memorySize") or (kind.memory if kind else 0)),
        state=entry.get("state", "Running"),
        offering=kind.offering if kind else "",
        networks=tuple(entry.get("l3Networks", ())),
        root_size=_root_size(entry, images, disks),
        data_sizes=tuple(disks[name] for name in entry.get("dataDiskOfferings", ())),
        wanted_storage=entry.get("primaryStorage"),
        last_host=entry.get("lastHost"),
        group=entry.get("affinityGroup"),
        account=entry.get("account"),
        devices={**(kind.devices if kind else {}), **_devices_of(tags)},
        strategy=entry.get("strategy") or (kind.strategy if kind else LEAST),
        written=bytes_of(entry.get("rootActualSize", 0)),
        ha=any(tag in ("ha::NeverStop", "ha::OnHostFailure") for tag in tags),
    )
    cloud.vms[vm.name] = vm
    home = entry.get("host") or (vm.last_host if vm.state == "Stopped" else None)
    if home is None or vm.wanted_storage is None:
        if vm.state != "Created":
            cloud.unplaced.append(vm.name)
        return
    vm.last_host = home
    local = cloud.storages[vm.wanted_storage].is_local
    for at, size in enumerate((vm.root_size, *vm.data_sizes)):
        vm.volumes.append(Volume(vm.wanted_storage, size, home if local else None, is_data=at > 0))
    if vm.state != "Stopped":
        vm.host = home


# -- rules of one host -------------------------------------------------------------------------------------------


def free_cpu(cloud: Cloud, host: str) -> int:
    """vCPUs left, below zero when over-committed (rules/host-capacity.md#record)."""
    return cloud.hosts[host].cpu - sum(vm.cpu for vm in cloud.on(host))


def free_memory(cloud: Cloud, host: str) -> int:
    """Bytes left with the reserve still in them, below zero when over-committed (rules/host-capacity.md#record)."""
    where = cloud.hosts[host]
    return where.memory - sum(memory_down(vm.memory, where.memory_ratio) for vm in cloud.on(host))


def has_capacity(cloud: Cloud, vm: Vm, host: str) -> bool:
    """vCPUs, bytes above the reserve, and a VM smaller than its host (rules/host-capacity.md#filter)."""
    where, free = cloud.hosts[host], free_memory(cloud, host)
    if vm.cpu and free_cpu(cloud, host) < vm.cpu:
        return False
    if not vm.memory:
        return True
    if memory_up(free, where.memory_ratio) < vm.memory:
        return False
    if cloud.checks_size and vm.memory >= where.memory:
        return False
    return free - where.reserve >= memory_down(vm.memory, where.memory_ratio)


def has_devices(cloud: Cloud, vm: Vm, host: str) -> bool:
    """Whole PCI devices left (rules/host-selection.md#commercial-chains)."""
    for name, number in vm.devices.items():
        taken = sum(other.devices.get(name, 0) for other in cloud.on(host))
        if cloud.hosts[host].devices.get(name, 0) - taken < number:
            return False
    return True


def has_networks(cloud: Cloud, vm: Vm, host: str) -> bool:
    """The host's cluster is attached to every network (rules/networks.md#placement)."""
    return all(cloud.hosts[host].cluster in cloud.networks[name].clusters for name in vm.networks)


def domain_of(cloud: Cloud, group: Group, host: str) -> str:
    """What a group counts in: the host itself, or its cluster, zone or label; a host without the label is its own."""
    where = cloud.hosts[host]
    if group.over == "host":
        return where.name
    if group.over == "cluster":
        return where.cluster
    if group.over == "zone":
        return where.zone
    return where.labels.get(group.over, f"without {group.over}")


def member_counts(cloud: Cloud, group: Group, vm: Vm) -> dict[str, int]:
    """Other members by domain; only members that name a host count (rules/affinity.md#evaluation)."""
    counts: dict[str, int] = {}
    for other in cloud.vms.values():
        if other.group == group.name and other.name != vm.name and other.host is not None:
            domain = domain_of(cloud, group, other.host)
            counts[domain] = counts.get(domain, 0) + 1
    return counts


def keeps_group(cloud: Cloud, vm: Vm, host: str) -> bool:
    """The hard rule of the VM's group (rules/affinity.md#evaluation)."""
    if vm.group is None:
        return True
    group = cloud.groups[vm.group]
    counts, domain = member_counts(cloud, group, vm), domain_of(cloud, group, host)
    if group.policy == "antiHard":
        return not counts.get(domain)
    if group.policy == "affinityHard":
        return not counts or bool(counts.get(domain))
    if group.policy == "spreadHard":
        domains = {domain_of(cloud, group, usable.name) for usable in cloud.usable()}
        return counts.get(domain, 0) + 1 - min(counts.get(name, 0) for name in domains) <= group.skew
    return True


def free_space(cloud: Cloud, storage: str, host: str | None = None) -> int:
    """Virtual bytes left of a storage, or of a host's share of a local one (rules/primary-storage.md#reservation)."""
    where = cloud.storages[storage]
    if where.is_local and host is None:
        return sum(free_space(cloud, storage, name) for name in where.shares)
    volumes = [volume for vm in cloud.vms.values() for volume in vm.volumes if volume.storage == storage]
    taken = sum(rounded(volume.size / where.ratio) for volume in volumes if host in (None, volume.host))
    taken += sum(part.size for part in cloud.charges if part.storage == storage and host in (None, part.host))
    return (where.total if host is None else where.shares.get(host, 0)) - taken


def has_space(cloud: Cloud, storage: str, size: int) -> bool:
    """Tests A to C of a shared storage and the reservation after them (rules/primary-storage.md#capacity)."""
    where, free = cloud.storages[storage], free_space(cloud, storage)
    rest = free - rounded(size / where.ratio)
    limit = rounded(where.total * where.threshold)
    used = 0 if where.physical_free is None else where.total - where.physical_free
    return rest >= where.reserve and rest >= 0 and (used == 0 or used < limit) and size < limit


def has_local_filter_space(cloud: Cloud, storage: str, host: str, size: int) -> bool:
    """Tests A to C on a host's share before it is chosen; a host that brings no share passes.

    rules/primary-storage.md#local.
    """
    where = cloud.storages[storage]
    if host not in where.shares:
        return True
    rest = free_space(cloud, storage, host) - rounded(size / where.ratio)
    return rest >= where.reserve and size < rounded(where.shares[host] * where.threshold)


def has_local_space(cloud: Cloud, storage: str, host: str, size: int, image: int = 0, cached: bool = True) -> bool:
    """Tests L1 to L3 of a host's share (rules/primary-storage.md#local)."""
    where = cloud.storages[storage]
    if host not in where.shares:
        return False
    free = free_space(cloud, storage, host)
    if rounded(free * where.ratio) - where.reserve < size or size >= rounded(where.shares[host] * where.threshold):
        return False
    return cached or free > rounded(size / where.ratio) + image


def reaches_storages(cloud: Cloud, vm: Vm, host: str) -> bool:
    """Storages of an existing VM's volumes are attached, and a local volume may follow to the host's share.

    rules/host-filters.md#storage, rules/primary-storage.md#local. A local VM moves with all its volumes.
    """
    cluster = cloud.hosts[host].cluster
    local: dict[str, int] = {}
    for volume in vm.volumes:
        storage = cloud.storages[volume.storage]
        if cluster not in storage.clusters or not storage.is_usable:
            return False
        if storage.is_local and volume.host != host:
            local[storage.name] = local.get(storage.name, 0) + volume.size
    return all(has_local_space(cloud, name, host, size) for name, size in local.items())


def can_place(cloud: Cloud, vm: Vm, host: str) -> bool:
    """Whether a VM that holds no host now (or another one) may run on a host, its volumes where they are.

    Local volumes follow it. A VM that has no volumes yet asks for no space.
    """
    return (
        cloud.hosts[host].is_usable
        and vm.host != host
        and has_capacity(cloud, vm, host)
        and has_devices(cloud, vm, host)
        and has_networks(cloud, vm, host)
        and keeps_group(cloud, vm, host)
        and reaches_storages(cloud, vm, host)
    )


def place(cloud: Cloud, vm: Vm, host: str) -> None:
    """Let a VM hold a host; it gives back the one it held. Local volumes go with it."""
    cloud.vms[vm.name] = vm
    vm.host = host
    for volume in vm.volumes:
        if cloud.storages[volume.storage].is_local:
            volume.host = host


def unplace(cloud: Cloud, name: str) -> Vm:
    """Take a VM off its host; its volumes stay."""
    vm = cloud.vms[name]
    vm.host = None
    return vm


def remove(cloud: Cloud, name: str) -> Vm:
    """Take a VM out of the cloud with its volumes."""
    return cloud.vms.pop(name)


def usage_of(cloud: Cloud, account: str) -> dict[str, int]:
    """What an account has by quota (rules/quotas.md#limits)."""
    own = [vm for vm in cloud.vms.values() if vm.account == account]
    runs = [vm for vm in own if vm.host is not None]
    return {
        "vm.totalNum": len(own),
        "vm.num": len(runs),
        "vm.cpuNum": sum(vm.cpu for vm in runs),
        "vm.memorySize": sum(vm.memory for vm in runs),
        "volume.capacity": sum(volume.size for vm in own for volume in vm.volumes),
        "volume.data.num": sum(volume.is_data for vm in own for volume in vm.volumes),
    }


def faults_of(cloud: Cloud) -> dict[str, int]:
    """How far each limit is exceeded: vCPUs, bytes, devices, members; nothing in a sound cloud.

    Hosts are looked at whatever their state: a VM that runs on a Disabled host may stay.
    """
    faults: dict[str, int] = {}
    for host in cloud.hosts.values():
        faults[f"cpu {host.name}"] = -free_cpu(cloud, host.name)
        faults[f"memory {host.name}"] = host.reserve - free_memory(cloud, host.name)
        for name, number in host.devices.items():
            faults[f"device {name} {host.name}"] = sum(vm.devices.get(name, 0) for vm in cloud.on(host.name)) - number
        if not cloud.on(host.name):
            faults[f"memory {host.name}"] = 0
    for storage in cloud.storages.values():
        faults[f"space {storage.name}"] = -free_space(cloud, storage.name)
        for name in storage.shares:
            faults[f"space {storage.name} {name}"] = -free_space(cloud, storage.name, name)
    for account in cloud.accounts.values():
        for name, used in usage_of(cloud, account.name).items():
            faults[f"quota {name} {account.name}"] = used - account.quota[name]
    for vm in cloud.vms.values():
        if vm.host is not None and vm.group is not None and not keeps_group(cloud, vm, vm.host):
            faults[f"group {vm.group} {vm.name}"] = 1
    return {name: excess for name, excess in faults.items() if excess > 0}


# -- the allocator -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """A clone call as far as placement goes: the source, the size of the clones, and where they may go.

    A full clone keeps its root on its source's storage.
    """

    source: str
    offering: str | None = None
    account: str | None = None
    group: str | None = None
    is_full: bool = False
    cluster: str | None = None
    host: str | None = None
    storage: str | None = None


@dataclass
class OpenCall:
    """A call that has passed its checks: what its temporary image writes, and where that is cached already."""

    call: Call
    written: int
    cached: set[tuple[str, str | None]] = field(default_factory=set)


@dataclass(frozen=True)
class Choice:
    """A host the allocator may take next, and the storage of the root; None where no storage there accepts it."""

    host: str
    storage: str | None


def source_of(cloud: Cloud, call: Call) -> Vm:
    """The source, in the size of the offering that is asked for."""
    vm = cloud.vms[call.source]
    if call.offering is None:
        return vm
    kind = cloud.offerings[call.offering]
    return replace(vm, cpu=kind.cpu, memory=kind.memory, devices=dict(kind.devices), strategy=kind.strategy)


def clone_of(cloud: Cloud, call: Call, name: str) -> Vm:
    """A clone before its start: the source's size, networks and root volume, no group but the call's."""
    source = source_of(cloud, call)
    root = next((volume.size for volume in source.volumes if not volume.is_data), source.root_size)
    return replace(
        source,
        name=name,
        host=None,
        state="Starting",
        volumes=[],
        root_size=root,
        data_sizes=(),
        last_host=None,
        group=call.group,
        account=call.account,
        written=0,
        snapshots=0,
    )


def quota_refuses(cloud: Cloud, account: str | None, asked: Mapping[str, int]) -> bool:
    """Whether one more would be too many for an account; the administrator has no limits (rules/quotas.md#limits)."""
    if account is None or account == "admin":
        return False
    used, limits = usage_of(cloud, account), cloud.accounts[account].quota
    return any(number and used[name] + number > limits[name] for name, number in asked.items())


def start_asks(vm: Vm) -> dict[str, int]:
    """What a start asks of its account (rules/quotas.md#allocation-check)."""
    asks = {"vm.num": 1, "vm.cpuNum": vm.cpu, "vm.memorySize": vm.memory}
    return asks if vm.last_host is not None else {**asks, "vm.totalNum": 1}


def open_call(cloud: Cloud, call: Call, names: int) -> OpenCall | None:
    """Steps 1 to 5 of a call of so many names: checks, dry run, snapshot; None when the call is refused.

    The snapshot's bytes are charged to the source's storage.
    Rules: rules/clone-call.md#checks, rules/clone-call.md#full-check and rules/clone-call.md#steps.
    """
    source = source_of(cloud, call)
    clone = clone_of(cloud, call, "")
    asked = {name: number * names for name, number in start_asks(clone).items() if name != "vm.totalNum"}
    if call.is_full:
        for storage in {volume.storage for volume in source.volumes}:
            sizes = sum(volume.size for volume in source.volumes if volume.storage == storage)
            snapshots = source.snapshots if storage == source.volumes[0].storage else 0
            if free_space(cloud, storage) < names * (sizes - snapshots):
                return None
    if quota_refuses(cloud, call.account, {**asked, "volume.capacity": names * clone.root_size}):
        return None
    if quota_refuses(cloud, source.account, start_asks(source)):
        return None
    if not any(passes_dry_run(cloud, call, source, host.name) for host in cloud.usable()):
        return None
    root = source.volumes[0]
    if source.written:
        where = cloud.storages[root.storage]
        size = source.written
        fits = (
            has_local_space(cloud, root.storage, root.host or "", size)
            if where.is_local
            else has_space(cloud, root.storage, size)
        )
        if not fits:
            return None
        cloud.charges.append(Volume(root.storage, rounded(size / where.ratio), root.host))
        cloud.vms[source.name].snapshots += size
    return OpenCall(call, source.written)


def passes_dry_run(cloud: Cloud, call: Call, source: Vm, host: str) -> bool:
    """Step 1: a host for the source once more; its own group counts without itself (rules/clone-call.md#steps)."""
    where = cloud.hosts[host]
    attached = [
        storage for storage in cloud.storages.values() if where.cluster in storage.clusters and storage.is_usable
    ]
    return (
        is_allowed(call, where)
        and has_capacity(cloud, source, host)
        and has_devices(cloud, source, host)
        and has_networks(cloud, source, host)
        and keeps_group(cloud, source, host)
        and bool(attached)
    )


def is_allowed(call: Call, host: Host) -> bool:
    """The host and the cluster a call names."""
    return call.host in (None, host.name) and call.cluster in (None, host.cluster)


def pinned_storage(cloud: Cloud, call: Call) -> str | None:
    """The storage that is named; a full clone's root lies on its source's (rules/clone-call.md#flavours)."""
    if call.storage is not None:
        return call.storage
    return cloud.vms[call.source].volumes[0].storage if call.is_full else None


def storages_at(cloud: Cloud, call: Call, host: str) -> list[Storage]:
    """Storages a clone's root may lie on at a host: the pinned one, else every usable one that is attached."""
    cluster, pinned = cloud.hosts[host].cluster, pinned_storage(cloud, call)
    every = [storage for storage in cloud.storages.values() if cluster in storage.clusters and storage.is_usable]
    return [storage for storage in every if pinned in (None, storage.name)]


def filter_by_storage(cloud: Cloud, opened: OpenCall, vm: Vm, hosts: list[str]) -> list[str]:
    """The storage filters before a host is chosen: sums of a cluster, and each share of local storage.

    The image counts once more unless the first storage within reach of any of the hosts has it cached
    (rules/host-filters.md#storage). Local disks: rules/primary-storage.md#local.
    """
    reach = {storage.name for host in hosts for storage in storages_at(cloud, opened.call, host)}
    first = next((name for name in cloud.storages if name in reach), None)
    is_cached = any(name == first for name, _ in opened.cached)
    need = vm.root_size + (0 if is_cached else opened.written)
    return [host for host in hosts if _passes_storage(cloud, storages_at(cloud, opened.call, host), vm, host, need)]


def _passes_storage(cloud: Cloud, storages: list[Storage], vm: Vm, host: str, need: int) -> bool:
    if not storages or sum(rounded(free_space(cloud, storage.name) * storage.ratio) for storage in storages) < need:
        return False
    if not all(storage.is_local for storage in storages):
        return True
    return any(has_local_filter_space(cloud, storage.name, host, vm.root_size) for storage in storages)


def candidates(cloud: Cloud, opened: OpenCall, vm: Vm) -> list[str]:
    """Hosts that pass every filter for a clone, by rank (rules/host-selection.md#chains)."""
    if quota_refuses(cloud, vm.account, start_asks(vm)):
        return []
    hosts = [
        host.name
        for host in cloud.usable()
        if is_allowed(opened.call, host) and has_networks(cloud, vm, host.name) and has_capacity(cloud, vm, host.name)
    ]
    return [
        host
        for host in filter_by_storage(cloud, opened, vm, hosts)
        if has_devices(cloud, vm, host) and keeps_group(cloud, vm, host)
    ]


def preferred(cloud: Cloud, vm: Vm, hosts: list[str], avoid: frozenset[str] = frozenset()) -> list[str]:
    """Those of some hosts that may come first: soft rules, then hosts not to be avoided, then the fewest VMs.

    rules/host-selection.md#order, rules/affinity.md#empty-preference. First fit takes the lowest rank.
    """
    if vm.strategy == FIRST_FIT:
        return hosts[:1]
    first = list(hosts)
    group = None if vm.group is None else cloud.groups[vm.group]
    if group is not None and group.policy in ("antiSoft", "affinitySoft"):
        counts = member_counts(cloud, group, vm)
        members = [host for host in first if counts.get(domain_of(cloud, group, host))]
        free = [host for host in first if host not in members]
        if group.policy == "antiSoft":
            first = free or first
        elif counts:
            if not members:
                return first
            first = members
    first = [host for host in first if host not in avoid] or first
    fewest = min((len(cloud.on(host)) for host in first), default=0)
    return [host for host in first if len(cloud.on(host)) == fewest]


def root_storage(cloud: Cloud, opened: OpenCall, vm: Vm, host: str) -> str | None:
    """The storage that takes the root on the chosen host, None when it refuses (rules/primary-storage.md#main-filter).

    After the root the call's image must find room in the storage's cache (rules/primary-storage.md#image-cache).
    """
    for storage in storages_at(cloud, opened.call, host):
        key = (storage.name, host if storage.is_local else None)
        is_cached = key in opened.cached
        if storage.is_local:
            if not has_local_space(cloud, storage.name, host, vm.root_size, opened.written, is_cached):
                continue
        elif not has_space(cloud, storage.name, vm.root_size):
            continue
        if is_cached or not opened.written:
            return storage.name
        trial = cloud.copy()
        _start(trial, vm, host, storage.name)
        fits = (
            has_local_space(trial, storage.name, host, opened.written)
            if storage.is_local
            else has_space(trial, storage.name, opened.written)
        )
        if fits and free_space(trial, storage.name, key[1]) > opened.written:
            return storage.name
    return None


def clone_choices(cloud: Cloud, opened: OpenCall, vm: Vm) -> list[Choice]:
    """Hosts the allocator may take for a clone; when there is none, no host passes its filters.

    A chosen host whose storage refuses is not replaced (rules/primary-storage.md#failed-storage-fails-the-vm).
    """
    first = preferred(cloud, vm, candidates(cloud, opened, vm))
    return [Choice(host, root_storage(cloud, opened, vm, host)) for host in first]


def _start(cloud: Cloud, vm: Vm, host: str, storage: str) -> None:
    local = cloud.storages[storage].is_local
    cloud.vms[vm.name] = replace(
        vm, state="Running", host=host, volumes=[Volume(storage, vm.root_size, host if local else None)]
    )


def start_clone(cloud: Cloud, opened: OpenCall, vm: Vm, choice: Choice) -> None:
    """Start a clone where a choice says, and cache the call's image there."""
    assert choice.storage is not None
    _start(cloud, vm, choice.host, choice.storage)
    key = (choice.storage, choice.host if cloud.storages[choice.storage].is_local else None)
    if opened.written and key not in opened.cached:
        cloud.charges.append(Volume(key[0], opened.written, key[1]))
    opened.cached.add(key)


def settle(cloud: Cloud) -> list[str]:
    """Create the VMs the file leaves without a host, in its order; the names of those that find none.

    Among equal hosts the first is taken, and no image is cached: what the allocator does, up to ties.
    """
    homeless = []
    for name in cloud.unplaced:
        vm = cloud.vms.pop(name)
        opened = OpenCall(Call(name, storage=vm.wanted_storage), 0)
        choices = [choice for choice in clone_choices(cloud, opened, vm) if choice.storage is not None]
        if not choices:
            homeless.append(name)
            cloud.vms[name] = vm
            continue
        start_clone(cloud, opened, vm, choices[0])
        if vm.state == "Stopped":
            cloud.vms[name].host, cloud.vms[name].last_host, cloud.vms[name].state = None, choices[0].host, "Stopped"
    cloud.unplaced = homeless
    return homeless
