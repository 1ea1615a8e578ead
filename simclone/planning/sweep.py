"""Many settings: a scenario at every combination of values, or at points spread over ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Unpack

import numpy as np

from simclone.changes.load import as_scenario
from simclone.changes.whatif import change_scenario
from simclone.engine.opening import open_context
from simclone.errors import Fault, InvalidInput
from simclone.planning.arguments import checked
from simclone.planning.option import Option
from simclone.planning.parts.answer import Answer
from simclone.planning.replication.intervals import Interval
from simclone.planning.replication.plan import (
    ReplicationPlan,
    RunKeywords,
    interval_of,
    plan_of,
    reasons_of,
    replicate,
)
from simclone.scenario.load import Given, Scenario

if TYPE_CHECKING:
    import pandas as pd

MOST_POINTS = 100_000
DEMAND = "demand"
"""The name of the factor on all demand, beside paths of the file."""


@dataclass(frozen=True, slots=True)
class Point:
    """One combination of values and the figure's interval there; *fault* says why it could not be run."""

    values: Mapping[str, Any]
    figure: Interval | None
    reasons: Mapping[str, int]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Sweep(Answer):
    """The points of a sweep in the order of their values."""

    question: ClassVar[str] = "sweep"
    title: ClassVar[str] = "Sweep"
    order: ClassVar[int] = 230

    scenario: str
    figure: str
    points: tuple[Point, ...]
    interrupted: bool = False

    def summary(self) -> str:
        """How many points, and the ends of the figure."""
        finished = [entry for entry in self.points if entry.figure is not None]
        lines = [f"{self.scenario}: {self.figure} at {len(finished)} of {len(self.points)} points"]
        if finished:
            for word, pick in (("least", min), ("most", max)):
                item = pick(finished, key=lambda point: point.figure.estimate if point.figure else 0.0)
                text = ", ".join(f"{path} = {value}" for path, value in item.values.items())
                lines.append(f"  {word} {item.figure.summary() if item.figure else ''} at {text}")
        lines += [f"  {element.fault}" for element in self.points if element.fault][:5]
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """One row per point: a column per path, the figure, low, high, replications, reason, fault."""
        import pandas as pd

        rows = []
        for point in self.points:
            result = point.figure
            numbers = (
                (result.estimate, result.low, result.high, result.n) if result is not None else (None, None, None, 0)
            )
            rows.append((*point.values.values(), *numbers, next(iter(point.reasons), ""), point.fault))
        paths = list(self.points[0].values) if self.points else []
        return pd.DataFrame(rows, columns=[*paths, self.figure, "low", "high", "replications", "reason", "fault"])

    def chart_columns(self) -> tuple[str, ...]:
        """The figure with its interval."""
        return (self.figure, "low", "high")

    def figures(self) -> Mapping[str, float | None]:
        """``least`` and ``most`` of the figure."""
        values = [point.figure.estimate for point in self.points if point.figure is not None and point.figure.n]
        return {"least": min(values, default=None), "most": max(values, default=None)}


@checked
def sweep(
    source: Given,
    values: Annotated[
        Mapping[str, Sequence[Any]] | None,
        Option(
            "Values of a path of the file, or of demand (a factor); may be repeated.",
            flag="--set",
            metavar="PATH=V1,V2,…",
            parse="listed_values_of",
        ),
    ] = None,
    *,
    ranges: Annotated[
        Mapping[str, tuple[float, float]] | None,
        Option("A range for a Latin hypercube; may be repeated.", metavar="PATH=LOW:HIGH", parse="ranges_of"),
    ] = None,
    points: Annotated[int, Option("Points of the hypercube.", flag="--points")] = 20,
    whole: Annotated[
        Sequence[str], Option("A path whose values are whole numbers.", flag="--whole", metavar="PATH")
    ] = (),
    figure: Annotated[str, Option("What is told at each point.")] = "success_ratio",
    plan: ReplicationPlan | None = None,
    **runs: Unpack[RunKeywords],
) -> Sweep:
    """Run SCENARIO at every combination of values, or at points spread over ranges.

    *values* are those of paths of the file (``hosts.host-1.cpuNum``, ``globalConfig.NAME``) or of `DEMAND`; *ranges*
    give a `hypercube` of so many *points*. A combination the file does not take is told with its fault, the others are
    run. Raises InvalidInput.
    """
    scenario, plan = as_scenario(source), plan_of(plan, runs)
    if (values is None) == (ranges is None):
        raise InvalidInput([Fault("values", "either --set or --range", "values or ranges")])
    if ranges is not None:
        return hypercube(scenario, ranges, points, whole=whole, figure=figure, plan=plan)
    values = values or {}
    faults = [Fault(path, "has no values", "at least one") for path, some in values.items() if not len(some)]
    count = int(np.prod([len(some) for some in values.values()])) if values else 0
    if not values:
        faults.append(Fault("values", "names nothing", "a path of the scenario's file and its values"))
    if count > MOST_POINTS:
        faults.append(Fault("values", f"{count} combinations", f"at most {MOST_POINTS}"))
    if faults:
        raise InvalidInput(faults)
    return run_points(
        scenario, [dict(zip(values, item, strict=True)) for item in product(*values.values())], figure, plan
    )


@checked
def hypercube(
    source: Given,
    ranges: Mapping[str, tuple[float, float]],
    points: int,
    *,
    whole: Sequence[str] = (),
    figure: str = "success_ratio",
    plan: ReplicationPlan | None = None,
    seed: int = 0,
) -> Sweep:
    """A Latin hypercube of so many *points* over *ranges* (McKay, Beckman & Conover 1979); *whole* paths are rounded.

    Raises InvalidInput.
    """
    scenario = as_scenario(source)
    check_ranges(ranges)
    if points < 2:
        raise InvalidInput([Fault("points", f"{points} is no sample", "at least 2")])
    generator = np.random.Generator(np.random.PCG64(seed))
    columns = {}
    for path, (low, high) in ranges.items():
        positions = (generator.permutation(points) + generator.random(points)) / points
        drawn = [round(low + (high - low) * float(location), 9) for location in positions]
        columns[path] = [round(value) for value in drawn] if path in whole else drawn
    return run_points(
        scenario, [{path: some[at] for path, some in columns.items()} for at in range(points)], figure, plan
    )


def check_ranges(ranges: Mapping[str, tuple[float, float]]) -> None:
    faults = [
        Fault(path, f"{low:g} to {high:g} is no range", "a low end below the high one")
        for path, (low, high) in ranges.items()
        if not low < high
    ]
    if not ranges:
        faults.append(Fault("ranges", "names nothing", "a path and its two ends"))
    if faults:
        raise InvalidInput(faults)


def at_values(scenario: Scenario, values: Mapping[str, Any]) -> Scenario:
    """The scenario with values at their paths. Raises InvalidInput."""
    plain = {path: value for path, value in values.items() if path != DEMAND}
    changes: list[Mapping[str, Any]] = [{"set": plain}] if plain else []
    if DEMAND in values:
        changes.append({"demand": values[DEMAND]})
    return change_scenario(scenario, changes)


def run_points(
    scenario: Scenario, points: Sequence[Mapping[str, Any]], figure: str, plan: ReplicationPlan | None
) -> Sweep:
    plan = plan or ReplicationPlan()
    variants: dict[str, Scenario] = {}
    faults: dict[int, str] = {}
    for at, values in enumerate(points):
        try:
            variants[str(at)] = at_values(scenario, values)
            open_context(variants[str(at)], seed=plan.seed)
        except InvalidInput as error:
            variants.pop(str(at), None)
            faults[at] = str(error.faults[0])
    if not variants:
        raise InvalidInput([Fault("values", f"no combination can be run: {next(iter(faults.values()))}")])
    runs, interrupted = replicate(variants, plan, figure)
    result = []
    for at, values in enumerate(points):
        part = runs.get(str(at), ())
        matches = interval_of(part, figure, plan.confidence) if part else None
        result.append(Point(values, matches, reasons_of(part), faults.get(at, "")))
    return Sweep(scenario.name, figure, tuple(result), interrupted)
