"""Which is better: strategies, settings or what-ifs on the same requests, compared pair by pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

from simclone.allocator.host.strategies import (
    DESIGNATED,
    LAST_HOST,
    LOCAL_MIGRATE,
    MAX_INSTANCES,
    MIGRATE,
    TABLES,
)
from simclone.changes.load import as_scenario, scenario_from
from simclone.changes.whatif import changed, what_if
from simclone.errors import Fault, InvalidInput
from simclone.planning.parts.answer import Answer
from simclone.planning.replication.intervals import Difference, Interval, paired
from simclone.planning.replication.outcomes import Outcome
from simclone.planning.replication.plan import Plan, interval_of, reasons_of, replicate, values_of
from simclone.scenario.load import Given, Scenario
from simclone.scenario.writing import data_of
from simclone.units import plural

if TYPE_CHECKING:
    import pandas as pd

INTERNAL = frozenset({DESIGNATED, LAST_HOST, MIGRATE, LOCAL_MIGRATE, MAX_INSTANCES})
"""Strategies the platform chooses by itself, or that need a tag of their own."""
HIGHER = frozenset(
    {
        *("success_ratio", "placed", "first_failure_s", "hole_cpu_vcpus", "hole_memory_bytes"),
        "affinity_compliance_ratio",
    }
)
"""Figures of which more is better; of all others less is."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One variant: its figure, why its names failed, and what it costs.

    The *rank* is shared with the best of those that do not differ significantly from it.
    """

    name: str
    rank: int
    figure: Interval
    to_best: Difference | None
    success: Interval
    reasons: Mapping[str, int]
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison(Answer):
    """Variants, best first; *figure* is what they are ranked by. *interrupted* says that not all runs were made."""

    scenario: str
    figure: str
    replications: int
    variants: tuple[Standing, ...]
    interrupted: bool = False

    def summary(self) -> str:
        """The ranking, and where it says nothing."""
        lines = [f"{self.scenario}: {self.figure.replace('_', ' ')} over {plural(self.replications, 'replication')}"]
        for one in self.variants:
            text = f"  {one.rank}. {one.name}: {one.figure.summary()}"
            if one.to_best is not None:
                kind = "significant" if one.to_best.significant else "not significant"
                text += f", {one.to_best.interval.summary()} to the best ({kind})"
            lines.append(text + (f", cost {one.cost:g}" if one.cost is not None else ""))
        if self.interrupted:
            lines.append("  interrupted: only replications that every variant finished count")
        lines += [f"  {warning}" for warning in dict.fromkeys(one.figure.warning for one in self.variants) if warning]
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """One row per variant: rank, variant, figure with interval, difference to the best with interval, cost."""
        import pandas as pd

        rows = []
        for one in self.variants:
            gap = one.to_best.interval if one.to_best is not None else None
            rows.append(
                (
                    *(one.rank, one.name, one.figure.estimate, one.figure.low, one.figure.high),
                    *((gap.estimate, gap.low, gap.high) if gap is not None else (0.0, 0.0, 0.0)),
                    *(one.to_best.significant if one.to_best is not None else False, one.success.estimate),
                    *(next(iter(one.reasons), ""), one.cost),
                )
            )
        columns = ["rank", "variant", self.figure, "low", "high", "to_best", "to_best_low", "to_best_high"]
        return pd.DataFrame(rows, columns=[*columns, "significant", "success", "reason", "cost"])

    def aside(self) -> frozenset[str]:
        """Differences to the best, which the words tell."""
        return frozenset({"to_best", "to_best_low", "to_best_high", "significant", "success"})

    def drawn(self) -> tuple[str, ...]:
        """The figure with its interval."""
        return (self.figure, "low", "high")

    def figures(self) -> Mapping[str, float | None]:
        """The figure of each variant by its name."""
        return {one.name: None if isnan(one.figure.estimate) else one.figure.estimate for one in self.variants}


def strategy_variants(source: Given, names: Sequence[str]) -> dict[str, Scenario]:
    """The scenario under each host strategy: every offering and VM asks for it. Raises InvalidInput."""
    scenario = as_scenario(source)
    known = [name for name in TABLES[scenario.run.profile] if name not in INTERNAL] + list(scenario.strategies)
    wrong = [Fault("strategies", f"{one!r} is unknown", ", ".join(known)) for one in names if one not in known]
    if wrong:
        raise InvalidInput(wrong)
    return {name: _under(scenario, name) for name in names or known}


def _under(scenario: Scenario, name: str) -> Scenario:
    data = data_of(scenario)
    for key in ("expect", "whatif"):
        data.pop(key, None)
    for one in data.get("instanceOfferings", ()):
        one["allocatorStrategy"] = name
    for one in data.get("vms", ()):
        one["strategy"] = name
    return scenario_from({**data, "name": scenario.name}, scenario.path, f"{scenario.sha256}/{name}")


def whatif_variants(source: Given) -> dict[str, Scenario]:
    """The scenario as it is, and under each of its ``whatif:`` entries. Raises InvalidInput."""
    scenario = as_scenario(source)
    if not scenario.doc.whatif:
        raise InvalidInput([Fault("whatif", "the scenario has none", "a whatif: block")])
    found = {"as it is": scenario}
    for row, doc in enumerate(scenario.doc.whatif):
        found[doc.name] = what_if(scenario, doc, f"whatif.{row}")
    return found


def change_variants(source: Given, variants: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Scenario]:
    """The scenario under named sets of changes; an empty set leaves it as it is. Raises InvalidInput."""
    scenario = as_scenario(source)
    return {name: changed(scenario, changes) if changes else scenario for name, changes in variants.items()}


def compare(
    source: Given,
    variants: Mapping[str, Scenario],
    *,
    figure: str = "success_ratio",
    costs: Mapping[str, float] | None = None,
    plan: Plan | None = None,
) -> Comparison:
    """Rank *variants* by the mean of a figure over the same replications of each.

    A variant shares the rank of the best from which its paired difference is not significant, of those that have a rank
    of their own. Raises InvalidInput.
    """
    scenario = as_scenario(source)
    plan = plan or Plan()
    if len(variants) < 2:
        raise InvalidInput([Fault("variants", f"{len(variants)} cannot be compared", "at least 2")])
    runs, interrupted = replicate(variants, plan, figure)
    sign = -1 if figure in HIGHER else 1
    means = {name: interval_of(part, figure, plan.confidence) for name, part in runs.items()}
    lacking = [
        Fault("figure", f"{name} has no {figure} in {len(part) - means[name].n} of its runs", "a figure of every run")
        for name, part in runs.items()
        if means[name].n < len(part)
    ]
    if lacking:
        raise InvalidInput(lacking)
    order = sorted(runs, key=lambda name: (_sortable(sign * means[name].estimate), list(runs).index(name)))
    made: list[Standing] = []
    leaders: list[int] = []
    for place, name in enumerate(order):
        alike = (at for at in leaders if not _differ(runs[name], runs[order[at]], figure, plan).significant)
        rank = next(alike, place) + 1
        if rank > place:
            leaders.append(place)
        gap = _differ(runs[name], runs[order[0]], figure, plan) if place else None
        success = interval_of(runs[name], "success_ratio", plan.confidence)
        cost = (costs or {}).get(name)
        made.append(Standing(name, rank, means[name], gap, success, reasons_of(runs[name]), cost))
    count = min(len(part) for part in runs.values())
    return Comparison(scenario.name, figure, count, tuple(made), interrupted)


def _sortable(value: float) -> float:
    return float("inf") if isnan(value) else value


def _differ(one: Sequence[Outcome], other: Sequence[Outcome], figure: str, plan: Plan) -> Difference:
    """Pairs of replications in which both have the figure."""
    pairs = [
        (a, b) for a, b in zip(one, other, strict=True) if a.figure(figure) is not None and b.figure(figure) is not None
    ]
    left, right = values_of([a for a, _ in pairs], figure), values_of([b for _, b in pairs], figure)
    return paired(left, right, plan.confidence)
