"""Streams of clone requests: what is asked for, when, how many at once, and how long the clones live.

A stream draws from a generator of its own, named after it, and the same number of uniforms for every request: neither
another stream nor another parameter of this one moves what is drawn for the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from typing import Any

import numpy as np

from simclone.traces.numbers import LATEST_US
from simclone.units import SECOND
from simclone.workload.arrivals import Process
from simclone.workload.clock import Clock
from simclone.workload.distributions import Distribution
from simclone.workload.draws import BATCH, LIFE, MIX, Block, blocks, per_clone
from simclone.workload.laws import Floats
from simclone.workload.replay import Replay

MOST_CLONES = 100_000
"""A request asks for no more clones than this, whatever the law of its batch says."""

ONE = Distribution("constant", (1.0,))
"""A batch of one clone."""

Lifetimes = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a failed request is asked again, and how long after the failure."""

    times: int = 0
    backoff_us: int = 0


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One stream: *process* or *replay* says when; *mix* is VMs with weights; no *lifetime* is forever.

    *body* goes into the clone call as it is. With *replay*, VMs, counts and lifetimes are the trace's.
    """

    name: str
    clock: Clock
    process: Process | None = None
    replay: Replay | None = None
    mix: tuple[tuple[str, float], ...] = ()
    batch: Distribution = ONE
    lifetime: Distribution | None = None
    retry: Retry = Retry()
    all_or_nothing: bool = False
    account: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.process is None) == (self.replay is None):
            raise ValueError(f"the stream {self.name!r} needs either arrivals or a trace")
        if self.process is not None and not sum(weight for _, weight in self.mix) > 0:
            raise ValueError(f"the stream {self.name!r} has nothing to clone")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request for *count* clones of *vm*, made at *at_us* by the stream *source*.

    *ordinal* numbers the requests of the stream as they were drawn (of a trace: its batches), which is the order
    of time except inside overlapping bursts. A lifetime of None is forever. *group* is the trace's.
    """

    at_us: int
    source: str
    ordinal: int
    vm: str
    count: int
    lifetimes_us: Lifetimes
    group: int | None = None
    all_or_nothing: bool = False
    retry: Retry = Retry()
    account: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)


def arrivals(spec: StreamSpec, seed: int, replication: int, horizon_us: int) -> Iterator[Arrival]:
    """The requests of a stream before *horizon_us*, in order of time; a trace raises InvalidInput while iterating."""
    if horizon_us < 0 or seed < 0 or replication < 0:
        raise ValueError("horizon, seed and replication must be at least 0")
    if spec.replay is not None:
        return _replayed(spec, spec.replay, seed, replication, horizon_us)
    return _drawn(spec, seed, replication, horizon_us)


def merged(specs: Sequence[StreamSpec], seed: int, replication: int, horizon_us: int) -> Iterator[Arrival]:
    """The requests of all streams in order of time; at equal times, in order of declaration."""
    streams = [arrivals(spec, seed, replication, horizon_us) for spec in specs]
    return merge(*streams, key=lambda one: one.at_us)


@dataclass(slots=True)
class _Requests(Block):
    """The requests a block of uniforms makes, whenever they come."""

    vms: list[str]
    counts: list[int]
    lifetimes: list[Lifetimes]


def _drawn(spec: StreamSpec, seed: int, replication: int, horizon_us: int) -> Iterator[Arrival]:
    assert spec.process is not None
    drawn = (_requests(spec, block) for block in blocks(spec.name, seed, replication))
    for at_us, result, position in spec.process.times(drawn, spec.clock, horizon_us):
        yield Arrival(
            at_us,
            spec.name,
            result.first + position,
            result.vms[position],
            result.counts[position],
            result.lifetimes[position],
            None,
            spec.all_or_nothing,
            spec.retry,
            spec.account,
            spec.body,
        )


def _requests(spec: StreamSpec, block: Block) -> _Requests:
    counts = np.rint(np.clip(spec.batch.quantile(block.u[BATCH]), 1, MOST_CLONES)).astype(np.int64)
    weights = np.cumsum([weight for _, weight in spec.mix])
    chosen = np.searchsorted(weights, block.u[MIX] * weights[-1], side="right").tolist()
    vms = [spec.mix[position][0] for position in chosen]
    requested: list[int] = counts.tolist()
    if spec.lifetime is None:
        lifetimes: list[Lifetimes] = [(None,) * count for count in requested]
    else:
        lifetimes = _split(spec.lifetime.quantile(per_clone(block.u[LIFE], counts)), requested)
    return _Requests(block.first, block.u, vms, requested, lifetimes)


def _split(seconds: Floats, counts: list[int]) -> list[Lifetimes]:
    """Lifetimes in whole microseconds, those too long to count as forever, shared out among requests."""
    longest = LATEST_US // SECOND
    micros = np.rint(np.minimum(seconds, longest) * SECOND).astype(np.int64).tolist()
    flat = [None if end else micro for micro, end in zip(micros, (seconds >= longest).tolist(), strict=True)]
    result: list[Lifetimes] = []
    at = 0
    for count in counts:
        result.append(tuple(flat[at : at + count]))
        at += count
    return result


def _replayed(spec: StreamSpec, replay: Replay, seed: int, replication: int, horizon_us: int) -> Iterator[Arrival]:
    for number, batch in replay.batches(spec.name, seed, replication, horizon_us):
        at_us = batch.arrival_us
        lifetimes = tuple(None if end is None else end - at_us for end in batch.ends_us)
        yield Arrival(
            at_us,
            spec.name,
            number,
            replay.vm(batch),
            batch.count,
            lifetimes,
            batch.group,
            spec.all_or_nothing,
            spec.retry,
            spec.account,
            spec.body,
        )
