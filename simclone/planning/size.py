"""How many hosts: the fewest to add so that a demand succeeds, the cheapest mix of models, the fewest that suffice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed_answer
from math import inf
from typing import TYPE_CHECKING, Annotated, ClassVar, Unpack

from simclone.changes.load import as_scenario, write_scenario
from simclone.errors import Fault, InvalidInput
from simclone.planning.arguments import checked
from simclone.planning.option import Option
from simclone.planning.parts.answer import Answer
from simclone.planning.parts.costs import Cost, cost_of
from simclone.planning.parts.host_model import Model
from simclone.planning.parts.mix_search import MixSearch, hopeless, price_of, unchanged
from simclone.planning.parts.model_mix import bound_of
from simclone.planning.parts.size_notes import notes_of
from simclone.planning.parts.size_trials import Trial
from simclone.planning.parts.size_trials import Trials as _Trials
from simclone.planning.parts.unrelated import HOMELESS, OTHER_RESOURCES, unrelated_reasons
from simclone.planning.replication.intervals import checked_share
from simclone.planning.replication.plan import ReplicationPlan, RunKeywords, plan_of
from simclone.scenario.load import Given
from simclone.scenario.writing import refuse_taken
from simclone.units import plural

if TYPE_CHECKING:
    import pandas as pd

MOST_HOSTS = 10_000
NEAR = (-1, 0, 1, 2)
"""Numbers beside the one that was found which are tried too."""
PLATEAU = 16
"""From so many hosts on, twice as many that change nothing end the doubling."""
ALTERNATIVES = 6
"""So many alternatives are told."""


@dataclass(frozen=True, slots=True)
class Sizing(Answer):
    """Hosts to add by model, None where no number helps; every number that was tried is in *trials*.

    *bound* is a cost no mix can be below; *proved* says that no cheaper mix is enough, as far as fewer hosts never do
    better. *monotone* False: more hosts did not always help, and the number is the smallest after which all that were
    tried succeed. With any *survive* hosts lost at the end of a run all VMs restart. *apart* are names that were
    refused for what hosts have nothing to do with, by reason. *alternatives* are other numbers that are enough and
    of which no host can be left out as far as was tried, cheapest first. *running* is what the scenario costs over its
    time as it is and with the hosts, where its file gives prices by the month.
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
    proved: bool = True
    survive: int = 0
    apart: Mapping[str, int] = field(default_factory=dict)
    alternatives: tuple[tuple[int, ...], ...] = ()
    running: tuple[Cost, Cost] | None = None

    @property
    def gap(self) -> float | None:
        """By how much the cost may be too high: 0 where it is proved, None where nothing is known."""
        if self.cost is None or self.proved:
            return None if self.cost is None else 0.0
        return None if self.bound is None else self.cost - self.bound

    def summary(self) -> str:
        """What to add, what it costs, what else is short."""
        sought = "everything succeeds" if self.target is None else f"at least {100 * self.target:g} % succeed"
        if self.survive:
            sought += f" with any {plural(self.survive, 'host')} lost"
        if self.counts is None:
            last = max(self.trials, key=lambda one: one.counts)
            why = ", ".join(f"{count} for {reason}" for reason, count in last.all_reasons.items())
            text = f"{self.scenario}: no number of hosts up to {sum(last.counts)} is enough so that {sought} ({why})"
            return "\n".join([text, *(f"  {note}" for note in self.notes)])
        result = next(trial for trial in self.trials if trial.counts == self.counts)
        text = f"{self.scenario}: add {self._words(self.counts)} and {sought} ({100 * result.ratio:.2f} %)"
        if self.cost is not None:
            text += f", cost {self.cost:g}{self._standing()}"
        if not self.monotone:
            text += "; more hosts did not always help, this is the smallest number after which all that were tried do"
        notes = [*self.notes, *((result.warning,) if result.warning else ())]
        if self.running is not None:
            before, after = self.running
            notes.append(f"{after.summary()} That is {after.total - before.total:.2f} more than as it is.")
        notes += [
            f"alternative {number}: {self._words(counts)}, cost {price_of(self.models, counts):g}"
            for number, counts in enumerate(self.alternatives, 2)
        ]
        return "\n".join([text, *(f"  {note}" for note in notes)])

    def _words(self, counts: Sequence[int]) -> str:
        parts = [f"{count} of {model.shown}" for count, model in zip(counts, self.models, strict=True) if count]
        return " and ".join(parts) or "nothing"

    def _standing(self) -> str:
        """Whether the cost is the least there is."""
        if len(self.models) == 1:
            return ""
        if self.proved:
            return " (the cheapest mix)"
        if self.bound is None:
            return " (cheapest found, no bound is known)"
        return f" (cheapest found, not below {self.bound:g} in any mix: a gap of {self.gap:g})"

    def to_frame(self) -> pd.DataFrame:
        """One row per number tried."""
        import pandas as pd

        names = [model.name for model in self.models]
        rows = [
            (*trial.counts, trial.ok, trial.ratio, trial.low, next(iter(trial.all_reasons), ""))
            for trial in sorted(self.trials, key=lambda one: one.counts)
        ]
        return pd.DataFrame(sorted(rows), columns=[*names, "ok", "success_ratio", "low", "reason"])

    def chart_columns(self) -> tuple[str, ...]:
        """The share placed."""
        return ("success_ratio",)

    def figures(self) -> Mapping[str, float | None]:
        """``hosts``, ``cost``, and ``running_cost`` where the file gives prices by the month."""
        known = {"hosts": None if self.counts is None else float(sum(self.counts)), "cost": self.cost}
        return known if self.running is None else {**known, "running_cost": self.running[1].total}


@checked
def size(
    source: Given,
    models: Annotated[
        Sequence[Model],
        Option(
            "A host model to add (also name=, cpu=, memory=, cluster=, disk=, disk.STORAGE=, device.SPEC=, rack=, "
            "label.KEY=); several are mixed by price.",
            metavar="like=HOST,price=N",
            parse="models_of",
        ),
    ],
    *,
    target: Annotated[
        float | None, Option("Share of names that must be placed (default: every one in every run).")
    ] = None,
    survive: Annotated[
        int, Option("So many hosts, whichever, may be lost at the end of a run, and all VMs restart.", least=0)
    ] = 0,
    most: Annotated[int, Option("Hosts to try at most.")] = MOST_HOSTS,
    replace: Annotated[
        Sequence[str], Option("A host that goes, its place is taken by the model; may be repeated.", flag="--replace")
    ] = (),
    out: Annotated[
        str | None, Option("Write the scenario with these hosts to this new file.", flag="--apply", path=True)
    ] = None,
    alternative: Annotated[int, Option("With --apply: which alternative, 1 is the answer.", least=1)] = 1,
    plan: ReplicationPlan | None = None,
    **runs: Unpack[RunKeywords],
) -> Sizing:
    """The fewest hosts (or the cheapest mix) to add to SCENARIO so that its requests succeed.

    The fewest of one model, the cheapest mix of several; hosts named in *replace* go (`refresh`, one model). Every
    replication places everything, or the lower end of the interval of the mean ratio reaches *target*; with any
    *survive* hosts lost at the end of a run all VMs restart. Names refused for quota or for their call are set apart.
    Found by doubling and halving over runs with the same random numbers, mixes by trying those that are cheaper.
    *out*: the scenario with the answer's hosts, or those of an *alternative*, is written there. Raises InvalidInput.
    """
    scenario, plan = as_scenario(source), plan_of(plan, runs)
    if replace and len(models) > 1:
        raise InvalidInput([Fault("models", "--replace takes one --model", "one host model")])
    old = _known_hosts(source, replace)
    _checked(models, target, most, survive)
    if out is not None:
        refuse_taken(out)
    trials = _Trials(scenario, models, target, plan, old, survive)
    answer = _with_running(_replaced(_sized(trials, most), old), trials)
    if out is not None:
        write_scenario(trials.grown(_chosen(answer, alternative)), out)
    return answer


def _with_running(answer: Sizing, trials: _Trials) -> Sizing:
    before = cost_of(trials.scenario)
    after = None if before is None or answer.counts is None else cost_of(trials.grown(answer.counts))
    return answer if before is None or after is None else changed_answer(answer, running=(before, after))


def _chosen(answer: Sizing, alternative: int) -> tuple[int, ...]:
    if answer.counts is None:
        raise InvalidInput([Fault("apply", "no number of hosts is enough, nothing was written", "a smaller demand")])
    known = (answer.counts, *answer.alternatives)
    if alternative > len(known):
        raise InvalidInput([Fault("alternative", f"there is no alternative {alternative}", f"1 to {len(known)}")])
    return known[alternative - 1]


def _known_hosts(source: Given, old: Sequence[str]) -> list[str]:
    known = [doc.name for doc in as_scenario(source).resolved.names.docs("host")]
    old = list(dict.fromkeys(old))
    wrong = [Fault("old", f"there is no host {item!r}", ", ".join(known[:8])) for item in old if item not in known]
    if wrong:
        raise InvalidInput(wrong)
    return old


def _replaced(answer: Sizing, old: Sequence[str]) -> Sizing:
    if not old:
        return answer
    note = f"{plural(len(old), 'host')} {'goes' if len(old) == 1 else 'go'}"
    return changed_answer(answer, notes=(note, *answer.notes))


def _checked(models: Sequence[Model], target: float | None, most: int, survive: int) -> None:
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
    if not wrong and len(models) > 1:
        wrong = [Fault(f"models.{one.name}", "has no price", "a price above 0") for one in models if one.price <= 0]
    if survive < 0:
        wrong.append(Fault("survive", f"{survive} is no number of hosts", "at least 0"))
    if wrong:
        raise InvalidInput(wrong)
    if target is not None:
        checked_share("target", target)
    if most < 1:
        raise InvalidInput([Fault("most", f"{most} is no number of hosts", "at least 1")])


def _sized(trials: _Trials, most: int) -> Sizing:
    models, name = trials.models, trials.scenario.name
    monotone, proved, bound = True, True, None
    counts: tuple[int, ...] | None
    if len(models) > 1:
        aside = trials(*(0,) * len(models)).apart
        conditions = bound_of(trials.scenario, models, trials.target, sum(aside.values()))
        search = MixSearch(trials, conditions, most)
        search.run()
        counts, proved = search.best, search.proved
        if counts is not None:
            bound = price_of(models, counts) if proved else conditions.cost() if conditions is not None else None
        apart_from_others = None
    else:
        fewest, monotone = _fewest(trials, most)
        counts = None if fewest is None else (fewest,)
        apart_from_others = _rest(trials) if counts is None else None
    tried = tuple(trials.made.values())
    last = next((trial for trial in tried if trial.counts == counts), max(tried, key=lambda trial: trial.counts))
    cost = None if counts is None else price_of(models, counts)
    others = () if counts is None else tuple(_alternatives(tried, models, counts))
    notes = notes_of(trials.scenario, models, last, counts, apart_from_others)
    return Sizing(
        *(name, tuple(models), counts, cost, trials.target, tried, monotone, bound, notes, proved, trials.survive),
        last.apart,
        others,
    )


def _alternatives(
    tried: Sequence[Trial], models: Sequence[Model], counts: tuple[int, ...]
) -> Iterator[tuple[int, ...]]:
    """Other mixes that are enough, none with the hosts of another and more, cheapest first."""
    if len(models) == 1:
        return
    good = sorted((trial.counts for trial in tried if trial.ok), key=lambda mix: (price_of(models, mix), mix))
    minimal = [counts]
    for mix in good:
        if not any(all(one <= other for one, other in zip(part, mix, strict=True)) for part in minimal):
            minimal.append(mix)
    yield from minimal[1:ALTERNATIVES]


def _fewest(trials: _Trials, most: int) -> tuple[int | None, bool]:
    """The smallest number that is enough, and whether the numbers around it behave."""
    if trials(0).ok:
        return 0, True
    low, high = 0, 1
    while not trials(high).ok:
        before = trials(low)
        low, high = high, min(high * 2, most)
        if low >= most or (low >= PLATEAU and _hopeless(trials, before, trials(low))):
            return None, True
    while high - low > 1:
        middle = (low + high) // 2
        if trials(middle).ok:
            high = middle
        else:
            low = middle
    return _settled(trials, high, most)


def _hopeless(trials: _Trials, before: Trial, after: Trial) -> bool:
    """Twice the hosts changed nothing, or there is a new host for every VM that has none."""
    if hopeless(after) or unchanged(before, after):
        return True
    return HOMELESS in after.reasons and after.counts[0] > 2 * len(trials.scenario.vms)


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


def _rest(trials: _Trials) -> int | None:
    """The fewest hosts after which only what other resources are short of is refused; None where hosts stay short."""
    last = max(trials.made)
    if trials.target is not None or not _only_others(trials.made[last]):
        return None
    low, high = -1, last[0]
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _only_others(trials(middle)) else (middle, high)
    return high


def _only_others(trial: Trial) -> bool:
    return set(trial.reasons) <= unrelated_reasons(trial.reasons, OTHER_RESOURCES)


@checked
def refresh(
    source: Given, old: Sequence[str], model: Model, *, target: float | None = None, plan: ReplicationPlan | None = None
) -> Sizing:
    """How many of *model* take the place of the hosts *old*: those go, and the fewest new ones that suffice come.

    VMs that stood on the old hosts are placed by the allocator. Raises InvalidInput.
    """
    return size(source, [model], target=target, replace=_known_hosts(source, old), plan=plan or ReplicationPlan())


__all__ = ["HOMELESS", "MOST_HOSTS", "Model", "Sizing", "Trial", "refresh", "size"]
