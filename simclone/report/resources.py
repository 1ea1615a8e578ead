"""How full everything is, and how raw capacity becomes usable: figures of the cloud at the end of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simclone.allocator.primary_storage.capacity import threshold_of
from simclone.model.cloud import Cloud
from simclone.planning.failing import usable_hosts
from simclone.units import GIB, multiplied

if TYPE_CHECKING:
    import pandas as pd


def constrained(cloud: Cloud) -> pd.DataFrame:
    """One row per resource, fullest first: resource, used, total, share, unit."""
    import pandas as pd

    fleet, hosts = cloud.fleet, usable_hosts(cloud)
    rows = []
    if hosts:
        total = fleet.array("total_cpu")[hosts]
        rows.append(("vCPUs", int((total - fleet.array("available_cpu")[hosts]).sum()), int(total.sum()), "vCPU"))
        room = fleet.array("total_memory")[hosts] - fleet.array("reserved_memory")[hosts]
        used = fleet.array("total_memory")[hosts] - fleet.array("available_memory")[hosts]
        rows.append(("memory after the reserve", int(used.sum()) // GIB, int(room.sum()) // GIB, "GiB"))
    for one in cloud.storages:
        rows.append((f"storage {one.name}", (one.total - one.available) // GIB, one.total // GIB, "GiB"))
    for row, net in enumerate(cloud.l3s):
        size = sum(part.end - part.start + 1 for part in cloud.pools[row].ranges)
        rows.append((f"addresses of {net.name}", len(cloud.pools[row].used), size, "addresses"))
    made = [(name, used, total, used / total, unit) for name, used, total, unit in rows if total]
    made.sort(key=lambda one: (-one[3], one[0]))
    return pd.DataFrame(made, columns=["resource", "used", "total", "share", "unit"])


def usable_memory(cloud: Cloud) -> pd.DataFrame:
    """Memory in GiB from raw to what is free for VMs: step, amount, kind."""
    fleet = cloud.fleet
    every = np.flatnonzero(fleet.array("exists") == 1).tolist()
    good = usable_hosts(cloud)
    raw = sum(fleet.get("total_memory", host) for host in every)
    away = sum(fleet.get("total_memory", host) for host in set(every) - set(good))
    reserve = sum(fleet.get("reserved_memory", host) for host in good)
    room = sum(fleet.get("total_memory", host) - fleet.get("reserved_memory", host) for host in good)
    over = sum(
        multiplied(fleet.get("total_memory", host) - fleet.get("reserved_memory", host), fleet.memory_ratio(host))
        for host in good
    )
    free = sum(fleet.room(host) for host in good)
    steps = [
        ("physical", raw, "absolute"),
        ("hosts away", -away, "relative"),
        ("reserved", -reserve, "relative"),
        ("over-provisioned", over - room, "relative"),
        ("for VMs", 0, "total"),
        ("in use", free - over, "relative"),
        ("free", 0, "total"),
    ]
    return _frame(steps)


def usable_storage(cloud: Cloud) -> pd.DataFrame:
    """Storage in GiB from raw to what is free for volumes: step, amount, kind."""
    good = [(row, one) for row, one in enumerate(cloud.storages) if one.usable(True)]
    raw = sum(one.total_physical for one in cloud.storages)
    away = raw - sum(one.total_physical for _, one in good)
    kept = sum(one.total_physical - multiplied(one.total_physical, threshold_of(cloud, row)) for row, one in good)
    over = sum(multiplied(one.total, cloud.storage_ratio(row)) - one.total_physical for row, one in good)
    free = sum(multiplied(max(one.available, 0), cloud.storage_ratio(row)) for row, one in good)
    sum_before = raw - away - kept + over
    steps = [
        ("physical", raw, "absolute"),
        ("away", -away, "relative"),
        ("threshold", -kept, "relative"),
        ("over-provisioned", over, "relative"),
        ("for volumes", 0, "total"),
        ("in use", free - sum_before, "relative"),
        ("free", 0, "total"),
    ]
    return _frame(steps)


def _frame(steps: list[tuple[str, int, str]]) -> pd.DataFrame:
    import pandas as pd

    rows = [(step, round(amount / GIB, 1), kind) for step, amount, kind in steps if amount or kind != "relative"]
    return pd.DataFrame(rows, columns=["step", "amount", "kind"])


def ratios(cloud: Cloud) -> pd.DataFrame:
    """Over-provisioning achieved against allowed: resource, allowed, achieved (promised to VMs by physical)."""
    import pandas as pd

    fleet, hosts = cloud.fleet, usable_hosts(cloud)
    rows = []
    cores = int(fleet.array("cpu_num")[hosts].sum()) if hosts else 0
    if cores:
        allowed = int(fleet.array("total_cpu")[hosts].sum()) / cores
        rows.append(("vCPU per core", allowed, int(fleet.array("held_cpu")[hosts].sum()) / cores))
    memory = int(fleet.array("total_memory")[hosts].sum()) if hosts else 0
    if memory:
        vms = cloud.vms
        held = np.isin(vms.array("hold_host"), np.array(hosts))
        allowed = sum(fleet.get("total_memory", host) * fleet.memory_ratio(host) for host in hosts) / memory
        rows.append(("VM memory per physical", allowed, int(vms.array("memory")[held].sum()) / memory))
    return pd.DataFrame(rows, columns=["resource", "allowed", "achieved"])
