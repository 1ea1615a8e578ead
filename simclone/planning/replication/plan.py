"""Replications of a scenario and of variants of it: the same random numbers for each, as many as it takes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, isfinite
from typing import Any, TypedDict

from simclone.errors import Fault, InvalidInput
from simclone.planning.arguments import check_fields
from simclone.planning.replication.executor import Execution, Halted, outcomes_of, run_blocks
from simclone.planning.replication.intervals import CONFIDENCE, Interval, checked_share, mean_interval, replications_for
from simclone.planning.replication.outcomes import RunBlock, RunOutcome, blocks_of
from simclone.scenario.load import Scenario

REPLICATIONS = 10
MOST = 1_000
AT_LEAST = 8
"""A further round has so many replications more; at most it doubles them, since a first spread is a rough one."""


@dataclass(frozen=True, slots=True)
class ReplicationPlan:
    """How many replications of each variant, and the *executor* that makes them.

    More than *replications* until the interval of the figure's mean is as narrow as *half_width*, at most *most*.
    """

    replications: int = REPLICATIONS
    seed: int | None = None
    confidence: float = CONFIDENCE
    half_width: float | None = None
    most: int = MOST
    executor: Execution = field(default_factory=Execution)

    def __post_init__(self) -> None:
        check_fields(self)
        faults = []
        if self.replications < 1:
            faults.append(Fault("replications", f"{self.replications} is no number of runs", "at least 1"))
        if self.half_width is not None and not self.half_width > 0:
            faults.append(Fault("half_width", f"{self.half_width:g} is no width", "a number above 0"))
        if self.half_width is not None and self.replications < 2:
            faults.append(Fault("replications", "one run has no interval to narrow", "at least 2"))
        if faults:
            raise InvalidInput(faults)
        checked_share("confidence", self.confidence)


class RunKeywords(TypedDict, total=False):
    """Keywords of every question that makes runs, as the command line has them: the parts of a `ReplicationPlan`."""

    replications: int
    seed: int | None
    confidence: float
    half_width: float | None
    jobs: int
    cluster: str | None
    resume: str | None


def plan_of(plan: ReplicationPlan | None, runs: RunKeywords) -> ReplicationPlan:
    """The plan that was given, or one of single keywords; raises TypeError for both, or for an unknown keyword."""
    unknown = sorted(set(runs) - RunKeywords.__annotations__.keys())
    if unknown:
        raise TypeError(f"unknown keyword {unknown[0]!r}; runs take {', '.join(RunKeywords.__annotations__)}")
    if plan is not None and runs:
        raise TypeError(f"plan and {next(iter(runs))} say the same twice")
    if plan is not None or not runs:
        return plan or ReplicationPlan()
    executor = Execution(runs.get("jobs", 1), runs.get("cluster"), runs.get("resume"))
    return ReplicationPlan(
        replications=runs.get("replications", REPLICATIONS),
        seed=runs.get("seed"),
        confidence=runs.get("confidence", CONFIDENCE),
        half_width=runs.get("half_width"),
        executor=executor,
    )


def Plan(*values: Any, how: Execution | None = None, **named: Any) -> ReplicationPlan:  # noqa: N802 (a former class)
    """A `ReplicationPlan` under its former name, with *how* for *executor*; deprecated."""
    warnings.warn("Plan is called ReplicationPlan, and how executor", DeprecationWarning, stacklevel=2)
    if how is not None:
        named["executor"] = how
    return ReplicationPlan(*values, **named)


Runs = Mapping[str, list[RunOutcome]]


def replicate(
    variants: Mapping[str, Scenario], plan: ReplicationPlan, figure: str = "success_ratio"
) -> tuple[Runs, bool]:
    """Outcomes of every variant by name, and whether Ctrl-C ended it early; the same replications for each.

    After an interrupt only replications that every variant finished are kept, so pairs stay pairs.
    """
    completed: dict[str, list[dict[str, object]]] = {}
    count = plan.replications
    while True:
        blocks = {name: blocks_of(variant, count, seed=plan.seed) for name, variant in variants.items()}
        every = [block for part in blocks.values() for block in part]
        try:
            completed.update(run_blocks([block for block in every if block.key not in completed], plan.executor))
        except Halted as end:
            completed.update(end.finished)
            return _common(blocks, completed), True
        runs = {name: outcomes_of(part, completed) for name, part in blocks.items()}
        needed = _needed(runs, plan, figure)
        if needed <= count or count >= plan.most:
            return runs, False
        count = min(plan.most, max(count + AT_LEAST, min(needed, 2 * count)))


def _needed(runs: Runs, plan: ReplicationPlan, figure: str) -> int:
    """So many replications that the interval gets narrow enough, by the spread seen so far; 0 where none is asked."""
    if plan.half_width is None:
        return 0
    needed = []
    for part in runs.values():
        values = values_of(part, figure)
        count = replications_for(values, plan.half_width, plan.confidence)
        needed.append(ceil(count * len(part) / len(values)) if values else plan.most)
    return max(needed)


def _common(blocks: Mapping[str, Sequence[RunBlock]], done: Mapping[str, list[dict[str, object]]]) -> Runs:
    result = {name: outcomes_of(part, done) for name, part in blocks.items()}
    shared = set.intersection(*({entry.replication for entry in part} for part in result.values()))
    return {name: [item for item in part if item.replication in shared] for name, part in result.items()}


def values_of(outcomes: Sequence[RunOutcome], figure: str) -> list[float]:
    """A figure of each replication, those that have it; raises InvalidInput for an unknown name."""
    try:
        result = [outcome.figure(figure) for outcome in outcomes]
    except KeyError:
        known = "first_failure_s" + "".join(f", {name}" for name in outcomes[0].figures)
        raise InvalidInput([Fault("figure", f"{figure!r} is no figure", known)]) from None
    return [float(value) for value in result if value is not None]


def interval_of(outcomes: Sequence[RunOutcome], figure: str, confidence: float = CONFIDENCE) -> Interval:
    """The mean of a figure over the replications that have it; of a share it lies between 0 and 1."""
    result = mean_interval(values_of(outcomes, figure), confidence)
    if not figure.endswith("_ratio") or not isfinite(result.low):
        return result
    return replace(result, low=max(result.low, 0.0), high=min(result.high, 1.0))


def reasons_of(outcomes: Sequence[RunOutcome]) -> dict[str, int]:
    """Failed names by reason over all replications, most first."""
    counts: dict[str, int] = {}
    for outcome in outcomes:
        for reason, count in outcome.reasons.items():
            counts[reason] = counts.get(reason, 0) + count
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
