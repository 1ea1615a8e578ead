"""VMs leave their hosts by live migration: in some order to where the allocator puts them, else by a search for a way.

The allocator takes one VM after the other and never goes back, so a set of hosts that it cannot empty may still be one
that an operator can. The search tries other orders first and then other targets, up to a limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from simclone.engine.context import Context
from simclone.engine.operations.create_vm import vms_on
from simclone.engine.operations.migrate_vm import migrate_request, migrate_vm
from simclone.engine.operations.volumes import migrate_volume, migration_hosts
from simclone.engine.waits import run_now
from simclone.model.vms import NONE
from simclone.placement.host import candidates
from simclone.records import ErrorCode, Unplaced
from simclone.vocabulary import STORAGE_LOCAL_HOST, HostState, Subject, reason_of

MOST_MOVES = 2_000
"""So many moves are tried by a search before it gives up."""
LARGEST_FIRST, ANOTHER_ORDER, OTHER_HOSTS = "largest first", "another order", "other hosts"


@dataclass(frozen=True, slots=True)
class Evacuation:
    """VMs by row that left, with the host they went to, in order, and those that cannot leave with the reason.

    *way* says how the VMs left. *proved* tells of VMs that stay that no order and no target lets all leave.
    """

    moved: tuple[tuple[int, int], ...]
    stuck: tuple[tuple[int, str], ...]
    way: str = LARGEST_FIRST
    proved: bool = False


def close_hosts(ctx: Context, hosts: Iterable[int]) -> None:
    """Disable the hosts that are Enabled, so that no VM comes to them."""
    for host in hosts:
        if ctx.cloud.fleet.state[host] == HostState.ENABLED:
            ctx.ledger.hosts.set(host, "disable", state=HostState.DISABLED)


def running_on(ctx: Context, hosts: Iterable[int]) -> list[int]:
    """VMs that hold some of these hosts, oldest first host by host."""
    return [vm for host in hosts for vm in vms_on(ctx, host) if ctx.cloud.vms.hold_host[vm] == host]


def move_all(ctx: Context, vms: Sequence[int], way: str = LARGEST_FIRST) -> Evacuation:
    """Move VMs in this order to where the allocator puts them; those that cannot move stay."""
    moved, stuck = [], []
    for vm in vms:
        outcome = run_now(migrate_vm(ctx, vm))
        if outcome.error is None:
            moved.append((vm, ctx.cloud.vms.host[vm]))
        else:
            stuck.append((vm, outcome.error.root_reason))
    return Evacuation(tuple(moved), tuple(stuck), way)


def move_away(ctx: Context, hosts: Sequence[int]) -> Evacuation:
    """Empty hosts in this very cloud, the largest VMs first; if some cannot move so, by a way that a search finds.

    The hosts are Disabled afterwards. Where no way was found, the VMs stand as the first order leaves them.
    """
    close_hosts(ctx, hosts)
    vms = running_on(ctx, hosts)
    first = move_all(twin := ctx.fork(), _largest_first(twin, vms))
    if not first.stuck:
        return move_all(ctx, _largest_first(ctx, vms))
    other = another_way(ctx, vms)
    if other.stuck:
        stay = move_all(ctx, _largest_first(ctx, vms))
        return Evacuation(stay.moved, stay.stuck, proved=other.proved)
    for vm, host in other.moved:
        run_now(migrate_vm(ctx, vm, host))
    return other


def another_way(ctx: Context, vms: Sequence[int]) -> Evacuation:
    """A way for all VMs to leave their closed hosts: an order for the allocator, or a target for each.

    The cloud stays as it is. A VM without any target now is a proof, but for affinity rules: moves of others only take
    room away.
    """
    targets = {vm: _targets(ctx, vm) for vm in vms}
    alone = tuple(
        (vm, hosts.root_reason)
        for vm, hosts in targets.items()
        if isinstance(hosts, ErrorCode) and reason_of(hosts.root_reason).subject is not Subject.AFFINITY
    )
    if alone:
        return Evacuation((), alone, ANOTHER_ORDER, proved=True)
    count = {vm: 0 if isinstance(hosts, ErrorCode) else len(hosts) for vm, hosts in targets.items()}
    scarce = sorted(_largest_first(ctx, vms), key=lambda vm: count[vm])
    for order in (scarce, vms, _largest_first(ctx, vms)[::-1]):
        result = move_all(ctx.fork(), order, ANOTHER_ORDER)
        if not result.stuck:
            return result
    return _Search().run(ctx, scarce)


def move_disks(ctx: Context, hosts: Sequence[int]) -> Evacuation:
    """Move local disks of stopped VMs away from closed hosts, those with most bytes first.

    All disks of a VM go to one host: of those that take them the one with most free bytes. The VM remembers it as its
    last.
    """
    cloud = ctx.cloud
    owners = [vm for vm in range(cloud.vms.row_count) if cloud.vms.alive[vm] and cloud.vms.host[vm] == NONE]
    disks = {vm: [row for row in cloud.vms.volumes.get(vm, ()) if cloud.volumes.host[row] in hosts] for vm in owners}
    sizes = {vm: sum(cloud.volumes.size[row] for row in rows) for vm, rows in disks.items() if rows}
    moved, stuck = [], []
    for vm in sorted(sizes, key=lambda vm: (-sizes[vm], vm)):
        host = _disk_host(ctx, disks[vm])
        if host is None:
            stuck.append((vm, STORAGE_LOCAL_HOST.code))
            continue
        for row in disks[vm]:
            migrate_volume(ctx, row, host)
        ctx.ledger.vms.set(vm, last_host=host)
        moved.append((vm, host))
    return Evacuation(tuple(moved), tuple(stuck))


def _disk_host(ctx: Context, disks: Sequence[int]) -> int | None:
    """The host that takes all of some local disks, with most bytes free; None where there is none."""
    cloud = ctx.cloud
    shares = cloud.storages[cloud.volumes.storage[disks[0]]].shares
    hosts = set.intersection(*(set(migration_hosts(ctx, row)) for row in disks))
    if shares is None:
        return None
    for host in sorted(hosts, key=lambda host: (-shares.available[host], host)):
        twin = ctx.fork()
        if all(migrate_volume(twin, row, host).ok for row in disks):
            return host
    return None


class _Search:
    """Depth first over the targets of VMs in a fixed order."""

    def __init__(self) -> None:
        self.moves = 0

    def run(self, ctx: Context, vms: Sequence[int]) -> Evacuation:
        """The first assignment that works, or all VMs as stuck."""
        moves = self._below(ctx, list(vms))
        if moves is not None:
            return Evacuation(tuple(moves), (), OTHER_HOSTS)
        stuck = tuple((vm, "") for vm in vms)
        return Evacuation((), stuck, OTHER_HOSTS, proved=self.moves < MOST_MOVES)

    def _below(self, ctx: Context, vms: list[int]) -> list[tuple[int, int]] | None:
        if not vms:
            return []
        targets = _targets(ctx, vms[0])
        for host in () if isinstance(targets, ErrorCode) else targets:
            if self.moves >= MOST_MOVES:
                return None
            self.moves += 1
            twin = ctx.fork()
            if run_now(migrate_vm(twin, vms[0], host)).error is not None:
                continue
            below = self._below(twin, vms[1:])
            if below is not None:
                return [(vms[0], host), *below]
        return None


def _targets(ctx: Context, vm: int) -> list[int] | ErrorCode:
    """Hosts a VM could move to now, best first, or why there is none."""
    request = replace(migrate_request(ctx.cloud, vm, None), dry_run=True, list_all=True)
    hosts = candidates(request, ctx.cloud, ctx.identity(vm))
    return hosts.error if isinstance(hosts, Unplaced) else hosts


def _largest_first(ctx: Context, vms: Sequence[int]) -> list[int]:
    table = ctx.cloud.vms
    return sorted(vms, key=lambda vm: (-table.memory[vm], -table.cpu[vm], vm))


__all__ = [
    "ANOTHER_ORDER",
    "LARGEST_FIRST",
    "OTHER_HOSTS",
    "Evacuation",
    "another_way",
    "close_hosts",
    "move_all",
    "move_away",
    "move_disks",
    "running_on",
]
