"""Hosts lost, and what becomes of their VMs, on a copy of the cloud."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from simclone.engine.context import Context
from simclone.engine.operations.host_failure import RESTARTED, fail_host, ha_of, restart_elsewhere
from simclone.engine.operations.hosts import vms_on
from simclone.engine.waits import run_now
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED
from simclone.units import plural

MOST_SETS = 2_000
"""So many sets of hosts are tried one by one; of more only those that look worst."""


@dataclass(frozen=True, slots=True)
class HostLoss:
    """Hosts lost together: *restarted* VMs by name with their new host, *lost* VMs by name with the reason."""

    hosts: tuple[str, ...]
    restarted: tuple[tuple[str, str], ...]
    lost: tuple[tuple[str, str], ...]

    @property
    def reasons(self) -> dict[str, int]:
        """Lost VMs by reason, most first."""
        counts: dict[str, int] = {}
        for _, reason in self.lost:
            counts[reason] = counts.get(reason, 0) + 1
        return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


@dataclass(frozen=True, slots=True)
class WorstCase:
    """The fewest clones that fit when the VMs of *hosts* lost had to run elsewhere too; *every* set was tried or not.

    *unplaced* VMs found no place even without a clone more: then nothing is left to give away.
    """

    hosts: tuple[str, ...]
    total: int
    unplaced: int
    tried: int
    every: bool

    def summary(self) -> str:
        """Half a sentence."""
        if not self.hosts:
            return "there is no host to lose"
        what = f"with {plural(len(self.hosts), 'host')} lost {self.total}"
        worst = f" (worst: {', '.join(self.hosts)})" if self.every else f" (worst of {self.tried} tried)"
        return what + worst + (f", {self.unplaced} of today's VMs would find no host" if self.unplaced else "")


def lose(ctx: Context, hosts: Iterable[int], *, everyone: bool = True) -> HostLoss:
    """The hosts fail together in this very cloud; their VMs start elsewhere one by one.

    As in a run, host by host and oldest first; only VMs with high availability do, unless *everyone* does.
    """
    rows, cloud = sorted(hosts), ctx.cloud
    restarted, lost = [], []
    before = [vm for host in rows for vm in vms_on(ctx, host) if cloud.vms.hold_host[vm] == host]
    for host in rows:
        fail_host(ctx, host)
    for vm in before:
        name = cloud.vms.names[vm]
        if not everyone and ha_of(ctx, vm) not in RESTARTED:
            lost.append((name, "no high availability"))
            continue
        outcome = run_now(restart_elsewhere(ctx, vm))
        if outcome.error is None:
            restarted.append((name, cloud.fleet.names[cloud.vms.host[vm]]))
        else:
            lost.append((name, outcome.error.root_reason))
    return HostLoss(tuple(cloud.fleet.names[row] for row in rows), tuple(restarted), tuple(lost))


def usable_hosts(cloud: Cloud) -> list[int]:
    """Hosts that are Enabled and Connected, by rank."""
    return [int(row) for row in np.flatnonzero(cloud.fleet.usable())]


def losable_hosts(cloud: Cloud) -> list[int]:
    """Hosts that can still be lost, by rank: usable ones, and Connected ones that hold VMs whatever their state is."""
    fleet = cloud.fleet
    holding = (
        (fleet.array(fleet.exists) == 1)
        & (fleet.array(fleet.status) == CONNECTED)
        & (fleet.array(fleet.held_memory) > 0)
    )
    return [int(row) for row in np.flatnonzero(fleet.usable() | holding)]


def sets_of(cloud: Cloud, size: int) -> tuple[Iterator[tuple[int, ...]], int, bool]:
    """Sets of usable hosts to lose, how many, and whether these are all; all hosts, where there are fewer than *size*.

    Where there are more than `MOST_SETS`, only sets among some hosts are given: in turn the one that carries most (by
    memory, then vCPUs) and the one that has most.
    """
    hosts = usable_hosts(cloud)
    size = min(size, len(hosts))
    if comb(len(hosts), size) <= MOST_SETS:
        return combinations(hosts, size), comb(len(hosts), size), True
    fleet = cloud.fleet
    orders = [
        sorted(hosts, key=lambda row: (-fleet.cells[memory][row], -fleet.cells[cpu][row], row))
        for memory, cpu in (("held_memory", "held_cpu"), ("total_memory", "total_cpu"))
    ]
    heavy = list(dict.fromkeys(row for pair in zip(*orders, strict=True) for row in pair))
    few = size
    while few < len(heavy) and comb(few + 1, size) <= MOST_SETS // 10:
        few += 1
    return combinations(heavy[:few], size), comb(few, size), False


def worst_case(ctx: Context, size: int, room: Callable[[Context], int], *, everyone: bool = True) -> WorstCase:
    """The fewest *room* says are left when *size* hosts are lost and their VMs run elsewhere; the cloud stays."""
    sets, count, every = sets_of(ctx.cloud, size)
    worst: WorstCase | None = None
    for rows in sets:
        twin = ctx.fork()
        loss = lose(twin, rows, everyone=everyone)
        total = 0 if loss.lost else room(twin)
        if worst is None or (total, -len(loss.lost)) < (worst.total, -worst.unplaced):
            worst = WorstCase(loss.hosts, total, len(loss.lost), count, every)
    return worst or WorstCase((), 0, 0, 0, True)
