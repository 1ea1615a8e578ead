"""Changes to the file whose effect only a new run shows: storage, images, addresses, limits, wishes of the request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simclone.engine.opening import open_context
from simclone.engine.prepare import requests_of, simulation_of
from simclone.engine.simulation import Observer
from simclone.errors import InvalidInput
from simclone.explain.candidates import Fix
from simclone.explain.fixes import Fixes
from simclone.explain.rerun_candidates import Growing, candidates_for
from simclone.records import CloneAnswer
from simclone.scenario.changes import changed
from simclone.scenario.load import Scenario
from simclone.scenario.price_docs import PricesDoc

MOST_RERUNS, MOST_NAMES = 80, 200_000
"""So many runs are made for one question, fewer where they ask for so many names together; two at least.

Each goes only as far as the answer.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """A failed clone, or (without *clone*) a call refused as a whole, of a run of *scenario*."""

    scenario: Scenario
    request: str
    clone: str | None
    seed: int
    replication: int = 0
    asked: int = 1


class _Answer(Observer):
    def __init__(self, request: str) -> None:
        self._request, self.found = request, None

    found: CloneAnswer | None

    def answered(self, at_us: int, answer: CloneAnswer) -> None:
        if answer.request.name == self._request and self.found is None:
            self.found = answer


def succeeds(question: Question, changes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the clone is made (of a call: any) in a run with *changes*; False for changes the file does not take."""
    try:
        scenario = changed(question.scenario, changes)
    except InvalidInput:
        return False
    ctx = open_context(scenario, seed=question.seed, replication=question.replication)
    requests, _ = requests_of(scenario)
    seen = _Answer(question.request)
    simulation = simulation_of(scenario, ctx, requests, observers=(seen,))
    while seen.found is None and simulation.step():
        pass
    answer = seen.found
    if answer is None or answer.error is not None:
        return False
    return any(one.error is None and question.clone in (None, one.name) for one in answer.clones)


def rerun_fixes(question: Question, reason: str, prices: PricesDoc | None = None) -> Fixes:
    """Every change of the file, by itself, with which a new run answers the question; one of each kind, cheapest first.

    What grows is grown to the smallest whole unit that helps. At most `MOST_RERUNS` runs are made.
    """
    tried = _Tries(question)
    found: dict[str, Fix] = {}
    for one in candidates_for(question.scenario, question.request, reason, prices or PricesDoc()):
        if one.kind in found or tried.spent:
            continue
        fix = _smallest(one, tried) if isinstance(one, Growing) else one if tried(one.changes) else None
        if fix is not None:
            found[fix.kind] = fix
    return Fixes(tuple(sorted(found.values(), key=lambda one: one.cost)), tried.count)


def confirmed(question: Question) -> Callable[[Fix], bool]:
    """For a call that was refused as a whole its first test says little: a new run tells whether it is served.

    A clone's own decision needs none. Runs are limited like those of a search; what none is left for is not told.
    """
    tried = _Tries(question)
    return lambda fix: question.clone is not None or (not tried.spent and tried(fix.changes))


class _Tries:
    def __init__(self, question: Question) -> None:
        self._question, self.count = question, 0

    @property
    def spent(self) -> bool:
        return self.count >= max(min(MOST_RERUNS, MOST_NAMES // max(self._question.asked, 1)), 2)

    def __call__(self, changes: Sequence[Mapping[str, Any]]) -> bool:
        self.count += 1
        return succeeds(self._question, changes)


def _smallest(one: Growing, helps: Callable[[Sequence[Mapping[str, Any]]], bool]) -> Fix | None:
    """The smallest amount that helps: doubled until it does, then halved between."""
    low, high = 0, 1
    while not helps(one.fix(high).changes):
        low, high = high, high * 2
        if high > one.most:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if helps(one.fix(middle).changes):
            high = middle
        else:
            low = middle
    return one.fix(high)


def each_kind(*parts: Fixes) -> Fixes:
    """The fixes of several searches, the cheapest of each kind; a pair counts only where nothing single does."""
    best: dict[str, Fix] = {}
    for fix in (fix for part in parts for fix in part.found):
        if fix.kind not in best or fix.cost < best[fix.kind].cost:
            best[fix.kind] = fix
    single: Iterator[Fix] = (fix for kind, fix in best.items() if "+" not in kind)
    chosen = sorted(single, key=lambda one: one.cost) or list(best.values())
    return Fixes(tuple(chosen), sum(part.tried for part in parts), sum(part.pairs for part in parts))
