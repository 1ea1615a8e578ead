"""What the sorters of a strategy come down to: one key of a host, ranks in turn, or more than that."""

from __future__ import annotations

import numpy as np

from simclone.allocator.host.flow import NO_COLUMN, Candidates, Figure, FlowFacts, HardStop, Pass, SortFlow
from simclone.allocator.host.request import HostRequest
from simclone.allocator.host.sorters.textbook import LowestRankSortFlow
from simclone.allocator.host.strategies import Strategy

MOVING = frozenset({"capacity", "count", "utilisation", "lifetime"})
"""What of hosts changes with the VMs on them."""


def ordering(strategy: Strategy, request: HostRequest, candidates: Candidates) -> tuple[Figure, bool, bool] | None:
    """The one key sorters come down to, whether equals are drawn, and whether they rotate; None for any other order."""
    cloud = candidates.cloud
    figure, drawn = NO_COLUMN, not cloud.chance.ties_lowest
    for sorter in strategy.sorters:
        if isinstance(sorter, LowestRankSortFlow):
            return figure, False, False
        if sorter.rotates:
            return None if figure[0] else (figure, False, True)
        facts = sorter.facts(request, cloud, candidates)
        if isinstance(facts, HardStop) or "lifetime" in sorter.reads:
            return None
        figure_now = NO_COLUMN if isinstance(facts, Pass) else sorter.figure(facts)
        if figure_now[0] and not figure[0]:
            figure = figure_now
        elif not isinstance(facts, Pass) and (figure_now[0] or not _changes_nothing(sorter, facts, candidates)):
            return None
        if sorter.skip_next:
            break
    return figure, drawn, False


def _changes_nothing(sorter: SortFlow, facts: FlowFacts, candidates: Candidates) -> bool:
    """True for a sorter whose key is the same for all candidates, now and later, and who prefers every one."""
    if facts is None or sorter.reads & MOVING or not len(candidates.index):
        return False
    keys = np.asarray(sorter.key(candidates.hosts, facts))
    return bool(np.all(keys == keys[0])) and bool(np.all(sorter.preferred(candidates.hosts, facts)))
