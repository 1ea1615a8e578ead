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
        "primaryStorage": _name(ctx.cloud.storages, volumes.get("storage", volume)),
        "host": _name(ctx.cloud.fleet.names, volumes.get("host", volume)),
        "size": volumes.get("size", volume),
        "exists": bool(volumes.get("alive", volume)),
    }


def data_volumes(ctx: Context, vm: int) -> list[int]:
    """A VM's data volumes by device number."""
    volumes = ctx.cloud.volumes
    rows = [row for row in ctx.cloud.vms.volumes[vm] if volumes.get("type", row) == DATA]
    return sorted(rows, key=lambda row: volumes.get("device", row))


def vm_facts(ctx: Context, vm: int) -> dict[str, Any]:
    """Everything a case may expect of a VM."""
    cloud, cells = ctx.cloud, ctx.cloud.vms.cells
    if not cells("alive")[vm]:
        return {"exists": False}
    shape, root = cloud.vms.shape(vm), cells("root")[vm]
    l3s = [cloud.nics.get("l3", nic) for nic in cloud.vms.nics[vm]]
    ips = [cloud.nics.get("ip", nic) for nic in cloud.vms.nics[vm]]
    return {
        "exists": True,
        "state": cloud.vms.state_name(vm),
        "host": _name(cloud.fleet.names, cells("host")[vm]),
        "lastHost": _name(cloud.fleet.names, cells("last_host")[vm]),
        "cluster": _name(cloud.clusters, cells("cluster")[vm]),
        "zone": _zone(ctx, vm),
        "cpuNum": cells("cpu")[vm],
        "memorySize": cells("memory")[vm],
        "l3Networks": [cloud.l3s[l3].name for l3 in l3s],
        "ips": {
            cloud.l3s[l3].name: None if ip == NONE else str(IPv4Address(ip)) for l3, ip in zip(l3s, ips, strict=True)
        },
        "instanceOffering": None if shape.offering is None else cloud.offerings[shape.offering].name,
        "allocatorStrategy": shape.strategy,
        "affinityGroup": _name(cloud.groups, cells("group")[vm]),
        "rootVolume": None if root == NONE else volume_facts(ctx, root),
        "dataVolumes": [volume_facts(ctx, row) for row in data_volumes(ctx, vm)],
    }


def _zone(ctx: Context, vm: int) -> str | None:
    cluster = ctx.cloud.vms.get("cluster", vm)
    zone = ctx.cloud.vms.get("zone", vm) if cluster == NONE else ctx.cloud.clusters[cluster].zone
    return _name(ctx.cloud.zones, zone)


def host_facts(ctx: Context, host: int) -> dict[str, Any]:
    """State, status and capacity record of a host."""
    get = ctx.cloud.fleet.get
    return {
        "exists": bool(get("exists", host)),
        "state": HOST_STATES[get("state", host)],
        "status": STATUSES[get("status", host)],
        "cpuNum": get("cpu_num", host),
        "totalCpu": get("total_cpu", host),
        "availableCpu": get("available_cpu", host),
        "usedCpu": get("total_cpu", host) - get("available_cpu", host),
        "totalMemory": get("total_memory", host),
        "availableMemory": get("available_memory", host),
        "usedMemory": get("total_memory", host) - get("available_memory", host),
    }
