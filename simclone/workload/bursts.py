"""Bursts of requests: they begin as a Poisson process, and may overlap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import TypeVar

import numpy as np

from simclone.units import SECOND
from simclone.workload.clock import Clock
from simclone.workload.distributions import Distribution
from simclone.workload.draws import GAP, OFFSET, SIZE, Block
from simclone.workload.laws import unit_exponential

MOST_REQUESTS = 100_000
"""A burst has no more requests than this, whatever its law says."""

B = TypeVar("B", bound=Block)


def burst_times(
    per_hour: float, requests: Distribution, spread_s: float, blocks: Iterable[B], clock: Clock, horizon_us: int
) -> Iterator[tuple[int, B, int]]:
    """The arrivals before *horizon_us*, in order of time, then of ordinal."""
    waiting: list[tuple[int, int, B, int]] = []
    load, start, remaining = 0.0, 0, 0
    for block in blocks:
        gaps = (unit_exponential(block.u[GAP]) * (3600 / per_hour)).tolist()
        sizes = np.rint(np.clip(requests.quantile(block.u[SIZE]), 1, MOST_REQUESTS)).astype(np.int64).tolist()
        offsets = np.rint(block.u[OFFSET] * spread_s * SECOND).astype(np.int64).tolist()
        for position, offset in enumerate(offsets):
            if not remaining:
                load += gaps[position]
                start = round(min(float(clock.moment(np.array([load]))[0]), 1e13) * SECOND)
                yield from _due(waiting, min(start, horizon_us - 1))
                if start >= horizon_us:
                    return
                remaining = sizes[position]
            heappush(waiting, (start + offset, block.first + position, block, position))
            remaining -= 1


def _due(waiting: list[tuple[int, int, B, int]], until_us: int) -> Iterator[tuple[int, B, int]]:
    while waiting and waiting[0][0] <= until_us:
        at, _, block, position = heappop(waiting)
        yield at, block, position
