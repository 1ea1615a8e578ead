"""What no strategy can beat: a bound by integer programming on this very request set, and how far each stays below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Unpack

import numpy as np

from simclone.allocator.rules.capacity import ANYTHING, charged, checks_physical, need_of
from simclone.changes.load import as_scenario
from simclone.engine.context import Context
from simclone.engine.opening import open_context
from simclone.errors import Fault, InvalidInput
from simclone.planning.compare import strategy_variants
from simclone.planning.parts.answer import Answer
from simclone.planning.parts.arguments import checked
from simclone.planning.parts.demand import RequestedClones, requested_clones
from simclone.planning.parts.host_loss import usable_hosts
from simclone.planning.parts.option import Option
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
SOLVE_S = 60.0


@dataclass(frozen=True, slots=True)
class Gap:
    """What a strategy places on average, and how many fewer than the bound."""

    strategy: str
    placed: Interval
    gap: float


@dataclass(frozen=True, slots=True)
class Bound(Answer):
    """At most *bound* of *asked* clones run, by capacity, rounding of each VM's memory and addresses alone.

    *exact* says that whole VMs were counted host by host, so by capacity alone it can be reached.
    *free_…* is what the usable hosts have, *stranded* the share of it on hosts that take none of the kinds asked for.
    *notes* are what is in the way of any strategy and left out here.
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

    def summary(self) -> str:
        """The bound and the strategies below it."""
        kind = "host by host" if self.exact else "equal hosts added up"
        lines = [f"{self.scenario}: at most {self.bound} of {plural(self.asked, 'clone')} can run ({kind})"]
        for item in self.gaps:
            lines.append(f"  {item.strategy}: {item.placed.summary()}, {item.gap:g} below the bound")
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

    Affinity rules, storage, paging and the order of requests are left out, so the bound is never below any strategy but
    for two things: VMs of the file without a host stand here as in the first replication, and recorded capacity does
    not drift. A workload has no bound here, since its clones come and go. Raises InvalidInput.
    """
    scenario = as_scenario(source)
    if scenario.doc.workload or scenario.doc.incidents:
        raise InvalidInput([Fault("workload", "comes and goes, there is no bound for it", "requests only")])
    plan = plan_of(plan, runs)
    ctx = open_context(scenario, seed=plan.seed)
    kinds = _kinds(requested_clones(ctx, scenario))
    idle = sum(
        requested_clone.names for requested_clone in requested_clones(ctx, scenario) if not requested_clone.starts
    )
    hosts = _Hosts(ctx)
    most, exact = _most(kinds, hosts)
    most = min(most, _addresses(ctx, scenario)) + idle
    variants = strategy_variants(scenario, strategies) if strategies else {"as it is": scenario}
    outcomes, interrupted = replicate(variants, plan)
    gaps = []
    for name, part in outcomes.items():
        placed = interval_of(part, "placed", plan.confidence)
        gaps.append(Gap(name, placed, most - placed.estimate))
    requested = sum(item.names for item in requested_clones(ctx, scenario))
    free_cpu, free_memory, stranded = hosts.stranded(kinds)
    hard = [doc.name for doc in scenario.doc.affinity_groups or () if Policy(doc.policy).hard or doc.host_rule]
    notes = (
        (f"rules of affinity groups ({', '.join(hard)}) are not in the bound; they bind every strategy",)
        if hard
        else ()
    )
    return Bound(
        scenario.name, requested, most, exact, tuple(gaps), free_cpu, free_memory, stranded, notes, interrupted
    )


def _kinds(requests: Iterable[RequestedClones]) -> dict[tuple[int, int], int]:
    """Names by size of VM."""
    result: dict[tuple[int, int], int] = {}
    for request in requests:
        if request.starts:
            result[request.cpu, request.memory] = result.get((request.cpu, request.memory), 0) + request.names
    return result


class _Hosts:
    """Usable hosts, equal ones together, with their number.

    A group is free vCPUs, free bytes above the reserve, free bytes, physical bytes and the memory ratio.
    """

    def __init__(self, ctx: Context) -> None:
        cloud = ctx.cloud
        fleet = cloud.fleet
        self.checked = checks_physical(cloud)
        result: dict[tuple[int, int, int, int, float], int] = {}
        for row in usable_hosts(cloud):
            free = fleet.available_memory[row]
            key = (
                max(fleet.available_cpu[row], 0),
                max(free - fleet.reserved_memory[row], 0),
                max(free, 0),
                fleet.total_memory[row],
                cloud.fleet.memory_ratio(row),
            )
            result[key] = result.get(key, 0) + 1
        single = sum(result.values()) <= SINGLE_HOSTS
        self.groups = (
            [(key, 1) for key, count in result.items() for _ in range(count)] if single else list(result.items())
        )

    def takes(self, group: int, cpu: int, memory: int) -> int:
        """How many VMs of one size an otherwise unchanged host of a group takes at most."""
        (free_cpu, room, free, physical, ratio), _ = self.groups[group]
        need = need_of(cpu, memory, ratio, memory if self.checked else ANYTHING)
        if need.physical >= physical or need.cpu > free_cpu or need.above_reserve > room or need.least > free:
            return 0
        charge = charged(memory, ratio)
        by_cpu = free_cpu // cpu if cpu else MOST_VARIABLES
        return min(by_cpu, room // charge) if charge else by_cpu

    def stranded(self, kinds: Mapping[tuple[int, int], int]) -> tuple[int, int, float]:
        """Free vCPUs and bytes of all, and the share of the bytes on hosts that take none of the kinds."""
        cpu = sum(entry[0] * amount_of for entry, amount_of in self.groups)
        memory = sum(item[1] * count for item, count in self.groups)
        shut = sum(
            element[1] * total
            for group, (element, total) in enumerate(self.groups)
            if not any(self.takes(group, *kind) for kind in kinds)
        )
        return cpu, memory, shut / memory if memory else 0.0


def _most(kinds: Mapping[tuple[int, int], int], hosts: _Hosts) -> tuple[int, bool]:
    """The most VMs that run together. Groups of several hosts are added up, a bound that is exact for single hosts."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    sizes = list(kinds)
    positions = [(kind, group) for kind in range(len(sizes)) for group in range(len(hosts.groups))]
    takes = np.array([hosts.takes(group, *sizes[kind]) for kind, group in positions], dtype=np.int64)
    amount_of = np.array([hosts.groups[group][1] for _, group in positions], dtype=np.int64)
    upper = np.minimum(takes * amount_of, [kinds[sizes[kind]] for kind, _ in positions])
    if not len(positions) or not upper.sum():
        return 0, True
    rows, columns, values, limits = [], [], [], []
    for at, (kind, group) in enumerate(positions):
        ratio = hosts.groups[group][0][4]
        cpu, memory = sizes[kind]
        entries = ((2 * group, float(cpu)), (2 * group + 1, charged(memory, ratio) / 2**20))
        for row, value in (*entries, (2 * len(hosts.groups) + kind, 1.0)):
            rows.append(row)
            columns.append(at)
            values.append(value)
    for (free_cpu, room, *_), count in hosts.groups:
        limits += [float(free_cpu * count), room * count / 2**20]
    limits += [float(kinds[size]) for size in sizes]
    matrix = coo_array((values, (rows, columns)), shape=(len(limits), len(positions))).tocsc()
    whole = len(positions) <= MOST_VARIABLES
    result = milp(
        -np.ones(len(positions)),
        constraints=LinearConstraint(matrix, -np.inf, np.array(limits) * (1 + 1e-9)),
        bounds=Bounds(0, upper.astype(float)),
        integrality=np.full(len(positions), int(whole), dtype=np.int64),
        options={"time_limit": SOLVE_S},
    )
    dual = result.mip_dual_bound
    best = dual if dual is not None else result.fun or 0.0
    exact = whole and result.status == 0 and all(count == 1 for _, count in hosts.groups)
    return int(np.floor(-best + 1e-6)), exact


def _addresses(ctx: Context, scenario: Scenario) -> int:
    """No more VMs than addresses where every request's VM has a card on the same network with DHCP."""
    cloud = ctx.cloud
    nets = [
        {cloud.nics.l3[nic] for nic in cloud.vms.nics[requested_clone.vm]}
        for requested_clone in requested_clones(ctx, scenario)
        if requested_clone.starts
    ]
    shared = set.intersection(*nets) if nets else set()
    room = [
        sum(range_.end - range_.start + 1 for range_ in cloud.pools[l3].ranges) - len(cloud.pools[l3].used)
        for l3 in shared
        if cloud.l3s[l3].dhcp
    ]
    return min(room, default=1 << 60)
