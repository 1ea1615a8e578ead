"""How many more clones fit: until the first failure, and until no name finds a place; what they run out of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from simclone.changes.load import as_scenario
from simclone.engine.context import Context
from simclone.errors import Fault, InvalidInput
from simclone.planning.parts.answer import Answer
from simclone.planning.parts.clone_calls import Ask, asks_of, dress, standing
from simclone.planning.parts.count_by_calls import Filled, filled, filled_in_turn, whole_batches
from simclone.planning.parts.count_by_columns import counted
from simclone.planning.parts.host_loss import WorstCase, worst_case
from simclone.planning.parts.largest_vm import Hole, largest_hole
from simclone.scenario.load import Given, Scenario
from simclone.units import plural

if TYPE_CHECKING:
    import pandas as pd

REFUSED = "request.invalid"
"""The reason of a call that is none."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many more clones of one kind fit.

    *until_failure* are placed before the first that fails, *total* until no name is placed any more, *reason* is why
    the next one fails. *batches* counts calls of so many names that succeed whole, where that was asked.
    *with_failures* are the clones that fit beside the VMs of the worst hosts lost. *how* is ``columns`` or ``calls``.
    """

    name: str
    vm: str
    cpu: int
    memory: int
    until_failure: int
    total: int
    reason: str
    clusters: Mapping[str, int]
    zones: Mapping[str, int]
    how: str
    batches: int | None = None
    with_failures: WorstCase | None = None


@dataclass(frozen=True, slots=True)
class Headroom(Answer):
    """The rooms of everything asked for, and the largest VM that fits now."""

    scenario: str
    rooms: tuple[Room, ...]
    hole: Hole
    survive: int = 0
    notes: tuple[str, ...] = field(default=())

    def summary(self) -> str:
        """A line per kind."""
        lines = [f"{self.scenario}: how many more fit"]
        for one in self.rooms:
            text = f"  {one.name}: {one.total}"
            if one.until_failure != one.total:
                text += f" (the first fails after {one.until_failure})"
            text += f", then {one.reason}" if one.reason else ", no end was met"
            if one.batches is not None:
                text += f"; {one.batches} whole batches"
            if one.with_failures is not None:
                text += f"; {one.with_failures.summary()}"
            lines.append(text)
        lines.append(f"  largest VM: {self.hole.summary()}")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def to_frame(self) -> pd.DataFrame:
        """One row per kind; sizes in vCPUs and bytes, counts of clones, why the next one fails, how it was counted."""
        import pandas as pd

        columns = ["name", "vm", "cpu_vcpus", "memory_bytes", "until_failure", "total", "reason", "batches"]
        rows = [
            (
                *(one.name, one.vm, one.cpu, one.memory, one.until_failure, one.total, one.reason, one.batches),
                None if one.with_failures is None else one.with_failures.total,
                one.how,
            )
            for one in self.rooms
        ]
        return pd.DataFrame(rows, columns=[*columns, "with_failures", "how"])

    def aside(self) -> frozenset[str]:
        """How it was counted."""
        return frozenset({"how"})

    def drawn(self) -> tuple[str, ...]:
        """The number of clones."""
        return ("total",)

    def figures(self) -> Mapping[str, float | None]:
        """``total`` (the least of all kinds), ``total.NAME``, and the same with ``with_failures``."""
        found: dict[str, float | None] = {f"total.{one.name}": one.total for one in self.rooms}
        found["total"] = min((one.total for one in self.rooms), default=None)
        spare = {one.name: one.with_failures.total for one in self.rooms if one.with_failures is not None}
        found.update({f"with_failures.{name}": total for name, total in spare.items()})
        if spare:
            found["with_failures"] = min(spare.values())
        return found


def headroom(
    source: Given,
    *,
    vm: str | None = None,
    offerings: Sequence[str] = (),
    mix: Mapping[str, int] | None = None,
    batch: int | None = None,
    survive: int = 0,
    at: str = "start",
    seed: int | None = None,
    method: str = "auto",
    account: str | None = None,
    system_tags: Sequence[str] = (),
) -> Headroom:
    """How many more clones fit, of each of *offerings* (all, if none are named), of *vm*, or of a *mix* by weights.

    The calls are those of *account* (the administrator's, if none is named), whose limits count, and carry
    *system_tags* (``affinityGroupUuid::NAME`` counts members of a group).
    *batch* counts whole calls of so many names besides, *survive* leaves room for the VMs of so many lost hosts.
    Where flows judge every host by itself the count is made on columns, else call by call (*method* ``calls``: always);
    both give the same. Raises InvalidInput.
    """
    scenario = as_scenario(source)
    _check(batch, survive, method, scenario.run.max_names)
    ctx = standing(scenario, seed=seed, at=at)
    if mix:
        beside = {"batch": batch is not None, "survive": bool(survive), "offerings": bool(offerings)}
        faults = [Fault(name, "does not go with a mix", "one or the other") for name, given in beside.items() if given]
        if faults:
            raise InvalidInput(faults)
        asks = asks_of(scenario, vm=vm, offerings=list(mix), account=account, system_tags=system_tags)
        return _mixed(ctx, scenario, mix, asks)
    asks = asks_of(scenario, vm=vm, offerings=offerings, account=account, system_tags=system_tags)
    rooms = [_room(ctx, ask, batch=batch, survive=survive, method=method) for ask in asks]
    if system_tags and all(one.reason == REFUSED for one in rooms):
        raise InvalidInput(
            [Fault("system_tags", f"{', '.join(system_tags)}: the call is refused", "tags the cloud knows")]
        )
    notes = (f"limits of {account} do not count for the largest VM",) if account is not None else ()
    return Headroom(scenario.name, tuple(rooms), largest_hole(ctx.cloud), survive, notes)


def _mixed(ctx: Context, scenario: Scenario, mix: Mapping[str, int], asks: Sequence[Ask]) -> Headroom:
    """Kinds by weight, one clone after the other, until none of them fits."""
    wrong = [name for name, weight in mix.items() if weight < 1]
    if wrong:
        raise InvalidInput(
            [Fault(f"mix.{name}", f"{mix[name]} is no weight", "a whole number above 0") for name in wrong]
        )
    parts, until = filled_in_turn(ctx.fork(), asks, list(mix.values()))
    rooms = []
    for ask, part in zip(asks, parts, strict=True):
        twin = ctx.fork()
        dress(twin, ask)
        rooms.append(_told(twin, ask, part, "calls"))
    note = f"one after the other by weight, the first failure comes after {plural(until, 'clone')}"
    return Headroom(scenario.name, tuple(rooms), largest_hole(ctx.cloud), 0, (note,))


def _check(batch: int | None, survive: int, method: str, most: int) -> None:
    faults = []
    if batch is not None and batch < 1:
        faults.append(Fault("batch", f"{batch} is no size", "at least 1"))
    elif batch is not None and batch > most:
        faults.append(Fault("batch", f"{batch} names are more than one call may hold", f"at most {most}"))
    if survive < 0:
        faults.append(Fault("survive", f"{survive} is no number of hosts", "at least 0"))
    if method not in ("auto", "calls"):
        faults.append(Fault("method", f"{method!r} is unknown", "auto or calls"))
    if faults:
        raise InvalidInput(faults)


def _room(ctx: Context, ask: Ask, *, batch: int | None, survive: int, method: str) -> Room:
    twin = ctx.fork()
    dress(twin, ask)
    found = counted(twin, ask) if method == "auto" else None
    how = "calls" if found is None else "columns"
    room = _told(twin, ask, found or filled(twin.fork(), ask), how)
    if batch is not None:
        room = replace(room, batches=whole_batches(twin.fork(), ask, batch))
    if survive:
        room = replace(room, with_failures=worst_case(ctx, survive, lambda lost: room_left(lost, ask, method)))
    return room


def _told(dressed: Context, ask: Ask, found: Filled, how: str) -> Room:
    row, vms = dressed.cloud.find("vm", ask.vm), dressed.cloud.vms
    cpu, memory = vms.cpu[row], vms.memory[row]
    counts = (found.until_failure, found.total, found.reason, found.clusters, found.zones)
    return Room(ask.name, ask.vm, cpu, memory, *counts, how)


def room_left(ctx: Context, ask: Ask, method: str = "auto") -> int:
    """How many clones fit into a cloud, which is left as it is."""
    twin = ctx.fork()
    dress(twin, ask)
    found = counted(twin, ask) if method == "auto" else None
    return (found or filled(twin, ask)).total
