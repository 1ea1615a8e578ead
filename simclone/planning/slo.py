"""The largest demand that keeps success at a target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar, Unpack

from simclone.changes.load import as_scenario
from simclone.engine.opening import open_context
from simclone.planning.arguments import checked
from simclone.planning.option import Option
from simclone.planning.parts.answer import Answer
from simclone.planning.parts.clone_limits import refused_at_opening
from simclone.planning.parts.unrelated import apart, apart_note, unrelated_reasons
from simclone.planning.replication.intervals import checked_share
from simclone.planning.replication.outcomes import RunOutcome
from simclone.planning.replication.plan import (
    ReplicationPlan,
    RunKeywords,
    interval_of,
    plan_of,
    reasons_of,
    replicate,
)
from simclone.planning.sweep import DEMAND, at_values
from simclone.scenario.load import Given, Scenario
from simclone.vocabulary import Subject

if TYPE_CHECKING:
    import pandas as pd

MOST_DEMAND = 1_024.0
"""No larger multiple of a demand is tried."""


@dataclass(frozen=True, slots=True)
class Slo(Answer):
    """The largest factor on today's demand at which at least *target* of the names are placed, None where none does.

    *trials* are (factor, mean success ratio, lower end of its interval). *apart* are names refused at today's demand
    for what hosts have nothing to do with and no smaller demand changes, by reason; they are in no ratio.
    """

    question: ClassVar[str] = "slo"
    title: ClassVar[str] = "Demand that holds"
    order: ClassVar[int] = 240

    scenario: str
    target: float
    factor: float | None
    trials: tuple[tuple[float, float, float], ...]
    capped: bool = False
    apart: Mapping[str, int] = field(default_factory=dict)

    def summary(self) -> str:
        """One line, and what is set apart."""
        note = apart_note(self.apart)
        return f"{self._sentence()}\n  {note}" if note else self._sentence()

    def _sentence(self) -> str:
        if self.factor is None:
            return f"{self.scenario}: not even a small share of today's demand is placed to {100 * self.target:g} %"
        least = "at least " if self.capped else ""
        retained = f"keeps success at {100 * self.target:g} % or more"
        return f"{self.scenario}: {least}{self.factor:.4g} times today's demand {retained}"

    def to_frame(self) -> pd.DataFrame:
        """One row per factor tried."""
        import pandas as pd

        return pd.DataFrame(sorted(self.trials), columns=["factor", "success_ratio", "low"])

    def chart_columns(self) -> tuple[str, ...]:
        """The share placed."""
        return ("success_ratio",)

    def figures(self) -> Mapping[str, float | None]:
        """``factor``."""
        return {"factor": self.factor}


@checked
def slo(
    source: Given,
    target: Annotated[float, Option("Share of names that must be placed.")],
    *,
    tolerance: Annotated[float, Option("How closely the factor is looked for.")] = 0.01,
    plan: ReplicationPlan | None = None,
    **runs: Unpack[RunKeywords],
) -> Slo:
    """The largest multiple of SCENARIO's demand that keeps success at the target.

    The factor is doubled or halved, then closed in to a relative *tolerance*. Every factor is run with the same random
    numbers; it holds when something is asked and the lower end of the interval of the mean ratio reaches *target*.
    Refusals that have nothing to do with hosts and that the smallest demand has too are set apart by reason.
    Raises InvalidInput.
    """
    scenario = as_scenario(source)
    checked_share("target", target)
    checked_share("tolerance", tolerance)
    plan = plan_of(plan, runs)
    trials: dict[float, tuple[float, float]] = {}
    today = _runs(scenario, 1.0, plan)
    aside = _apart(scenario, today, plan)

    def holds(factor: float) -> bool:
        outcomes = apart(today if factor == 1.0 else _runs(scenario, factor, plan), aside)
        result = interval_of(outcomes, "success_ratio", plan.confidence)
        low = result.estimate if result.n == 1 else result.low
        trials[factor] = (result.estimate, low)
        return low >= target and any(outcome.asked for outcome in outcomes)

    low, high = _ends(holds)
    while low and high and high / low - 1 > tolerance:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if holds(middle) else (low, middle)
    text = tuple((factor, *numbers) for factor, numbers in trials.items())
    return Slo(scenario.name, target, low or None, text, not high, aside)


def _runs(scenario: Scenario, factor: float, plan: ReplicationPlan) -> list[RunOutcome]:
    runs, interrupted = replicate({"": at_values(scenario, {DEMAND: factor})}, plan)
    if interrupted:
        raise KeyboardInterrupt
    return runs[""]


def _apart(scenario: Scenario, runs: Sequence[RunOutcome], plan: ReplicationPlan) -> dict[str, int]:
    """Reasons for which names are refused however small the demand is, with their names at today's demand.

    What a call or a fault is refused for is no matter of demand. A quota or a range of addresses that demand uses up is
    one, unless a request of the list is refused before anything is placed, or names of the smallest demand.
    """
    today = reasons_of(runs)
    reasons = unrelated_reasons(today)
    of_demand = unrelated_reasons(today, {Subject.QUOTA, Subject.ADDRESS})
    if of_demand:
        least = reasons_of(_runs(scenario, 1 / MOST_DEMAND, plan)).keys()
        reasons -= of_demand - least - refused_at_opening(open_context(scenario, seed=plan.seed), scenario)
    return {code: count for code, count in today.items() if code in reasons}


def _ends(holds: Callable[[float], bool]) -> tuple[float, float]:
    """A factor that holds and one that does not; 0 stands for none."""
    factor = 1.0
    if holds(factor):
        while factor < MOST_DEMAND:
            if not holds(factor * 2):
                return factor, factor * 2
            factor *= 2
        return factor, 0.0
    while factor > 1 / MOST_DEMAND:
        if holds(factor / 2):
            return factor / 2, factor
        factor /= 2
    return 0.0, factor
