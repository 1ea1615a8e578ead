"""How full everything is, and how raw capacity becomes usable: figures of the cloud at the end of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simclone.allocator.rules.capacity import offered, room
from simclone.allocator.rules.storage_capacity import PHYSICAL, physical_shortage, reserved_of, threshold_of
from simclone.model.cloud import Cloud
from simclone.planning.parts.host_loss import usable_hosts
from simclone.units import GIB, multiplied

if TYPE_CHECKING:
    import pandas as pd


def constrained(cloud: Cloud) -> pd.DataFrame:
    """One row per resource, fullest first: resource, used, total, share, unit."""
    import pandas as pd

    fleet, hosts = cloud.fleet, usable_hosts(cloud)
    rows = []
    if hosts:
        total = fleet.array(fleet.total_cpu)[hosts]
        rows.append(("vCPUs", int((total - fleet.array(fleet.available_cpu)[hosts]).sum()), int(total.sum()), "vCPU"))
        room = fleet.array(fleet.total_memory)[hosts] - fleet.array(fleet.reserved_memory)[hosts]
        used = fleet.array(fleet.total_memory)[hosts] - fleet.array(fleet.available_memory)[hosts]
        rows.append(("memory after the reserve", int(used.sum()), int(room.sum()), "GiB"))
    for storage in cloud.storages:
        rows.append((f"storage {storage.name}", storage.total - storage.available, storage.total, "GiB"))
    for row, net in enumerate(cloud.l3s):
        size = sum(part.end - part.start + 1 for part in cloud.pools[row].ranges)
        rows.append((f"addresses of {net.name}", len(cloud.pools[row].used), size, "addresses"))
    result = [
        (name, used // item, total // item, used / total, unit)
        for name, used, total, unit in rows
        for item in (GIB if unit == "GiB" else 1,)
        if total
    ]
    result.sort(key=lambda one: (-one[3], one[0]))
    return pd.DataFrame(result, columns=["resource", "used", "total", "share", "unit"])


def usable_memory(cloud: Cloud) -> pd.DataFrame:
    """Memory in GiB from raw to what is free for VMs: step, amount, kind."""
    fleet = cloud.fleet
    every = np.flatnonzero(fleet.array(fleet.exists) == 1).tolist()
    good = usable_hosts(cloud)
    raw = sum(fleet.total_memory[host] for host in every)
    away = sum(fleet.total_memory[host] for host in set(every) - set(good))
    reserve = sum(fleet.reserved_memory[host] for host in good)
    over = sum(offered(fleet, host) for host in good)
    free = sum(room(fleet, host) for host in good)
    steps = [
        ("physical", raw, "absolute"),
        ("hosts away", -away, "relative"),
        ("reserved", -reserve, "relative"),
        ("over-provisioned", over - (raw - away - reserve), "relative"),
        ("for VMs", 0, "total"),
        ("in use", free - over, "relative"),
        ("free", 0, "total"),
    ]
    return _frame(steps)


def usable_storage(cloud: Cloud) -> pd.DataFrame:
    """Storage in GiB from raw to what is free for volumes: step, amount, kind.

    Behind the threshold is what is free on storages (of local ones: on hosts) that are fuller than the physical
    threshold allows, and so take no volume at all.
    """
    raw = sum(item.total_physical for item in cloud.storages)
    good = [row for row, storage in enumerate(cloud.storages) if storage.usable(True)]
    sums = [sum(part) for part in zip(*(_amounts(cloud, row) for row in good), strict=True)] or [0] * 5
    physical, promised, used, reserved, shut = sums
    steps = [
        ("physical", raw, "absolute"),
        ("away", physical - raw, "relative"),
        ("over-provisioned", promised - physical, "relative"),
        ("reserved", -reserved, "relative"),
        ("for volumes", 0, "total"),
        ("in use", -used, "relative"),
        ("behind the threshold", -shut, "relative"),
        ("free", 0, "total"),
    ]
    return _frame(steps)


def _amounts(cloud: Cloud, storage: int) -> tuple[int, int, int, int, int]:
    """Bytes of a storage: physical; with its ratio all, in use, kept in reserve, behind the threshold."""
    item, ratio, threshold = cloud.storages[storage], cloud.storage_ratio(storage), threshold_of(cloud, storage)
    names = ("total", "available", "total_physical", "available_physical")
    positions = [tuple(getattr(item, name) for name in names)]
    if item.shares is not None:
        matching = np.flatnonzero(item.shares.array(item.shares.present) == 1)
        positions = list(
            zip(*(item.shares.array(item.shares.cells[name])[matching].tolist() for name in names), strict=True)
        )
    promised = used = reserved = shut = 0
    for total, available, physical, unused in positions:
        free = max(available, 0)
        retained = min(reserved_of(cloud), free)
        promised += multiplied(total, ratio)
        used += multiplied(total, ratio) - multiplied(free, ratio)
        reserved += multiplied(retained, ratio)
        if physical_shortage(physical, unused, 0, threshold) == PHYSICAL:
            shut += multiplied(free - retained, ratio)
    return sum(location[2] for location in positions), promised, used, reserved, shut


def _frame(steps: list[tuple[str, int, str]]) -> pd.DataFrame:
    import pandas as pd

    rows = [(step, round(amount / GIB, 1), kind) for step, amount, kind in steps if amount or kind != "relative"]
    return pd.DataFrame(rows, columns=["step", "amount", "kind"])


def ratios(cloud: Cloud) -> pd.DataFrame:
    """Over-provisioning achieved against allowed: resource, allowed, achieved (promised to VMs by physical)."""
    import pandas as pd

    fleet, hosts = cloud.fleet, usable_hosts(cloud)
    rows = []
    cores = int(fleet.array(fleet.cpu_num)[hosts].sum()) if hosts else 0
    if cores:
        allowed = int(fleet.array(fleet.total_cpu)[hosts].sum()) / cores
        rows.append(("vCPU per core", allowed, int(fleet.array(fleet.held_cpu)[hosts].sum()) / cores))
    memory = int(fleet.array(fleet.total_memory)[hosts].sum()) if hosts else 0
    if memory:
        vms = cloud.vms
        held = np.isin(vms.array(vms.hold_host), np.array(hosts))
        allowed = sum(fleet.total_memory[host] * fleet.memory_ratio(host) for host in hosts) / memory
        rows.append(("VM memory per physical", allowed, int(vms.array(vms.memory)[held].sum()) / memory))
    return pd.DataFrame(rows, columns=["resource", "allowed", "achieved"])
