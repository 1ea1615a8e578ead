"""The standard request stream: integers only, the same on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

HOST_CORES = 64
HOST_GIB = 256
LAG_PER_HOST = 10
SEED = 42
MASK = (1 << 64) - 1
FLAVOURS = ((1, 2, 20), (1, 4, 15), (2, 4, 20), (2, 8, 15), (4, 8, 12), (4, 16, 8), (8, 16, 6), (8, 32, 4))
"""vCPUs, GiB and weight out of a hundred."""
_TABLE = [kind for kind, (_, _, weight) in enumerate(FLAVOURS) for _ in range(weight)]
REGIMES = ("fill", "churn", "timed")


def requests(count: int, hosts: int) -> Iterator[tuple[int, int, int]]:
    """Flavour, arrival and lifetime in seconds of *count* VMs: three draws of splitmix64 each, in this order."""
    state, mean, now = SEED, LAG_PER_HOST * hosts, 1
    for _ in range(count):
        drawn = []
        for _ in range(3):
            state = (state + 0x9E3779B97F4A7C15) & MASK
            word = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
            word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
            drawn.append(word ^ (word >> 31))
        yield _TABLE[drawn[0] % 100], now, mean // 2 + drawn[1] % (mean + 1)
        now += 1 + drawn[2] % 3


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
