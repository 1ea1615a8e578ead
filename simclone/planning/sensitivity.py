"""Which parameter moves a figure most: one at a time at the ends of its range, a tornado."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Unpack

from simclone.changes.load import as_scenario
from simclone.errors import Fault, InvalidInput
from simclone.planning.arguments import checked
from simclone.planning.option import Option
from simclone.planning.parts.answer import Answer
from simclone.planning.replication.plan import ReplicationPlan, RunKeywords, plan_of
from simclone.planning.sweep import check_ranges, run_points
from simclone.scenario.load import Given

if TYPE_CHECKING:
    import pandas as pd


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

    question: ClassVar[str] = "sensitivity"
    title: ClassVar[str] = "What moves it"
    order: ClassVar[int] = 220

    scenario: str
    figure: str
    base: float
    bars: tuple[Bar, ...]

    def summary(self) -> str:
        """A line per parameter."""
        lines = [f"{self.scenario}: {self.figure} is {self.base:.4g}; what moves it most"]
        lines += [
            f"  {bar.path}: {bar.low:g} gives {bar.at_low:.4g}, {bar.high:g} gives {bar.at_high:.4g}"
            for bar in self.bars
        ]
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """One row per parameter: path, low, high, at_low, at_high, width."""
        import pandas as pd

        rows = [(bar.path, bar.low, bar.high, bar.at_low, bar.at_high, bar.width) for bar in self.bars]
        return pd.DataFrame(rows, columns=["path", "low", "high", "at_low", "at_high", "width"])

    def chart_columns(self) -> tuple[str, ...]:
        """How much each parameter moves the figure."""
        return ("width",)

    def picture(self) -> Any:
        """A tornado."""
        from simclone.figures import lines

        return lines.tornado(self.to_frame(), self.base, self.figure)

    def figures(self) -> Mapping[str, float | None]:
        """``base``, and each parameter's width by its path."""
        return {"base": self.base, **{bar.path: bar.width for bar in self.bars}}


@checked
def sensitivity(
    source: Given,
    ranges: Annotated[
        Mapping[str, tuple[float, float]],
        Option(
            "A path of the file, or demand (a factor), and its ends; may be repeated.",
            metavar="PATH=LOW:HIGH",
            parse="ranges_of",
        ),
    ],
    *,
    figure: Annotated[str, Option("What is looked at.")] = "success_ratio",
    plan: ReplicationPlan | None = None,
    **runs: Unpack[RunKeywords],
) -> Sensitivity:
    """Which parameter of SCENARIO moves the figure most, one at a time (a tornado).

    Each parameter is set to the ends of its range, all with the same random numbers. Raises InvalidInput.
    """
    scenario = as_scenario(source)
    check_ranges(ranges)
    ends = [{path: _number(end)} for path, pair in ranges.items() for end in pair]
    result = run_points(scenario, [{}, *ends], figure, plan_of(plan, runs))
    faults = [Fault(next(iter(point.values)), point.fault) for point in result.points if point.fault]
    if faults:
        raise InvalidInput(faults)
    means = [item.figure.estimate if item.figure is not None else float("nan") for item in result.points]
    ranked = enumerate(ranges.items())
    bars = [Bar(path, low, high, means[1 + 2 * at], means[2 + 2 * at]) for at, (path, (low, high)) in ranked]
    return Sensitivity(scenario.name, figure, means[0], tuple(sorted(bars, key=lambda one: -one.width)))


def _number(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value
