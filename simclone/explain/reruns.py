"""Changes to the file whose effect only a new run shows: storage, images, addresses, limits, wishes of the request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from simclone.changes.schedule import actions_of
from simclone.changes.whatif import change_scenario
from simclone.engine.opening import open_context
from simclone.engine.prepare import requests_of, simulation_of
from simclone.engine.run_loop import Observer
from simclone.errors import InvalidInput
from simclone.explain.candidates import Fix
from simclone.explain.fixes import Fixes, joined
from simclone.explain.rerun_candidates import Change, Growing, candidates_for
from simclone.records import CloneAnswer
from simclone.scenario.document.prices import PricesDoc
from simclone.scenario.load import Scenario

MOST_RERUNS, LEAST_RERUNS, MOST_NAMES = 80, 2, 100_000
"""So many runs are made for one question, fewer where they ask for so many names together, and so many at least.

Each goes only as far as the answer.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """A failed clone, or (without *clone*) a call refused as a whole, of a run of *scenario*.

    *asked* names were in the run, *made* clones came of the request.
    """

    scenario: Scenario
    request: str
    clone: str | None
    seed: int
    replication: int = 0
    asked: int = 1
    made: int = 0


class _Answer(Observer):
    def __init__(self, request: str) -> None:
        self._request, self.found = request, None

    found: CloneAnswer | None

    def answered(self, at_us: int, answer: CloneAnswer) -> None:
        if answer.request.name == self._request and self.found is None:
            self.found = answer


@dataclass(frozen=True, slots=True)
class RerunOutcome:
    """What came of the question in another run: *reason* of its failure (empty for none), clones *made* of the request.

    Without an answer *reason* is None: the file, or a VM that runs at its start, does not take the changes.
    """

    reason: str | None = None
    made: int = 0


def succeeds(question: Question, changes: Sequence[Mapping[str, object]]) -> bool:
    """Whether the clone is made (of a call: any) in a run with *changes*; False for changes the file does not take."""
    return outcome_with(question, changes).reason == ""


def outcome_with(question: Question, changes: Sequence[Mapping[str, object]]) -> RerunOutcome:
    """The outcome of a run with *changes*, which goes only as far as the answer."""
    try:
        scenario = change_scenario(question.scenario, changes)
        ctx = open_context(scenario, seed=question.seed, replication=question.replication)
    except InvalidInput:
        return RerunOutcome()
    requests, _ = requests_of(scenario)
    known = _Answer(question.request)
    simulation = simulation_of(scenario, ctx, requests, actions=actions_of(scenario, ctx), observers=(known,))
    while known.found is None and simulation.step():
        pass
    return RerunOutcome() if known.found is None else _outcome(known.found, question.clone)


def _outcome(answer: CloneAnswer, clone: str | None) -> RerunOutcome:
    if answer.error is not None:
        return RerunOutcome(answer.error.root_reason)
    errors = [item.error for item in answer.clones if clone in (None, item.name)]
    failed = [error.root_reason for error in errors if error is not None]
    return RerunOutcome("" if len(failed) < len(errors) else failed[0] if failed else None, answer.succeeded)


def rerun_fixes(tried: Tries, reason: str, prices: PricesDoc) -> Fixes:
    """Every change of the file, by itself, with which a new run answers the question; one of each kind, cheapest first.

    What grows is grown to the smallest whole unit that helps.
    """
    before, question = tried.count, tried.question
    result: dict[str, Fix] = {}
    for item in candidates_for(question.scenario, question.request, reason, prices):
        fix = None if item.kind in result else _helping(item, tried, ())
        if fix is not None:
            result[fix.kind] = fix
    return Fixes(tuple(sorted(result.values(), key=lambda one: one.cost)), tried.count - before)


def rerun_pair(tried: Tries, reason: str, singles: Sequence[Fix], prices: PricesDoc) -> Fixes:
    """The cheapest of the pairs looked at: a change after which it fails for another reason, and one against that.

    Both are of *singles*, none of which helps by itself, or of the file.
    """
    question = tried.question
    best: Fix | None = None
    changes = [*singles, *candidates_for(question.scenario, question.request, reason, prices)]
    for first in sorted(changes, key=lambda one: _at(one, 1).cost):
        if tried.spent:
            break
        remaining = tried.outcome(_most(first).changes).reason
        if not remaining or remaining == reason:
            continue
        for second in (*singles, *candidates_for(question.scenario, question.request, remaining, prices)):
            same = _at(second, 1).changes == _at(first, 1).changes
            pair = None if same else _two(first, second, tried)
            if pair is not None and (best is None or pair.cost < best.cost):
                best = pair
    return Fixes(() if best is None else (best,), 0, tried.count)


def _two(first: Change, second: Change, tried: Tries) -> Fix | None:
    """Both changes, each as small as will do."""
    other = _helping(second, tried, _most(first).changes)
    item = None if other is None else _helping(first, tried, other.changes) if isinstance(first, Growing) else first
    return None if item is None or other is None else joined(item, other)


def confirmed(tried: Tries) -> Callable[[Fix], bool]:
    """Whether what helped in a trial also helps made before the run: the clone is there, or more of its request are.

    When no run is left, or the run is a long one, a clone's own trial of a single change stands; the first test of a
    call that was refused as a whole says too little for that.
    """
    question = tried.question

    def confirm(fix: Fix) -> bool:
        if tried.spent or (tried.few and question.clone is not None):
            return question.clone is not None and len(fix.changes) == 1
        known = tried.outcome(fix.changes)
        return known.reason == "" or (question.clone is not None and known.made > question.made)

    return confirm


class Tries:
    """The runs made for one search, at most `MOST_RERUNS` but for those that tell how much of a change is needed."""

    def __init__(self, question: Question) -> None:
        self.question, self.count = question, 0

    @property
    def spent(self) -> bool:
        """Whether no run is left."""
        return self.count >= max(min(MOST_RERUNS, self._most), LEAST_RERUNS)

    @property
    def few(self) -> bool:
        """Whether the run is so long that it is made again only for what nothing else can tell."""
        return self._most <= LEAST_RERUNS

    @property
    def _most(self) -> int:
        return MOST_NAMES // max(self.question.asked, 1)

    def outcome(self, changes: Sequence[Mapping[str, object]], *, over: bool = False) -> RerunOutcome:
        """The outcome of a run with *changes*; without an answer when no run is left, unless it is made *over* that."""
        if self.spent and not over:
            return RerunOutcome()
        self.count += 1
        return outcome_with(self.question, changes)

    def __call__(self, changes: Sequence[Mapping[str, object]], *, over: bool = False) -> bool:
        return self.outcome(changes, over=over).reason == ""


def _at(one: Change, units: int) -> Fix:
    return one.fix(units) if isinstance(one, Growing) else one


def _most(one: Change) -> Fix:
    return _at(one, one.most if isinstance(one, Growing) else 1)


def _helping(one: Change, tried: Tries, others: Sequence[Mapping[str, object]]) -> Fix | None:
    """The change if it helps together with *others*; of one that grows the smallest amount that does.

    That amount takes as many runs as it takes, once the largest has helped; in long runs it is not looked for.
    """
    if isinstance(one, Growing) and (one.most < 1 or tried.few):
        return None
    if not tried((*_most(one).changes, *others)):
        return None
    if not isinstance(one, Growing):
        return one
    low, high = 0, 1
    while high < one.most and not tried((*one.fix(high).changes, *others), over=True):
        low, high = high, min(high * 2, one.most)
    while high - low > 1:
        middle = (low + high) // 2
        if tried((*one.fix(middle).changes, *others), over=True):
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
