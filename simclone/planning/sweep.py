"""Many settings: products of values, Latin hypercubes, one at a time, and the largest demand that still holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from simclone.changes.load import as_scenario
from simclone.changes.whatif import changed
from simclone.engine.opening import open_context
from simclone.errors import Fault, InvalidInput
from simclone.planning.parts.answer import Answer
from simclone.planning.replication.intervals import Interval, checked_share
from simclone.planning.replication.plan import Plan, interval_of, reasons_of, replicate
from simclone.scenario.load import Given, Scenario

if TYPE_CHECKING:
    import pandas as pd

MOST_POINTS = 100_000
DEMAND = "demand"
"""The name of the factor on all demand, beside paths of the file."""
MOST_DEMAND = 1_024.0


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

    scenario: str
    figure: str
    points: tuple[Point, ...]
    interrupted: bool = False

    def summary(self) -> str:
        """How many points, and the ends of the figure."""
        done = [one for one in self.points if one.figure is not None]
        lines = [f"{self.scenario}: {self.figure} at {len(done)} of {len(self.points)} points"]
        if done:
            for word, pick in (("least", min), ("most", max)):
                one = pick(done, key=lambda point: point.figure.estimate if point.figure else 0.0)
                told = ", ".join(f"{path} = {value}" for path, value in one.values.items())
                lines.append(f"  {word} {one.figure.summary() if one.figure else ''} at {told}")
        lines += [f"  {one.fault}" for one in self.points if one.fault][:5]
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """One row per point: a column per path, the figure, low, high, replications, reason, fault."""
        import pandas as pd

        rows = []
        for one in self.points:
            found = one.figure
            numbers = (found.estimate, found.low, found.high, found.n) if found is not None else (None, None, None, 0)
            rows.append((*one.values.values(), *numbers, next(iter(one.reasons), ""), one.fault))
        paths = list(self.points[0].values) if self.points else []
        return pd.DataFrame(rows, columns=[*paths, self.figure, "low", "high", "replications", "reason", "fault"])

    def drawn(self) -> tuple[str, ...]:
        """The figure with its interval."""
        return (self.figure, "low", "high")

    def figures(self) -> Mapping[str, float | None]:
        """``least`` and ``most`` of the figure."""
        values = [one.figure.estimate for one in self.points if one.figure is not None and one.figure.n]
        return {"least": min(values, default=None), "most": max(values, default=None)}


def sweep(
    source: Given,
    values: Mapping[str, Sequence[Any]],
    *,
    figure: str = "success_ratio",
    plan: Plan | None = None,
) -> Sweep:
    """Every combination of *values*: paths of the file (``hosts.host-1.cpuNum``, ``globalConfig.NAME``) or `DEMAND`.

    A combination the file does not take is told with its fault, the others are run. Raises InvalidInput.
    """
    scenario = as_scenario(source)
    faults = [Fault(path, "has no values", "at least one") for path, some in values.items() if not len(some)]
    count = int(np.prod([len(some) for some in values.values()])) if values else 0
    if not values:
        faults.append(Fault("values", "names nothing", "a path of the scenario's file and its values"))
    if count > MOST_POINTS:
        faults.append(Fault("values", f"{count} combinations", f"at most {MOST_POINTS}"))
    if faults:
        raise InvalidInput(faults)
    return _swept(scenario, [dict(zip(values, one, strict=True)) for one in product(*values.values())], figure, plan)


def hypercube(
    source: Given,
    ranges: Mapping[str, tuple[float, float]],
    points: int,
    *,
    whole: Sequence[str] = (),
    figure: str = "success_ratio",
    plan: Plan | None = None,
    seed: int = 0,
) -> Sweep:
    """A Latin hypercube of so many *points* over *ranges* (McKay, Beckman & Conover 1979); *whole* paths are rounded.

    Raises InvalidInput.
    """
    scenario = as_scenario(source)
    _check_ranges(ranges)
    if points < 2:
        raise InvalidInput([Fault("points", f"{points} is no sample", "at least 2")])
    generator = np.random.Generator(np.random.PCG64(seed))
    columns = {}
    for path, (low, high) in ranges.items():
        places = (generator.permutation(points) + generator.random(points)) / points
        drawn = [round(low + (high - low) * float(place), 9) for place in places]
        columns[path] = [round(value) for value in drawn] if path in whole else drawn
    return _swept(scenario, [{path: some[at] for path, some in columns.items()} for at in range(points)], figure, plan)


def _check_ranges(ranges: Mapping[str, tuple[float, float]]) -> None:
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
    return changed(scenario, changes)


def _swept(scenario: Scenario, points: Sequence[Mapping[str, Any]], figure: str, plan: Plan | None) -> Sweep:
    plan = plan or Plan()
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
    made = []
    for at, values in enumerate(points):
        part = runs.get(str(at), ())
        found = interval_of(part, figure, plan.confidence) if part else None
        made.append(Point(values, found, reasons_of(part), faults.get(at, "")))
    return Sweep(scenario.name, figure, tuple(made), interrupted)


@dataclass(frozen=True, slots=True)
class Bar:
    """What one parameter does to the figure, the others as they are: at its *low* and its *high* end."""

    path: str
    low: float
    high: float
    at_low: float
    at_high: float

    @property
    def width(self) -> float:
        """How far the figure moves."""
        return abs(self.at_high - self.at_low)


@dataclass(frozen=True, slots=True)
class Sensitivity(Answer):
    """A tornado: parameters by how much they move the figure, widest first; *base* is the figure as it is."""

    scenario: str
    figure: str
    base: float
    bars: tuple[Bar, ...]

    def summary(self) -> str:
        """A line per parameter."""
        lines = [f"{self.scenario}: {self.figure} is {self.base:.4g}; what moves it most"]
        lines += [
            f"  {one.path}: {one.low:g} gives {one.at_low:.4g}, {one.high:g} gives {one.at_high:.4g}"
            for one in self.bars
        ]
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """One row per parameter: path, low, high, at_low, at_high, width."""
        import pandas as pd

        rows = [(one.path, one.low, one.high, one.at_low, one.at_high, one.width) for one in self.bars]
        return pd.DataFrame(rows, columns=["path", "low", "high", "at_low", "at_high", "width"])

    def drawn(self) -> tuple[str, ...]:
        """How much each parameter moves the figure."""
        return ("width",)

    def figures(self) -> Mapping[str, float | None]:
        """``base``, and each parameter's width by its path."""
        return {"base": self.base, **{one.path: one.width for one in self.bars}}


def sensitivity(
    source: Given,
    ranges: Mapping[str, tuple[float, float]],
    *,
    figure: str = "success_ratio",
    plan: Plan | None = None,
) -> Sensitivity:
    """One parameter at a time at the ends of its range, all with the same random numbers. Raises InvalidInput."""
    scenario = as_scenario(source)
    _check_ranges(ranges)
    ends = [{path: _number(end)} for path, pair in ranges.items() for end in pair]
    found = _swept(scenario, [{}, *ends], figure, plan)
    faults = [Fault(next(iter(one.values)), one.fault) for one in found.points if one.fault]
    if faults:
        raise InvalidInput(faults)
    means = [one.figure.estimate if one.figure is not None else float("nan") for one in found.points]
    ranked = enumerate(ranges.items())
    bars = [Bar(path, low, high, means[1 + 2 * at], means[2 + 2 * at]) for at, (path, (low, high)) in ranked]
    return Sensitivity(scenario.name, figure, means[0], tuple(sorted(bars, key=lambda one: -one.width)))


def _number(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value


@dataclass(frozen=True, slots=True)
class Slo(Answer):
    """The largest factor on today's demand at which at least *target* of the names are placed, None where none does.

    *trials* are (factor, mean success ratio, lower end of its interval).
    """

    scenario: str
    target: float
    factor: float | None
    trials: tuple[tuple[float, float, float], ...]
    capped: bool = False

    def summary(self) -> str:
        """One line."""
        if self.factor is None:
            return f"{self.scenario}: not even a small share of today's demand is placed to {100 * self.target:g} %"
        least = "at least " if self.capped else ""
        kept = f"keeps success at {100 * self.target:g} % or more"
        return f"{self.scenario}: {least}{self.factor:.4g} times today's demand {kept}"

    def to_frame(self) -> pd.DataFrame:
        """One row per factor tried."""
        import pandas as pd

        return pd.DataFrame(sorted(self.trials), columns=["factor", "success_ratio", "low"])

    def drawn(self) -> tuple[str, ...]:
        """The share placed."""
        return ("success_ratio",)

    def figures(self) -> Mapping[str, float | None]:
        """``factor``."""
        return {"factor": self.factor}


def slo(source: Given, target: float, *, tolerance: float = 0.01, plan: Plan | None = None) -> Slo:
    """The largest demand that keeps success: doubled or halved, then closed in to a relative *tolerance*.

    Every factor is run with the same random numbers; it holds when something is asked and the lower end of the interval
    of the mean ratio reaches *target*. Raises InvalidInput.
    """
    scenario = as_scenario(source)
    checked_share("target", target)
    checked_share("tolerance", tolerance)
    plan = plan or Plan()
    trials: dict[float, tuple[float, float]] = {}

    def holds(factor: float) -> bool:
        runs, interrupted = replicate({"": at_values(scenario, {DEMAND: factor})}, plan)
        if interrupted:
            raise KeyboardInterrupt
        found = interval_of(runs[""], "success_ratio", plan.confidence)
        low = found.estimate if found.n == 1 else found.low
        trials[factor] = (found.estimate, low)
        return low >= target and any(one.asked for one in runs[""])

    low, high = _ends(holds)
    while low and high and high / low - 1 > tolerance:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if holds(middle) else (low, middle)
    told = tuple((factor, *numbers) for factor, numbers in trials.items())
    return Slo(scenario.name, target, low or None, told, not high)


def _ends(holds: Any) -> tuple[float, float]:
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
