"""How many hosts: the fewest to add so that a demand succeeds, the cheapest mix of models, the fewest that suffice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Any

from simclone.changes.load import as_scenario
from simclone.changes.whatif import changed
from simclone.errors import Fault, InvalidInput
from simclone.planning.parts.answer import Answer
from simclone.planning.parts.model_mix import cheapest
from simclone.planning.replication.intervals import checked_share
from simclone.planning.replication.plan import Plan, Runs, interval_of, reasons_of, replicate
from simclone.scenario.load import Given, Scenario
from simclone.units import plural

if TYPE_CHECKING:
    import pandas as pd

MOST_HOSTS = 10_000
HOMELESS = "VMs of the file find no host"
NEAR = (-1, 0, 1, 2)
"""Numbers beside the one that was found which are tried too."""


@dataclass(frozen=True, slots=True)
class Model:
    """A kind of host to add: *like* one that is there, or of *cpu_num* cores and *memory* bytes in *cluster*."""

    name: str
    price: float = 1.0
    like: str | None = None
    cpu_num: int | None = None
    memory: int | None = None
    cluster: str | None = None

    @property
    def shown(self) -> str:
        """The name, and the host it is like."""
        return self.name if self.like is None or self.like in self.name else f"{self.name} (like {self.like})"

    def change(self, count: int) -> Mapping[str, Any]:
        """So many more of it, as a change."""
        given = {
            "like": self.like,
            "cpuNum": self.cpu_num,
            "totalPhysicalMemory": self.memory,
            "cluster": self.cluster,
        }
        named = {"name": f"{self.name}-{{n}}", "count": count}
        return {"addHosts": {**{key: value for key, value in given.items() if value is not None}, **named}}


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
        wanted = "everything succeeds" if self.target is None else f"at least {100 * self.target:g} % succeed"
        if self.counts is None:
            last = max(self.trials, key=lambda one: one.counts)
            why = ", ".join(f"{count} for {reason}" for reason, count in last.reasons.items())
            text = f"{self.scenario}: no number of hosts up to {sum(last.counts)} is enough so that {wanted} ({why})"
            return "\n".join([text, *(f"  {note}" for note in self.notes)])
        parts = [f"{count} of {model.shown}" for count, model in zip(self.counts, self.models, strict=True) if count]
        found = next(one for one in self.trials if one.counts == self.counts)
        text = f"{self.scenario}: add {' and '.join(parts) or 'nothing'} and {wanted} ({100 * found.ratio:.2f} %)"
        if self.cost is not None:
            text += f", cost {self.cost:g}"
        if self.bound is not None:
            text += f" (not below {self.bound:g} in any mix)"
        if not self.monotone:
            text += "; more hosts did not always help, this is the smallest number after which all that were tried do"
        notes = [*self.notes, *((found.warning,) if found.warning else ())]
        return "\n".join([text, *(f"  {note}" for note in notes)])

    def to_frame(self) -> pd.DataFrame:
        """One row per number tried."""
        import pandas as pd

        names = [model.name for model in self.models]
        rows = [
            (*one.counts, one.ok, one.ratio, one.low, next(iter(one.reasons), ""))
            for one in sorted(self.trials, key=lambda one: one.counts)
        ]
        return pd.DataFrame(sorted(rows), columns=[*names, "ok", "success_ratio", "low", "reason"])

    def drawn(self) -> tuple[str, ...]:
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
        plan: Plan,
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
            scenario = changed(self.scenario, changes) if changes else self.scenario
        except InvalidInput as error:
            if sum(counts) or not self.gone:
                raise
            return Trial(counts, False, 0.0, 0.0, {HOMELESS: len(error.faults)})
        try:
            runs, interrupted = self._made(scenario)
        except InvalidInput as error:
            if not changes and not _unplaced(error):
                raise
            return Trial(counts, False, 0.0, 0.0, {HOMELESS: len(error.faults)})
        if interrupted:
            raise KeyboardInterrupt
        found = interval_of(runs[""], "success_ratio", self.plan.confidence)
        one = len(runs[""]) == 1
        low = found.estimate if one else found.low
        every = all(run.placed == run.asked for run in runs[""])
        ok = every if self.target is None else low >= self.target
        return Trial(counts, ok, found.estimate, low, reasons_of(runs[""]), found.warning if self.target else "")

    def _made(self, scenario: Scenario) -> tuple[Runs, bool]:
        """The runs; where everything must succeed the first alone if it does not."""
        if self.target is None and self.plan.replications > 1:
            runs, interrupted = replicate({"": scenario}, replace(self.plan, replications=1, half_width=None))
            if interrupted or any(run.placed < run.asked for run in runs[""]):
                return runs, interrupted
        return replicate({"": scenario}, self.plan)


def _unplaced(error: InvalidInput) -> bool:
    return all("cannot be placed" in fault.message for fault in error.faults)


def size(
    source: Given,
    models: Sequence[Model],
    *,
    target: float | None = None,
    most: int = MOST_HOSTS,
    plan: Plan | None = None,
) -> Sizing:
    """The fewest hosts of one model, or the cheapest mix of several, so that all requests succeed.

    Every replication places everything, or the lower end of the interval of the mean ratio reaches *target*. Found by
    doubling and halving over runs with the same random numbers. Raises InvalidInput.
    """
    scenario = as_scenario(source)
    _checked(models, target, most)
    return _sized(_Trials(scenario, models, target, plan or Plan()), most)


def _checked(models: Sequence[Model], target: float | None, most: int) -> None:
    if not models:
        raise InvalidInput([Fault("models", "there is none", "at least one host model")])
    names = [one.name for one in models]
    wrong = [
        Fault(f"models.{one}", "is there twice", "another name") for one in sorted(set(names)) if names.count(one) > 1
    ]
    wrong += [
        Fault(f"models.{one.name}.price", f"{one.price:g} is no price", "a number, at least 0")
        for one in models
        if not 0 <= one.price < inf
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
    found, monotone = _fewest(trials, most)
    notes = () if found is not None else _beside(trials)
    counts = None if found is None else (found,)
    cost = None if found is None else found * models[0].price
    made = tuple(trials.made.values())
    return Sizing(trials.scenario.name, tuple(models), counts, cost, trials.target, made, monotone, None, notes)


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
    return reason == HOMELESS or reason.startswith("host.")


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
    good = [trials.made[one].ok for one in tried]
    last_bad = max((place for place, ok in enumerate(good) if not ok), default=-1)
    monotone = True not in good[: last_bad + 1]
    return (tried[last_bad + 1][0] if last_bad + 1 < len(tried) else None), monotone


def _beside(trials: _Trials) -> tuple[str, ...]:
    """What is short besides hosts."""
    last = max(trials.made.values(), key=lambda one: one.counts)
    other = {reason: count for reason, count in last.reasons.items() if not _of_hosts(reason)}
    if not other:
        return ()
    told = ", ".join(f"{reason} ({count})" for reason, count in other.items())
    return (f"more hosts do not help against {told}; simclone explain --fix tells what does",)


def _mixed(trials: _Trials, most: int) -> Sizing:
    """A mix by linear bound, grown until a run succeeds, then thinned out host by host, dearest first."""
    models, scenario = trials.models, trials.scenario
    wrong = [Fault(f"models.{one.name}", "has no price", "a price above 0") for one in models if one.price <= 0]
    if wrong:
        raise InvalidInput(wrong)
    alone = {row: _alone(trials, row, most) for row in range(len(models))}
    able = {row: count for row, count in alone.items() if count is not None}
    made = tuple(trials.made.values())
    if not able:
        return Sizing(scenario.name, tuple(models), None, None, trials.target, made, True, None, _beside(trials))
    best = min(able, key=lambda row: (able[row] * models[row].price, row))
    counts = _unit(len(models), best, able[best])
    bound, mix = cheapest(scenario, models, trials.target)
    for more in (1.0, 1.02, 1.05, 1.1, 1.2, 1.35):
        asked = mix(more)
        if (
            asked is not None
            and sum(asked) <= most
            and _cost(models, asked) < _cost(models, counts)
            and trials(*asked).ok
        ):
            counts = asked
            break
    counts = _thinned(trials, counts)
    made = tuple(trials.made.values())
    return Sizing(scenario.name, tuple(models), counts, _cost(models, counts), trials.target, made, True, bound)


def _alone(trials: _Trials, row: int, most: int) -> int | None:
    """The fewest of one model by itself."""
    one = _Trials(trials.scenario, [trials.models[row]], trials.target, trials.plan)
    found, _ = _fewest(one, most)
    for (count,), trial in one.made.items():
        counts = _unit(len(trials.models), row, count)
        trials.made.setdefault(counts, replace(trial, counts=counts))
    return found


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
            found = next((one for one in (less, *swaps) if trials(*one).ok), None)
            if found is not None:
                counts, better = found, True
                break
    return counts


def refresh(
    source: Given, old: Sequence[str], model: Model, *, target: float | None = None, plan: Plan | None = None
) -> Sizing:
    """How many of *model* take the place of the hosts *old*: those go, and the fewest new ones that suffice come.

    VMs that stood on the old hosts are placed by the allocator. Raises InvalidInput.
    """
    scenario, old = as_scenario(source), list(dict.fromkeys(old))
    known = [doc.name for doc in scenario.resolved.names.docs("host")]
    wrong = [Fault("old", f"there is no host {one!r}", ", ".join(known[:8])) for one in old if one not in known]
    if wrong:
        raise InvalidInput(wrong)
    _checked([model], target, MOST_HOSTS)
    found = _sized(_Trials(scenario, [model], target, plan or Plan(), old), MOST_HOSTS)
    return replace(found, notes=(f"{plural(len(old), 'host')} {'goes' if len(old) == 1 else 'go'}", *found.notes))
