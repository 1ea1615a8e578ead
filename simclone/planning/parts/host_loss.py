"""Hosts lost, and what becomes of their VMs, on a copy of the cloud."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import combinations, islice
from math import comb
from typing import Protocol

import numpy as np

from simclone.engine.context import Context
from simclone.engine.operations.create_vm import vms_on
from simclone.engine.operations.host_failure import RESTARTED, fail_host, ha_of, restart_elsewhere
from simclone.engine.waits import run_now
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED
from simclone.model.storage import PrimaryStorage
from simclone.model.vms import NONE
from simclone.units import plural

MOST_SETS = 4_000
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


def sets_of(ctx: Context, size: int) -> tuple[Iterator[tuple[int, ...]], int, bool]:
    """Sets of hosts to lose, how many, and whether these stand for all; all hosts, where there are fewer.

    Of sets of equal hosts (`host_classes`) one is given, and all are counted. Where there are more than `MOST_SETS`,
    only sets among some hosts are given: in turn the one that carries most (by memory, then vCPUs) and the one that has
    most.
    """
    hosts = losable_hosts(ctx.cloud)
    size = min(size, len(hosts))
    classes = host_classes(ctx, hosts)
    sets = list(islice(_distinct_sets(classes, size), MOST_SETS + 1))
    if len(sets) <= MOST_SETS:
        return iter(sets), comb(len(hosts), size), True
    fleet = ctx.cloud.fleet
    orders = [
        sorted(hosts, key=lambda row: (-fleet.cells[memory][row], -fleet.cells[cpu][row], row))
        for memory, cpu in (("held_memory", "held_cpu"), ("total_memory", "total_cpu"))
    ]
    heavy = list(dict.fromkeys(row for pair in zip(*orders, strict=True) for row in pair))
    few = size
    while few < len(heavy) and comb(few + 1, size) <= MOST_SETS // 10:
        few += 1
    return combinations(heavy[:few], size), comb(few, size), False


def _distinct_sets(classes: Sequence[Sequence[int]], size: int) -> Iterator[tuple[int, ...]]:
    """Sets of *size* hosts, one of each sort: so many of the first class, of the second, …"""
    if size == 0:
        yield ()
        return
    for position, members in enumerate(classes):
        for count in range(min(size, len(members)), 0, -1):
            for others in _distinct_sets(classes[position + 1 :], size - count):
                yield tuple(sorted((*members[:count], *others)))


def host_classes(ctx: Context, hosts: Iterable[int]) -> list[list[int]]:
    """Hosts that are equal in all that a decision reads, with equal VMs on them; by their first host."""
    cloud, fleet = ctx.cloud, ctx.cloud.fleet
    guests: dict[int, list[tuple[object, ...]]] = {}
    for vm in np.flatnonzero(cloud.vms.array(cloud.vms.hold_host) != NONE).tolist():
        guests.setdefault(cloud.vms.hold_host[vm], []).append(_guest(ctx, vm))
    last = set(cloud.vms.array(cloud.vms.last_host)[: cloud.vms.row_count].tolist())
    columns = [fleet.array(fleet.cells[name]).tolist() for name in _EQUAL_COLUMNS]
    grouped = {row for group in cloud.host_groups for row in group.hosts}
    classes: dict[tuple[object, ...], list[int]] = {}
    for host in hosts:
        special = host in grouped or (host in last and host not in guests)
        key = (
            *(column[host] for column in columns),
            host if special else None,
            tuple(sorted(fleet.labels[host].items())),
            tuple(sorted((spec, counts.get(host, 0)) for spec, counts in fleet.devices.items())),
            tuple(storage.links.get(host) for storage in cloud.storages),
            tuple(_share(storage, host) for storage in cloud.storages),
            tuple(sorted(guests.get(host, ()), key=repr)),
        )
        classes.setdefault(key, []).append(host)
    return list(classes.values())


_EQUAL_COLUMNS = (
    *("zone", "cluster", "state", "status", "cpu_num", "total_cpu", "available_cpu", "total_memory"),
    *("available_memory", "reserved_memory", "vm_count", "hypervisor", "architecture", "os", "ratio_class"),
    *("stopped_count", "stopped_cpu"),
)


def _guest(ctx: Context, vm: int) -> tuple[object, ...]:
    """What of a VM a decision reads."""
    vms, volumes = ctx.cloud.vms, ctx.cloud.volumes
    storages = tuple((volumes.storage[row], volumes.size[row]) for row in vms.volumes.get(vm, ()))
    group = (vms.group[vm], vm) if vms.group[vm] != NONE else None
    return (vms.shape[vm], vms.cpu[vm], vms.memory[vm], vms.state[vm], vms.account[vm], group, storages, ha_of(ctx, vm))


def _share(storage: PrimaryStorage, host: int) -> tuple[int, ...] | None:
    shares = storage.shares
    if shares is None or host >= shares.row_count or not shares.present[host]:
        return None
    return shares.total[host], shares.available[host], shares.available_physical[host]


@contextmanager
def trial(ctx: Context) -> Iterator[Context]:
    """A context over the same cloud, in which all that happens is taken back at the end."""
    twin = replace(ctx, decisions=[], ordinals=dict(ctx.ordinals), watch=None)
    with ctx.ledger.trial():
        yield twin


class RoomCounter(Protocol):
    """How many clones of one kind are left in a cloud."""

    def __call__(self, ctx: Context, loss: HostLoss) -> int:
        """Clones that fit after *loss*."""


def worst_cases(
    ctx: Context, size: int, rooms: Sequence[RoomCounter], *, everyone: bool = True
) -> tuple[WorstCase, ...]:
    """For each kind of clone the fewest that are left when *size* hosts are lost and their VMs run elsewhere.

    The cloud stays. Every set of hosts is lost once, for all kinds.
    """
    sets, count, every = sets_of(ctx, size)
    worst: list[WorstCase | None] = [None for _ in rooms]
    for rows in sets:
        with trial(ctx) as twin:
            loss = lose(twin, rows, everyone=everyone)
            totals = [0 if loss.lost else room(twin, loss) for room in rooms]
        for position, total in enumerate(totals):
            known = worst[position]
            if known is None or (total, -len(loss.lost)) < (known.total, -known.unplaced):
                worst[position] = WorstCase(loss.hosts, total, len(loss.lost), count, every)
    return tuple(case or WorstCase((), 0, 0, 0, True) for case in worst)
