"""The order in which surviving hosts are tried: sort keys first, chance among equals.

Rule: rules/host-selection.md#order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from simclone.allocator.host.flow import Candidates, HardStop, Pass, SortFlow
from simclone.allocator.host.request import HostRequest
from simclone.chance import Order
from simclone.model.cloud import Cloud
from simclone.model.columns import IntArray
from simclone.records import ErrorCode


def sort_key(
    request: HostRequest, cloud: Cloud, survivors: IntArray, sorters: Sequence[SortFlow]
) -> tuple[list[IntArray], SortFlow | None] | ErrorCode:
    """The lexicographic key of every survivor as a list of parts, most significant first.

    Each sorter sees only the hosts the one before preferred; whoever left gets 0 from it on. An empty list ends the
    chain. A *whole_set* sorter cannot be written as a key and is handed back.
    """
    parts: list[IntArray] = []
    inside = np.ones(len(survivors), dtype=np.bool_)
    demoted: IntArray | None = None
    for sorter in sorters:
        if not inside.any():
            break
        if demoted is not None:
            parts.append(demoted)
            demoted = None
        if sorter.whole_set:
            return parts, sorter
        candidates = Candidates(cloud, survivors[inside])
        facts = sorter.facts(request, cloud, candidates)
        if isinstance(facts, HardStop):
            return facts.error
        if not isinstance(facts, Pass):
            part = np.zeros(len(survivors), dtype=np.int64)
            part[inside] = sorter.key(candidates.hosts, facts)
            parts.append(part)
            stay = np.zeros(len(survivors), dtype=np.bool_)
            stay[inside] = sorter.preferred(candidates.hosts, facts)
            demoted = (inside & ~stay).astype(np.int64)
            inside = stay
        if sorter.skip_next:
            break
    return parts, None


def best_class(survivors: IntArray, parts: Sequence[IntArray]) -> IntArray:
    """The first of `classes`: the hosts whose key is smallest, ascending by rank; *survivors* are ascending too."""
    best = np.arange(len(survivors))
    for part in parts:
        keys = part[best]
        best = best[keys == keys.min()]
    return survivors[best]


def classes(survivors: IntArray, parts: Sequence[IntArray]) -> Iterator[list[int]]:
    """Hosts in classes of equal key, best class first, ascending by rank inside."""
    if not parts:
        yield survivors.tolist()
        return
    order = np.lexsort((survivors, *reversed(parts)))
    stacked = np.stack([part[order] for part in parts])
    cuts = np.flatnonzero(np.any(stacked[:, 1:] != stacked[:, :-1], axis=0)) + 1
    ranked = survivors[order]
    for block in np.split(ranked, cuts):
        yield block.tolist()


def tried_order(
    request: HostRequest, cloud: Cloud, survivors: IntArray, sorters: Sequence[SortFlow], chance: Order
) -> Iterator[int] | ErrorCode:
    """The hosts in the order they are tried, lazily; or the error of a sorter that cannot do without its data."""
    result = sort_key(request, cloud, survivors, sorters)
    if isinstance(result, ErrorCode):
        return result
    parts, whole = result
    walk = (host for block in classes(survivors, parts) for host in chance.walk(block))
    return walk if whole is None else iter(_arranged(request, cloud, list(walk), parts, survivors, whole))


def first_tried(
    request: HostRequest, cloud: Cloud, survivors: IntArray, sorters: Sequence[SortFlow], chance: Order
) -> int | ErrorCode:
    """The first of `tried_order`; the others are not put in order."""
    result = sort_key(request, cloud, survivors, sorters)
    if isinstance(result, ErrorCode):
        return result
    parts, whole = result
    best = best_class(survivors, parts)
    if whole is None:
        return int(best[next(chance.places(len(best)))])
    return whole.arrange(list(chance.walk(best.tolist())), request, cloud)[0]


def _arranged(
    request: HostRequest,
    cloud: Cloud,
    walk: list[int],
    parts: list[IntArray],
    survivors: IntArray,
    whole: SortFlow,
) -> list[int]:
    """Only the best class is rearranged; hosts that left the list before stay behind it."""
    best = len(next(classes(survivors, parts), []))
    return whole.arrange(walk[:best], request, cloud) + walk[best:]
