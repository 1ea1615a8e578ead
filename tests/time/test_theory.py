"""Queueing theory: what simulated clouds must show in the mean, within stated intervals, or exactly."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

import pytest

from simclone.engine.calendar import ARRIVALS
from simclone.engine.run_loop import Observer
from simclone.units import GIB, SECOND
from simclone.workload.streams import Arrival, merged
from tests.time.worlds import (
    Doc,
    audited,
    creation,
    erlang_b,
    erlang_c,
    hosts,
    interval,
    opened,
    simulation,
    stream,
    world,
)

HOUR = 3600


def test_the_formulas_give_their_textbook_values() -> None:
    """Erlang's formulas as tabulated: B(10, 8) = 0.1217, C(3, 2) = 4/9."""
    assert erlang_b(10, 8) == pytest.approx(0.12166, abs=5e-6)
    assert erlang_c(3, 2) == pytest.approx(4 / 9)
    assert erlang_c(1, 0.6) == pytest.approx(0.6)


# ---------------------------------------------------------------- one host of c servers: M/G/c/c

LIVES: dict[str, Doc] = {
    "exponential": {"exponential": {"mean": HOUR}},
    "constant": {"constant": HOUR},
    "heavy-tailed": {"lognormal": {"median": 0.5 * HOUR, "sigma": 1.1774100225154747}},  # mean = one hour
}


def losses(servers: int, per_hour: float, life: Doc, hours: float, seed: int = 0) -> tuple[list[float], float]:
    """1 for every refused clone and 0 for every other, after ten hours; and the mean number of VMs."""
    doc = world(
        hosts=hosts(1, cpu=servers),
        workload=[stream({"poisson": {"perHour": per_hour}}, lifetime=life)],
        run={"horizon": hours * HOUR, "keep": "summary", "warmUp": 10 * HOUR, "seed": seed},
    )
    watched = Watch()
    made = simulation(doc, observers=[watched])
    made.run()
    totals = made.result().totals
    assert set(totals.reasons) <= {"host.cpu"}
    return watched.refused, totals.area[0] / totals.span_us


class Watch(Observer):
    """Notes whether each answered clone after ten hours was refused."""

    def __init__(self) -> None:
        self.refused: list[float] = []

    def answered(self, at_us: int, answer: Any) -> None:
        """One clone a request."""
        if at_us >= 10 * HOUR * SECOND:
            self.refused.append(0.0 if answer.error is None and answer.succeeded else 1.0)


def assert_erlang_b(servers: int, per_hour: float, life: Doc, hours: float) -> None:
    """Blocking and carried load by Erlang B, the former in the 99 % interval of 20 batch means."""
    refused, mean = losses(servers, per_hour, life, hours)
    low, high = interval(refused)
    blocked = erlang_b(servers, per_hour)
    assert low <= blocked <= high
    assert high - low < blocked, "the interval says something"
    assert mean == pytest.approx(per_hour * (1 - blocked), rel=0.05)


@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES)
def test_one_host_loses_what_erlang_b_says(life: Doc) -> None:
    """A host of 5 vCPU under 4 erlang refuses 19.9 % of unit VMs, whatever the law of lifetimes."""
    assert_erlang_b(5, 4.0, life, 500)


@pytest.mark.slow
@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES)
@pytest.mark.parametrize(("servers", "per_hour"), [(10, 8.0), (20, 18.0), (2, 0.5)], ids=["10", "20", "2"])
def test_larger_hosts_lose_what_erlang_b_says(servers: int, per_hour: float, life: Doc) -> None:
    """Erlang B over long runs for hosts of several sizes."""
    assert_erlang_b(servers, per_hour, life, 20_000 / per_hour)


# ---------------------------------------------------------------- room for all: M/G/inf


def occupancy(life: Doc, per_hour: float, many: int) -> tuple[list[float], float]:
    """*many* counts of VMs at once, three lifetimes apart, after a warm-up; and their time-weighted mean."""
    doc = world(
        hosts=hosts(1, cpu=1000),
        workload=[stream({"poisson": {"perHour": per_hour}}, lifetime=life)],
        run={"horizon": (10 + 3 * many) * HOUR, "warmUp": 10 * HOUR, "keep": "summary"},
    )
    made, seen = simulation(doc), list[float]()
    for number in range(1, many + 1):
        made.pause_at((10 + 3 * number) * HOUR * SECOND)
        seen.append(float(made.tally.now[0]))
    totals = made.result().totals
    return seen, totals.area[0] / totals.span_us


@pytest.mark.parametrize("kind", ["exponential", "constant"])
def test_occupancy_without_limits_is_poisson(kind: str) -> None:
    """With room for all the number of VMs has the mean and the variance of a Poisson law (M/G/inf)."""
    seen, mean = occupancy(LIVES[kind], 6.0, 121)
    low, high = interval(seen)
    assert low <= 6.0 <= high
    assert mean == pytest.approx(6.0, rel=0.08)
    average = sum(seen) / len(seen)
    ratio = sum((one - average) ** 2 for one in seen) / (len(seen) - 1) / average
    assert 0.699 <= ratio <= 1.364, "99 % of chi-square over its 120 degrees of freedom"


# ---------------------------------------------------------------- Little's law


def test_littles_law_holds_to_the_microsecond(monkeypatch: pytest.MonkeyPatch) -> None:
    """When every clone ends before the horizon, the integral of running VMs is the sum of their lifetimes."""
    lives: list[int] = []

    def early(*given: Any) -> Iterator[Arrival]:
        for arrival in takewhile(lambda one: one.at_us < 7 * HOUR * SECOND, merged(*given)):
            lives.extend(life for life in arrival.lifetimes_us if life is not None)
            yield arrival

    monkeypatch.setattr("simclone.engine.prepare.merged", early)
    life = {"uniform": {"low": 0.5, "high": 2 * HOUR}}
    doc = world(
        hosts=hosts(3, cpu=1000),
        workload=[stream({"poisson": {"perHour": 50}}, lifetime=life, batch={"geometric": {"mean": 3}})],
        run={"horizon": 10 * HOUR},
    )
    made = simulation(doc).run()
    totals = made.result().totals
    assert totals.placed == totals.asked == totals.ended == len(lives) > 700
    assert totals.area[0] == totals.area[1] == sum(lives)
    assert totals.area[2] == sum(lives) << 30
    assert made.tally.now == [0, 0, 0]
    assert not audited(made)


# ---------------------------------------------------------------- the host allocator as a queue


def waits(servers: int, per_s: float, service: Doc, many: int, seed: int) -> list[float]:
    """Seconds that VMs wait for the host allocator, started at Poisson moments, the first tenth left out."""
    config = {
        "hostAllocator.hostAllocator.concurrent": servers > 1,
        "hostAllocator.hostAllocator.concurrent.level": servers,
    }
    roomy = hosts(1, cpu=100_000, totalPhysicalMemory=100_000 * GIB)
    doc = world(config, hosts=roomy, timing={"allocateHost": service}, run={"timing": "model"})
    ctx, clock = opened(doc)
    ctx.ledger.recording, ctx.keep_decisions = False, "summary"
    drawn, at, rows = random.Random(seed), 0.0, list[int]()
    for number in range(many):
        at += drawn.expovariate(per_s)
        workflow = creation(ctx, number)
        clock.at(round(at * SECOND), ARRIVALS, lambda job=workflow: clock.start(job, lambda got: rows.append(got.row)))
    clock.calendar.run()
    assert len(rows) == many
    assert min(rows) >= 0, "every VM found its host"
    in_order = sorted(rows)[many // 10 :]
    return [clock.waited.get(row, 0) / SECOND for row in in_order]


def assert_erlang_c(servers: int, load_: float, many: int, seed: int = 1) -> None:
    """M/M/c: mean wait C(c, a) / (c - a) services, and the share that waits, in 99 % intervals of batch means."""
    found = waits(servers, load_, {"exponential": {"mean": 1.0}}, many, seed)
    low, high = interval(found)
    expected = erlang_c(servers, load_) / (servers - load_)
    assert low <= expected <= high
    assert high - low < expected, "the interval says something"
    low, high = interval([float(one > 0) for one in found])
    assert low <= erlang_c(servers, load_) <= high


@pytest.mark.parametrize(("servers", "load_"), [(1, 0.5), (3, 1.8)], ids=["M/M/1", "M/M/3"])
def test_the_allocators_queue_waits_as_erlang_c_says(servers: int, load_: float) -> None:
    """Exponential allocations at concurrency c, VMs started at Poisson moments: M/M/c."""
    assert_erlang_c(servers, load_, 3000)


@pytest.mark.slow
@pytest.mark.parametrize(("servers", "load_"), [(1, 0.8), (4, 3.2), (10, 8.0)], ids=["M/M/1", "M/M/4", "M/M/10"])
def test_a_busy_allocators_queue_waits_as_erlang_c_says(servers: int, load_: float) -> None:
    """M/M/c at 80 % over long runs."""
    assert_erlang_c(servers, load_, 30_000)


def test_constant_allocations_wait_half_as_long() -> None:
    """M/D/1: the mean wait is rho / (2 (1 - rho)) services, half of M/M/1's."""
    low, high = interval(waits(1, 0.6, {"constant": 1.0}, 3000, 2))
    expected = 0.6 / (2 * (1 - 0.6))
    assert low <= expected <= high
    assert high - low < expected


@pytest.mark.slow
def test_constant_allocations_wait_half_as_long_when_busy() -> None:
    """M/D/1 at 80 % over a long run."""
    low, high = interval(waits(1, 0.8, {"constant": 1.0}, 15_000, 2))
    assert low <= 2.0 <= high
