"""What would fix a refusal: changes, each tried on the books and taken back, cheapest first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

from simclone.allocator.host.request import HostRequest
from simclone.changes.kind import make
from simclone.changes.register import known_kinds
from simclone.engine.context import Context
from simclone.explain.candidates import Candidate, Fix, FixCandidates
from simclone.model.cloud import Cloud
from simclone.model.ledger.ledger import Ledger
from simclone.placement.host import finds_host
from simclone.scenario.checking.changes import prices_of
from simclone.scenario.document.prices import PricesDoc

MOST_TRIES = 50
"""So many changes of one kind are tried, cheapest first."""
PAIRED, PAIRED_OF_A_KIND = 20, 4
"""Pairs are made of so many of the cheapest changes, of one kind at most a few."""


@dataclass(frozen=True, slots=True)
class Fixes:
    """Changes that help, cheapest first; *tried* counts single changes, *pairs* those of two, tried when none helps.

    *others* are the cheapest that do not help by themselves, kept for pairs.
    """

    found: tuple[Fix, ...] = ()
    tried: int = 0
    pairs: int = 0
    others: tuple[Fix, ...] = ()


Confirm = Callable[[Fix], bool]
"""Tells whether a change that helped in a trial also helps in the end."""


def fixes_of(
    request: HostRequest, cloud: Cloud, prices: PricesDoc | None = None, confirm: Confirm = lambda fix: True
) -> Fixes:
    """Every single change that lets a host be found, one of each kind; when none does, the cheapest pair.

    *cloud* is as it was when the request was refused; each change is made in a trial, the whole chain is asked, and the
    change is undone. At most `MOST_TRIES` changes of a kind are tried, and pairs of the `PAIRED` cheapest.
    What *confirm* does not confirm is not told. A request that finds a host has no fix here: what failed came after it.
    """
    if finds_host(request, cloud):
        return Fixes()
    result: dict[str, Fix] = {}
    ranked = sorted(
        FixCandidates(request, cloud, prices or prices_of(known_kinds())).all(), key=lambda one: one.fix.cost
    )
    tries: dict[str, int] = {}
    for item in ranked:
        kind = item.fix.kind
        if kind in result or tries.get(kind, 0) >= MOST_TRIES:
            continue
        tries[kind] = tries.get(kind, 0) + 1
        if _helps(request, cloud, (item,)) and confirm(item.fix):
            result[kind] = item.fix
    if result:
        return Fixes(tuple(sorted(result.values(), key=lambda one: one.cost)), sum(tries.values()))
    few = _few(ranked)
    pair, pairs = _pair(request, cloud, few, confirm)
    others = tuple(entry.fix for entry in few)
    return Fixes(() if pair is None else (pair,), sum(tries.values()), pairs, others)


def _helps(request: HostRequest, cloud: Cloud, changes: tuple[Candidate, ...]) -> bool:
    ledger = Ledger(cloud)
    if any(candidate.change.grows for candidate in changes):
        return _fits_with(request, ledger.fork(), changes)
    with ledger.trial():
        return _fits_with(request, ledger, changes)


def _fits_with(request: HostRequest, ledger: Ledger, changes: tuple[Candidate, ...]) -> bool:
    for candidate in sorted(changes, key=lambda candidate: candidate.change.grows):
        make(candidate.change, Context(ledger))
    return finds_host(request, ledger.cloud)


def _few(ranked: list[Candidate]) -> list[Candidate]:
    """The cheapest, of one kind at most `PAIRED_OF_A_KIND`."""
    kinds: dict[str, int] = {}
    chosen = []
    for item in ranked:
        kinds[item.fix.kind] = kinds.get(item.fix.kind, 0) + 1
        if kinds[item.fix.kind] <= PAIRED_OF_A_KIND:
            chosen.append(item)
    return chosen[:PAIRED]


def _pair(request: HostRequest, cloud: Cloud, few: list[Candidate], confirm: Confirm) -> tuple[Fix | None, int]:
    """The cheapest two changes that help together, and how many pairs were tried."""
    pairs = sorted(combinations(few, 2), key=lambda two: two[0].fix.cost + two[1].fix.cost)
    for number, two in enumerate(pairs, 1):
        if two[0].fix.target == two[1].fix.target and two[0].fix.kind == two[1].fix.kind:
            continue
        together = joined(two[0].fix, two[1].fix)
        if _helps(request, cloud, two) and confirm(together):
            return together, number
    return None, len(pairs)


def joined(one: Fix, other: Fix) -> Fix:
    """Two changes as one."""
    return Fix(
        kind=f"{one.kind}+{other.kind}",
        text=f"{one.text} and {other.text}",
        target=f"{one.target}, {other.target}",
        cost=one.cost + other.cost,
        changes=(*one.changes, *other.changes),
    )
