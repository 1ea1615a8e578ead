"""The fewest hosts that still hold everything, and which ones could go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, ClassVar, Unpack

from simclone.changes.load import as_scenario
from simclone.changes.whatif import change_scenario
from simclone.engine.context import Context
from simclone.engine.opening import open_context
from simclone.errors import Fault, InvalidInput, UnplacedVms
from simclone.planning.arguments import checked
from simclone.planning.option import Option
from simclone.planning.parts.answer import Answer
from simclone.planning.parts.clone_calls import cloud_at
from simclone.planning.parts.host_loss import lose, sets_of, trial
from simclone.planning.parts.unrelated import apart, apart_note, unrelated_reasons
from simclone.planning.replication.plan import ReplicationPlan, RunKeywords, plan_of, reasons_of, replicate
from simclone.scenario.load import Given, Scenario
from simclone.units import plural

if TYPE_CHECKING:
    import pandas as pd

EXACT_HOSTS = 10
"""Up to so many hosts every set is a candidate; of larger fleets hosts go one group after the other."""


@dataclass(frozen=True, slots=True)
class Shrink(Answer):
    """Hosts that may go, the others still hold every VM and request, with *spare* hosts lost besides.

    *exact*: no larger set could go. *possible* False: not even the whole fleet does it. *apart* are names that the
    whole fleet refuses for what hosts have nothing to do with, by reason; the others are judged.
    """

    question: ClassVar[str] = "shrink"
    title: ClassVar[str] = "Hosts that could go"
    order: ClassVar[int] = 80

    scenario: str
    hosts: int
    removed: tuple[str, ...]
    spare: int
    exact: bool
    possible: bool
    tried: int
    apart: Mapping[str, int] = field(default_factory=dict)

    def summary(self) -> str:
        """How many are needed, which could go, and what is set apart."""
        note = apart_note(self.apart)
        return f"{self._sentence()}\n  {note}" if note else self._sentence()

    def _sentence(self) -> str:
        robust = f" with {self.spare} lost besides" if self.spare else ""
        if not self.possible:
            return f"{self.scenario}: not even all {plural(self.hosts, 'host')} hold everything{robust}"
        text = (
            f"{self.scenario}: {self.hosts - len(self.removed)} of {plural(self.hosts, 'host')} hold everything{robust}"
        )
        if self.removed:
            shown = ", ".join(self.removed[:12]) + (", …" if len(self.removed) > 12 else "")
            text += f"; {len(self.removed)} may go: {shown}"
        return text if self.exact else f"{text} (more might: {self.tried} sets were tried)"

    def to_frame(self) -> pd.DataFrame:
        """One row per host that may go."""
        import pandas as pd

        return pd.DataFrame({"host": list(self.removed)})

    def figures(self) -> Mapping[str, float | None]:
        """``removed``, ``needed``."""
        return {"removed": len(self.removed), "needed": self.hosts - len(self.removed)}


class _Fleet:
    """Whether the fleet without some hosts is enough; each set is tried once."""

    def __init__(self, scenario: Scenario, spare: int, plan: ReplicationPlan) -> None:
        self.scenario, self.spare, self.plan = scenario, spare, plan
        self.made: dict[tuple[str, ...], bool] = {}
        self.apart: dict[str, int] = {}

    def __call__(self, gone: Sequence[str]) -> bool:
        key = tuple(sorted(gone))
        if key not in self.made:
            self.made[key] = self._enough(key)
        return self.made[key]

    def _enough(self, gone: tuple[str, ...]) -> bool:
        try:
            scenario = change_scenario(self.scenario, [{"removeHosts": list(gone)}]) if gone else self.scenario
            runs, interrupted = replicate({"": scenario}, self.plan)
            if interrupted:
                raise KeyboardInterrupt
            if not gone:
                reasons = reasons_of(runs[""])
                self.apart = {code: reasons[code] for code in reasons if code in unrelated_reasons(reasons)}
            every = all(run.placed == run.asked for run in apart(runs[""], self.apart))
            return every and (not self.spare or self._spared(scenario))
        except InvalidInput as error:
            if not gone and not isinstance(error, UnplacedVms):
                raise
            return False

    def _spared(self, scenario: Scenario) -> bool:
        """Whether the VMs there are at the end of each run survive the loss of so many hosts."""
        plan = self.plan
        return all(
            _survives(cloud_at(scenario, seed=plan.seed, replication=number, at="end"), self.spare)
            for number in range(plan.replications)
        )


def _survives(ctx: Context, size: int) -> bool:
    """Whether all VMs go on running whatever *size* hosts are lost."""
    sets, _, _ = sets_of(ctx, size)
    for rows in sets:
        with trial(ctx) as twin:
            lost = lose(twin, rows).lost
        if lost:
            return False
    return True


@checked
def shrink(
    source: Given,
    *,
    spare: Annotated[int, Option("Hosts that may be lost besides.")] = 0,
    plan: ReplicationPlan | None = None,
    **runs: Unpack[RunKeywords],
) -> Shrink:
    """The fewest hosts of SCENARIO that still hold everything, and which ones could go.

    Hosts are taken away while all VMs of the file and all requests are still placed in every replication, but for
    names that the whole fleet refuses for what hosts have nothing to do with (quota, a bad call, network).
    *spare*: whatever so many hosts are lost besides (of very many sets those that look worst), the VMs there are at the
    end of each run restart on the others. The least loaded go first; small fleets are searched through, of larger ones
    as many go at once as can, then one by one. VMs of a host that goes move by live migration. Raises InvalidInput.
    """
    scenario = as_scenario(source)
    if spare < 0:
        raise InvalidInput([Fault("spare", f"{spare} is no number of hosts", "at least 0")])
    fleet = _Fleet(scenario, spare, plan_of(plan, runs))
    names = [doc.name for doc in scenario.resolved.names.docs("host")]
    if not fleet(()):
        return Shrink(scenario.name, len(names), (), spare, True, False, 1, fleet.apart)
    exact = len(names) <= EXACT_HOSTS
    lightest = _lightest(scenario)
    departed = _largest(fleet, lightest) if exact else _greedy(fleet, lightest)
    removed = tuple(name for name in names if name in departed)
    return Shrink(scenario.name, len(names), removed, spare, exact, True, len(fleet.made), fleet.apart)


def _largest(fleet: _Fleet, names: Sequence[str]) -> tuple[str, ...]:
    for size in range(len(names) - 1, 0, -1):
        for combination in combinations(names, size):
            if fleet(combination):
                return combination
    return ()


def _lightest(scenario: Scenario) -> list[str]:
    """Hosts by what they hold, least first; of equal ones the smallest."""
    cloud = open_context(scenario).cloud
    fleet = cloud.fleet
    order = sorted(
        range(cloud.fleet.row_count),
        key=lambda row: (fleet.held_memory[row], fleet.held_cpu[row], fleet.total_memory[row], -row),
    )
    return [cloud.fleet.names[row] for row in order]


def _greedy(fleet: _Fleet, names: list[str]) -> tuple[str, ...]:
    low, high = 0, len(names)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fleet(names[:middle]) else (low, middle)
    removed = names[:low]
    for name in names[low:]:
        if len(removed) + 1 < len(names) and fleet([*removed, name]):
            removed.append(name)
    return tuple(removed)
