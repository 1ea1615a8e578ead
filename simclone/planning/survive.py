"""What survives: every host, pair, cluster, rack or storage lost; maintenance host by host; moves that make room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from simclone.changes.load import as_scenario
from simclone.engine.context import Context
from simclone.engine.operations.hosts import change_host_state, vms_on
from simclone.engine.operations.migrate_vm import migrate_vm
from simclone.engine.waits import run_now
from simclone.errors import Fault, InvalidInput
from simclone.model.vms import NONE
from simclone.planning.headroom import room_left
from simclone.planning.parts.answer import Answer
from simclone.planning.parts.clone_calls import Ask, asks_of, standing
from simclone.planning.parts.host_loss import MOST_SETS, Loss, WorstCase, losable_hosts, lose, usable_hosts, worst_case
from simclone.scenario.load import Given
from simclone.units import plural

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("host", "pair", "cluster", "zone", "storage")
LADDER = 3


@dataclass(frozen=True, slots=True)
class Case:
    """One thing lost: its *kind*, its *name*, and what became of its VMs."""

    kind: str
    name: str
    loss: Loss

    @property
    def safe(self) -> bool:
        """Whether every VM found another host."""
        return not self.loss.lost


@dataclass(frozen=True, slots=True)
class Rung:
    """*k* hosts lost, the worst of the sets tried: how many VMs the cloud may hold then, today's among them."""

    k: int
    vms: int
    worst: WorstCase

    @property
    def ceiling(self) -> int:
        """VMs that may run and still survive; 0 when today's do not."""
        return 0 if self.worst.unplaced else self.vms + self.worst.total


@dataclass(frozen=True, slots=True)
class Survival(Answer):
    """Every case that was tried, the ladder of the number of hosts lost, and what was left out (*notes*)."""

    scenario: str
    cases: tuple[Case, ...]
    ladder: tuple[Rung, ...]
    kind_of_more: str
    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        """Safe and unsafe cases by kind, the worst of each, and the ladder."""
        lines = [f"{self.scenario}: what survives"]
        for kind in dict.fromkeys(one.kind for one in self.cases):
            part = [one for one in self.cases if one.kind == kind]
            bad = sorted((one for one in part if not one.safe), key=lambda one: -len(one.loss.lost))
            text = f"  any {kind}: {len(part) - len(bad)} of {len(part)} survived whole"
            if bad:
                why = ", ".join(f"{count} for {reason}" for reason, count in bad[0].loss.reasons.items())
                text += f"; worst is {bad[0].name}: {_stay(len(bad[0].loss.lost))} down ({why})"
            lines.append(text)
        for one in self.ladder:
            lost = f"{plural(one.k, 'host')} lost"
            if one.ceiling:
                ceiling = plural(one.ceiling, "VM")
                text = f"safe up to {ceiling} ({one.vms} today), counted in clones of {self.kind_of_more}"
            elif one.worst.unplaced:
                stay = _stay(one.worst.unplaced)
                text = f"not even today's VMs are safe ({stay} down with {', '.join(one.worst.hosts)})"
            else:
                text = f"there is no room for any clone of {self.kind_of_more}"
            text += "" if one.worst.every else f" (worst of {plural(one.worst.tried, 'set')} tried, not of all)"
            lines.append(f"  {lost}: {text}")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def to_frame(self) -> pd.DataFrame:
        """One row per case: kind, name, vms, restarted, lost, reason of most."""
        import pandas as pd

        rows = [
            (
                *(one.kind, one.name, len(one.loss.restarted) + len(one.loss.lost), len(one.loss.restarted)),
                *(len(one.loss.lost), next(iter(one.loss.reasons), "")),
            )
            for one in self.cases
        ]
        return pd.DataFrame(rows, columns=["kind", "name", "vms", "restarted", "lost", "reason"])

    def drawn(self) -> tuple[str, ...]:
        """VMs that stay down."""
        return ("lost",)

    def figures(self) -> Mapping[str, float | None]:
        """``unsafe`` cases, ``lost`` VMs in the worst of them, ``ceiling.K``."""
        return {
            "unsafe": sum(not one.safe for one in self.cases),
            "lost": max((len(one.loss.lost) for one in self.cases), default=0),
            **{f"ceiling.{one.k}": one.ceiling for one in self.ladder},
        }


def survive(
    source: Given,
    *,
    kinds: Sequence[str] = ("host", "cluster"),
    label: str | None = None,
    ladder: int = 0,
    everyone: bool = True,
    vm: str | None = None,
    offering: str | None = None,
    at: str = "start",
    seed: int | None = None,
) -> Survival:
    """Lose each thing of *kinds* (and each value of a *label*, such as a rack) and see what restarts elsewhere.

    *everyone* restarts, or VMs with high availability only. The *ladder* loses up to so many hosts at once and counts
    the VMs that may run all the same, in clones of *offering* or *vm*. Raises InvalidInput.
    """
    scenario = as_scenario(source)
    wrong = [Fault("kinds", f"{one!r} is unknown", ", ".join(KINDS)) for one in kinds if one not in KINDS]
    if not 0 <= ladder <= LADDER:
        wrong.append(Fault("ladder", f"{ladder} is no number of hosts", f"0 to {LADDER}"))
    if wrong:
        raise InvalidInput(wrong)
    ctx = standing(scenario, seed=seed, at=at)
    notes: list[str] = []
    cases = [case for kind in kinds for case in _cases(ctx, kind, everyone, notes)]
    if label is not None:
        cases += _labelled(ctx, label, everyone)
    ask = asks_of(scenario, vm=vm, offerings=[offering] if offering else ())[0] if ladder else None
    rungs = _ladder(ctx, ask, ladder, everyone) if ask is not None else ()
    return Survival(scenario.name, tuple(cases), rungs, "" if ask is None else ask.name, tuple(notes))


def _ladder(ctx: Context, ask: Ask, most: int, everyone: bool) -> tuple[Rung, ...]:
    held = int((ctx.cloud.vms.array(ctx.cloud.vms.hold_host) != NONE).sum())
    return tuple(
        Rung(k, held, worst_case(ctx, k, lambda lost: room_left(lost, ask), everyone=everyone))
        for k in range(min(most, len(usable_hosts(ctx.cloud)) - 1) + 1)
    )


def _cases(ctx: Context, kind: str, everyone: bool, notes: list[str]) -> Iterator[Case]:
    cloud, hosts = ctx.cloud, losable_hosts(ctx.cloud)
    names = cloud.fleet.names
    if kind == "storage":
        yield from _storages(ctx)
        return
    sets: list[tuple[str, tuple[int, ...]]]
    if kind == "host":
        sets = [(names[host], (host,)) for host in hosts]
    elif kind == "pair":
        if comb(len(hosts), 2) > MOST_SETS:
            notes.append(f"{comb(len(hosts), 2)} pairs of hosts are too many, none was tried (at most {MOST_SETS})")
            return
        sets = [(f"{names[one]}, {names[two]}", (one, two)) for one, two in combinations(hosts, 2)]
    else:
        places = [one.name for one in (cloud.clusters if kind == "cluster" else cloud.zones)]
        column = cloud.fleet.array(cloud.fleet.cells[kind])
        sets = [(name, tuple(host for host in hosts if column[host] == row)) for row, name in enumerate(places)]
    for name, rows in sets:
        if rows:
            yield Case(kind, name, lose(ctx.fork(), rows, everyone=everyone))


def _labelled(ctx: Context, label: str, everyone: bool) -> Iterator[Case]:
    values: dict[str, list[int]] = {}
    for host in losable_hosts(ctx.cloud):
        value = ctx.cloud.fleet.labels[host].get(label)
        if value is not None:
            values.setdefault(value, []).append(host)
    if not values:
        known = sorted({key for labels in ctx.cloud.fleet.labels for key in labels})
        raise InvalidInput([Fault("label", f"no host has {label!r}", ", ".join(known) or "a label, but none is given")])
    for value, rows in values.items():
        yield Case(label, value, lose(ctx.fork(), rows, everyone=everyone))


def _storages(ctx: Context) -> Iterator[Case]:
    """VMs with a volume on a lost storage are down with it: their data is nowhere else."""
    cloud = ctx.cloud
    for row, one in enumerate(cloud.storages):
        down = sorted(
            vm
            for vm in np.flatnonzero(cloud.vms.array(cloud.vms.hold_host) != NONE).tolist()
            if any(cloud.volumes.storage[volume] == row for volume in cloud.vms.volumes.get(vm, ()))
        )
        yield Case("storage", one.name, Loss((), (), tuple((cloud.vms.names[vm], "storage.lost") for vm in down)))


def _stay(vms: int) -> str:
    return f"{plural(vms, 'VM')} {'stays' if vms == 1 else 'stay'}"


@dataclass(frozen=True, slots=True)
class HostDrain:
    """One host emptied: VMs by name with the host they go to, and those that cannot move with the reason."""

    host: str
    moved: tuple[tuple[str, str], ...]
    stuck: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Drain(Answer):
    """Maintenance host by host, each alone, and *plan*, waves of hosts that can be away together, one after the other.

    *blocked* are hosts that are in no wave.
    """

    scenario: str
    hosts: tuple[HostDrain, ...]
    plan: tuple[tuple[HostDrain, ...], ...]
    blocked: tuple[str, ...]

    @property
    def waves(self) -> tuple[tuple[str, ...], ...]:
        """The hosts of each wave."""
        return tuple(tuple(one.host for one in wave) for wave in self.plan)

    def summary(self) -> str:
        """Which hosts can go into maintenance, and the plan."""
        stuck = [one for one in self.hosts if one.stuck]
        hosts = plural(len(self.hosts), "host")
        lines = [f"{self.scenario}: {len(self.hosts) - len(stuck)} of {hosts} can be emptied, each alone"]
        for one in stuck[:10]:
            name, reason = one.stuck[0]
            more = f" and {len(one.stuck) - 1} more" if len(one.stuck) > 1 else ""
            lines.append(f"  {one.host}: {name}{more} cannot move ({reason})")
        if self.waves:
            widest = max(len(wave) for wave in self.waves)
            lines.append(f"  rolling plan: {plural(len(self.waves), 'wave')} of up to {plural(widest, 'host')}")
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """One row per host and VM as in the plan: host, vm, to, reason, wave (from 1, 0 for those in none)."""
        import pandas as pd

        blocked = [(0, one) for one in self.hosts if one.host in self.blocked]
        rows: list[tuple[object, ...]] = []
        for number, one in [*((at, one) for at, wave in enumerate(self.plan, 1) for one in wave), *blocked]:
            rows += [(one.host, vm, to, "", number) for vm, to in one.moved]
            rows += [(one.host, vm, "", reason, number) for vm, reason in one.stuck]
            if not one.moved and not one.stuck:
                rows.append((one.host, "", "", "", number))
        return pd.DataFrame(rows, columns=["host", "vm", "to", "reason", "wave"])

    def figures(self) -> Mapping[str, float | None]:
        """``stuck`` hosts, ``waves``."""
        return {"stuck": sum(bool(one.stuck) for one in self.hosts), "waves": len(self.waves)}


def drain(source: Given, *, wave: int = 1, at: str = "start", seed: int | None = None) -> Drain:
    """Empty every host by migration, each on a copy of the cloud; then plan waves of up to *wave* hosts at once.

    A plan's waves follow each other: hosts come back before the next ones go; no VM moves to a host of its own wave.
    Raises InvalidInput.
    """
    scenario = as_scenario(source)
    if wave < 1:
        raise InvalidInput([Fault("wave", f"{wave} is no number of hosts", "at least 1")])
    ctx = standing(scenario, seed=seed, at=at)
    hosts = usable_hosts(ctx.cloud)
    single = tuple(_emptied(ctx.fork(), [host])[0] for host in hosts)
    waves, blocked = _waves(ctx.fork(), hosts, wave)
    return Drain(scenario.name, single, waves, blocked)


def _emptied(ctx: Context, hosts: Sequence[int]) -> tuple[HostDrain, ...]:
    """Some hosts closed together, then emptied one after the other."""
    for host in hosts:
        run_now(change_host_state(ctx, host, "disable"))
    return tuple(_moved_away(ctx, host) for host in hosts)


def _moved_away(ctx: Context, host: int) -> HostDrain:
    cloud = ctx.cloud
    moved, stuck = [], []
    for vm in vms_on(ctx, host):
        name = cloud.vms.names[vm]
        if cloud.vms.hold_host[vm] != host:
            continue
        outcome = run_now(migrate_vm(ctx, vm))
        if outcome.error is None:
            moved.append((name, cloud.fleet.names[cloud.vms.host[vm]]))
        else:
            stuck.append((name, outcome.error.root_reason))
    return HostDrain(cloud.fleet.names[host], tuple(moved), tuple(stuck))


def _waves(ctx: Context, hosts: list[int], size: int) -> tuple[tuple[tuple[HostDrain, ...], ...], tuple[str, ...]]:
    """Hosts into waves, first come first; one that cannot be emptied now is tried again in a later wave."""
    left, waves, names = list(hosts), [], ctx.cloud.fleet.names
    while left:
        away: list[int] = []
        plan: tuple[HostDrain, ...] = ()
        after = ctx
        for host in tuple(left):
            if len(away) == size:
                break
            trial = ctx.fork()
            emptied = _emptied(trial, [*away, host])
            if not any(one.stuck for one in emptied):
                after, plan = trial, emptied
                away.append(host)
                left.remove(host)
        if not away:
            break
        waves.append(plan)
        ctx = after
        for host in away:
            run_now(change_host_state(ctx, host, "enable"))
    return tuple(waves), tuple(names[host] for host in left)
