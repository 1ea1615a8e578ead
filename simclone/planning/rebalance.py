"""Moves that make room for a VM, or that repair a broken rule: the fewest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from simclone.allocator.host.request import HostRequest
from simclone.allocator.rules.capacity import shortfall
from simclone.allocator.rules.domains import domains_of
from simclone.changes.load import as_scenario
from simclone.engine.context import Context
from simclone.engine.operations.create_vm import vms_on
from simclone.engine.operations.hosts import change_host_state
from simclone.engine.operations.migrate_vm import migrate_vm
from simclone.engine.waits import run_now
from simclone.model.vms import NONE
from simclone.planning.arguments import checked
from simclone.planning.option import At, Option, Seed, Vm
from simclone.planning.parts.answer import Answer
from simclone.planning.parts.clone_calls import Ask, asks_of, clone_once, cloud_at, host_request, with_offering
from simclone.planning.parts.host_loss import usable_hosts
from simclone.scenario.load import Given
from simclone.vocabulary import PolicyKind

if TYPE_CHECKING:
    import pandas as pd

MOST_HOSTS = 100
"""So many hosts are tried as the one that gets room, those that lack least first."""


@dataclass(frozen=True, slots=True)
class Move:
    """A live migration."""

    vm: str
    source: str
    target: str
    why: str


@dataclass(frozen=True, slots=True)
class Rebalance(Answer):
    """Moves in order. *fits* says whether the VM asked about fits without any, *makes_room* whether it does after them.

    *repaired* members of groups were moved to where their rule holds, *broken* ones could not be.
    """

    question: ClassVar[str] = "rebalance"
    title: ClassVar[str] = "Moves that help"
    order: ClassVar[int] = 180

    scenario: str
    wanted: str
    fits: bool
    makes_room: bool
    moves: tuple[Move, ...]
    repaired: int
    broken: int

    def summary(self) -> str:
        """What to move."""
        lines = []
        for_room = [item for item in self.moves if item.why == "room"]
        if self.fits:
            lines.append(f"{self.scenario}: {self.wanted} fits without a move")
        elif self.makes_room:
            count = "1 move makes" if len(for_room) == 1 else f"{len(for_room)} moves make"
            lines.append(f"{self.scenario}: {count} room for {self.wanted}")
        else:
            lines.append(f"{self.scenario}: no moves were found that make room for {self.wanted}")
        if self.repaired or self.broken:
            lines.append(f"  rules: {self.repaired} members can be moved right, {self.broken} cannot")
        lines += [f"  move {move.vm} from {move.source} to {move.target} ({move.why})" for move in self.moves]
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """One row per move: vm, from, to, why."""
        import pandas as pd

        rows = [(move.vm, move.source, move.target, move.why) for move in self.moves]
        return pd.DataFrame(rows, columns=["vm", "from", "to", "why"])

    def figures(self) -> Mapping[str, float | None]:
        """``moves``, ``makes_room`` (0 or 1), ``broken``."""
        room = int(self.fits or self.makes_room)
        return {"moves": len(self.moves), "makes_room": room, "broken": self.broken}


@checked
def rebalance(
    source: Given,
    *,
    offering: Annotated[str | None, Option("The offering that needs room.")] = None,
    vm: Vm = None,
    at: At = "start",
    seed: Seed = None,
) -> Rebalance:
    """The fewest moves in SCENARIO that make room for a VM, and those that repair broken affinity rules.

    Room is made for a clone of *vm* or of *offering*; the moves are the fewest that were found.
    Host by host the smallest VMs that are large enough are moved, each to where the allocator puts it. Raises
    InvalidInput.
    """
    scenario = as_scenario(source)
    ctx = cloud_at(scenario, seed=seed, at=at)
    ask = asks_of(scenario, vm=vm, offerings=[offering] if offering else ())[0]
    twin = ctx.fork()
    repairs, broken = _repairs(twin)
    fits_now = _served(ctx, ask)
    if fits_now or _served(twin, ask):
        return Rebalance(scenario.name, ask.name, fits_now, True, repairs, len(repairs), broken)
    dressed = twin.fork()
    with_offering(dressed, ask)
    requested = host_request(dressed, ask)
    result = None if requested is None else _room(twin, requested[0], ask)
    moves = (*repairs, *(result or ()))
    return Rebalance(scenario.name, ask.name, False, result is not None, moves, len(repairs), broken)


def _served(ctx: Context, ask: Ask) -> bool:
    """Whether a clone is made now; the cloud stays as it is."""
    twin = ctx.fork()
    with_offering(twin, ask)
    answer = clone_once(twin, ask, ["probe"])
    return answer.error is None and answer.succeeded == 1


def _room(ctx: Context, request: HostRequest, ask: Ask) -> tuple[Move, ...] | None:
    """The shortest of the plans host by host."""
    lacks = {host: _lack(ctx, request, host) for host in usable_hosts(ctx.cloud)}
    ranked = sorted(lacks, key=lambda host: (lacks[host][1], lacks[host][0], host))[:MOST_HOSTS]
    best: tuple[Move, ...] | None = None
    for host in ranked:
        plan = _freed(ctx.fork(), request, ask, host, len(ctx.cloud.vms.names) if best is None else len(best) - 1)
        if plan is not None and (best is None or len(plan) < len(best)):
            best = plan
        if best is not None and len(best) == 1:
            break
    return best


def _lack(ctx: Context, request: HostRequest, host: int) -> tuple[int, int]:
    short = shortfall(ctx.cloud.fleet, host, request.cpu, request.memory)
    return (0, 0) if short is None else (short.cpu, short.memory)


def _freed(ctx: Context, request: HostRequest, ask: Ask, host: int, most: int) -> tuple[Move, ...] | None:
    """Moves away from one host until the clone is made; None when it takes more than *most* or a VM cannot go."""
    cloud = ctx.cloud
    moves: list[Move] = []
    run_now(change_host_state(ctx, host, "disable"))
    while len(moves) < most:
        cpu, memory = _lack(ctx, request, host)
        if not cpu and not memory:
            break
        matching = [vm for vm in vms_on(ctx, host) if cloud.vms.hold_host[vm] == host]
        enough = [vm for vm in matching if _covers(ctx, vm, cpu, memory)]
        order = sorted(enough, key=lambda vm: (cloud.vms.memory[vm], cloud.vms.cpu[vm]))
        order += sorted(set(matching) - set(enough), key=lambda vm: (-cloud.vms.memory[vm], vm))
        move = next((item for vm in order if (item := moved(ctx, vm, "room")) is not None), None)
        if move is None:
            return None
        moves.append(move)
    run_now(change_host_state(ctx, host, "enable"))
    return tuple(moves) if moves and _served(ctx, ask) else None


def _covers(ctx: Context, vm: int, cpu: int, memory: int) -> bool:
    return ctx.cloud.vms.hold_cpu[vm] >= cpu and ctx.cloud.vms.hold_memory[vm] >= memory


def moved(ctx: Context, vm: int, why: str) -> Move | None:
    """Migrate a VM where the allocator puts it; None when it cannot go."""
    cloud = ctx.cloud
    source = cloud.vms.host[vm]
    outcome = run_now(migrate_vm(ctx, vm))
    if outcome.error is not None:
        return None
    names = cloud.fleet.names
    return Move(cloud.vms.names[vm], names[source], names[cloud.vms.host[vm]], why)


def _repairs(ctx: Context) -> tuple[tuple[Move, ...], int]:
    """Members of anti-affinity groups that share a host, or rack, moved until each has its own."""
    cloud, broken = ctx.cloud, 0
    moves: list[Move] = []
    for row, group in enumerate(cloud.groups):
        if not group.enabled or group.policy.kind is not PolicyKind.ANTI:
            continue
        domains = domains_of(cloud, group.over)
        known: set[int] = set()
        for vm in range(cloud.vms.row_count):
            host = cloud.vms.hold_host[vm]
            if cloud.vms.group[vm] != row or host == NONE or not cloud.vms.alive[vm]:
                continue
            if int(domains[host]) not in known:
                known.add(int(domains[host]))
                continue
            trial = ctx.fork()
            if moved(trial, vm, "") is None or int(domains[trial.cloud.vms.host[vm]]) in known:
                broken += 1
                continue
            move = moved(ctx, vm, f"group {group.name}")
            if move is not None:
                moves.append(move)
            known.add(int(domains[cloud.vms.host[vm]]))
    return tuple(moves), broken
