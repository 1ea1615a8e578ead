"""Small clouds and streams of operations as Hypothesis strategies, a driver for them, and a dump of all books.

In the order of the file:

* scenarios: ``clouds`` draws a whole document (hosts, storages, images, networks, offerings, accounts, affinity groups,
  settings, VMs, each by a private function of its name); ``scenario`` and ``opened`` load it and open it for a run;
* operations: ``operations`` draws a list of steps (clones with ``clone_bodies``, life of VMs, administration),
  ``apply`` carries one out, ``clone_request`` turns a drawn body into a request, ``living`` picks a VM that exists;
* questions: ``requests`` draws any question the host allocator may be asked, ``request_of`` makes one from dice, and
  ``FOCUS`` lists what is drawn together so that each flow is reached often;
* crowded clouds: ``crowded_cloud`` and ``stir`` make states in which most questions have several answers;
* hooks: inside ``watched`` every host decision (as a ``Seen``) and every dry run is handed to a function;
* the books: ``dump`` copies all state of a ledger as plain data, ``differing`` names what differs between two dumps.

Who adds a flow, a storage type or a setting adds it here too: tests/flows fails for a flow no drawn cloud exercises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st

import simclone.engine.allocation as allocation_module
import simclone.engine.queries as queries_module
import simclone.placement.host as host_module
from simclone.allocator.host.request import HostRequest
from simclone.chance import Identity
from simclone.changes.load import scenario_of
from simclone.engine.context import Context
from simclone.engine.opening import open_context
from simclone.engine.operations import groups as admin_groups
from simclone.engine.operations import hosts as admin_hosts
from simclone.engine.operations import volumes as admin_volumes
from simclone.engine.operations.clone.call import clone_now
from simclone.engine.operations.destroy_vm import destroy_vm, expunge_vm, recover_vm
from simclone.engine.operations.migrate_vm import migrate_vm
from simclone.engine.operations.start_vm import pause_vm, start_vm, stop_vm
from simclone.engine.queries import hosts_for_create, hosts_for_migration, hosts_for_start
from simclone.engine.waits import run_now
from simclone.model.columns import IntTable
from simclone.model.inventory import StorageConstraint
from simclone.model.ledger.ledger import Ledger
from simclone.records import CloneAnswer, CloneRequest, Decision
from simclone.units import GIB, MIB, SECOND, multiplied
from simclone.wire.tags import parse_tags

Doc = dict[str, Any]
Op = tuple[Any, ...]

OPEN_STRATEGIES = (
    "LeastVmPreferredHostAllocatorStrategy",
    "DefaultHostAllocatorStrategy",
    "StoppedVmAwareLeastVmPreferredHostAllocatorStrategy",
    "DesignatedHostAllocatorStrategy",
    "LastHostPreferredAllocatorStrategy",
    "simclone.FirstFit",
    "simclone.BestFit",
    "simclone.WorstFit",
    "simclone.RoundRobin",
    "simclone.Random",
    "simclone.LifetimeAware",
)
CLOUD_STRATEGIES = (
    *OPEN_STRATEGIES,
    "MinimumCPUUsageHostAllocatorStrategy",
    "MinimumMemoryUsageHostAllocatorStrategy",
    "MaxInstancePerHostHostAllocatorStrategy",
)
MIGRATIONS = ("MigrateVmAllocatorStrategy", "LocalStorageMigrateVmAllocatorStrategy")
POLICIES = ("antiHard", "antiSoft", "affinityHard", "affinitySoft", "spreadHard", "spreadSoft")


def examples(number: int) -> int:
    """How many examples a test draws: *number*, or what the profile ``explore`` says."""
    most: int = settings.default.max_examples if settings.default else number
    return most if most > 1000 else number


def strategies_of(profile: str) -> tuple[str, ...]:
    """The strategies an offering of a profile may name."""
    return CLOUD_STRATEGIES if profile == "cloud" else OPEN_STRATEGIES


def _mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([usual] * (5 * len(others)) + list(others))


def _some(names: list[str], least: int = 0) -> st.SearchStrategy[list[str]]:
    if not names:
        return st.just([])
    return st.lists(st.sampled_from(names), min_size=min(least, len(names)), unique=True).map(sorted)


_OFTEN_ALL = st.sampled_from([True, True, True, True, False])


@st.composite
def clouds(draw: st.DrawFn, profile: str | None = None) -> Doc:
    """A topology with settings and source VMs, valid by construction, in the file's spelling."""
    profile = profile or draw(st.sampled_from(["cloud", "open"]))
    zones = [{"name": f"z{n}"} for n in range(draw(_mostly(1, 2)))]
    clusters: list[Doc] = [
        {
            "name": f"c{n}",
            "zone": draw(st.sampled_from(zones))["name"],
            "hypervisorType": draw(_mostly("KVM", "Simulator")),
        }
        for n in range(draw(st.integers(1, 3)))
    ]
    hosts = [draw(_hosts(f"h{n}", clusters, profile)) for n in range(draw(st.sampled_from([4, 8, 2, 6, 3, 5, 7, 1])))]
    storages = [draw(_storages(f"p{n}", zones, clusters, hosts)) for n in range(draw(st.integers(1, 3)))]
    backups = [draw(_backups(f"b{n}", zones)) for n in range(draw(st.integers(1, 2)))]
    images = [draw(_images(f"i{n}", backups)) for n in range(draw(st.integers(1, 2)))]
    l2s = [draw(_l2s(f"l2-{n}", zones, clusters)) for n in range(draw(st.integers(1, 2)))]
    l3s = [draw(_l3s(n, l2s)) for n in range(draw(st.integers(1, 2)))]
    disks = [draw(_disks(f"d{n}", storages)) for n in range(2)]
    offerings = [draw(_offerings(f"o{n}", profile, storages)) for n in range(draw(st.integers(1, 3)))]
    accounts = [draw(_accounts("user"))]
    host_groups = [{"name": "hg", "hosts": draw(_some([one["name"] for one in hosts], 1))}]
    many = draw(st.integers(0, 3)) if profile == "cloud" else 0  # the open core knows no groups
    groups = [draw(_groups(f"g{n}", hosts)) for n in range(many)]
    parts = {
        "zones": zones,
        "clusters": clusters,
        "hosts": hosts,
        "primaryStorages": storages,
        "backupStorages": backups,
        "images": images,
        "l2Networks": l2s,
        "l3Networks": l3s,
        "diskOfferings": disks,
        "instanceOfferings": offerings,
        "accounts": accounts,
        "hostGroups": host_groups,
        "affinityGroups": groups,
    }
    doc: Doc = {
        **parts,
        "globalConfig": draw(_settings()),
        "run": {"profile": profile, "seed": draw(st.integers(0, 9))},
    }
    doc["fidelity"] = {"doubleReturn": draw(st.booleans())}
    doc["vms"] = [draw(_vms(f"v{n}", doc)) for n in range(draw(st.integers(1, 5)))]
    if draw(st.booleans()):
        host = draw(st.sampled_from(hosts))["name"]
        key, value = draw(
            st.sampled_from([("mevoco.overProvisioning.memory", 1.5), ("kvm.reservedMemory", 2 * GIB + 1)])
        )
        doc["resourceConfig"] = [{"resourceType": "host", "resource": host, "key": key, "value": value}]
    return doc


@st.composite
def _hosts(draw: st.DrawFn, name: str, clusters: list[Doc], profile: str) -> Doc:
    host = {
        "name": name,
        "cluster": draw(st.sampled_from(clusters))["name"],
        "cpuNum": draw(st.sampled_from([4, 8, 2, 1])),
        "totalPhysicalMemory": draw(st.sampled_from([8 * GIB, 3 * GIB, 4 * GIB, 8 * GIB + 7, 64 * GIB])),
        "state": draw(_mostly("Enabled", "Disabled", "Maintenance")),
        "status": draw(_mostly("Connected", "Disconnected", "Connecting")),
        "architecture": draw(_mostly("x86_64", "aarch64")),
        "os": draw(_mostly("linux 8", "linux 7")),
    }
    rack = draw(st.sampled_from(["r1", "r2", None]))
    if rack is not None:
        host["labels"] = {"rack": rack}
    if profile == "cloud" and draw(st.booleans()):  # the open core knows no devices
        host["pciDevices"] = {"gpu": draw(st.integers(1, 3))}
    return host


@st.composite
def _storages(draw: st.DrawFn, name: str, zones: list[Doc], clusters: list[Doc], hosts: list[Doc]) -> Doc:
    zone = draw(st.sampled_from(zones))["name"]
    near = [one["name"] for one in clusters if one["zone"] == zone]
    kind = draw(st.sampled_from(["NFS", "LocalStorage", "Ceph", "SharedBlock", "Ceph", "SharedMountPoint"]))
    seen = near if draw(_OFTEN_ALL) else draw(_some(near))
    one: Doc = {
        "name": name,
        "zone": zone,
        "type": kind,
        "attachedClusters": seen,
        "state": draw(_mostly("Enabled", "Disabled", "Maintenance")),
        "status": draw(_mostly("Connected", "Disconnected")),
        "tags": draw(st.sampled_from([[], [], ["fast"]])),
    }
    members = [host["name"] for host in hosts if host["cluster"] in seen]
    sizes = st.sampled_from([500 * GIB, 50 * GIB, 20 * GIB, 500 * GIB + 3, 8 * GIB])
    if kind == "LocalStorage":
        chosen = members if draw(_OFTEN_ALL) else draw(_some(members))
        one["localHosts"] = [{"host": host, "totalCapacity": draw(sizes)} for host in chosen]
        return one
    total = draw(sizes)
    one["totalCapacity"] = total
    if draw(st.booleans()):
        one["availablePhysicalCapacity"] = draw(st.sampled_from([total, total // 2, total // 20]))
    if kind == "Ceph":
        one["cephFsid"] = draw(st.sampled_from(["fs1", "fs2"]))
    linked = draw(_some(members)) if draw(st.booleans()) else []
    states = st.sampled_from(["Connected", "Disconnected", "Connecting"])
    one["hostLinks"] = [{"host": host, "status": draw(states)} for host in linked]
    return one


@st.composite
def _backups(draw: st.DrawFn, name: str, zones: list[Doc]) -> Doc:
    kind = draw(_mostly("ImageStoreBackupStorage", "SftpBackupStorage", "Ceph"))
    one = {"name": name, "type": kind, "status": draw(st.sampled_from(["Connected", "Connected", "Disconnected"]))}
    if kind == "Ceph":
        one["cephFsid"] = draw(st.sampled_from(["fs1", "fs2"]))
    if not draw(_OFTEN_ALL):
        one["attachedZones"] = draw(_some([zone["name"] for zone in zones]))
    return one


@st.composite
def _images(draw: st.DrawFn, name: str, backups: list[Doc]) -> Doc:
    one = {
        "name": name,
        "size": draw(st.sampled_from([GIB, 2 * GIB, 8 * GIB, 8 * GIB + 5])),
        "actualSize": draw(st.sampled_from([0, GIB, 512 * MIB + 1])),
        "format": "qcow2",
    }
    if draw(st.booleans()):
        one["backupStorages"] = draw(_some([backup["name"] for backup in backups], 1))
    if draw(st.booleans()):
        one["architecture"] = draw(_mostly("x86_64", "aarch64"))
    return one


@st.composite
def _l2s(draw: st.DrawFn, name: str, zones: list[Doc], clusters: list[Doc]) -> Doc:
    zone = draw(st.sampled_from(zones))["name"]
    near = [one["name"] for one in clusters if one["zone"] == zone]
    return {"name": name, "zone": zone, "attachedClusters": near if draw(_OFTEN_ALL) else draw(_some(near))}


@st.composite
def _l3s(draw: st.DrawFn, number: int, l2s: list[Doc]) -> Doc:
    many = draw(st.sampled_from([3, 9, 2, 5, 30]))
    kinds = [None, "FirstAvailableIpAllocatorStrategy", "AscDelayRecycleIpAllocatorStrategy"]
    one = {
        "name": f"l3-{number}",
        "l2Network": draw(st.sampled_from(l2s))["name"],
        "ipRanges": [{"start": f"10.{number}.0.10", "end": f"10.{number}.0.{9 + many}"}],
        "dhcp": draw(_mostly(True, False)),
    }
    kind = draw(st.sampled_from(kinds))
    return one if kind is None else {**one, "ipAllocatorStrategy": kind}


def _constraints(storages: list[Doc]) -> st.SearchStrategy[Doc | None]:
    return _mostly(
        None,
        {"kind": "uuid", "primaryStorage": storages[0]["name"]},
        {"kind": "tag", "tag": "fast", "required": True},
        {"kind": "tag", "tag": "fast", "required": False},
    )


@st.composite
def _disks(draw: st.DrawFn, name: str, storages: list[Doc]) -> Doc:
    one = {"name": name, "diskSize": draw(st.sampled_from([GIB, 3 * GIB, 20 * GIB]))}
    wish = draw(_constraints(storages))
    return one if wish is None else {**one, "primaryStorageConstraint": wish}


@st.composite
def _offerings(draw: st.DrawFn, name: str, profile: str, storages: list[Doc]) -> Doc:
    tags = [f"maxInstancePerHost::{draw(st.integers(1, 4))}"]
    if draw(st.booleans()):
        tags.append("minimumCPUUsageHostAllocatorStrategyMode::hard")
    if profile == "cloud" and draw(_mostly(False, True)):
        tags.append(f"pciDeviceSpec::gpu::{draw(st.integers(1, 2))}")
    one = {
        "name": name,
        "cpuNum": draw(st.sampled_from([1, 1, 2, 4])),
        "memorySize": draw(st.sampled_from([512 * MIB, GIB, GIB + 1, 2 * GIB, 4 * GIB, 8 * GIB])),
        "systemTags": tags,
    }
    strategy = draw(st.sampled_from([*strategies_of(profile), None]))
    wish = draw(_constraints(storages))
    if strategy is not None:
        one["allocatorStrategy"] = strategy
    return one if wish is None else {**one, "primaryStorageConstraint": wish}


@st.composite
def _accounts(draw: st.DrawFn, name: str) -> Doc:
    keys = ["vm.num", "vm.totalNum", "vm.cpuNum", "volume.data.num", "image.num", "snapshot.volume.num"]
    quota = {key: draw(st.integers(3, 12)) for key in draw(_some(keys))}
    if draw(st.booleans()):
        quota["vm.memorySize"] = draw(st.sampled_from([4 * GIB, 16 * GIB]))
    return {"name": name, "quota": quota}


@st.composite
def _groups(draw: st.DrawFn, name: str, hosts: list[Doc]) -> Doc:
    one: Doc = {"name": name, "policy": draw(st.sampled_from(POLICIES)), "state": draw(_mostly("Enabled", "Disabled"))}
    labels = ["rack"] if any(host.get("labels") for host in hosts) else []
    one["over"] = draw(st.sampled_from(["host", *labels, "cluster", "zone"]))
    one["maxSkew"] = draw(st.integers(1, 2))
    rule = draw(st.sampled_from([None, *POLICIES[:4]]))
    if rule is not None:
        one["hostRule"] = {"policy": rule, "hostGroup": "hg"}
    return one


@st.composite
def _settings(draw: st.DrawFn) -> Doc:
    config: Doc = {
        "host.cpu.overProvisioning.ratio": draw(st.sampled_from([10, 2, 1])),
        "mevoco.overProvisioning.memory": draw(st.sampled_from([1.0, 1.2, 1.5, 3.0])),
        "mevoco.overProvisioning.primaryStorage": draw(st.sampled_from([1.0, 1.0, 1.2, 1.5, 3.0])),
        "kvm.reservedMemory": draw(st.sampled_from([0, 0, GIB, GIB + 1])),
        "primaryStorage.reservedCapacity": draw(st.sampled_from([0, GIB, 4 * GIB])),
        "hostAllocator.usePagination": draw(_mostly(True, False)),
        "hostAllocator.paginationLimit": draw(st.sampled_from([500, 3, 500, 2, 1])),
        "hostAllocator.checkHostMem": draw(_mostly(True, False)),
        "vm.resourceBinding.strategy": draw(st.sampled_from(["Hard", "Soft"])),
        "mevoco.deleteTempImages": draw(_mostly(True, False)),
        "vm.deletionPolicy": draw(st.sampled_from(["Delay", "Direct"])),
    }
    if draw(st.booleans()):
        config["mevoco.threshold.primaryStorage.physicalCapacity"] = draw(st.sampled_from([0.8, 0.9, 1.0]))
    return config


@st.composite
def _vms(draw: st.DrawFn, name: str, doc: Doc) -> Doc:
    """A VM adopted on a host that sees its storage and networks, or one that is only recorded."""
    vm: Doc = {
        "name": name,
        "instanceOffering": draw(st.sampled_from(doc["instanceOfferings"]))["name"],
        "image": draw(st.sampled_from(doc["images"]))["name"],
    }
    if draw(st.booleans()):
        vm["account"] = "user"
    if doc["affinityGroups"] and draw(st.booleans()):
        vm["affinityGroup"] = draw(st.sampled_from(doc["affinityGroups"]))["name"]
    if draw(st.booleans()):
        vm["dataDiskOfferings"] = draw(_some(["d0", "d1"], 1))
    places = [
        (host, storage["name"])
        for host in doc["hosts"]
        for storage in doc["primaryStorages"]
        if host["cluster"] in storage["attachedClusters"]
        and ("localHosts" not in storage or host["name"] in [one["host"] for one in storage["localHosts"]])
    ]
    networks = [one["name"] for one in doc["l3Networks"]]
    if places and draw(_mostly(True, False)):
        host, vm["primaryStorage"] = draw(st.sampled_from(places))
        vm["host"] = host["name"]
        near = {one["name"] for one in doc["l2Networks"] if host["cluster"] in one["attachedClusters"]}
        networks = [one["name"] for one in doc["l3Networks"] if one["l2Network"] in near]
        vm["rootActualSize"] = draw(st.sampled_from([0, GIB, 300 * MIB + 1]))
    else:
        vm["state"] = "Created"
    vm["l3Networks"] = networks[:1] if draw(_OFTEN_ALL) else draw(_some(networks))
    return vm


def scenario(doc: Doc) -> Any:
    """The checked scenario of a document."""
    return scenario_of(doc)


def opened(doc: Doc) -> Context:
    """A cloud at t = 0."""
    return open_context(scenario(doc))


# -- operations ------------------------------------------------------------------------------------------------


@st.composite
def clone_bodies(draw: st.DrawFn) -> Doc:
    """The wishes of one clone call; numbers are taken modulo what there is."""
    flags = st.integers(0, 9)
    return {
        "many": draw(st.integers(1, 5)),
        "strategy": draw(_mostly("InstantStart", "CreateStopped", "JustCreate")),
        "full": draw(_mostly(False, True)),
        "host": draw(flags) if draw(_mostly(False, True)) else None,
        "cluster": draw(flags) if draw(_mostly(False, True)) else None,
        "group": draw(flags) if draw(st.booleans()) else None,
        "root_storage": draw(flags) if draw(_mostly(False, True)) else None,
        "data_storage": draw(flags) if draw(_mostly(False, True)) else None,
        "fast": draw(_mostly(False, True)),
        "account": draw(_mostly(None, "user")),
        "binding": draw(flags) if draw(_mostly(False, True)) else None,
    }


def operations(clones_only: bool = False) -> st.SearchStrategy[list[Op]]:
    """A stream of operations: mostly clone calls, and the life and administration around them."""
    number = st.integers(0, 30)
    clone = st.tuples(st.just("clone"), number, clone_bodies())
    if clones_only:
        return st.lists(clone, min_size=2, max_size=4)
    simple = st.tuples(
        st.sampled_from(["stop", "start", "migrate", "destroy", "expunge", "recover", "pause", "query", "detach"]),
        number,
    )
    pairs = st.tuples(
        st.sampled_from(["join", "leave", "snapshot", "volume", "enable", "disable", "actual"]), number, number
    )
    return st.lists(st.one_of(clone, clone, simple, pairs), min_size=3, max_size=8)


def clone_request(ctx: Context, number: int, body: Doc, serial: int) -> CloneRequest | None:
    """A clone call on a living VM; None when there is none."""
    cloud = ctx.cloud
    vm = living(ctx, number)
    if vm is None:
        return None
    tags = []
    if body["group"] is not None and cloud.groups:
        tags.append(f"affinityGroupUuid::{cloud.groups[body['group'] % len(cloud.groups)].name}")
    if body["fast"]:
        tags.append("ephemeral::volume::fastCreate")
    if body["binding"] is not None:
        tags.append(f"resourceBindings::Host:{_pick(cloud.fleet.names, body['binding'])}")

    def name(key: str, names: list[str]) -> str | None:
        return None if body[key] is None else _pick(names, body[key])

    storages = [one.name for one in cloud.storages]
    return CloneRequest(
        name=f"r{serial}",
        vm=cloud.vm_uuid(vm),
        names=tuple(f"r{serial}-{turn}" for turn in range(body["many"])),
        strategy=body["strategy"],
        full=body["full"],
        root_storage=name("root_storage", storages),
        data_storage=name("data_storage", storages),
        cluster=name("cluster", [one.name for one in cloud.clusters]),
        host=name("host", cloud.fleet.names),
        system_tags=tuple(tags),
        account=body["account"],
        source="stream",
        ordinal=serial,
        stays_us=tuple(
            None if (serial + turn) % 4 == 3 else SECOND << (serial + 3 * turn) % 20 for turn in range(body["many"])
        ),
    )


def _pick(rows: list[Any], number: int) -> Any:
    return rows[number % len(rows)]


def living(ctx: Context, number: int) -> int | None:
    """The *number*-th living VM, modulo how many there are."""
    rows = [row for row in range(ctx.cloud.vms.row_count) if ctx.cloud.vms.alive[row]]
    return rows[number % len(rows)] if rows else None


def apply(ctx: Context, op: Op, serial: int = 0) -> CloneAnswer | None:
    """Carry out one operation; those that make no sense now do nothing. Clone calls give their answer."""
    kind, number = op[0], op[1]
    if kind == "clone":
        request = clone_request(ctx, number, op[2], serial)
        return None if request is None else clone_now(ctx, request)
    cloud = ctx.cloud
    if kind in ("enable", "disable"):
        run_now(admin_hosts.change_host_state(ctx, number % cloud.fleet.row_count, kind))
        return None
    vm = living(ctx, number)
    if vm is None:
        return None
    lives: dict[str, Callable[..., Any]] = {
        "stop": stop_vm,
        "start": start_vm,
        "migrate": migrate_vm,
        "destroy": destroy_vm,
        "expunge": expunge_vm,
        "recover": recover_vm,
        "pause": pause_vm,
    }
    state = cloud.vms.state_name(vm)
    if kind in lives:
        if not (kind == "destroy" and state == "Created"):
            run_now(lives[kind](ctx, vm))
    elif kind == "query":
        hosts_for_create(ctx, cloud.vms.shape_of(vm), cloud.vms.cpu[vm], cloud.vms.memory[vm])
        hosts_for_migration(ctx, vm)
        if state == "Stopped":
            hosts_for_start(ctx, vm)
    elif kind == "detach" and cloud.vms.nics[vm] and state in ("Running", "Stopped"):
        admin_groups.detach_l3_network(ctx, vm, cloud.nics.l3[cloud.vms.nics[vm][0]])
    elif kind in ("join", "leave") and cloud.groups:
        verb = admin_groups.add_vm_to_affinity_group if kind == "join" else admin_groups.remove_vm_from_affinity_group
        verb(ctx, op[2] % len(cloud.groups), vm)
    elif kind in ("snapshot", "actual") and cloud.vms.root[vm] >= 0:
        root = cloud.vms.root[vm]
        if kind == "snapshot":
            admin_volumes.create_snapshot(ctx, root, cloud.vms.account[vm])
        else:
            admin_volumes.set_actual_size(ctx, root, (op[2] % 4) * 300 * MIB)
    elif kind == "volume" and state in ("Running", "Stopped"):
        disk = admin_volumes.Disk(GIB * (1 + op[2] % 3))
        made = admin_volumes.create_data_volume(ctx, f"extra-{serial}", disk, account=cloud.vms.account[vm])
        if made.ok:
            admin_volumes.attach_data_volume(ctx, vm, made.row)
    return None


# -- questions to the host allocator ----------------------------------------------------------------------


FOCUS: tuple[tuple[str | None, str | None, tuple[str, ...]], ...] = (
    (None, None, ()),
    (None, "NewCreate", ("required_storages", "disk_size")),
    (None, "NewCreate", ("required_storages",)),
    (None, None, ("bindings",)),
    (None, None, ("system_tags",)),
    ("DesignatedHostAllocatorStrategy", None, ("last_host", "list_all")),
    ("LastHostPreferredAllocatorStrategy", None, ("last_host",)),
    ("MaxInstancePerHostHostAllocatorStrategy", "NewCreate", ()),
    ("LeastVmPreferredHostAllocatorStrategy", "NewCreate", ("image",)),
    (None, "NewCreate", ("image", "disk_size")),
    (None, "NewCreate", ("image", "backup_storage")),
    ("DesignatedHostAllocatorStrategy", "NewCreate", ("image",)),
    ("LeastVmPreferredHostAllocatorStrategy", "NewCreate", ("group",)),
    ("LeastVmPreferredHostAllocatorStrategy", "NewCreate", ("group", "image", "soft_avoid")),
    ("StoppedVmAwareLeastVmPreferredHostAllocatorStrategy", "NewCreate", ()),
    ("LocalStorageMigrateVmAllocatorStrategy", "Migrate", ("root_storage", "volume_sizes")),
)
"""Strategy, operation and fields that are wild together, so that the flows they meet in are reached often."""


@st.composite
def requests(draw: st.DrawFn, cloud: Any, turn: int = 0) -> HostRequest:
    """Any question the allocator may be asked on a cloud, whether an operation would ask it or not."""
    figures = [
        cloud.fleet.array(cloud.fleet.cells[name]).tolist()
        for name in ("cluster", "total_memory", "available_memory", "state")
    ]
    kinds = [(one.type, one.available, one.status) for one in cloud.storages]
    return request_of(Random(f"{draw(st.integers(0, 1 << 64))}/{turn}/{figures}/{kinds}"), cloud)


def request_of(dice: Random, cloud: Any) -> HostRequest:
    """One such question, from dice: even chances find corners that a shrinking search visits again and again.

    A few fields at a time are wild; amounts lie on, just below or just above what some host or storage has.
    """
    hosts, storages, fleet = range(cloud.fleet.row_count), cloud.storages, cloud.fleet
    pick = dice.choice
    host, near = pick(hosts), pick((0, 0, 1, -1))
    ratio, total, free = fleet.memory_ratio(host), fleet.total_memory[host], fleet.available_memory[host]
    room = free - fleet.reserved_memory[host]
    row = pick(range(len(storages)))
    one, of_storage = storages[row], cloud.storage_ratio(row)
    share = one.available if one.shares is None else one.shares.available[host]
    spare = share - int(cloud.settings.values["primaryStorage.reservedCapacity"])
    image = pick(range(len(cloud.images)))
    actual = cloud.images[image].actual_size
    sizes = [multiplied(share, of_storage), multiplied(share, of_storage) - actual, multiplied(spare, of_storage)]
    disks = [0, *(max(size + near, 0) for size in sizes)]
    wishes = [StorageConstraint(storage=row), StorageConstraint(tag="fast"), StorageConstraint(None, "fast", False)]
    local = [place for place, storage in enumerate(storages) if storage.per_host]
    tags = ["minimumCPUUsageHostAllocatorStrategyMode::hard", "minimumMemoryUsageHostAllocatorStrategyMode::hard"]
    tags += ["pciDeviceSpec::gpu::1"] if cloud.settings.profile == "cloud" else []
    groups = range(len(cloud.groups))
    crowded = [place for place in groups if any(cloud.groups[place].counts.values())]

    def some(rows: Any) -> frozenset[int]:
        return frozenset(dice.choices(range(len(rows)), k=dice.randint(1, 2)))

    def any_of(rows: Any) -> int | None:
        return dice.randrange(len(rows)) if len(rows) else None

    def binding() -> tuple[str, int]:
        return ("Host", pick(hosts)) if dice.random() < 0.7 else ("Cluster", dice.randrange(len(cloud.clusters)))

    wild: dict[str, Callable[[], Any]] = {
        "vm": lambda: any_of(range(cloud.vms.row_count)),
        "account": lambda: 0,
        "disk_size": lambda: pick(disks),
        "volume_sizes": lambda: disks[1],
        "snapshot_sizes": lambda: pick((0, 1)),
        "l3s": lambda: tuple(sorted(some(cloud.l3s))),
        "image": lambda: image,
        "architecture": lambda: pick(("x86_64", "aarch64")),
        "backup_storage": lambda: any_of(cloud.backups),
        "required_storages": lambda: pick((frozenset({row}), some(storages))),
        "optional_storages": lambda: tuple(some(storages) for _ in range(dice.randint(1, 2))),
        "vm_constraint": lambda: pick(wishes),
        "disk_constraints": lambda: tuple(dice.choices(wishes, k=dice.randint(1, 2))),
        "zone": lambda: any_of(cloud.zones),
        "clusters": lambda: tuple(sorted(some(cloud.clusters))),
        "host": lambda: host,
        "avoid": lambda: some(hosts),
        "soft_avoid": lambda: some(hosts),
        "vm_cluster": lambda: any_of(cloud.clusters),
        "last_host": lambda: any_of(hosts),
        "current_host": lambda: any_of(hosts),
        "root_storage": lambda: row if one.per_host else pick(local or [None]),
        "volume_storages": lambda: some(storages),
        "volume_hosts": lambda: some(hosts),
        "root_ready": lambda: dice.random() < 0.5,
        "group": lambda: pick(crowded) if crowded and dice.random() < 0.8 else any_of(groups),
        "bindings": lambda: tuple(binding() for _ in range(dice.randint(1, 2))),
        "system_tags": lambda: tuple(dice.sample(tags, 1)),
        "list_all": lambda: dice.random() < 0.7,
    }
    known = strategies_of(cloud.settings.profile)
    strategy, operation, forced = pick(FOCUS)
    strategy = strategy if strategy in (*known, *MIGRATIONS) else None
    calm = bool(strategy or forced) and dice.random() < 0.75
    memory = GIB if calm else pick([GIB, 0, *(max(edge + near, 0) for edge in (multiplied(room, ratio), free, total))])
    cpus = [fleet.available_cpu[host] - fleet.stopped_cpu[host], fleet.available_cpu[host]]
    counts = [*(max(edge + near, 0) for edge in cpus), 1, 0, 40]
    names = {*forced, *dice.sample(list(wild), dice.randint(0, 2 if calm else 4))}
    chosen = {name: wild[name]() for name in sorted(names)}
    return HostRequest(
        cpu=pick(counts[:2]) if "Stopped" in (strategy or "") else 1 if calm else pick(counts),
        memory=memory,
        strategy=strategy or pick([*known, *MIGRATIONS]),
        operation=operation or pick(("NewCreate", "NewCreate", "Start", "Migrate")),
        hypervisor=cloud.decode("hypervisor", fleet.hypervisor[host]) if dice.random() < 0.9 else "Simulator",
        dry_run=dice.random() < 0.3,
        tags=parse_tags(chosen.pop("system_tags", (f"maxInstancePerHost::{dice.randint(0, 3)}",))),
        **chosen,
    )


def crowded_cloud(dice: Random, profile: str) -> Doc:
    """A cloud in which most questions have several answers: usable hosts, every policy with members, mixed storage."""
    hosts = [f"h{n}" for n in range(8)]
    names = [f"c{n}" for n in range(3)]
    policies = POLICIES if profile == "cloud" else ()
    doc: Doc = {
        "run": {"profile": profile, "seed": dice.randrange(9)},
        "clusters": [{"name": name} for name in names],
        "hosts": [
            {
                "name": name,
                "cluster": dice.choice(names),
                "cpuNum": dice.choice([2, 4]),
                "totalPhysicalMemory": dice.choice([8, 16]) * GIB,
                "state": "Disabled" if dice.random() < 0.1 else "Enabled",
                "architecture": "x86_64",
                "labels": {"rack": dice.choice(["r1", "r2", "r3"])},
            }
            for name in hosts
        ],
        "primaryStorages": [
            {"name": "p0", "type": "NFS", "totalCapacity": 500 * GIB},
            {"name": "p1", "type": "Ceph", "totalCapacity": 500 * GIB, "attachedClusters": dice.sample(names, 1)},
            {"name": "p2", "type": dice.choice(["Ceph", "SharedBlock"]), "totalCapacity": 500 * GIB},
        ],
        "backupStorages": [
            {"name": "b0", "status": dice.choice(["Connected", "Disconnected"])},
            {"name": "b1", "type": "Ceph", "cephFsid": "fs1"},
        ],
        "images": [
            {"name": "i0", "size": GIB, "actualSize": GIB, "backupStorages": ["b0"]},
            {"name": "i1", "size": GIB, "backupStorages": [dice.choice(["b0", "b1"])]},
        ],
        "l3Networks": [{"name": "l3", "dhcp": False}],
        "instanceOfferings": [{"name": "o0", "cpuNum": 1, "memorySize": GIB}],
        "accounts": [{"name": "user"}],
        "hostGroups": [{"name": "hg", "hosts": dice.sample(hosts, 3)}],
        "globalConfig": {
            "host.cpu.overProvisioning.ratio": 2,
            "kvm.reservedMemory": dice.choice([0, GIB]),
            "hostAllocator.paginationLimit": dice.choice([500, 500, 3]),
            "vm.resourceBinding.strategy": dice.choice(["Hard", "Soft"]),
        },
    }
    for one in doc["primaryStorages"]:
        if one["type"] == "Ceph":
            one["cephFsid"] = "fs1"
    doc["affinityGroups"] = [{"name": policy, "policy": policy, "maxSkew": dice.choice([1, 2])} for policy in policies]
    for group in doc["affinityGroups"]:
        group["over"] = dice.choice(["host", "rack", "cluster"])
        if dice.random() < 0.5:
            group["hostRule"] = {"policy": dice.choice(POLICIES[:4]), "hostGroup": "hg"}
    vm = {"instanceOffering": "o0", "image": "i1", "l3Networks": ["l3"], "primaryStorage": "p0"}
    doc["vms"] = [{**vm, "name": f"v{n}", "host": dice.choice(hosts)} for n in range(14)]
    for one, policy in zip(doc["vms"], [*policies, *policies], strict=False):
        one["affinityGroup"] = policy
    return doc


def stir(ctx: Context, dice: Random) -> None:
    """Some VMs stop, where they are remembered, and the images are cached here and there."""
    for vm in dice.sample(range(14), 4):
        apply(ctx, ("stop", vm))
    for storage in range(3):
        for image in range(2):
            if dice.random() < 0.4:
                ctx.ledger.volumes.cache_image(image, storage, -1, -1)


# -- hooks -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """A host decision as it was made: what was asked, on which cloud (as it stood), and what came of it."""

    request: Any
    cloud: Any
    identity: Identity
    decision: Decision


@contextmanager
def watched(
    decided: Callable[[Seen], None] | None = None, listed: Callable[[Any, Any, Any], None] | None = None
) -> Iterator[None]:
    """Inside, *decided* sees every host decision and *listed* every dry run, before anything is written."""
    real_decide, real_candidates = host_module.decide, host_module.candidates

    def decide(request: Any, cloud: Any, identity: Identity, seen: Any = None) -> Decision:
        decision = real_decide(request, cloud, identity, seen)
        if decided is not None:
            decided(Seen(request, cloud, identity, decision))
        return decision

    def candidates(request: Any, cloud: Any, identity: Identity) -> Any:
        found = real_candidates(request, cloud, identity)
        if listed is not None:
            listed(request, cloud, found)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host_module, "decide", decide)
        patch.setattr(allocation_module, "decide", decide)
        patch.setattr(host_module, "candidates", candidates)
        patch.setattr(queries_module, "candidates", candidates)
        yield


# -- the books as plain data -------------------------------------------------------------------------------------


def _columns(table: IntTable) -> dict[str, list[int]]:
    return {name: table.array(cells).tolist() for name, cells in table.cells.items()}


def _plain(thing: Any) -> Any:
    """A mutable row object as a dict of copies."""
    found = {}
    for name in thing.__slots__:
        value = getattr(thing, name)
        if isinstance(value, IntTable):
            value = _columns(value)
        elif isinstance(value, dict):
            value = sorted(value.items())
        elif isinstance(value, set | frozenset):
            value = sorted(value)
        elif isinstance(value, list):
            value = [_plain(one) if hasattr(type(one), "__slots__") and hasattr(one, "held") else one for one in value]
        found[name] = value
    return found


def dump(ledger: Ledger) -> dict[str, Any]:
    """Everything both books hold, as independent plain data.

    Interned words (shapes, sources, codes, ratio classes) are no part of the books: they only ever grow.
    """
    cloud = ledger.cloud
    tables = {"hosts": cloud.fleet, "vms": cloud.vms, "volumes": cloud.volumes, "nics": cloud.nics}
    return {
        **{name: _columns(table) for name, table in tables.items()},
        "snapshots": _columns(cloud.snapshots),
        "names": [list(table.names) for table in (cloud.fleet, cloud.vms, cloud.volumes, cloud.snapshots)],
        "vm lists": [
            {key: list(rows) for key, rows in rows_of.items()}
            for rows_of in (cloud.vms.volumes, cloud.vms.nics, cloud.vms.by_name, cloud.volumes.snapshots)
        ],
        "vm words": [dict(cloud.vms.uuids), dict(cloud.vms.wishes), dict(cloud.volumes.tags)],
        "storages": [_plain(one) for one in cloud.storages],
        "backups": [_plain(one) for one in cloud.backups],
        "pools": [_plain(one) for one in cloud.pools],
        "groups": [{**_plain(one), "order": list(one.members)} for one in cloud.groups],
        "images": list(cloud.images),
        "image space": dict(cloud.image_space),
        "states": [list(one) for one in (cloud.zone_states, cloud.cluster_states, cloud.image_states)],
        "limits": [dict(one) for one in cloud.limits],
        "usage": [list(one) for one in cloud.usage],
        "settings": dict(cloud.settings.values),
        "overrides": {level: dict(found) for level, found in cloud.settings.overrides.items()},
        "last placed": cloud.last_placed,
        "devices": [(spec, sorted(held.items())) for spec, held in cloud.fleet.devices_held.items() if held],
        "spaces": dict(ledger.space.holds),
        "next": ledger.journal.next_hold,
    }


def differing(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The parts of two dumps that differ, for messages."""
    return [key for key in before if before[key] != after[key]]
