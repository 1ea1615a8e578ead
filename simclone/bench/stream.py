"""The standard request stream: integers only, the same on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

import numpy as np
import numpy.typing as npt

HOST_CORES = 64
HOST_GIB = 256
LAG_PER_HOST = 10
SEED = 42
MASK = (1 << 64) - 1
FLAVOURS = ((1, 2, 20), (1, 4, 15), (2, 4, 20), (2, 8, 15), (4, 8, 12), (4, 16, 8), (8, 16, 6), (8, 32, 4))
"""vCPUs, GiB and weight out of a hundred."""
_TABLE = np.repeat(np.arange(len(FLAVOURS)), [weight for _, _, weight in FLAVOURS])
_BLOCK = 1 << 15
REGIMES = ("fill", "churn", "timed")


def requests(count: int, hosts: int) -> Iterator[tuple[int, int, int]]:
    """Flavour, arrival and lifetime in seconds of *count* VMs: three draws of splitmix64 each, in this order."""
    mean, now = LAG_PER_HOST * hosts, 1
    for first in range(0, count, _BLOCK):
        amount_of = min(_BLOCK, count - first)
        kind, life, gap = _splitmix(3 * first, 3 * amount_of).reshape(amount_of, 3).T
        gaps = (1 + gap % np.uint64(3)).astype(np.int64)
        at = now + np.cumsum(gaps) - gaps
        lives = mean // 2 + (life % np.uint64(mean + 1)).astype(np.int64)
        yield from zip(_TABLE[kind % np.uint64(100)].tolist(), at.tolist(), lives.tolist(), strict=True)
        now += int(gaps.sum())


def _splitmix(first: int, many: int) -> npt.NDArray[np.uint64]:
    """So many words of splitmix64 from the *first*-th on."""
    states = np.arange(first + 1, first + many + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(SEED)
    words = (states ^ (states >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: npt.NDArray[np.uint64] = words ^ (words >> np.uint64(31))
    return result


def actions(count: int, hosts: int, regime: str) -> tuple[list[int], list[int]]:
    """What happens in order, as whole numbers: VM i comes (i) or leaves (-i - 1); and the flavour of each VM.

    *fill* has no departures; in *churn* VM i - 10 × hosts leaves before VM i comes; in *timed* they come and leave at
    their times, departures first.
    """
    flavours: list[int] = []
    order: list[int] = []
    ends: list[tuple[int, int]] = []
    lag = LAG_PER_HOST * hosts
    for number, (kind, at, life) in enumerate(requests(count, hosts)):
        flavours.append(kind)
        if regime == "timed":
            while ends and ends[0][0] <= at:
                order.append(-heappop(ends)[1] - 1)
            heappush(ends, (at + life, number))
        elif regime == "churn" and number >= lag:
            order.append(-(number - lag) - 1)
        order.append(number)
    while ends:
        order.append(-heappop(ends)[1] - 1)
    return order, flavours


def folded(total: int, host: int) -> int:
    """The decision hash with another decision in it; *host* is -1 for a refusal."""
    return (total * 1_000_003 + host + 1) & MASK
