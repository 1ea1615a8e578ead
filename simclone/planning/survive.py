"""What survives: every host, pair, cluster, rack or storage lost, and how many VMs may run so that it still does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

import numpy as np

from simclone.changes.load import as_scenario
from simclone.engine.context import Context
from simclone.errors import Fault, InvalidInput
from simclone.model.vms import NONE
from simclone.planning.arguments import checked
from simclone.planning.option import At, Option, Seed, Vm, deprecated
from simclone.planning.parts.answer import Answer
from simclone.planning.parts.clone_calls import Ask, asks_of, cloud_at
from simclone.planning.parts.filled import Unit
from simclone.planning.parts.host_loss import (
    MOST_SETS,
    HostLoss,
    WorstCase,
    losable_hosts,
    lose,
    trial,
    worst_cases,
)
from simclone.planning.parts.room_left import RoomLeft
from simclone.scenario.load import Given
from simclone.units import plural

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["host", "pair", "cluster", "zone", "storage"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LADDER = 3


@dataclass(frozen=True, slots=True)
class LossCase:
    """One thing lost: its *kind*, its *name*, and what became of its VMs."""

    kind: str
    name: str
    loss: HostLoss

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

    question: ClassVar[str] = "survive"
    title: ClassVar[str] = "What survives"
    order: ClassVar[int] = 160

    scenario: str
    cases: tuple[LossCase, ...]
    ladder: tuple[Rung, ...]
    kind_of_more: str
    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        """Safe and unsafe cases by kind, the worst of each, and the ladder."""
        lines = [f"{self.scenario}: what survives"]
        for kind in dict.fromkeys(case.kind for case in self.cases):
            part = [entry for entry in self.cases if entry.kind == kind]
            bad = sorted((element for element in part if not element.safe), key=lambda one: -len(one.loss.lost))
            text = f"  any {kind}: {len(part) - len(bad)} of {len(part)} survived whole"
            if bad:
                why = ", ".join(f"{count} for {reason}" for reason, count in bad[0].loss.reasons.items())
                text += f"; worst is {bad[0].name}: {_stay(len(bad[0].loss.lost))} down ({why})"
            lines.append(text)
        for item in self.ladder:
            lost = f"{plural(item.k, 'host')} lost"
            if item.ceiling:
                ceiling = plural(item.ceiling, "VM")
                text = f"safe up to {ceiling} ({item.vms} today), counted in clones of {self.kind_of_more}"
            elif item.worst.unplaced:
                stay = _stay(item.worst.unplaced)
                text = f"not even today's VMs are safe ({stay} down with {', '.join(item.worst.hosts)})"
            else:
                text = f"there is no room for any clone of {self.kind_of_more}"
            text += "" if item.worst.every else f" (worst of {plural(item.worst.tried, 'set')} tried, not of all)"
            lines.append(f"  {lost}: {text}")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def to_frame(self) -> pd.DataFrame:
        """One row per case: kind, name, vms, restarted, lost, reason of most."""
        import pandas as pd

        rows = [
            (
                *(case.kind, case.name, len(case.loss.restarted) + len(case.loss.lost), len(case.loss.restarted)),
                *(len(case.loss.lost), next(iter(case.loss.reasons), "")),
            )
            for case in self.cases
        ]
        return pd.DataFrame(rows, columns=["kind", "name", "vms", "restarted", "lost", "reason"])

    def chart_columns(self) -> tuple[str, ...]:
        """VMs that stay down."""
        return ("lost",)

    def picture(self) -> Any:
        """The ladder: VMs that may run by the number of hosts lost."""
        import pandas as pd

        from simclone.figures import bars

        if not self.ladder:
            return None
        rows = [(rung.k, rung.ceiling, rung.vms) for rung in self.ladder]
        return bars.ladder(pd.DataFrame(rows, columns=["k", "ceiling", "vms"]))

    def figures(self) -> Mapping[str, float | None]:
        """``unsafe`` cases, ``lost`` VMs in the worst of them, ``ceiling.K``."""
        return {
            "unsafe": sum(not item.safe for item in self.cases),
            "lost": max((len(case.loss.lost) for case in self.cases), default=0),
            **{f"ceiling.{entry.k}": entry.ceiling for entry in self.ladder},
        }


@checked
def survive(
    source: Given,
    *,
    each: Annotated[Sequence[Kind], Option("What is lost; may be repeated.", flag="--each")] = ("host", "cluster"),
    label: Annotated[str | None, Option("Lose all hosts with the same value of this label (a rack) together.")] = None,
    ladder: Annotated[int, Option("Lose up to so many hosts at once (0 to 3) and count the VMs that are safe.")] = 0,
    ha_only: Annotated[bool, Option("Only VMs with high availability restart.")] = False,
    offering: Annotated[str | None, Option("The kind of VM the ladder counts in.")] = None,
    vm: Vm = None,
    at: At = "start",
    seed: Seed = None,
    kinds: Sequence[Kind] | None = None,
    everyone: bool | None = None,
) -> Survival:
    """What of SCENARIO survives the loss of each host, pair, cluster, rack or storage.

    *each* kind of thing is lost in turn (and each value of a *label*, such as a rack), and what restarts elsewhere is
    counted: every VM, or with *ha_only* those with high availability. *kinds* and *everyone* are deprecated. The
    *ladder* loses up to so many hosts at once and counts the VMs that may run all the same, in clones of *offering* or
    *vm*. Raises InvalidInput.
    """
    scenario = as_scenario(source)
    if kinds is not None:
        each = deprecated("kinds", "each", kinds)
    if everyone is not None:
        ha_only = deprecated("everyone", "ha_only", not everyone)
    wrong = [Fault("each", f"{kind!r} is unknown", ", ".join(KINDS)) for kind in each if kind not in KINDS]
    if not 0 <= ladder <= LADDER:
        wrong.append(Fault("ladder", f"{ladder} is no number of hosts", f"0 to {LADDER}"))
    if wrong:
        raise InvalidInput(wrong)
    ctx = cloud_at(scenario, seed=seed, at=at)
    notes: list[str] = []
    everyone = not ha_only
    cases = [case for kind in each for case in _cases(ctx, kind, everyone, notes)]
    if label is not None:
        cases += _labelled(ctx, label, everyone)
    ask = asks_of(scenario, vm=vm, offerings=[offering] if offering else ())[0] if ladder else None
    rungs = _ladder(ctx, ask, ladder, everyone) if ask is not None else ()
    return Survival(scenario.name, tuple(cases), rungs, "" if ask is None else ask.name, tuple(notes))


def _ladder(ctx: Context, ask: Ask, most: int, everyone: bool) -> tuple[Rung, ...]:
    held = int((ctx.cloud.vms.array(ctx.cloud.vms.hold_host) != NONE).sum())
    counter = [RoomLeft(ctx, ask, Unit())]
    return tuple(
        Rung(k, held, worst_cases(ctx, k, counter, everyone=everyone)[0])
        for k in range(min(most, len(losable_hosts(ctx.cloud)) - 1) + 1)
    )


def _cases(ctx: Context, kind: str, everyone: bool, notes: list[str]) -> Iterator[LossCase]:
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
        sets = [(f"{names[item]}, {names[two]}", (item, two)) for item, two in combinations(hosts, 2)]
    else:
        positions = [cluster.name for cluster in (cloud.clusters if kind == "cluster" else cloud.zones)]
        column = cloud.fleet.array(cloud.fleet.cells[kind])
        sets = [(name, tuple(host for host in hosts if column[host] == row)) for row, name in enumerate(positions)]
    for name, rows in sets:
        if rows:
            with trial(ctx) as twin:
                loss = lose(twin, rows, everyone=everyone)
            yield LossCase(kind, name, loss)


def _labelled(ctx: Context, label: str, everyone: bool) -> Iterator[LossCase]:
    values: dict[str, list[int]] = {}
    for host in losable_hosts(ctx.cloud):
        value = ctx.cloud.fleet.labels[host].get(label)
        if value is not None:
            values.setdefault(value, []).append(host)
    if not values:
        known = sorted({key for labels in ctx.cloud.fleet.labels for key in labels})
        raise InvalidInput([Fault("label", f"no host has {label!r}", ", ".join(known) or "a label, but none is given")])
    for value, rows in values.items():
        with trial(ctx) as twin:
            loss = lose(twin, rows, everyone=everyone)
        yield LossCase(label, value, loss)


def _storages(ctx: Context) -> Iterator[LossCase]:
    """VMs with a volume on a lost storage are down with it: their data is nowhere else."""
    cloud = ctx.cloud
    for row, item in enumerate(cloud.storages):
        down = sorted(
            vm
            for vm in np.flatnonzero(cloud.vms.array(cloud.vms.hold_host) != NONE).tolist()
            if any(cloud.volumes.storage[volume] == row for volume in cloud.vms.volumes.get(vm, ()))
        )
        yield LossCase(
            "storage", item.name, HostLoss((), (), tuple((cloud.vms.names[vm], "storage.lost") for vm in down))
        )


def _stay(vms: int) -> str:
    return f"{plural(vms, 'VM')} {'stays' if vms == 1 else 'stay'}"
