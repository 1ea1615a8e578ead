"""What the names of a scenario's requests are limited by at its opening, kind by kind, before any host is chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby

from simclone.allocator.rules import quota
from simclone.allocator.rules.capacity import least_available
from simclone.allocator.rules.storage_capacity import physical_shortage, reserved_of, taken_of, threshold_of
from simclone.engine.context import Context
from simclone.engine.operations.clone.checks import refusal
from simclone.engine.operations.clone.job import Job, resolve
from simclone.engine.prepare import requests_of
from simclone.model.vms import DATA, NONE
from simclone.records import ErrorCode
from simclone.scenario.load import Scenario
from simclone.vocabulary import IP_EXHAUSTED, QUOTAS, REASONS, Subject

RUNNING = ("vm.num", "vm.cpuNum", "vm.memorySize", "vm.totalNum", "volume.capacity")
"""Limits of an account that every clone that runs counts against."""


@dataclass(frozen=True, slots=True)
class CloneKind:
    """Clones that are alike: vCPUs, bytes of memory and of the root volume, devices, and where they may be.

    *clusters* and *host* are where they may run, *zone* too; *storages* those to which the root is bound, None for
    any. *cards* are rows of networks with DHCP, one for each card. *account* is -1 for the administrator.
    """

    cpu: int
    memory: int
    root: int
    devices: tuple[tuple[str, int], ...]
    clusters: frozenset[int]
    zone: int
    host: int | None
    storages: frozenset[int] | None
    cards: tuple[int, ...]
    account: int


@dataclass(slots=True)
class CloneLimits:
    """Names that may start by kind; *idle* start nowhere, *refused* by request with reason and names, *names* are all.

    *left_out* are limits that are not looked at. *calls* by account say how many calls a quota is shared by.
    """

    kinds: dict[CloneKind, int] = field(default_factory=dict)
    idle: int = 0
    names: int = 0
    refused: dict[str, tuple[str, int]] = field(default_factory=dict)
    left_out: dict[str, None] = field(default_factory=dict)
    calls: dict[int, int] = field(default_factory=dict)


def clone_limits(ctx: Context, scenario: Scenario, *, cut: bool = False) -> CloneLimits:
    """The names of all requests; calls that are refused as they stand at the opening count for nothing.

    Capacity and quotas are only used up, so what is refused then is refused later too. With *cut*, a call that breaks
    a quota as a whole counts as if its names were asked for one by one.
    """
    limits = CloneLimits()
    good, refused = requests_of(scenario)
    for name, answer in refused.items():
        count = len(answer.request.names)
        limits.names += count
        limits.refused[name] = (_reason(answer.error), count)
    for request in good:
        count = len(request.names)
        limits.names += count
        job = resolve(ctx, request)
        error = job if isinstance(job, ErrorCode) else refusal(ctx, job)
        if isinstance(job, ErrorCode) or (error is not None and not (cut and _of_quota(error))):
            limits.refused[request.name] = (_reason(error), count)
        elif request.strategy != "InstantStart":
            limits.idle += count
        else:
            kind = _kind(ctx, job, limits)
            limits.kinds[kind] = limits.kinds.get(kind, 0) + count
            limits.calls[job.account] = limits.calls.get(job.account, 0) + 1
    return limits


def refused_at_opening(ctx: Context, scenario: Scenario) -> set[str]:
    """Reasons for which requests of the list are refused before anything is placed, addresses among them."""
    limits = clone_limits(ctx, scenario)
    reasons = {reason for reason, _ in limits.refused.values()}
    cards = {card for kind in limits.kinds for card in kind.cards}
    return reasons | {IP_EXHAUSTED.code for card in cards if not free_addresses(ctx, card)}


def free_addresses(ctx: Context, l3: int) -> int:
    """Free addresses of a network."""
    pool = ctx.cloud.pools[l3]
    return max(sum(part.end - part.start + 1 for part in pool.ranges) - len(pool.used), 0)


def _reason(error: ErrorCode | None) -> str:
    return "" if error is None else error.root_reason


def _of_quota(error: ErrorCode) -> bool:
    reason = REASONS.get(error.root_reason)
    return reason is not None and reason.subject is Subject.QUOTA


def _kind(ctx: Context, job: Job, limits: CloneLimits) -> CloneKind:
    cloud = ctx.cloud
    table, volumes, vm = cloud.vms, cloud.volumes, job.source
    root = table.root[vm]
    own = volumes.storage[root] if root != NONE else NONE
    bound = job.root_storage if job.root_storage is not None else own if job.request.full or job.fast else NONE
    l3s = tuple(cloud.nics.l3[nic] for nic in table.nics[vm])
    clusters = cloud.clusters_of_l3s(l3s)
    if job.cluster is not None:
        clusters &= {job.cluster}
    _note_left_out(ctx, job, limits)
    return CloneKind(
        table.cpu[vm],
        table.memory[vm],
        volumes.size[root] if root != NONE else 0,
        _devices(ctx, job),
        clusters,
        table.zone[vm],
        job.host,
        None if bound == NONE else frozenset((bound,)),
        tuple(sorted(l3 for l3 in l3s if cloud.l3s[l3].dhcp)),
        job.account,
    )


def _devices(ctx: Context, job: Job) -> tuple[tuple[str, int], ...]:
    """The devices each clone takes: those of the request's tags, else the source's; none where a tag is taken away."""
    if any(text.startswith("-") for text in job.request.system_tags):
        return ()
    tags = job.tags.devices or ctx.cloud.vms.shape_of(job.source).tags.devices
    return tuple(
        (spec, sum(count for _, count in part)) for spec, part in groupby(sorted(tags), key=lambda item: item[0])
    )


def _note_left_out(ctx: Context, job: Job, limits: CloneLimits) -> None:
    cloud = ctx.cloud
    if job.tags.bindings:
        limits.left_out["resource bindings of the requests"] = None
    if job.tags.static_ips:
        limits.left_out["static addresses of the requests"] = None
    data = [row for row in cloud.vms.volumes[job.source] if cloud.volumes.type[row] == DATA]
    if job.request.full and data:
        limits.left_out["data volumes of full clones"] = None
    if any(key == "primaryStorage" for key, _ in cloud.vms.shape_of(job.source).tags.others):
        limits.left_out["storage tags of the source"] = None


def account_limits(ctx: Context, account: int) -> dict[str, int]:
    """What is left of each limit that running clones count against; nothing for the administrator."""
    if account < 0:
        return {}
    used = quota.usage(ctx.cloud, account)
    return {name: ctx.cloud.limit(account, name) - used[name] for name in RUNNING if name in QUOTAS}


def weight_of(kind: CloneKind, name: str) -> int:
    """What a clone counts against a limit of its account."""
    return {"vm.cpuNum": kind.cpu, "vm.memorySize": kind.memory, "volume.capacity": kind.root}.get(name, 1)


def storage_room(ctx: Context, storage: int, size: int) -> tuple[int, int] | None:
    """What a root of *size* bytes takes of a storage and what may be taken in all; None where it takes none.

    A storage at its physical threshold takes none; of pools only the sum is looked at.
    """
    cloud = ctx.cloud
    record = cloud.storages[storage]
    if not record.usable(new_vm=True):
        return None
    taken, room = taken_of(cloud, storage, size), record.available - reserved_of(cloud)
    physical = None
    if not record.kind.pooled:
        figures = (record.total_physical, record.available_physical, size, threshold_of(cloud, storage))
        physical = physical_shortage(*figures)
    return None if physical is not None or taken > room else (taken, room)


def share_room(ctx: Context, storage: int, host: int, size: int) -> tuple[int, int] | None:
    """The same for the share of a host of a local storage (rules/primary-storage.md#local)."""
    cloud = ctx.cloud
    record = cloud.storages[storage]
    shares = record.shares
    if not record.usable(new_vm=True) or shares is None or host >= shares.row_count or not shares.present[host]:
        return None
    figures = (shares.total_physical[host], shares.available_physical[host], size, threshold_of(cloud, storage))
    taken, free, reserved = taken_of(cloud, storage, size), shares.available[host], reserved_of(cloud)
    # the test multiplies what is free, the charge divides the size: the last root needs so much to be free before it
    least = least_available(size + reserved, cloud.storage_ratio(storage))
    if physical_shortage(*figures) is not None or free < least:
        return None
    return taken, free - least + taken


__all__ = [
    "CloneKind",
    "CloneLimits",
    "account_limits",
    "clone_limits",
    "free_addresses",
    "refused_at_opening",
    "share_room",
    "storage_room",
    "weight_of",
]
