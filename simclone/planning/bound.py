"""What no strategy can beat: a bound by integer programming on this very request set, and how far each stays below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Unpack

from simclone.allocator.rules.capacity import checks_physical
from simclone.changes.load import as_scenario
from simclone.engine.context import Context
from simclone.engine.opening import open_context
from simclone.errors import Fault, InvalidInput
from simclone.planning.arguments import checked
from simclone.planning.compare import strategy_variants
from simclone.planning.option import Option
from simclone.planning.parts.answer import Answer
from simclone.planning.parts.bound_model import BoundModel, host_groups, takes
from simclone.planning.parts.clone_limits import CloneLimits, clone_limits
from simclone.planning.replication.intervals import Interval
from simclone.planning.replication.plan import ReplicationPlan, RunKeywords, interval_of, plan_of, replicate
from simclone.scenario.load import Given, Scenario
from simclone.units import plural
from simclone.vocabulary import Policy

if TYPE_CHECKING:
    import pandas as pd

MOST_VARIABLES = 20_000
"""Up to so many counts (kinds of VM times kinds of host) are kept whole; beyond, VMs may be cut in pieces."""
SINGLE_HOSTS = 40
"""Up to so many hosts each is a bin of its own; of larger fleets equal hosts are added up."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What a strategy places on average, and how many fewer than the bound."""

    strategy: str
    placed: Interval
    gap: float


@dataclass(frozen=True, slots=True)
class Bound(Answer):
    """At most *bound* of *asked* clones run, by all limits but those in *left_out*.

    Held are vCPUs, memory with its rounding, devices, networks and where they reach, addresses, the room and the
    physical threshold of storages and of local shares for root volumes, and quotas. A call that breaks a quota as a
    whole counts for none of its names; *if_cut* is the bound if such calls were cut in single names. *exact* says
    that whole VMs were counted host by host in whole numbers and no limit is left out, so that it can be reached but
    for the order of requests. *free_…* is what the usable hosts have, *stranded* the share of it on hosts that take
    none of the kinds asked for. *refused* are the requests of which no name can run, each with its reason.
    """

    question: ClassVar[str] = "bound"
    title: ClassVar[str] = "Against the best possible"
    order: ClassVar[int] = 250

    scenario: str
    asked: int
    bound: int
    exact: bool
    gaps: tuple[Gap, ...]
    free_cpu_vcpus: int
    free_memory_bytes: int
    stranded: float
    notes: tuple[str, ...] = ()
    interrupted: bool = False
    if_cut: int | None = None
    left_out: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()

    def summary(self) -> str:
        """The bound and the strategies below it."""
        kind = "exact, host by host" if self.exact else "no more, perhaps fewer"
        lines = [f"{self.scenario}: at most {self.bound} of {plural(self.asked, 'clone')} can run ({kind})"]
        if self.if_cut is not None:
            lines.append(f"  calls count whole: one over its quota places nothing; cut in single names {self.if_cut}")
        for item in self.gaps:
            placed = item.placed.summary() if item.placed.n > 1 else f"{item.placed.estimate:.4g} in one run"
            lines.append(f"  {item.strategy}: {placed}, {item.gap:g} below the bound")
        lines.append(f"  {100 * self.stranded:.1f} % of the free memory is on hosts that take none of what is asked")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def to_frame(self) -> pd.DataFrame:
        """One row per strategy: strategy, placed, low, high, bound, gap."""
        import pandas as pd

        rows = [
            (item.strategy, item.placed.estimate, item.placed.low, item.placed.high, self.bound, item.gap)
            for item in self.gaps
        ]
        return pd.DataFrame(rows, columns=["strategy", "placed", "low", "high", "bound", "gap"])

    def chart_columns(self) -> tuple[str, ...]:
        """What each strategy places."""
        return ("placed",)

    def picture(self) -> Any:
        """Clones placed by each strategy beside the bound."""
        import pandas as pd

        from simclone.figures import lines

        rows = [("bound", float(self.bound), float(self.bound), float(self.bound))]
        rows += [(gap.strategy, gap.placed.estimate, gap.placed.low, gap.placed.high) for gap in self.gaps]
        rows = [
            (name, at, low if isfinite(low) else at, high if isfinite(high) else at) for name, at, low, high in rows
        ]
        return lines.intervals(pd.DataFrame(rows, columns=["name", "estimate", "low", "high"]), "clones placed")

    def figures(self) -> Mapping[str, float | None]:
        """``bound``, ``gap`` (the best strategy's)."""
        return {"bound": self.bound, "gap": min((item.gap for item in self.gaps), default=None)}


@checked
def bound(
    source: Given,
    *,
    strategies: Annotated[Sequence[str], Option("A strategy whose gap is told; may be repeated.")] = (),
    plan: ReplicationPlan | None = None,
    **runs: Unpack[RunKeywords],
) -> Bound:
    """The most clones of SCENARIO's requests any strategy could run, and how far strategies stay below.

    Paging and the order of requests are left out, and what `Bound.left_out` names, so the bound is never below any
    strategy but for two things: VMs of the file without a host stand here as in the first replication, and recorded
    capacity does not drift. A request that is refused whatever is placed counts for nothing, and is told. A workload
    has no bound here, since its clones come and go. Raises InvalidInput.
    """
    scenario = as_scenario(source)
    if scenario.doc.workload or scenario.doc.incidents:
        raise InvalidInput([Fault("workload", "comes and goes, there is no bound for it", "requests only")])
    plan = plan_of(plan, runs)
    ctx = open_context(scenario, seed=plan.seed)
    limits = clone_limits(ctx, scenario)
    best = BoundModel(ctx, limits, host_groups(ctx, list(limits.kinds), SINGLE_HOSTS)).solve(MOST_VARIABLES)
    most = best.most + limits.idle
    variants = strategy_variants(scenario, strategies) if strategies else {"as it is": scenario}
    outcomes, interrupted = replicate(variants, plan)
    gaps = []
    for name, part in outcomes.items():
        placed = interval_of(part, "placed", plan.confidence)
        gaps.append(Gap(name, placed, most - placed.estimate))
    reached = any(run.placed == most for part in outcomes.values() for run in part)
    left_out = _left_out(ctx, scenario, limits, () if reached else best.tight)
    certain = reached or not (left_out or any(row >= 0 and calls > 1 for row, calls in limits.calls.items()))
    cut = clone_limits(ctx, scenario, cut=True)
    return Bound(
        *(scenario.name, limits.names, most, best.exact and certain, tuple(gaps), *_stranded(ctx, cut)),
        *(tuple(_notes(limits, left_out)), interrupted),
        if_cut=_if_cut(ctx, limits, cut),
        left_out=left_out,
        refused=tuple((name, reason) for name, (reason, _) in limits.refused.items()),
    )


def _if_cut(ctx: Context, limits: CloneLimits, cut: CloneLimits) -> int | None:
    """The bound if calls over a quota were cut in single names; None where no call is over one."""
    if len(cut.refused) == len(limits.refused):
        return None
    return BoundModel(ctx, cut, host_groups(ctx, list(cut.kinds), SINGLE_HOSTS)).solve(MOST_VARIABLES).most + cut.idle


def _left_out(ctx: Context, scenario: Scenario, limits: CloneLimits, tight: Sequence[int]) -> tuple[str, ...]:
    """Limits that the bound does not hold; *tight* are storages that it fills."""
    result = list(limits.left_out)
    hard = [doc.name for doc in scenario.doc.affinity_groups or () if Policy(doc.policy).hard or doc.host_rule]
    if hard:
        result.append(f"rules of affinity groups ({', '.join(hard)})")
    storages = ctx.cloud.storages
    if any(storage.kind.pooled and storage.pools for storage in storages):
        result.append("single Ceph pools")
    if tight:
        names = ", ".join(storages[row].name for row in tight)
        result.append(f"snapshots and cached images on the storages that are full without them ({names})")
    return tuple(result)


def _notes(limits: CloneLimits, left_out: Sequence[str]) -> list[str]:
    notes = [
        f"{name}: none of its {plural(count, 'name')} can run ({reason})"
        for name, (reason, count) in limits.refused.items()
    ]
    return notes + [f"{what} are not in the bound; they bind every strategy" for what in left_out]


def _stranded(ctx: Context, limits: CloneLimits) -> tuple[int, int, float]:
    """Free vCPUs and bytes of all hosts, and the share of the bytes on hosts that take none of the kinds."""
    groups, checked = host_groups(ctx, list(limits.kinds), SINGLE_HOSTS), checks_physical(ctx.cloud)
    cpu = sum(group.free_cpu * count for group, count in groups)
    memory = sum(group.room * count for group, count in groups)
    shut = sum(
        group.room * count for group, count in groups if not any(takes(group, kind, checked) for kind in limits.kinds)
    )
    return cpu, memory, shut / memory if memory else 0.0
