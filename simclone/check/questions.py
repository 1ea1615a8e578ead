"""The questions and assertions of a case; they change nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simclone.allocator.rules import quota
from simclone.allocator.rules.addresses import free_addresses
from simclone.check.facts import host_facts, vm_facts, volume_facts
from simclone.check.operations import Answer, Stage, failed
from simclone.engine import queries
from simclone.engine.operations.volumes import migration_hosts
from simclone.engine.shapes import shape_of
from simclone.errors import UnknownName
from simclone.model.inventory import Shape
from simclone.records import ErrorCode

Step = Mapping[str, Any]


def _shape(stage: Stage, spec: Mapping[str, Any]) -> Shape:
    cloud = stage.ctx.cloud
    return shape_of(
        cloud,
        offering=stage.find("instanceOffering", spec.get("instanceOffering")),
        image=stage.find("image", spec.get("image")),
        l3s=tuple(cloud.find("l3Network", item) for item in spec.get("l3Networks", ())),
        root_offering=stage.find("diskOffering", spec.get("rootDiskOffering")),
        disks=tuple(cloud.find("diskOffering", entry) for entry in spec.get("dataDiskOfferings", ())),
    )


def candidate_hosts(stage: Stage, step: Step) -> Answer:
    """Hosts the platform offers for a create, start, migration or volume move."""
    spec, kind, ctx = step["spec"], step["for"], stage.ctx
    result: list[int] | ErrorCode
    if kind == "create":
        offering = ctx.cloud.offerings[ctx.cloud.find("instanceOffering", spec["instanceOffering"])]
        result = queries.hosts_for_create(ctx, _shape(stage, spec), offering.cpu_num, offering.memory_size)
    elif kind == "start":
        result = queries.hosts_for_start(ctx, ctx.cloud.find("vm", spec["vm"]))
    elif kind == "migrate":
        result = queries.hosts_for_migration(ctx, ctx.cloud.find("vm", spec["vm"]))
    else:
        result = migration_hosts(ctx, stage.volume(spec["volume"]))
    if isinstance(result, ErrorCode):
        return failed(result)
    names = [ctx.cloud.fleet.names[host] for host in result]
    if not step.get("expect", {}).get("ordered"):
        return {"ok": True, "hosts": names, "count": len(names), "ordered": False}
    return {"ok": True, "orderedHosts": names, "hosts": names, "count": len(names), "ordered": True}


def candidate_primary_storages(stage: Stage, step: Step) -> Answer:
    """Storages offered for a creation."""
    result = queries.storages_for_create(stage.ctx, _shape(stage, step["spec"]))
    if isinstance(result, ErrorCode):
        return failed(result)
    storages = stage.ctx.cloud.storages
    root, data = result
    return {
        "ok": True,
        "rootVolume": sorted(storages[row].name for row in root),
        "dataVolumes": [sorted(storages[row].name for row in rows) for rows in data],
    }


def assert_capacity(stage: Stage, step: Step) -> Answer:
    """The figures of one target."""
    ((kind, what),) = step["target"].items()
    return CAPACITY[kind](stage, what)


def _host(stage: Stage, name: str) -> Answer:
    return host_facts(stage.ctx, stage.ctx.cloud.find("host", name))


def _scopes(stage: Stage, what: Any) -> list[set[int]]:
    cloud = stage.ctx.cloud
    fleet = cloud.fleet
    everybody = range(fleet.row_count)
    if what.get("all"):
        return [set(everybody)]
    if "hosts" in what:
        return [{cloud.find("host", name)} for name in what["hosts"]]
    kind, column = ("cluster", "clusters") if "clusters" in what else ("zone", "zones")
    rows = [cloud.find(kind, name) for name in what[column]]
    return [{host for host in everybody if fleet.cells[kind][host] == row} for row in rows]


def _report(stage: Stage, what: Any) -> Answer:
    scope: dict[str, Any] = {"all": True} if what == "all" else dict(what)
    result = queries.capacity_report(stage.ctx, _scopes(stage, scope), scope.get("hypervisorType"))
    return {
        "totalCpu": result.total_cpu,
        "availableCpu": result.available_cpu,
        "totalMemory": result.total_memory,
        "availableMemory": result.available_memory,
        "managedCpuNum": result.managed_cpu_num,
    }


def _storage_figures(one: Any) -> Answer:
    return {
        "totalCapacity": one.total,
        "availableCapacity": one.available,
        "totalPhysicalCapacity": one.total_physical,
        "availablePhysicalCapacity": one.available_physical,
    }


def _primary_storage(stage: Stage, name: str) -> Answer:
    return _storage_figures(stage.ctx.cloud.storages[stage.ctx.cloud.find("primaryStorage", name)])


def _local_share(stage: Stage, what: Mapping[str, str]) -> Answer:
    cloud = stage.ctx.cloud
    shares = cloud.storages[cloud.find("primaryStorage", what["primaryStorage"])].shares
    host = cloud.find("host", what["host"])
    names = ("total", "available", "total_physical", "available_physical")
    keys = ("totalCapacity", "availableCapacity", "totalPhysicalCapacity", "availablePhysicalCapacity")
    return {key: 0 if shares is None else shares.cells[name][host] for key, name in zip(keys, names, strict=True)}


def _storage_report(stage: Stage, what: Any) -> Answer:
    cloud = stage.ctx.cloud
    scope: Mapping[str, Any] = {"all": True} if what == "all" else what
    if "primaryStorages" in scope:
        rows = {cloud.find("primaryStorage", name) for name in scope["primaryStorages"]}
    elif "clusters" in scope:
        clusters = {cloud.find("cluster", name) for name in scope["clusters"]}
        rows = {row for row, item in enumerate(cloud.storages) if item.clusters & clusters}
    elif "zones" in scope:
        zones = {cloud.find("zone", name) for name in scope["zones"]}
        rows = {row for row, storage in enumerate(cloud.storages) if storage.zone in zones}
    else:
        rows = set(range(len(cloud.storages)))
    figures = [_storage_figures(cloud.storages[row]) for row in sorted(rows)]
    return {key: sum(figure[key] for figure in figures) for key in _storage_figures(cloud.storages[0])}


def _l3_network(stage: Stage, name: str) -> Answer:
    total, used = free_addresses(stage.ctx.cloud, stage.ctx.cloud.find("l3Network", name))
    return {"totalIps": total, "usedIps": used, "availableIps": total - used}


CAPACITY: Mapping[str, Callable[[Stage, Any], Answer]] = {
    "host": _host,
    "report": _report,
    "primaryStorage": _primary_storage,
    "localStorageHost": _local_share,
    "primaryStorageReport": _storage_report,
    "l3Network": _l3_network,
}


def assert_vm(stage: Stage, step: Step) -> Answer:
    """A VM's state now; one that never came to be does not exist either."""
    try:
        return vm_facts(stage.ctx, stage.vm(step["vm"]))
    except UnknownName:
        return {"exists": False}


def assert_volume(stage: Stage, step: Step) -> Answer:
    """A volume's place and size now."""
    try:
        return volume_facts(stage.ctx, stage.volume(step["volume"]))
    except (UnknownName, KeyError, IndexError):
        return {"exists": False}


def assert_host(stage: Stage, step: Step) -> Answer:
    """A host's state now."""
    return host_facts(stage.ctx, stage.ctx.cloud.find("host", step["host"]))


def assert_distribution(stage: Stage, step: Step) -> Answer:
    """Running VMs per host, of a counted create or of all."""
    target, vms = step["target"], stage.ctx.cloud.vms
    rows = range(vms.row_count) if target == "all" or "all" in target else stage.batches[target["batch"]]
    counts = queries.running_per_host(stage.ctx, rows)
    names = stage.ctx.cloud.fleet.names
    return {
        "perHost": {name: counts.get(host, 0) for host, name in enumerate(names)},
        "distinctHosts": len(counts),
    }


def assert_quota_usage(stage: Stage, step: Step) -> Answer:
    """What an account uses."""
    return dict(quota.usage(stage.ctx.cloud, stage.ctx.cloud.find("account", step["account"])))


def assert_affinity_usage(stage: Stage, step: Step) -> Answer:
    """A group's state and members."""
    cloud = stage.ctx.cloud
    group = cloud.groups[cloud.find("affinityGroup", step["affinityGroup"])]
    members = [cloud.vms.names[vm] for vm in group.members]
    return {"state": "Enabled" if group.enabled else "Disabled", "vms": members, "count": len(members)}


QUESTIONS: Mapping[str, Callable[[Stage, Step], Answer]] = {
    "candidateHosts": candidate_hosts,
    "candidatePrimaryStorages": candidate_primary_storages,
    "assertCapacity": assert_capacity,
    "assertVm": assert_vm,
    "assertVolume": assert_volume,
    "assertHost": assert_host,
    "assertDistribution": assert_distribution,
    "assertQuotaUsage": assert_quota_usage,
    "assertAffinityUsage": assert_affinity_usage,
}
