"""How many hosts: the fewest to add so that a demand succeeds, the cheapest mix of models, the fewest that suffice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed_answer
from math import inf
from typing import TYPE_CHECKING, Annotated, ClassVar, Unpack

from simclone.changes.load import as_scenario
from simclone.changes.whatif import change_scenario
from simclone.errors import Fault, InvalidInput, UnplacedVms
from simclone.planning.parts.answer import Answer
from simclone.planning.parts.arguments import checked
from simclone.planning.parts.host_model import Model
from simclone.planning.parts.model_mix import cheapest
from simclone.planning.parts.option import Option
from simclone.planning.replication.intervals import checked_share
from simclone.planning.replication.plan import (
    ReplicationPlan,
    RunKeywords,
    Runs,
    interval_of,
    plan_of,
    reasons_of,
    replicate,
)
from simclone.scenario.load import Given, Scenario
from simclone.units import plural
from simclone.vocabulary import Subject, reason_of

if TYPE_CHECKING:
    import pandas as pd

MOST_HOSTS = 10_000
HOMELESS = "VMs of the file find no host"
NEAR = (-1, 0, 1, 2)
"""Numbers beside the one that was found which are tried too."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One number of hosts tried: *ratio* of names placed and the lower end of its interval, *reasons* of the others.

    Where everything must succeed and the first run already fails, they are of that run.
    """

    counts: tuple[int, ...]
    ok: bool
    ratio: float
    low: float
    reasons: Mapping[str, int] = field(default_factory=dict)
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Sizing(Answer):
    """Hosts to add by model, None where no number helps; every number that was tried is in *trials*.

    *bound* is a cost no mix can be below, as far as vCPUs and memory go. *monotone* False: more hosts did not always
    help, and the number is the smallest after which all that were tried succeed.
    """

    question: ClassVar[str] = "size"
    title: ClassVar[str] = "Hosts to add"
    order: ClassVar[int] = 70

    scenario: str
    models: tuple[Model, ...]
    counts: tuple[int, ...] | None
    cost: float | None
    target: float | None
    trials: tuple[Trial, ...]
    monotone: bool = True
    bound: float | None = None
    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        """What to add, what it costs, what else is short."""
        sought = "everything succeeds" if self.target is None else f"at least {100 * self.target:g} % succeed"
        if self.counts is None:
            last = max(self.trials, key=lambda one: one.counts)
            why = ", ".join(f"{count} for {reason}" for reason, count in last.reasons.items())
            text = f"{self.scenario}: no number of hosts up to {sum(last.counts)} is enough so that {sought} ({why})"
            return "\n".join([text, *(f"  {note}" for note in self.notes)])
        parts = [f"{count} of {model.shown}" for count, model in zip(self.counts, self.models, strict=True) if count]
        result = next(trial for trial in self.trials if trial.counts == self.counts)
        text = f"{self.scenario}: add {' and '.join(parts) or 'nothing'} and {sought} ({100 * result.ratio:.2f} %)"
        if self.cost is not None:
            text += f", cost {self.cost:g}"
        if self.bound is not None:
            text += f" (not below {self.bound:g} in any mix)"
        if not self.monotone:
            text += "; more hosts did not always help, this is the smallest number after which all that were tried do"
        notes = [*self.notes, *((result.warning,) if result.warning else ())]
        return "\n".join([text, *(f"  {note}" for note in notes)])

    def to_frame(self) -> pd.DataFrame:
        """One row per number tried."""
        import pandas as pd

        names = [model.name for model in self.models]
        rows = [
            (*trial.counts, trial.ok, trial.ratio, trial.low, next(iter(trial.reasons), ""))
            for trial in sorted(self.trials, key=lambda one: one.counts)
        ]
        return pd.DataFrame(sorted(rows), columns=[*names, "ok", "success_ratio", "low", "reason"])

    def chart_columns(self) -> tuple[str, ...]:
        """The share placed."""
        return ("success_ratio",)

    def figures(self) -> Mapping[str, float | None]:
        """``hosts``, ``cost``."""
        return {"hosts": None if self.counts is None else sum(self.counts), "cost": self.cost}


class _Trials:
    """Runs with so many hosts more, each number once."""

    def __init__(
        self,
        scenario: Scenario,
        models: Sequence[Model],
        target: float | None,
        plan: ReplicationPlan,
        gone: Sequence[str] = (),
    ) -> None:
        self.scenario, self.models, self.target, self.plan, self.gone = scenario, models, target, plan, gone
        self.made: dict[tuple[int, ...], Trial] = {}

    def __call__(self, *counts: int) -> Trial:
        if counts not in self.made:
            self.made[counts] = self._run(counts)
        return self.made[counts]

    def _run(self, counts: tuple[int, ...]) -> Trial:
        changes = [model.change(count) for model, count in zip(self.models, counts, strict=True) if count]
        changes += [{"removeHosts": list(self.gone)}] if self.gone else []
        try:
            scenario = change_scenario(self.scenario, changes) if changes else self.scenario
        except UnplacedVms as error:
            return Trial(counts, False, 0.0, 0.0, {HOMELESS: len(error.faults)})
        except InvalidInput as error:
            if sum(counts) or not self.gone:
                raise
            return Trial(counts, False, 0.0, 0.0, {HOMELESS: len(error.faults)})
        try:
            runs, interrupted = self._made(scenario)
        except InvalidInput as error:
            if not changes and not isinstance(error, UnplacedVms):
                raise
            return Trial(counts, False, 0.0, 0.0, {HOMELESS: len(error.faults)})
        if interrupted:
            raise KeyboardInterrupt
        result = interval_of(runs[""], "success_ratio", self.plan.confidence)
        item = len(runs[""]) == 1
        low = result.estimate if item else result.low
        every = all(run.placed == run.asked for run in runs[""])
        ok = every if self.target is None else low >= self.target
        return Trial(counts, ok, result.estimate, low, reasons_of(runs[""]), result.warning if self.target else "")

    def _made(self, scenario: Scenario) -> tuple[Runs, bool]:
        """The runs; where everything must succeed the first alone if it does not."""
        if self.target is None and self.plan.replications > 1:
            runs, interrupted = replicate({"": scenario}, changed_answer(self.plan, replications=1, half_width=None))
            if interrupted or any(run.placed < run.asked for run in runs[""]):
                return runs, interrupted
        return replicate({"": scenario}, self.plan)


@checked
def size(
    source: Given,
    models: Annotated[
        Sequence[Model],
        Option(
            "A host model to add (also name=, cpu=, memory=, cluster=); several are mixed by price.",
            metavar="like=HOST,price=N",
            parse="models_of",
        ),
    ],
    *,
    target: Annotated[
        float | None, Option("Share of names that must be placed (default: every one in every run).")
    ] = None,
    most: Annotated[int, Option("Hosts to try at most.")] = MOST_HOSTS,
    replace: Annotated[
        Sequence[str], Option("A host that goes, its place is taken by the model; may be repeated.", flag="--replace")
    ] = (),
    plan: ReplicationPlan | None = None,
    **runs: Unpack[RunKeywords],
) -> Sizing:
    """The fewest hosts (or the cheapest mix) to add to SCENARIO so that its requests succeed.

    The fewest of one model, the cheapest mix of several; hosts named in *replace* go (`refresh`, one model). Every
    replication places everything, or the lower end of the interval of the mean ratio reaches *target*. Found by
    doubling and halving over runs with the same random numbers. Raises InvalidInput.
    """
    scenario = as_scenario(source)
    if replace and len(models) > 1:
        raise InvalidInput([Fault("models", "--replace takes one --model", "one host model")])
    if replace:
        return refresh(scenario, replace, models[0], target=target, plan=plan_of(plan, runs))
    _checked(models, target, most)
    return _sized(_Trials(scenario, models, target, plan_of(plan, runs)), most)


def _checked(models: Sequence[Model], target: float | None, most: int) -> None:
    if not models:
        raise InvalidInput([Fault("models", "there is none", "at least one host model")])
    names = [model.name for model in models]
    wrong = [
        Fault(f"models.{item}", "is there twice", "another name")
        for item in sorted(set(names))
        if names.count(item) > 1
    ]
    wrong += [
        Fault(f"models.{entry.name}.price", f"{entry.price:g} is no price", "a number, at least 0")
        for entry in models
        if not 0 <= entry.price < inf
    ]
    if wrong:
        raise InvalidInput(wrong)
    if target is not None:
        checked_share("target", target)
    if most < 1:
        raise InvalidInput([Fault("most", f"{most} is no number of hosts", "at least 1")])


def _sized(trials: _Trials, most: int) -> Sizing:
    models = trials.models
    if len(models) > 1:
        return _mixed(trials, most)
    result, monotone = _fewest(trials, most)
    notes = () if result is not None else _beside(trials)
    counts = None if result is None else (result,)
    cost = None if result is None else result * models[0].price
    built = tuple(trials.made.values())
    return Sizing(trials.scenario.name, tuple(models), counts, cost, trials.target, built, monotone, None, notes)


def _fewest(trials: _Trials, most: int) -> tuple[int | None, bool]:
    """The smallest number that is enough, and whether the numbers around it behave."""
    if trials(0).ok:
        return 0, True
    low, high = 0, 1
    while not trials(high).ok:
        before = trials(low)
        low, high = high, min(high * 2, most)
        if low >= most or (low > 64 and _hopeless(before, trials(low))):
            return None, True
    while high - low > 1:
        middle = (low + high) // 2
        if trials(middle).ok:
            high = middle
        else:
            low = middle
    return _settled(trials, high, most)


def _hopeless(before: Trial, after: Trial) -> bool:
    """Twice the hosts changed nothing, and no host is to blame."""
    return before.ratio == after.ratio and before.reasons == after.reasons and not any(map(_of_hosts, after.reasons))


def _of_hosts(reason: str) -> bool:
    return reason == HOMELESS or reason_of(reason).subject is Subject.HOST


def _settled(trials: _Trials, found: int, most: int) -> tuple[int | None, bool]:
    for near in NEAR:
        if 0 <= found + near <= most:
            trials(found + near)
    while True:
        tried = sorted(trials.made)
        ((last,), end) = tried[-1], trials.made[tried[-1]]
        if end.ok or last >= most:
            break
        trials(min(2 * last, most))
    good = [trials.made[item].ok for item in tried]
    last_bad = max((position for position, ok in enumerate(good) if not ok), default=-1)
    monotone = True not in good[: last_bad + 1]
    return (tried[last_bad + 1][0] if last_bad + 1 < len(tried) else None), monotone


def _beside(trials: _Trials) -> tuple[str, ...]:
    """What is short besides hosts."""
    last = max(trials.made.values(), key=lambda one: one.counts)
    other = {reason: count for reason, count in last.reasons.items() if not _of_hosts(reason)}
    if not other:
        return ()
    text = ", ".join(f"{reason} ({count})" for reason, count in other.items())
    return (f"more hosts do not help against {text}; simclone explain --fix tells what does",)


def _mixed(trials: _Trials, most: int) -> Sizing:
    """A mix by linear bound, grown until a run succeeds, then thinned out host by host, dearest first."""
    models, scenario = trials.models, trials.scenario
    wrong = [Fault(f"models.{model.name}", "has no price", "a price above 0") for model in models if model.price <= 0]
    if wrong:
        raise InvalidInput(wrong)
    alone = {row: _alone(trials, row, most) for row in range(len(models))}
    able = {row: count for row, count in alone.items() if count is not None}
    result = tuple(trials.made.values())
    if not able:
        return Sizing(scenario.name, tuple(models), None, None, trials.target, result, True, None, _beside(trials))
    best = min(able, key=lambda row: (able[row] * models[row].price, row))
    counts = _unit(len(models), best, able[best])
    bound, mix = cheapest(scenario, models, trials.target)
    for more in (1.0, 1.02, 1.05, 1.1, 1.2, 1.35):
        requested = mix(more)
        if (
            requested is not None
            and sum(requested) <= most
            and _cost(models, requested) < _cost(models, counts)
            and trials(*requested).ok
        ):
            counts = requested
            break
    counts = _thinned(trials, counts)
    result = tuple(trials.made.values())
    return Sizing(scenario.name, tuple(models), counts, _cost(models, counts), trials.target, result, True, bound)


def _alone(trials: _Trials, row: int, most: int) -> int | None:
    """The fewest of one model by itself."""
    item = _Trials(trials.scenario, [trials.models[row]], trials.target, trials.plan)
    result, _ = _fewest(item, most)
    for (count,), trial in item.made.items():
        counts = _unit(len(trials.models), row, count)
        trials.made.setdefault(counts, changed_answer(trial, counts=counts))
    return result


def _unit(size: int, row: int, count: int) -> tuple[int, ...]:
    return tuple(count if at == row else 0 for at in range(size))


def _cost(models: Sequence[Model], counts: Sequence[int]) -> float:
    return sum(count * model.price for count, model in zip(counts, models, strict=True))


def _thinned(trials: _Trials, counts: tuple[int, ...]) -> tuple[int, ...]:
    """One host less of a model at a time, dearest first, or one exchanged for a cheaper, as long as a run succeeds."""
    models = trials.models
    order = sorted(range(len(models)), key=lambda row: -models[row].price)
    better = True
    while better:
        better = False
        for row in order:
            if not counts[row]:
                continue
            less = tuple(count - (at == row) for at, count in enumerate(counts))
            swaps = [
                tuple(count + (at == other) for at, count in enumerate(less))
                for other in range(len(models))
                if models[other].price < models[row].price
            ]
            result = next((item for item in (less, *swaps) if trials(*item).ok), None)
            if result is not None:
                counts, better = result, True
                break
    return counts


@checked
def refresh(
    source: Given, old: Sequence[str], model: Model, *, target: float | None = None, plan: ReplicationPlan | None = None
) -> Sizing:
    """How many of *model* take the place of the hosts *old*: those go, and the fewest new ones that suffice come.

    VMs that stood on the old hosts are placed by the allocator. Raises InvalidInput.
    """
    scenario, old = as_scenario(source), list(dict.fromkeys(old))
    known = [doc.name for doc in scenario.resolved.names.docs("host")]
    wrong = [Fault("old", f"there is no host {item!r}", ", ".join(known[:8])) for item in old if item not in known]
    if wrong:
        raise InvalidInput(wrong)
    _checked([model], target, MOST_HOSTS)
    result = _sized(_Trials(scenario, [model], target, plan or ReplicationPlan(), old), MOST_HOSTS)
    return changed_answer(
        result, notes=(f"{plural(len(old), 'host')} {'goes' if len(old) == 1 else 'go'}", *result.notes)
    )
