"""Small generated scenarios for planning questions, as the mappings a file would hold.

``clouds`` draws two to six hosts in up to three clusters with shared storage, storage of each cluster's own or local
disks, ratios, a reserve, hosts that take no VMs, and VMs that stand where the rules allow, in any order of the file.
Each cluster has one storage. The clones' source ``v`` is stopped and was last on the first host; where every cluster
has storage of its own, ``v-c1``, ``v-c2`` are sources on those of the other clusters.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.clouds import examples
from tests.oracle.planning import rules

__all__ = [
    "GIB",
    "SIZES",
    "clouds",
    "examples",
    "host",
    "local",
    "nfs",
    "request",
    "sources",
    "stopped",
    "vm",
    "world",
]

Doc = dict[str, Any]

GIB = 1 << 30
SIZES = {"unit": (1, 1), "wide": (3, 1), "tall": (1, 3), "odd": (2, 2)}
"""Offerings: vCPUs and GiB."""
STORAGES = ("shared", "own", "local")


def vm(name: str, storage: str, kind: str = "unit", **more: Any) -> Doc:
    """A VM of an offering with its root of 1 GiB on a storage."""
    own = {"name": name, "instanceOffering": kind, "image": "image", "l3Networks": ["l3"], "primaryStorage": storage}
    return {**own, **more}


def request(at: float, *names: str, source: str = "v", **more: Any) -> Doc:
    """A clone request at *at* seconds; *more* is the rest of its body."""
    return {"name": f"r-{names[0]}", "at": at, "vm": source, "cloneVmInstance": {"names": list(names), **more}}


def sources(doc: Doc) -> list[str]:
    """The sources of clones in a generated scenario."""
    return [entry["name"] for entry in doc["vms"] if entry["name"].startswith("v")]


def world(hosts: list[Doc], storages: list[Doc], vms: list[Doc], **more: Any) -> Doc:
    """A scenario written by hand: no ratios, no reserves of hosts; clusters are those the hosts stand in."""
    return {
        "run": {"profile": "cloud", "seed": 0},
        "fidelity": {"doubleReturn": False},
        "clusters": [{"name": name} for name in dict.fromkeys(host["cluster"] for host in hosts)],
        "hosts": hosts,
        "primaryStorages": storages,
        "backupStorages": [{"name": "store", "type": "ImageStoreBackupStorage"}],
        "images": [{"name": "image", "size": GIB, "actualSize": 0}],
        "l2Networks": [{"name": "l2"}],
        "l3Networks": [{"name": "l3", "l2Network": "l2", "dhcp": False, "ipRanges": []}],
        "instanceOfferings": [
            {"name": name, "cpuNum": cpu, "memorySize": memory * GIB} for name, (cpu, memory) in SIZES.items()
        ],
        "globalConfig": {
            "host.cpu.overProvisioning.ratio": 1,
            "mevoco.overProvisioning.memory": 1.0,
            "kvm.reservedMemory": 0,
            "vm.deletionPolicy": "Direct",
        },
        "vms": vms,
        **more,
    }


def host(name: str, cpu: int = 4, memory: int = 64, cluster: str = "c0", **more: Any) -> Doc:
    """A host of so many vCPUs and GiB."""
    size = {"cpuNum": cpu, "totalPhysicalMemory": memory * GIB}
    return {"name": name, "cluster": cluster, **size, **more}


def nfs(name: str = "nfs", gib: int = 1000, **more: Any) -> Doc:
    """A shared storage."""
    return {"name": name, "type": "NFS", "totalCapacity": gib * GIB, **more}


def local(**shares: int) -> Doc:
    """Local storage: GiB by host."""
    hosts = [{"host": name, "totalCapacity": gib * GIB} for name, gib in shares.items()]
    return {"name": "local", "type": "LocalStorage", "localHosts": hosts}


def stopped(name: str, storage: str, home: str, kind: str = "unit", **more: Any) -> Doc:
    """A stopped VM that was last on a host."""
    return vm(name, storage, kind, state="Stopped", lastHost=home, **more)


@st.composite
def clouds(
    draw: st.DrawFn,
    *,
    most_hosts: int = 5,
    most_vms: int = 6,
    most_clusters: int = 3,
    storages: tuple[str, ...] = STORAGES,
    kinds: tuple[str, ...] = tuple(SIZES),
    policies: tuple[str, ...] = (),
    overs: tuple[str, ...] = ("host",),
    has_quotas: bool = False,
    has_idle_hosts: bool = True,
    has_vms_on_idle_hosts: bool = True,
    has_stopped_vms: bool = True,
    is_tight: bool = True,
    strategy: str | None = None,
) -> Doc:
    """A scenario without requests, sound by the rules.

    *policies*: a group ``g`` with one of them, over one of *overs*, that some VMs are members of. *has_quotas*: an
    account ``u`` with limits, which owns some VMs. *has_idle_hosts*: some hosts are Disabled or in maintenance, with
    VMs on them or not. *is_tight*: storage may be short; else there is plenty. *has_stopped_vms* False: no
    VM is stopped, and the sources run as units.
    """
    layout = draw(st.sampled_from(storages))
    ratio, memory_ratio = draw(st.sampled_from([1, 1, 2, 3])), draw(st.sampled_from([1.0, 1.0, 1.0, 1.2, 1.5, 2.0]))
    clusters = [{"name": f"c{n}"} for n in range(draw(st.integers(1, most_clusters)))]
    hosts = [draw(_hosts(n, clusters, has_idle_hosts)) for n in range(1, draw(st.integers(2, most_hosts)) + 1)]
    doc = world(hosts, draw(_storages(layout, clusters, hosts, is_tight)), [])
    doc["clusters"], doc["run"]["seed"] = clusters, draw(st.integers(0, 3))
    doc["globalConfig"] |= {
        "host.cpu.overProvisioning.ratio": ratio,
        "mevoco.overProvisioning.memory": memory_ratio,
        "kvm.reservedMemory": draw(st.sampled_from([0, GIB, GIB // 2 + 7])),
    }
    if strategy is not None:
        for offering in doc["instanceOfferings"]:
            offering["allocatorStrategy"] = strategy
    if policies:
        group = {"name": "g", "policy": draw(st.sampled_from(policies)), "over": draw(st.sampled_from(overs))}
        doc["affinityGroups"] = [group]
    if has_quotas:
        limits = {"vm.num": st.integers(0, 6), "vm.cpuNum": st.integers(0, 9), "vm.totalNum": st.integers(2, 8)}
        named = draw(st.lists(st.sampled_from(sorted(limits)), max_size=2, unique=True))
        doc["accounts"] = [{"name": "u", "quota": {name: draw(limits[name]) for name in named}}]
    for n, (storage, home) in enumerate(_homes(doc, layout)):
        name = f"v-c{n}" if n else "v"
        runs = vm(name, storage, host=home)
        doc["vms"].append(stopped(name, storage, home, draw(st.sampled_from(kinds))) if has_stopped_vms else runs)
    homes = hosts if has_vms_on_idle_hosts else [host for host in hosts if host["state"] == "Enabled"]
    _fill(draw, doc, homes, kinds, draw(st.sampled_from([most_vms, *range(most_vms)])), has_stopped_vms)
    doc["vms"] = draw(st.permutations(doc["vms"]))
    return doc


@st.composite
def _hosts(draw: st.DrawFn, number: int, clusters: list[Doc], has_idle_hosts: bool) -> Doc:
    """A host of 1 to 6 cores and 2 to 9 GiB; the first always takes VMs."""
    idle = ["Disabled", "Maintenance"] if has_idle_hosts and number > 1 else []
    cluster = clusters[number - 1] if number <= len(clusters) else draw(st.sampled_from(clusters))
    return {
        "name": f"h{number}",
        "cluster": cluster["name"],
        "cpuNum": draw(st.integers(1, 6)),
        "totalPhysicalMemory": draw(st.integers(2, 9)) * GIB,
        "state": draw(st.sampled_from(["Enabled"] * 8 + idle)),
        "labels": {"rack": draw(st.sampled_from("ab"))},
    }


@st.composite
def _storages(draw: st.DrawFn, layout: str, clusters: list[Doc], hosts: list[Doc], is_tight: bool) -> list[Doc]:
    sizes = st.one_of(st.just(1000), st.integers(4, 16), st.integers(4, 16)) if is_tight else st.just(1000)
    names = [cluster["name"] for cluster in clusters]
    if layout == "shared":
        total = draw(sizes) * GIB
        return [{"name": "nfs", "type": "NFS", "totalCapacity": total}]
    if layout == "own":
        return [
            {"name": f"nfs-{name}", "type": "NFS", "totalCapacity": draw(sizes) * GIB, "attachedClusters": [name]}
            for name in names
        ]
    shares = [{"host": host["name"], "totalCapacity": draw(sizes) * GIB} for host in hosts]
    return [{"name": "local", "type": "LocalStorage", "localHosts": shares}]


def _homes(doc: Doc, layout: str) -> list[tuple[str, str]]:
    """A storage and a last host for each source: one, or one in each cluster that has hosts and storage of its own."""
    storages = [storage["name"] for storage in doc["primaryStorages"]]
    if layout != "own":
        return [(storages[0], doc["hosts"][0]["name"])]
    homes = []
    for storage, cluster in zip(storages, doc["clusters"], strict=True):
        members = [host["name"] for host in doc["hosts"] if host["cluster"] == cluster["name"]]
        homes += [(storage, members[0])] if members else []
    return homes


def _fill(draw: st.DrawFn, doc: Doc, homes: list[Doc], kinds: tuple[str, ...], number: int, stops: bool) -> None:
    """Up to so many VMs on *homes* where the rules allow it; a few are stopped, members of ``g`` or owned by ``u``."""
    cloud = rules.cloud_of(doc)
    for at in range(number):
        home = draw(st.sampled_from(homes))
        storage = next(name for name, where in cloud.storages.items() if home["cluster"] in where.clusters)
        entry = vm(f"r{at}", storage, draw(st.sampled_from(kinds)), host=home["name"])
        if doc.get("affinityGroups") and draw(st.booleans()):
            entry["affinityGroup"] = "g"
        if doc.get("accounts") and draw(st.booleans()):
            entry["account"] = "u"
        if stops and draw(st.integers(0, 7)) == 7:
            entry |= {"state": "Stopped", "lastHost": entry.pop("host")}
        trial = rules.cloud_of({**doc, "vms": [*doc["vms"], entry]})
        if is_sound(trial, entry["name"]):
            doc["vms"].append(entry)
            cloud = trial


def is_sound(cloud: rules.Cloud, name: str) -> bool:
    """Whether the VM that came last stands by every rule and leaves the storage what the allocator would leave."""
    vm = cloud.vms[name]
    volume = vm.volumes[0]
    if cloud.storages[volume.storage].reserve > rules.free_space(cloud, volume.storage, volume.host):
        return False
    if vm.host is not None:
        home = cloud.hosts[vm.host]
        rules.unplace(cloud, name)
        state, home.state = home.state, "Enabled"
        fits = rules.can_place(cloud, vm, home.name)
        rules.place(cloud, vm, home.name)
        home.state = state
        if not fits:
            return False
    return not rules.faults_of(cloud)
