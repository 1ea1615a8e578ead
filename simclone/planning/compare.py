"""Which is better: strategies, settings or what-ifs on the same requests, compared pair by pair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Unpack

from simclone.allocator.host.strategies import (
    DESIGNATED,
    LAST_HOST,
    LOCAL_MIGRATE,
    MAX_INSTANCES,
    MIGRATE,
)
from simclone.allocator.host.strategies import names as registered_names
from simclone.changes.load import as_scenario, scenario_from
from simclone.changes.whatif import change_scenario, what_if
from simclone.errors import Fault, InvalidInput
from simclone.planning.arguments import checked
from simclone.planning.option import Option
from simclone.planning.parts.answer import Answer
from simclone.planning.parts.costs import cost_of
from simclone.planning.replication.intervals import Difference, Interval, paired
from simclone.planning.replication.outcomes import RunOutcome
from simclone.planning.replication.plan import (
    ReplicationPlan,
    RunKeywords,
    Runs,
    interval_of,
    plan_of,
    reasons_of,
    replicate,
    values_of,
)
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

    question: ClassVar[str] = "compare"
    title: ClassVar[str] = "Comparison"
    order: ClassVar[int] = 190

    scenario: str
    figure: str
    replications: int
    variants: tuple[Standing, ...]
    interrupted: bool = False

    def summary(self) -> str:
        """The ranking, and where it says nothing."""
        lines = [f"{self.scenario}: {self.figure.replace('_', ' ')} over {plural(self.replications, 'replication')}"]
        for variant in self.variants:
            text = f"  {variant.rank}. {variant.name}: {variant.figure.summary()}"
            if variant.to_best is not None:
                kind = "significant" if variant.to_best.significant else "not significant"
                text += f", {variant.to_best.interval.summary()} to the best ({kind})"
            lines.append(text + (f", cost {variant.cost:g}" if variant.cost is not None else ""))
        if self.interrupted:
            lines.append("  interrupted: only replications that every variant finished count")
        lines += [f"  {warning}" for warning in dict.fromkeys(item.figure.warning for item in self.variants) if warning]
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """One row per variant: rank, variant, figure with interval, difference to the best with interval, cost."""
        import pandas as pd

        rows = []
        for variant in self.variants:
            gap = variant.to_best.interval if variant.to_best is not None else None
            rows.append(
                (
                    *(variant.rank, variant.name, variant.figure.estimate, variant.figure.low, variant.figure.high),
                    *((gap.estimate, gap.low, gap.high) if gap is not None else (0.0, 0.0, 0.0)),
                    *(variant.to_best.significant if variant.to_best is not None else False, variant.success.estimate),
                    *(next(iter(variant.reasons), ""), variant.cost),
                )
            )
        columns = ["rank", "variant", self.figure, "low", "high", "to_best", "to_best_low", "to_best_high"]
        return pd.DataFrame(rows, columns=[*columns, "significant", "success", "reason", "cost"])

    def secondary_columns(self) -> frozenset[str]:
        """Differences to the best, which the words tell."""
        return frozenset({"to_best", "to_best_low", "to_best_high", "significant", "success"})

    def chart_columns(self) -> tuple[str, ...]:
        """The figure with its interval."""
        return (self.figure, "low", "high")

    def picture(self) -> Any:
        """The figure of each variant with its interval."""
        import pandas as pd

        from simclone.figures import lines

        rows = [
            (variant.name, variant.figure.estimate, variant.figure.low, variant.figure.high)
            for variant in self.variants
        ]
        frame = pd.DataFrame(rows, columns=["name", "estimate", "low", "high"])
        return lines.intervals(frame, self.figure, share=self.figure.endswith("ratio"))

    def figures(self) -> Mapping[str, float | None]:
        """The figure of each variant by its name."""
        return {
            variant.name: None if isnan(variant.figure.estimate) else variant.figure.estimate
            for variant in self.variants
        }


@checked
def strategy_variants(source: Given, names: Sequence[str]) -> dict[str, Scenario]:
    """The scenario under each host strategy: every offering and VM asks for it. Raises InvalidInput."""
    scenario = as_scenario(source)
    known = [name for name in registered_names(scenario.run.profile) if name not in INTERNAL] + list(
        scenario.strategies
    )
    wrong = [Fault("strategies", f"{item!r} is unknown", ", ".join(known)) for item in names if item not in known]
    if wrong:
        raise InvalidInput(wrong)
    return {name: _under(scenario, name) for name in names or known}


def _under(scenario: Scenario, name: str) -> Scenario:
    data = data_of(scenario)
    for key in ("expect", "whatif"):
        data.pop(key, None)
    for item in data.get("instanceOfferings", ()):
        item["allocatorStrategy"] = name
    for item in data.get("vms", ()):
        item["strategy"] = name
    return scenario_from({**data, "name": scenario.name}, scenario.path, f"{scenario.sha256}/{name}")


@checked
def whatif_variants(source: Given) -> dict[str, Scenario]:
    """The scenario as it is, and under each of its ``whatif:`` entries. Raises InvalidInput."""
    scenario = as_scenario(source)
    if not scenario.doc.whatif:
        raise InvalidInput([Fault("whatif", "the scenario has none", "a whatif: block")])
    result = {"as it is": scenario}
    for row, doc in enumerate(scenario.doc.whatif):
        result[doc.name] = what_if(scenario, doc, f"whatif.{row}")
    return result


@checked
def change_variants(source: Given, variants: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Scenario]:
    """The scenario under named sets of changes; an empty set leaves it as it is. Raises InvalidInput."""
    scenario = as_scenario(source)
    return {name: change_scenario(scenario, changes) if changes else scenario for name, changes in variants.items()}


@checked
def compare(
    source: Given,
    variants: Mapping[str, Scenario] | None = None,
    *,
    all_strategies: Annotated[
        bool, Option("Compare host strategies (all, or those named).", flag="--strategies")
    ] = False,
    strategies: Annotated[Sequence[str], Option("A strategy to compare; may be repeated.")] = (),
    changes: Annotated[
        Mapping[str, Sequence[Mapping[str, Any]]] | None,
        Option(
            "Compare with this change, such as 'globalConfig: {NAME: VALUE}'; may be repeated.",
            flag="--change",
            metavar="CHANGE",
            parse="named_changes_of",
        ),
    ] = None,
    figure: Annotated[str, Option("What they are ranked by.")] = "success_ratio",
    costs: Annotated[
        Mapping[str, float] | None,
        Option(
            "What a variant costs, instead of what the file's prices come to; may be repeated.",
            metavar="VARIANT=COST",
            parse="costs_of",
        ),
    ] = None,
    plan: ReplicationPlan | None = None,
    **runs: Unpack[RunKeywords],
) -> Comparison:
    """Rank strategies, settings or the what-ifs of SCENARIO on the same requests; not significant is said.

    *variants* are ranked by the mean of a figure over the same replications of each; where none are given those of
    *strategies*, of *changes* (each beside the scenario as it is) or of the file's what-ifs are compared. A variant
    shares the rank of the best from which its paired difference is not significant, of those that have a rank of their
    own. Beside it stands what it costs over its time by the file's prices, unless *costs* say otherwise. Raises
    InvalidInput.
    """
    scenario = as_scenario(source)
    plan = plan_of(plan, runs)
    if variants is None:
        variants = _variants(scenario, all_strategies, strategies, changes)
    _check_variants(variants, costs or {})
    outcomes, interrupted = replicate(variants, plan, figure)
    sign = -1 if figure in HIGHER else 1
    means = {name: interval_of(part, figure, plan.confidence) for name, part in outcomes.items()}
    _check_figure(outcomes, means, figure)
    order = sorted(outcomes, key=lambda name: (_sortable(sign * means[name].estimate), list(outcomes).index(name)))
    standings = tuple(_ranked(outcomes, order, means, figure, {**_computed(variants), **(costs or {})}, plan))
    count = min(len(part) for part in outcomes.values())
    return Comparison(scenario.name, figure, count, standings, interrupted)


def _computed(variants: Mapping[str, Scenario]) -> dict[str, float]:
    """What each variant costs over its time, of those whose file gives prices by the month."""
    known = {name: cost_of(variant) for name, variant in variants.items()}
    return {name: cost.total for name, cost in known.items() if cost is not None}


def _check_figure(outcomes: Runs, means: Mapping[str, Interval], figure: str) -> None:
    faults = [
        Fault("figure", f"{name} has no {figure} in {len(part) - means[name].n} of its runs", "a figure of every run")
        for name, part in outcomes.items()
        if means[name].n < len(part)
    ]
    if faults:
        raise InvalidInput(faults)


def _ranked(
    outcomes: Runs,
    order: Sequence[str],
    means: Mapping[str, Interval],
    figure: str,
    costs: Mapping[str, float],
    plan: ReplicationPlan,
) -> Iterator[Standing]:
    """Variants in *order*, each with the rank of the first leader from which it does not differ."""
    leaders: list[int] = []
    for position, name in enumerate(order):
        alike = (at for at in leaders if not _differ(outcomes[name], outcomes[order[at]], figure, plan).significant)
        rank = next(alike, position) + 1
        if rank > position:
            leaders.append(position)
        gap = _differ(outcomes[name], outcomes[order[0]], figure, plan) if position else None
        success = interval_of(outcomes[name], "success_ratio", plan.confidence)
        reasons = reasons_of(outcomes[name])
        yield Standing(name, rank, means[name], gap, success, reasons, costs.get(name))


def _check_variants(variants: Mapping[str, Scenario], costs: Mapping[str, float]) -> None:
    known = ", ".join(variants)
    faults = [Fault(f"costs.{name}", "no variant has this name", known) for name in costs if name not in variants]
    if len(variants) < 2:
        faults.append(Fault("variants", f"{len(variants)} cannot be compared", "at least 2"))
    if faults:
        raise InvalidInput(faults)


def _variants(
    scenario: Scenario,
    all_strategies: bool,
    strategies: Sequence[str],
    changes: Mapping[str, Sequence[Mapping[str, Any]]] | None,
) -> dict[str, Scenario]:
    """The variants that are asked for by name."""
    if (all_strategies or strategies) and changes:
        raise InvalidInput([Fault("variants", "strategies or changes, not both", "one or the other")])
    if all_strategies or strategies:
        return strategy_variants(scenario, strategies)
    return change_variants(scenario, {"as it is": [], **changes}) if changes else whatif_variants(scenario)


def _sortable(value: float) -> float:
    return float("inf") if isnan(value) else value


def _differ(one: Sequence[RunOutcome], other: Sequence[RunOutcome], figure: str, plan: ReplicationPlan) -> Difference:
    """Pairs of replications in which both have the figure."""
    pairs = [
        (a, b) for a, b in zip(one, other, strict=True) if a.figure(figure) is not None and b.figure(figure) is not None
    ]
    remaining, right = values_of([a for a, _ in pairs], figure), values_of([b for _, b in pairs], figure)
    return paired(remaining, right, plan.confidence)
