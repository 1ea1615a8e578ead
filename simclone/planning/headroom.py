"""How many more clones fit: until the first failure, and until no name finds a place; what they run out of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from simclone.engine.context import Context
from simclone.errors import Fault, InvalidInput
from simclone.planning.parts.answer import Answer
from simclone.planning.parts.arguments import checked
from simclone.planning.parts.clone_calls import Ask, asks_of, cloud_at, with_offering
from simclone.planning.parts.count_by_calls import Filled, count_by_calls, count_in_turn, whole_batches
from simclone.planning.parts.count_by_columns import count_by_columns
from simclone.planning.parts.host_loss import WorstCase, worst_case
from simclone.planning.parts.largest_vm import LargestVm, largest_vm
from simclone.planning.parts.option import At, Option, Seed, Vm
from simclone.scenario.load import Given, Scenario, as_scenario
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

    question: ClassVar[str] = "headroom"
    title: ClassVar[str] = "How many more fit"
    order: ClassVar[int] = 20

    scenario: str
    rooms: tuple[Room, ...]
    hole: LargestVm
    survive: int = 0
    notes: tuple[str, ...] = field(default=())

    def summary(self) -> str:
        """A line per kind."""
        lines = [f"{self.scenario}: how many more fit"]
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
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

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
    one_by_one: Annotated[bool, Option("Clone call by call even where columns could be counted.")] = False,
    at: At = "start",
    seed: Seed = None,
    method: str = "auto",
) -> Headroom:
    """How many more clones fit into SCENARIO, what they run out of, and the largest VM that fits.

    Clones of each of *offerings* (all, if none are named), of *vm*, or of a *mix* by weights are counted.

    The calls are those of *account* (the administrator's, if none is named), whose limits count, and carry
    *system_tags* (``affinityGroupUuid::NAME`` counts members of a group). *batch* counts whole calls of so many names
    besides, *survive* leaves room for the VMs of so many lost hosts. Where flows judge every host by itself the count
    is made on columns, else call by call (*one_by_one*, or *method* ``calls``: always); both give the same. Raises
    InvalidInput.
    """
    scenario = as_scenario(source)
    _check(batch, survive, method, scenario.run.max_names)
    method = "calls" if one_by_one else method
    ctx = cloud_at(scenario, seed=seed, at=at)
    if mix:
        _check_mix({"batch": batch is not None, "survive": bool(survive), "offerings": bool(offerings)})
        asks = asks_of(scenario, vm=vm, offerings=list(mix), account=account, system_tags=system_tags)
        return _mixed(ctx, scenario, mix, asks)
    asks = asks_of(scenario, vm=vm, offerings=offerings, account=account, system_tags=system_tags)
    rooms = [_room(ctx, ask, batch=batch, survive=survive, method=method) for ask in asks]
    if system_tags and all(room.reason == REFUSED for room in rooms):
        text = f"{', '.join(system_tags)}: the call is refused"
        raise InvalidInput([Fault("system_tags", text, "tags the cloud knows")])
    notes = (f"limits of {account} do not count for the largest VM",) if account is not None else ()
    return Headroom(scenario.name, tuple(rooms), largest_vm(ctx.cloud), survive, notes)


def _check_mix(beside: Mapping[str, bool]) -> None:
    faults = [Fault(name, "does not go with a mix", "one or the other") for name, values in beside.items() if values]
    if faults:
        raise InvalidInput(faults)


def _mixed(ctx: Context, scenario: Scenario, mix: Mapping[str, int], asks: Sequence[Ask]) -> Headroom:
    """Kinds by weight, one clone after the other, until none of them fits."""
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
        rooms.append(_told(twin, ask, part, "calls"))
    note = f"one after the other by weight, the first failure comes after {plural(until, 'clone')}"
    return Headroom(scenario.name, tuple(rooms), largest_vm(ctx.cloud), 0, (note,))


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
    with_offering(twin, ask)
    result = count_by_columns(twin, ask) if method == "auto" else None
    how = "calls" if result is None else "columns"
    room = _told(twin, ask, result or count_by_calls(twin.fork(), ask), how)
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
    with_offering(twin, ask)
    result = count_by_columns(twin, ask) if method == "auto" else None
    return (result or count_by_calls(twin, ask)).total
