"""Arrival processes: when requests come, as whole microseconds below a horizon, one row of uniforms each.

A process of rate r(t) is a steady one in the time the integral of r keeps; it is inverted exactly, never thinned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from simclone.units import SECOND
from simclone.workload.bursts import burst_times
from simclone.workload.clock import Clock
from simclone.workload.distributions import Distribution, mapping, number
from simclone.workload.draws import GAP, Block
from simclone.workload.hours import HOUR_S, Hours
from simclone.workload.laws import Floats, unit_exponential

B = TypeVar("B", bound=Block)
T = TypeVar("T")


class Process(Protocol):
    """When requests come; a frozen value without state."""

    def times(self, blocks: Iterable[B], clock: Clock, horizon_us: int) -> Iterator[tuple[int, B, int]]:
        """The arrivals before *horizon_us*, in order: microseconds, and the block and column of the uniforms used."""
        ...

    def within(self, folder: Path) -> Process:
        """The same, a trace its law is taken from looked for in *folder*."""
        ...


class _Lawless:
    """A process without a law of its own."""

    def within(self: T, folder: Path) -> T:
        """See `Process.within`."""
        return self


def steps(
    blocks: Iterable[B], gaps: Callable[[B], Floats], moment: Callable[[Floats], Floats], horizon_us: int
) -> Iterator[tuple[int, B, int]]:
    """Arrivals *gaps* apart in the time that *moment* turns into seconds."""
    last = 0.0
    for block in blocks:
        sums = np.cumsum(np.concatenate(([last], gaps(block))))[1:]
        last = float(sums[-1])
        micros = np.rint(np.minimum(moment(sums), 1e13) * SECOND)
        before = int(np.searchsorted(micros, horizon_us, side="left"))
        for position, at in enumerate(micros[:before].astype(np.int64).tolist()):
            yield at, block, position
        if before < len(micros):
            return


@dataclass(frozen=True, slots=True)
class Every(_Lawless):
    """One request at 0 and then one every *seconds*."""

    seconds: float

    def times(self, blocks: Iterable[B], clock: Clock, horizon_us: int) -> Iterator[tuple[int, B, int]]:
        """See `Process.times`."""

        def gaps(block: B) -> Floats:
            result = np.full(block.u.shape[1], self.seconds)
            result[0] *= block.first > 0
            return result

        return steps(blocks, gaps, clock.moment, horizon_us)


@dataclass(frozen=True, slots=True)
class Renewal:
    """Independent *gaps*, in seconds; exponential ones make it a Poisson process."""

    gaps: Distribution

    def times(self, blocks: Iterable[B], clock: Clock, horizon_us: int) -> Iterator[tuple[int, B, int]]:
        """See `Process.times`."""
        return steps(blocks, lambda block: self.gaps.quantile(block.u[GAP]), clock.moment, horizon_us)

    def within(self, folder: Path) -> Renewal:
        """See `Process.within`."""
        return Renewal(self.gaps.within(folder))


@dataclass(frozen=True, slots=True)
class Profile(_Lawless):
    """A Poisson process with a rate per hour for each hour of the day, times a factor for each day from Monday."""

    per_hour: tuple[float, ...]
    weekday: tuple[float, ...] = (1.0,) * 7

    def times(self, blocks: Iterable[B], clock: Clock, horizon_us: int) -> Iterator[tuple[int, B, int]]:
        """See `Process.times`."""
        hours = Hours(self.per_hour, self.weekday, clock, horizon_us / SECOND)
        return steps(blocks, lambda block: unit_exponential(block.u[GAP]), hours.moments, horizon_us)


@dataclass(frozen=True, slots=True)
class Bursts:
    """Bursts that begin as a Poisson process, each of *requests* requests spread evenly over *spread* seconds."""

    per_hour: float
    requests: Distribution
    spread: float = 0.0

    def times(self, blocks: Iterable[B], clock: Clock, horizon_us: int) -> Iterator[tuple[int, B, int]]:
        """See `Process.times`."""
        return burst_times(self.per_hour, self.requests, self.spread, blocks, clock, horizon_us)

    def within(self, folder: Path) -> Bursts:
        """See `Process.within`."""
        return Bursts(self.per_hour, self.requests.within(folder), self.spread)


def process_of(data: object) -> Process:
    """The process of plain data, a mapping with one key; ValueError says what is wrong."""
    if not isinstance(data, Mapping) or len(data) != 1:
        raise ValueError(f"arrivals have one key of {', '.join(_READERS)}")
    ((kind, values),) = data.items()
    if kind not in _READERS:
        raise ValueError(f"unknown arrivals {kind!r}; there is {', '.join(_READERS)}")
    return _READERS[kind](values)


def _every(given: object) -> Process:
    return Every(number("every", "seconds", given, zero=False))


def _poisson(given: object) -> Process:
    per_hour = number("poisson", "perHour", mapping("poisson", given, ("perHour",))["perHour"], zero=False)
    return Renewal(Distribution("exponential", (HOUR_S / per_hour,)))


def _renewal(given: object) -> Process:
    gaps = Distribution.of(given)
    if gaps.kind != "fromTrace" and not gaps.mean > 0:
        raise ValueError("the gaps of renewal are all 0")
    return Renewal(gaps)


def _profile(given: object) -> Process:
    result = mapping("profile", given, ("perHour",), ("weekday",))
    per_hour = _rates("perHour", result["perHour"], 24)
    return Profile(per_hour, _rates("weekday", result.get("weekday", [1.0] * 7), 7))


def _rates(name: str, given: Any, size: int) -> tuple[float, ...]:
    if not isinstance(given, list | tuple) or len(given) != size:
        raise ValueError(f"{name} of profile needs a list of {size} numbers")
    rates = tuple(number("profile", name, item) for item in given)
    if not sum(rates):
        raise ValueError(f"{name} of profile is 0 throughout")
    return rates


def _bursts(given: object) -> Process:
    result = mapping("bursts", given, ("perHour", "size"), ("spread",))
    per_hour = number("bursts", "perHour", result["perHour"], zero=False)
    return Bursts(per_hour, Distribution.of(result["size"]), number("bursts", "spread", result.get("spread", 0)))


_READERS: Mapping[str, Callable[[object], Process]] = {
    "every": _every,
    "poisson": _poisson,
    "renewal": _renewal,
    "profile": _profile,
    "bursts": _bursts,
}
