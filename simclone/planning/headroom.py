"""How many more clones fit: until the first failure, and until no name finds a place; what they run out of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from simclone.changes.load import as_scenario
from simclone.engine.context import Context
from simclone.errors import Fault, InvalidInput
from simclone.explain.overload import notes_of, overloads
from simclone.planning.arguments import checked
from simclone.planning.option import At, Option, Seed, Vm
from simclone.planning.parts.answer import Answer
from simclone.planning.parts.basis import basis_of
from simclone.planning.parts.clone_calls import Ask, asks_of, cloud_at, with_offering
from simclone.planning.parts.count_by_calls import count_in_turn, whole_batches
from simclone.planning.parts.filled import Filled, Unit
from simclone.planning.parts.host_loss import WorstCase, worst_cases
from simclone.planning.parts.largest_vm import LargestVm, largest_vm
from simclone.planning.parts.room_left import RoomLeft
from simclone.scenario.load import Given
from simclone.units import plural

if TYPE_CHECKING:
    import pandas as pd

REFUSED = "request.invalid"
"""The reason of a call that is none."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many more clones of one kind fit.

    *total* are all placed, and one more is not, for *reason*; in a mix *until_failure* of them come before the first
    failure of any kind. *batches* counts calls of so many names that succeed whole, where that was asked.
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
    """The rooms of everything asked for, and the largest VM that fits, *at* the start or the end; on what *basis*."""

    question: ClassVar[str] = "headroom"
    title: ClassVar[str] = "How many more fit"
    order: ClassVar[int] = 20

    scenario: str
    rooms: tuple[Room, ...]
    hole: LargestVm
    survive: int = 0
    notes: tuple[str, ...] = field(default=())
    at: str = "start"
    basis: str = ""

    def summary(self) -> str:
        """A line per kind."""
        lines = [f"{self.scenario}: how many more fit at the {self.at}"]
        for room in self.rooms:
            text = f"  {room.name}: {room.total}"
            if room.until_failure != room.total:
                text += f" (the first fails after {room.until_failure})"
            text += f", then {room.reason}" if room.reason else ", no end was met"
            if room.batches is not None:
                text += f"; {room.batches} whole batches"
            if room.with_failures is not None:
                text += f"; {room.with_failures.summary()}"
            lines.append(text)
        lines.append(f"  largest VM: {self.hole.summary()}")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes), *([f"  {self.basis}"] if self.basis else [])])

    def to_frame(self) -> pd.DataFrame:
        """One row per kind; sizes in vCPUs and bytes, counts of clones, why the next one fails, how it was counted."""
        import pandas as pd

        columns = ["name", "vm", "cpu_vcpus", "memory_bytes", "until_failure", "total", "reason", "batches"]
        rows = [
            (
                *(room.name, room.vm, room.cpu, room.memory, room.until_failure, room.total, room.reason, room.batches),
                None if room.with_failures is None else room.with_failures.total,
                room.how,
            )
            for room in self.rooms
        ]
        return pd.DataFrame(rows, columns=[*columns, "with_failures", "how"])

    def secondary_columns(self) -> frozenset[str]:
        """How it was counted."""
        return frozenset({"how"})

    def chart_columns(self) -> tuple[str, ...]:
        """The number of clones."""
        return ("total",)

    def picture(self) -> Any:
        """What remains of each kind."""
        from simclone.figures import bars

        return bars.remaining(self.to_frame())

    def figures(self) -> Mapping[str, float | None]:
        """``total`` (the least of all kinds), ``total.NAME``, and the same with ``with_failures``."""
        result: dict[str, float | None] = {f"total.{room.name}": room.total for room in self.rooms}
        result["total"] = min((item.total for item in self.rooms), default=None)
        spare = {entry.name: entry.with_failures.total for entry in self.rooms if entry.with_failures is not None}
        result.update({f"with_failures.{name}": total for name, total in spare.items()})
        if spare:
            result["with_failures"] = min(spare.values())
        return result


@checked
def headroom(
    source: Given,
    *,
    offerings: Annotated[Sequence[str], Option("An instance offering; may be repeated (default: all).")] = (),
    vm: Vm = None,
    mix: Annotated[
        Mapping[str, int] | None,
        Option(
            "Clone these in turn by weight; may be repeated.",
            flag="--mix",
            metavar="OFFERING=WEIGHT",
            parse="weights_of",
        ),
    ] = None,
    batch: Annotated[int | None, Option("Count whole calls of so many names too.")] = None,
    survive: Annotated[int, Option("Leave room for the VMs of so many lost hosts.")] = 0,
    account: Annotated[str | None, Option("Whose limits count (default: the administrator has none).")] = None,
    system_tags: Annotated[
        Sequence[str],
        Option("A system tag of the calls, such as affinityGroupUuid::NAME.", aliases=("--tag",)),
    ] = (),
    group: Annotated[str | None, Option("The affinity group whose members the clones are.")] = None,
    full: Annotated[bool, Option("Clone data volumes too (full clones).")] = False,
    one_by_one: Annotated[bool, Option("Count calls of one name, not the names of one call.")] = False,
    at: At = "start",
    seed: Seed = None,
    method: str = "auto",
) -> Headroom:
    """How many more clones fit into SCENARIO, what they run out of, and the largest VM that fits.

    Clones of each of *offerings* (all, if none are named), of *vm*, or of a *mix* by weights are counted, at the start
    of the scenario or at the *end* of its run: the most names of one call (*one_by_one*: of calls of one name) that
    are all placed, while one more is not. The calls are those of *account*, whose limits count, and carry
    *system_tags*; with *group* the clones are its members, *full* ones copy data volumes. *batch* counts whole calls of
    so many names besides, *survive* leaves room for the VMs of so many lost hosts. Where flows judge every host by
    itself the count is made on columns, else by calls (*method* ``calls``: always). Raises InvalidInput.
    """
    scenario = as_scenario(source)
    _check(batch, survive, method, scenario.run.max_names)
    ctx = cloud_at(scenario, seed=seed, at=at)
    tags = [*system_tags, *((f"affinityGroupUuid::{group}",) if group is not None else ())]
    chosen = list(mix) if mix else offerings
    asks = asks_of(scenario, vm=vm, offerings=chosen, account=account, system_tags=tags, full=full)
    if mix:
        _check_mix({"batch": batch is not None, "survive": bool(survive), "offerings": bool(offerings)})
    unit = Unit(1 if one_by_one else None, by_columns=method == "auto" and not one_by_one)
    rooms, words, notes = _mixed(ctx, mix, asks) if mix else _counted(ctx, asks, unit, batch, survive)
    _check_tags("system_tags" if group is None else "group", tags, rooms)
    notes += [f"limits of {account} do not count for the largest VM"] if account is not None else []
    notes, basis = [*notes, *_overloads(ctx, at)], basis_of(scenario, ctx, at=at, seed=seed, unit=words)
    return Headroom(scenario.name, rooms, largest_vm(ctx.cloud), survive, tuple(notes), at, basis)


def _overloads(ctx: Context, at: str) -> tuple[str, ...]:
    return notes_of(overloads(ctx.cloud), f"at the {at}")


def _check_tags(keyword: str, tags: Sequence[str], rooms: Sequence[Room]) -> None:
    if tags and all(room.reason == REFUSED for room in rooms):
        raise InvalidInput([Fault(keyword, f"{', '.join(tags)}: the call is refused", "tags the cloud knows")])


def _counted(
    ctx: Context, asks: Sequence[Ask], unit: Unit, batch: int | None, survive: int
) -> tuple[tuple[Room, ...], str, list[str]]:
    """Each kind by itself, and beside the VMs of the worst hosts lost; the unit in words, and no notes."""
    counters = [RoomLeft(ctx, ask, unit) for ask in asks]
    rooms = tuple(_room(counter, batch) for counter in counters)
    if survive:
        cases = worst_cases(ctx, survive, counters)
        rooms = tuple(replace(room, with_failures=case) for room, case in zip(rooms, cases, strict=True))
    return rooms, unit.summary(ctx.max_names), []


def _check_mix(beside: Mapping[str, bool]) -> None:
    faults = [Fault(name, "does not go with a mix", "one or the other") for name, values in beside.items() if values]
    if faults:
        raise InvalidInput(faults)


def _mixed(ctx: Context, mix: Mapping[str, int], asks: Sequence[Ask]) -> tuple[tuple[Room, ...], str, list[str]]:
    """Kinds by weight, one clone after the other, until none fits; the unit in words, and when the first failed."""
    wrong = [name for name, weight in mix.items() if weight < 1]
    if wrong:
        raise InvalidInput(
            [Fault(f"mix.{name}", f"{mix[name]} is no weight", "a whole number above 0") for name in wrong]
        )
    parts, until = count_in_turn(ctx.fork(), asks, list(mix.values()))
    rooms = []
    for ask, part in zip(asks, parts, strict=True):
        twin = ctx.fork()
        with_offering(twin, ask)
        rooms.append(_described(twin, ask, part, "calls"))
    note = f"one after the other by weight, the first failure comes after {plural(until, 'clone')}"
    return tuple(rooms), "calls of one name in turn", [note]


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


def _room(counter: RoomLeft, batch: int | None) -> Room:
    room = _described(counter.dressed, counter.ask, counter.now(), counter.how)
    return room if batch is None else replace(room, batches=whole_batches(counter.dressed.fork(), counter.ask, batch))


def _described(dressed: Context, ask: Ask, filled: Filled, how: str) -> Room:
    row, vms = dressed.cloud.find("vm", ask.vm), dressed.cloud.vms
    cpu, memory = vms.cpu[row], vms.memory[row]
    counts = (filled.until_failure, filled.total, filled.reason, filled.clusters, filled.zones)
    return Room(ask.name, ask.vm, cpu, memory, *counts, how)
