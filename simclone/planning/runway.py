"""When do we run out: the time until the first failure, or until success falls below a share, under growth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Unpack

from simclone.changes.load import as_scenario
from simclone.changes.whatif import change_scenario
from simclone.errors import Fault, InvalidInput
from simclone.planning.arguments import checked
from simclone.planning.option import Option
from simclone.planning.parts.answer import Answer
from simclone.planning.replication.intervals import Interval, bootstrap_interval, checked_share
from simclone.planning.replication.outcomes import RunOutcome
from simclone.planning.replication.plan import ReplicationPlan, RunKeywords, plan_of, replicate
from simclone.scenario.load import Given
from simclone.units import plural

if TYPE_CHECKING:
    import pandas as pd

DAY = 86_400.0
SHARES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class Way:
    """One variant's runway in seconds: when a tenth, half and nine tenths of the replications have run out.

    None where so many of them did not run out before the horizon. *reason* is what most ran out of first.
    """

    name: str
    quantiles_s: tuple[float | None, ...]
    median: Interval | None
    ran_out: int
    replications: int
    reason: str


@dataclass(frozen=True, slots=True)
class Runway(Answer):
    """Runways of the scenario as it is (first) and with changes; *below* None means until the first failure."""

    question: ClassVar[str] = "runway"
    title: ClassVar[str] = "Runway"
    order: ClassVar[int] = 90

    scenario: str
    below: float | None
    horizon_s: float
    ways: tuple[Way, ...]
    interrupted: bool = False

    def summary(self) -> str:
        """When it runs out, of what, and what the changes buy."""
        what = "the first failure" if self.below is None else f"success falls below {100 * self.below:g} %"
        lines = [f"{self.scenario}: time until {what}, looked at for {_days(self.horizon_s)}"]
        for way in self.ways:
            low, middle, high = way.quantiles_s
            if middle is None:
                text = f"{way.ran_out} of {plural(way.replications, 'replication')} run out"
            else:
                text = f"{_days(middle)} (a tenth by {_days(low)}, nine tenths by {_days(high)})"
            bought = self._bought(way)
            lines.append(f"  {way.name}: {text}{f', by {way.reason}' if way.reason else ''}{bought}")
        return "\n".join(lines)

    def _bought(self, one: Way) -> str:
        first, middle = self.ways[0].quantiles_s[1], one.quantiles_s[1]
        if one is self.ways[0] or first is None:
            return ""
        if middle is None:
            return f"; buys more than {_days(self.horizon_s - first)}"
        return f"; buys {_days(middle - first)}"

    def to_frame(self) -> pd.DataFrame:
        """One row per variant: variant, p10_s, p50_s, p90_s, low, high of the median, ran_out, replications, reason."""
        import pandas as pd

        rows = [
            (
                *(way.name, *way.quantiles_s, way.median and way.median.low, way.median and way.median.high),
                *(way.ran_out, way.replications, way.reason),
            )
            for way in self.ways
        ]
        columns = ["variant", "p10_s", "p50_s", "p90_s", "median_low_s", "median_high_s", "ran_out", "replications"]
        return pd.DataFrame(rows, columns=[*columns, "reason"])

    def secondary_columns(self) -> frozenset[str]:
        """The interval of the median."""
        return frozenset({"median_low_s", "median_high_s"})

    def chart_columns(self) -> tuple[str, ...]:
        """The median, between the first and the last tenth."""
        return ("p50_s", "p10_s", "p90_s")

    def picture(self) -> Any:
        """Days until it runs out, with the spread over replications."""
        import pandas as pd

        from simclone.figures import lines

        rows = [
            (way.name, *((self.horizon_s if quantile is None else quantile) / DAY for quantile in way.quantiles_s))
            for way in self.ways
        ]
        return lines.bands(pd.DataFrame(rows, columns=["name", "low", "middle", "high"]))

    def figures(self) -> Mapping[str, float | None]:
        """``runway_s`` (the median as it is), ``runway_days``, and ``ran_out``, the share of replications that did."""
        middle = self.ways[0].quantiles_s[1]
        share = self.ways[0].ran_out / self.ways[0].replications if self.ways[0].replications else None
        return {"runway_s": middle, "runway_days": None if middle is None else middle / DAY, "ran_out": share}


@checked
def runway(
    source: Given,
    *,
    below: Annotated[
        float | None, Option("Until fewer than this share is placed (default: until the first failure).")
    ] = None,
    changes: Annotated[
        Mapping[str, Sequence[Mapping[str, Any]]] | None,
        Option(
            "Also with this change, such as 'addHosts: {like: host-1}'; may be repeated.",
            flag="--change",
            metavar="CHANGE",
            parse="named_changes_of",
        ),
    ] = None,
    plan: ReplicationPlan | None = None,
    **runs: Unpack[RunKeywords],
) -> Runway:
    """When the growing workload of SCENARIO runs out of room, of what, and what a change buys.

    Replications are made with and without *changes* (by name). It runs out when the first name fails, or when fewer
    than *below* of the names so far (at least a hundred) were placed. Raises InvalidInput.
    """
    scenario = as_scenario(source)
    if scenario.run.horizon is None:
        raise InvalidInput([Fault("run.horizon", "is missing", "seconds: how far to look")])
    if below is not None:
        checked_share("below", below)
    variants = {"as it is": scenario}
    for name, change in (changes or {}).items():
        variants[name] = change_scenario(scenario, change)
    plan = plan_of(plan, runs)
    outcomes, interrupted = replicate(variants, plan)
    ways = tuple(_way(name, part, below, plan.confidence) for name, part in outcomes.items())
    return Runway(scenario.name, below, scenario.run.horizon, ways, interrupted)


def _way(name: str, runs: Sequence[RunOutcome], below: float | None, confidence: float) -> Way:
    times = [run.first_failure_s if below is None else run.fell_below(below) for run in runs]
    known = [time for time in times if time is not None]
    ranked: list[float | None] = [*sorted(known), *([None] * (len(times) - len(known)))]
    quantiles = tuple(ranked[max(ceil(share * len(ranked) - 1e-9), 1) - 1] if ranked else None for share in SHARES)
    firsts = [item.first_reason for item in runs if item.first_reason]
    reason = max(sorted(set(firsts)), key=firsts.count, default="")
    whole = len(known) == len(times) and len(known) > 1
    median = bootstrap_interval(known, confidence=confidence) if whole else None
    return Way(name, quantiles, median, len(known), len(times), reason)


def _days(seconds: float | None) -> str:
    if seconds is None:
        return "beyond"
    return f"{seconds / DAY:.1f} days" if seconds >= DAY else f"{seconds / 3600:.1f} h"
