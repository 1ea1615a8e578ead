"""Decisions through the whole chain, one after the other, each reserved; departures in between."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from simclone.bench.cloud import flavour_requests, opened
from simclone.bench.stream import FLAVOURS, MASK, actions
from simclone.chance import Identity
from simclone.engine.collecting import collected_rarely
from simclone.engine.context import Context
from simclone.placement.host import decide, give_back_host, take_host
from simclone.records import Placed
from simclone.units import GIB


@dataclass(frozen=True, slots=True)
class BenchOutcome:
    """A measured stream: its decision hash, how many were placed and refused, and the seconds it took."""

    hash: str
    placed: int
    refused: int
    seconds: float


def add_rows(ctx: Context, flavours: list[int]) -> int:
    """A VM row for each request of the stream."""
    kinds = np.array(flavours, dtype=np.int64)
    cpu = np.array([entry[0] for entry in FLAVOURS], dtype=np.int64)[kinds]
    memory = np.array([item[1] * GIB for item in FLAVOURS], dtype=np.int64)[kinds]
    return ctx.ledger.vms.add_many([""] * len(flavours), account=-1, cpu=cpu, memory=memory)


def run_placement(
    hosts: int,
    vms: int,
    regime: str,
    policy: str,
    *,
    ties: str = "lowestUuid",
    paging: bool = False,
    uneven: bool = False,
) -> BenchOutcome:
    """Work off the stream; the clock runs over decisions, holds and ends, and the index they need."""
    order, flavours = actions(vms, hosts, regime)
    ctx = opened(hosts, ties=ties, paging=paging, uneven=uneven)
    requests = flavour_requests(policy)
    drawn = ties == "shuffle"
    begun = perf_counter()
    first = add_rows(ctx, flavours)
    cloud, ledger = ctx.cloud, ctx.ledger
    hold = ctx.cloud.vms.hold_host
    total = placed = 0
    identity = Identity("bench", 0)
    with collected_rarely():
        for act in order:
            if act < 0:
                if hold[first - act - 1] >= 0:
                    give_back_host(ledger, first - act - 1, "end")
                continue
            if drawn:
                identity = Identity("bench", act)
            decision = decide(requests[flavours[act]], cloud, identity)
            if isinstance(decision, Placed):
                take_host(ledger, first + act, decision.host)
                total = (total * 1_000_003 + decision.host + 1) & MASK
                placed += 1
            else:
                total = (total * 1_000_003) & MASK
    seconds = perf_counter() - begun
    ledger.check()
    return BenchOutcome(f"{total:016x}", placed, vms - placed, seconds)
