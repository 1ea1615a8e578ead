"""Arrival processes: exact times where they are exact, counts against theory elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy import stats

from simclone.units import SECOND
from simclone.workload.arrivals import process_of
from simclone.workload.clock import GROWTH_PERIOD_S, Clock
from simclone.workload.draws import DRAWS, ROWS, Block, blocks, generator
from simclone.workload.hours import Hours, expected

MONDAY = datetime(2024, 1, 1)
ODD = datetime(2017, 11, 14, 22, 20, 57)
DAY_S = 86_400
CALM = Clock(MONDAY)


def times(data: object, horizon_s: float, clock: Clock = CALM, *, stream: str = "s", seed: int = 1) -> list[int]:
    """The arrivals of a process in microseconds."""
    found = process_of(data).times(blocks(stream, seed, 0), clock, round(horizon_s * SECOND))
    return [at for at, _, _ in found]


def assert_poisson(count: int, mean: float) -> None:
    """A count lies inside the band that holds 99.9 % of a Poisson law."""
    low, high = stats.poisson(mean).interval(0.999)
    assert low <= count <= high, (count, low, high)


def test_every_is_exact() -> None:
    """One at 0 and then each at its multiple, also after a block of draws, never at the horizon."""
    assert times({"every": 0.1}, 100) == [n * 100_000 for n in range(1000)]
    assert len(times({"every": 60}, 600)) == 10
    assert times({"every": 60}, 0) == []


@pytest.mark.parametrize("seed", range(5))
def test_poisson_counts_are_as_expected(seed: int) -> None:
    """The number in ten days is that of the rate, the gaps are exponential."""
    found = times({"poisson": {"perHour": 30}}, 10 * DAY_S, seed=seed)
    assert_poisson(len(found), 7200)
    assert stats.kstest(np.diff(found) / SECOND, stats.expon(scale=120).cdf).pvalue > 0.001


@pytest.mark.parametrize("seed", range(3))
def test_renewal_gaps_follow_their_law(seed: int) -> None:
    """The gaps are drawn from the law, and their number follows from its mean and variance."""
    found = times({"renewal": {"gamma": {"mean": 100, "shape": 4}}}, 10 * DAY_S, seed=seed)
    mean, variance = 8640, 8640 / 4
    assert abs(len(found) - mean) < 3.29 * variance**0.5
    assert stats.kstest(np.diff(found) / SECOND, stats.gamma(4, scale=25).cdf).pvalue > 0.001


PROFILE = [0, 0, 0, 0, 0, 1, 5, 20, 60, 80, 80, 60, 40, 60, 80, 80, 60, 40, 20, 10, 5, 3, 2, 1]
WEEKDAY = [1.2, 1.1, 1.0, 1.0, 0.9, 0.4, 0]


@pytest.mark.parametrize("start", [MONDAY, ODD], ids=["monday", "odd"])
@pytest.mark.parametrize("growth", [1.0, 1.5, 0.5])
def test_a_profile_integrates_exactly(start: datetime, growth: float) -> None:
    """The inverse of the integrated rate gives back every moment at which the rate is not 0."""
    clock = Clock(start, growth)
    moments = np.sort(np.random.default_rng(4).uniform(0, 20 * DAY_S, 300))
    # each is a sum by itself, so that equal ones may differ in the last bit; those of a stream never fall
    masses = np.maximum.accumulate([expected(PROFILE, WEEKDAY, clock, float(at)) for at in moments])
    back = Hours(PROFILE, WEEKDAY, clock, 30.0 * DAY_S).moments(masses)
    again = np.array([expected(PROFILE, WEEKDAY, clock, float(at)) for at in back])
    np.testing.assert_allclose(again, masses, rtol=1e-9, atol=1e-9)
    busy = np.array([rate_at(start, float(at)) > 0 for at in moments])
    np.testing.assert_allclose(back[busy], moments[busy], rtol=1e-7, atol=1e-3)


def rate_at(start: datetime, at_s: float) -> float:
    """The rate per hour of the profile at a moment, by the calendar."""
    moment = start + timedelta(seconds=at_s)
    return PROFILE[moment.hour] * WEEKDAY[moment.weekday()]


def test_the_expected_number_is_the_sum_of_the_hours() -> None:
    """From a Monday at midnight, a week brings the sum of the profile times the sum of the factors."""
    assert expected(PROFILE, WEEKDAY, CALM, 7 * DAY_S) == pytest.approx(sum(PROFILE) * sum(WEEKDAY))
    assert expected(PROFILE, WEEKDAY, CALM, 5.5 * 3600) == pytest.approx(0.5 * 1.2)


@pytest.mark.parametrize("start", [MONDAY, ODD], ids=["monday", "odd"])
def test_a_profile_brings_its_counts_hour_by_hour(start: datetime) -> None:
    """Counts by hour of the day and day of the week are those of the rates; nothing comes where the rate is 0."""
    found = times({"profile": {"perHour": PROFILE, "weekday": WEEKDAY}}, 56 * DAY_S, Clock(start))
    into_s = (start - datetime(2017, 1, 2)).total_seconds()
    hours = ((np.array(found) / SECOND + into_s) // 3600).astype(int) % 168
    counts = np.bincount(hours, minlength=168).reshape(7, 24)
    assert_poisson(len(found), 8 * sum(PROFILE) * sum(WEEKDAY))
    assert counts[:, :5].sum() == 0
    assert counts[6].sum() == 0
    for hour in range(5, 24):
        assert_poisson(int(counts[:, hour].sum()), 8 * PROFILE[hour] * sum(WEEKDAY))


@pytest.mark.parametrize(
    "data", [{"poisson": {"perHour": 60}}, {"profile": {"perHour": [60] * 24}}], ids=["flat", "profile"]
)
@pytest.mark.parametrize("growth", [2.0, 0.25])
def test_growth_multiplies_the_rate(data: object, growth: float) -> None:
    """In the second thirty days there are *growth* times as many as in the first."""
    found = np.array(times(data, 2 * GROWTH_PERIOD_S, Clock(ODD, growth)))
    first = int((found < GROWTH_PERIOD_S * SECOND).sum())
    mean = 60 * 720 * (growth - 1) / np.log(growth)
    assert_poisson(first, mean)
    assert_poisson(len(found) - first, mean * growth)


def test_growth_of_regular_requests_is_exact() -> None:
    """A shrinking load that halves in thirty days brings 1/ln 2 × 30 days × half as much in all of them."""
    found = times({"every": 3600}, GROWTH_PERIOD_S, Clock(MONDAY, 0.5))
    assert len(found) == int(720 * 0.5 / np.log(2)) + 1
    assert all(a < b for a, b in pairwise(np.diff(found).tolist()))


def test_a_load_that_shrinks_to_nothing_ends() -> None:
    """There are only so many requests in all time when the rate falls for good."""
    found = times({"every": 86_400}, 9e12, Clock(MONDAY, 0.1))
    assert len(found) == int(30 / np.log(10)) + 1


@pytest.mark.parametrize("seed", range(3))
def test_bursts_come_together(seed: int) -> None:
    """Bursts come at their rate, each with all its requests inside the spread."""
    found = times({"bursts": {"perHour": 2, "size": 5, "spread": 0.001}}, 50 * DAY_S, seed=seed)
    assert_poisson(len(found) // 5, 2400)
    starts = np.array(found[: len(found) // 5 * 5]).reshape(-1, 5)
    assert np.median(starts[:, 4] - starts[:, 0]) <= 1000
    assert found == sorted(found)


def test_overlapping_bursts_stay_in_order() -> None:
    """With a spread longer than the gaps the arrivals are still sorted and none is lost before the last spread."""
    spec = {"bursts": {"perHour": 60, "size": {"geometric": {"mean": 3}}, "spread": 1800}}
    found = times(spec, 20 * DAY_S)
    assert found == sorted(found)
    variance = 60 * 480 * (9 + 6)
    assert abs(len(found) - 60 * 479.75 * 3) < 4 * variance**0.5


class Counting:
    """Blocks that say which of their rows were handed out."""

    def __init__(self) -> None:
        self.taken = 0

    def __iter__(self) -> Any:
        for block in blocks("s", 1, 0):
            self.taken += 1
            yield block


PROCESSES: Sequence[object] = [
    {"every": 7},
    {"poisson": {"perHour": 600}},
    {"renewal": {"lognormal": {"median": 3, "sigma": 1}}},
    {"profile": {"perHour": [600] * 24}},
    {"bursts": {"perHour": 100, "size": 6, "spread": 10}},
]


@pytest.mark.parametrize("data", PROCESSES, ids=lambda one: next(iter(one)))
def test_each_arrival_uses_one_row_of_uniforms(data: object) -> None:
    """Every row is used once, in order of ordinal up to overlapping bursts, and no block too many is drawn."""
    source = Counting()
    found = list(process_of(data).times(source, CALM, DAY_S * SECOND))
    ordinals = sorted(block.first + place for _, block, place in found)
    assert ordinals == list(range(len(found)))
    assert source.taken == len(found) // ROWS + 1


def test_a_horizon_only_cuts() -> None:
    """The arrivals before an earlier horizon are the first of those before a later one."""
    for data in (*PROCESSES, {"bursts": {"perHour": 60, "size": 3, "spread": 1800}}):
        long = times(data, DAY_S)
        for horizon_s in (DAY_S // part for part in range(2, 20)):
            assert times(data, horizon_s) == [at for at in long if at < horizon_s * SECOND]


def test_gaps_that_never_end_end_the_stream() -> None:
    """After a gap without an end nothing comes."""
    assert len(times({"renewal": {"choice": [{"value": 1}, {"value": "forever"}]}}, DAY_S)) < 40


FAULTS: list[tuple[object, str]] = [
    (3, "arrivals have one key of every, poisson, renewal, profile, bursts"),
    ({"poison": {"perHour": 3}}, "unknown arrivals 'poison'"),
    ({"every": 0}, "seconds of every must be more than 0, not 0"),
    ({"poisson": {"perHour": 0}}, "perHour of poisson must be more than 0, not 0"),
    ({"poisson": {"perHour": -2}}, "perHour of poisson must be more than 0, not -2"),
    ({"poisson": {"rate": 3}}, "unknown key 'rate' of poisson; there is perHour"),
    ({"renewal": 0}, "the gaps of renewal are all 0"),
    ({"renewal": {"expo": 1}}, "unknown distribution 'expo'"),
    ({"profile": {"perHour": [1] * 23}}, "perHour of profile needs a list of 24 numbers"),
    ({"profile": {"perHour": [0] * 24}}, "perHour of profile is 0 throughout"),
    ({"profile": {"perHour": [1] * 24, "weekday": [1] * 6}}, "weekday of profile needs a list of 7 numbers"),
    ({"profile": {"perHour": [1] * 23 + [-1]}}, "perHour of profile must be at least 0, not -1"),
    ({"bursts": {"perHour": 0, "size": 2}}, "perHour of bursts must be more than 0, not 0"),
    ({"bursts": {"perHour": 1}}, "size of bursts is missing"),
]


@pytest.mark.parametrize(("data", "said"), FAULTS, ids=lambda one: str(one)[:40])
def test_wrong_arrivals_are_a_sentence(data: object, said: str) -> None:
    """Every mistake is a ValueError that says which one."""
    with pytest.raises(ValueError, match="^" + re.escape(said)):
        process_of(data)


@pytest.mark.parametrize("growth", [0.0, -1.0, float("inf"), float("nan")])
def test_growth_must_be_positive(growth: float) -> None:
    """A factor of 0 or less is no growth."""
    with pytest.raises(ValueError, match="growthPer30Days must be more than 0"):
        Clock(MONDAY, growth)


def test_blocks_do_not_depend_on_their_length() -> None:
    """The rows of a stream are the rows of its generator, whatever is drawn at once."""
    made = blocks("s", 3, 2)
    found: list[Block] = [next(made), next(made)]
    table = generator("s", 3, 2).random((2 * ROWS, DRAWS))
    np.testing.assert_array_equal(np.hstack([one.u for one in found]).T, table)
