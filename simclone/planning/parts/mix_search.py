"""The cheapest mix of host models by runs: a mix that is enough, made cheaper until nothing cheaper is left to try."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from math import floor
from typing import TYPE_CHECKING

from simclone.planning.parts.model_mix import MixBound
from simclone.planning.parts.unrelated import HOMELESS, OTHER_RESOURCES, unrelated_reasons

if TYPE_CHECKING:
    from simclone.planning.parts.host_model import Model
    from simclone.planning.parts.size_trials import Trial, Trials

Counts = tuple[int, ...]
MOST_MIXES = 200_000
"""Of more cheaper mixes none is looked at: the cheapest found is told."""
EVERY_MIX = 64
"""Up to so many cheaper mixes each is run; of more, one that fails stands for all with fewer hosts."""
WORK = 200_000
"""So many hosts and VMs may be run through before the search ends with the cheapest mix found."""
FEWEST_RUNS, MOST_RUNS = 32, 400
PLATEAU = 8
"""From so many hosts on, twice as many that change nothing end the doubling."""
GUESSES = (1.0, 1.02, 1.05, 1.1, 1.2, 1.35)


def unchanged(before: Trial, after: Trial) -> bool:
    """Twice the hosts changed nothing."""
    same = before.ratio == after.ratio and before.all_reasons == after.all_reasons
    return same and HOMELESS not in after.reasons


def price_of(models: Sequence[Model], counts: Sequence[int]) -> float:
    """What so many hosts of each cost."""
    return sum(count * model.price for count, model in zip(counts, models, strict=True))


class MixSearch:
    """The search for the cheapest mix; *best* is what it has, *proved* that nothing cheaper is enough.

    The proof takes for granted that fewer hosts never do better, unless every cheaper mix was run.
    """

    def __init__(self, trials: Trials, conditions: MixBound | None, most: int) -> None:
        self.trials, self.models, self.conditions, self.most = trials, trials.models, conditions, most
        self.best: Counts | None = None
        self.proved = False
        hosts = len(trials.scenario.resolved.names.docs("host"))
        names = sum(len(doc.clone_vm_instance.get("names") or ()) for doc in trials.scenario.requests)
        self._ceiling = (
            most if trials.scenario.doc.workload else max(names + len(trials.scenario.vms), 1) + trials.survive
        )
        weight = hosts + len(trials.scenario.vms) + names + 1
        self._runs_left = max(FEWEST_RUNS, min(MOST_RUNS, WORK // weight))
        self._orderly = True

    def run(self) -> None:
        """Look for the cheapest mix."""
        size = len(self.models)
        if self.trials(*(0,) * size).ok:
            self.best, self.proved = (0,) * size, True
            return
        self._guess()
        if self.best is None:
            self._first()
        if self.best is None:
            return
        self._thin()
        self._alone()
        self._prove()

    def _cost(self, counts: Sequence[int]) -> float:
        return price_of(self.models, counts)

    def _cheaper(self, counts: Sequence[int]) -> bool:
        assert self.best is not None
        best = self._cost(self.best)
        return self._cost(counts) < best - 1e-9 * best

    def _take(self, counts: Counts) -> bool:
        """Run a mix that is cheaper than the best and may be enough; it is the best when it is."""
        if not self._allowed(counts):
            return False
        if counts not in self.trials.made:
            self._runs_left -= 1
        if not self.trials(*counts).ok:
            return False
        self.best = counts
        return True

    def _first(self) -> None:
        """A mix that is enough: equally many of all models, doubled; or of some, where others do harm."""
        size = len(self.models)
        subsets = [chosen for length in range(size, 0, -1) for chosen in combinations(range(size), length)]
        if len(subsets) > 32:
            subsets = [tuple(range(size)), *((row,) for row in range(size))]
        for chosen in subsets:
            count, before = 1, self.trials(*(0,) * size)
            while count * len(chosen) <= self.most:
                counts = tuple(count * (row in chosen) for row in range(size))
                if count < self._ceiling and not self._allowed(counts):
                    count *= 2
                    continue
                trial = self.trials(*counts)
                if trial.ok:
                    self.best, self._orderly = counts, len(chosen) == size
                    return
                if count >= self._ceiling or (count >= PLATEAU and unchanged(before, trial)) or hopeless(trial):
                    break
                before, count = trial, 2 * count

    def _guess(self) -> None:
        """Try the cheapest mixes by the conditions alone."""
        if self.conditions is None:
            return
        for more in GUESSES:
            counts = self.conditions.cheapest(more)
            if counts is None or sum(counts) > self.most:
                return
            if self._take(counts):
                return

    def _thin(self) -> None:
        """Fewer of a model, dearest first, halving what is taken away; then one exchanged for one that is cheaper."""
        order = sorted(range(len(self.models)), key=lambda row: -self.models[row].price)
        for row in order:
            assert self.best is not None
            low, high = -1, self.best[row]
            while high - low > 1:
                middle = (low + high) // 2
                if self._take(_with(self.best, row, middle)):
                    high = middle
                else:
                    low = middle
        while self._runs_left > 0 and any(self._take(counts) for counts in self._swaps(order)):
            pass

    def _swaps(self, order: Sequence[int]) -> Iterator[Counts]:
        assert self.best is not None
        base = self.best
        for row in order:
            if base[row]:
                less = _with(base, row, base[row] - 1)
                yield less
                yield from (
                    _with(less, other, less[other] + 1)
                    for other in order
                    if self.models[other].price < self.models[row].price
                )

    def _alone(self) -> None:
        """Each model by itself, as far as it is cheaper than the best."""
        for row, model in enumerate(self.models):
            assert self.best is not None
            zero, best = (0,) * len(self.models), self._cost(self.best)
            low, high = 0, 1
            before = self.trials(*zero)
            while high <= self.most and high * model.price < best * (1 - 1e-9) and high <= 2 * self._ceiling:
                if not self._allowed(_with(zero, row, high)):
                    low, high = high, 2 * high
                    continue
                trial = self.trials(*_with(zero, row, high))
                if trial.ok or (high >= PLATEAU and unchanged(before, trial)):
                    break
                before, low, high = trial, high, 2 * high
            high = min(high, self.most, floor(best / model.price))
            if high <= low or not self._cheaper(_with(zero, row, high)) or not self._take(_with(zero, row, high)):
                continue
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if self._take(_with(zero, row, middle)) else (middle, high)

    def _prove(self) -> None:
        """Run cheaper mixes until one is enough, then go on from there; or until none is left."""
        while True:
            candidates = self._candidates()
            if candidates is None:
                return
            for counts in candidates:
                if self._runs_left <= 0:
                    return
                if self._take(counts):
                    self._thin()
                    break
            else:
                self.proved = True
                return

    def _candidates(self) -> list[Counts] | None:
        """Cheaper mixes not known to fail, nearest to the best first; None where there are too many to look at.

        Of many only those to which no host can be added; they stand for those with fewer.
        """
        best = self.best
        assert best is not None
        ranges = [range(min(self.most, floor(self._cost(best) / model.price)) + 1) for model in self.models]
        number = 1
        for part in ranges:
            number *= len(part)
        if number <= EVERY_MIX * 8:
            cheaper = [mix for mix in product(*ranges) if self._cheaper(mix) and sum(mix) <= self.most]
            waiting = [mix for mix in cheaper if not self._known(mix) and self._allowed(mix)]
            if len(waiting) <= EVERY_MIX:
                return sorted(waiting, key=lambda mix: (_distance(mix, best), mix))
        if not self._orderly:
            return None
        last = min(range(len(self.models)), key=lambda row: (self.models[row].price, row))
        least = self._least(ranges)
        others = [range(least[row], len(part)) if row != last else range(1) for row, part in enumerate(ranges)]
        number = 1
        for part in others:
            number *= len(part)
        if number > MOST_MIXES:
            return None
        failed = [counts for counts, trial in self.trials.made.items() if not trial.ok]
        largest = (self._largest(mix, last) for mix in product(*others))
        result = [mix for mix in largest if mix is not None and not any(_within(mix, other) for other in failed)]
        return sorted(result, key=lambda mix: (_distance(mix, best), mix))

    def _known(self, mix: Counts) -> bool:
        trial = self.trials.made.get(mix)
        return trial is not None and not trial.ok

    def _allowed(self, mix: Counts) -> bool:
        return self.conditions is None or self.conditions.allows(mix)

    def _largest(self, mix: Counts, last: int) -> Counts | None:
        """As many of the cheapest model added as keep the mix cheaper than the best; None where it is not."""
        assert self.best is not None
        budget = self._cost(self.best) - self._cost(_with(mix, last, 0))
        count = min(floor(budget / self.models[last].price), self.most - sum(mix) + mix[last])
        while count >= 0 and not self._cheaper(_with(mix, last, count)):
            count -= 1
        return None if count < 0 else _with(mix, last, count)

    def _least(self, ranges: Sequence[range]) -> list[int]:
        """The fewest of each model that a mix cheaper than the best needs, whatever there is of the others."""
        best = self.best
        assert best is not None
        caps = [min(len(part) - 1, self._ceiling) for part in ranges]
        if sum(caps) > self.most or sum(caps) > 4 * sum(best) + 64 or not self.trials(*caps).ok:
            return [0] * len(ranges)
        result = []
        for row, cap in enumerate(caps):
            low, high = -1, cap
            while high - low > 1 and self._runs_left > 0:
                middle = (low + high) // 2
                mix = _with(tuple(caps), row, middle)
                self._runs_left -= mix not in self.trials.made
                low, high = (low, middle) if self._allowed(mix) and self.trials(*mix).ok else (middle, high)
            result.append(max(low + 1, 0))
        return result


def hopeless(trial: Trial) -> bool:
    """Every name that is refused is refused for what another resource is short of."""
    return (
        bool(trial.reasons)
        and not trial.lost
        and set(trial.reasons) <= unrelated_reasons(trial.reasons, OTHER_RESOURCES)
    )


def _with(counts: Counts, row: int, count: int) -> Counts:
    return tuple(count if at == row else value for at, value in enumerate(counts))


def _distance(one: Counts, other: Counts) -> int:
    return sum(abs(first - second) for first, second in zip(one, other, strict=True))


def _within(one: Counts, other: Counts) -> bool:
    return all(first <= second for first, second in zip(one, other, strict=True))


__all__ = ["MixSearch", "hopeless", "price_of", "unchanged"]
