"""The current state of VMs, volumes and hosts in the words of a case's expectations."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from simclone.engine.context import Context
from simclone.model.inventory import HOST_STATES, STATUSES
from simclone.model.vms import DATA, NONE


def _name(names: list[Any], row: int) -> str | None:
    return None if row == NONE else getattr(names[row], "name", names[row])


def volume_facts(ctx: Context, volume: int) -> dict[str, Any]:
    """primaryStorage, host, size of a volume."""
    volumes = ctx.cloud.volumes
    return {
        "primaryStorage": _name(ctx.cloud.storages, volumes.storage[volume]),
        "host": _name(ctx.cloud.fleet.names, volumes.host[volume]),
        "size": volumes.size[volume],
        "exists": bool(volumes.alive[volume]),
    }


def data_volumes(ctx: Context, vm: int) -> list[int]:
    """A VM's data volumes by device number."""
    volumes = ctx.cloud.volumes
    rows = [row for row in ctx.cloud.vms.volumes[vm] if volumes.type[row] == DATA]
    return sorted(rows, key=lambda row: volumes.device[row])


def vm_facts(ctx: Context, vm: int) -> dict[str, Any]:
    """Everything a case may expect of a VM."""
    cloud, table = ctx.cloud, ctx.cloud.vms
    if not table.alive[vm]:
        return {"exists": False}
    shape, root = cloud.vms.shape_of(vm), table.root[vm]
    l3s = [cloud.nics.l3[nic] for nic in cloud.vms.nics[vm]]
    ips = [cloud.nics.ip[nic] for nic in cloud.vms.nics[vm]]
    return {
        "exists": True,
        "state": cloud.vms.state_name(vm),
        "host": _name(cloud.fleet.names, table.host[vm]),
        "lastHost": _name(cloud.fleet.names, table.last_host[vm]),
        "cluster": _name(cloud.clusters, table.cluster[vm]),
        "zone": _zone(ctx, vm),
        "cpuNum": table.cpu[vm],
        "memorySize": table.memory[vm],
        "l3Networks": [cloud.l3s[l3].name for l3 in l3s],
        "ips": {
            cloud.l3s[l3].name: None if ip == NONE else str(IPv4Address(ip)) for l3, ip in zip(l3s, ips, strict=True)
        },
        "instanceOffering": None if shape.offering is None else cloud.offerings[shape.offering].name,
        "allocatorStrategy": shape.strategy,
        "affinityGroup": _name(cloud.groups, table.group[vm]),
        "rootVolume": None if root == NONE else volume_facts(ctx, root),
        "dataVolumes": [volume_facts(ctx, row) for row in data_volumes(ctx, vm)],
    }


def _zone(ctx: Context, vm: int) -> str | None:
    cluster = ctx.cloud.vms.cluster[vm]
    zone = ctx.cloud.vms.zone[vm] if cluster == NONE else ctx.cloud.clusters[cluster].zone
    return _name(ctx.cloud.zones, zone)


def host_facts(ctx: Context, host: int) -> dict[str, Any]:
    """State, status and capacity record of a host."""
    fleet = ctx.cloud.fleet
    return {
        "exists": bool(fleet.exists[host]),
        "state": HOST_STATES[fleet.state[host]],
        "status": STATUSES[fleet.status[host]],
        "cpuNum": fleet.cpu_num[host],
        "totalCpu": fleet.total_cpu[host],
        "availableCpu": fleet.available_cpu[host],
        "usedCpu": fleet.total_cpu[host] - fleet.available_cpu[host],
        "totalMemory": fleet.total_memory[host],
        "availableMemory": fleet.available_memory[host],
        "usedMemory": fleet.total_memory[host] - fleet.available_memory[host],
    }
