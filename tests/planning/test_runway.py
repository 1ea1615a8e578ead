"""When it runs out: to the second where arrivals are certain, by quantiles where they are not."""

from __future__ import annotations

from typing import Any

import pytest

import simclone
from simclone.errors import InvalidInput
from simclone.planning.replication.outcomes import outcome_of
from tests.time.worlds import Doc, hosts, stream, world

ONE = simclone.ReplicationPlan(replications=1)
DAY = 86_400.0


def steady(every: float, horizon: float, **more: Any) -> Doc:
    """A unit every so many seconds into eight vCPUs; none ever ends."""
    return world(workload=[stream({"every": every})], run={"horizon": horizon}, **more)


@pytest.mark.parametrize("every", [10, 3600, 7.5])
def test_certain_arrivals_run_out_to_the_second(every: float) -> None:
    """The ninth unit is the first that fails, and it comes when it comes."""
    times = [clone.asked_s for clone in simclone.run(steady(every, 50 * every)).clones.itertuples() if not clone.ok]
    (way,) = simclone.runway(steady(every, 50 * every), plan=ONE).ways
    assert way.quantiles_s == (times[0],) * 3
    assert times[0] in (8 * every, 9 * every)
    assert (way.ran_out, way.reason) == (1, "host.cpu")


def test_what_a_change_buys() -> None:
    """A third host of four vCPUs buys four arrivals more."""
    more = {"a host": [{"addHosts": {"like": "h1"}}]}
    found = simclone.runway(steady(DAY, 40 * DAY), changes=more, plan=ONE)
    first, second = (way.quantiles_s[1] for way in found.ways)
    assert first is not None
    assert second is not None
    assert second - first == 4 * DAY
    assert "a host: 1" in found.summary()
    assert "buys 4.0 days" in found.summary()
    assert found.figures()["runway_days"] == first / DAY


def test_success_falls_below_a_share_to_the_second() -> None:
    """Of 100 places, 111 names with 11 failures are the first below nine in ten."""
    doc = steady(60, 200 * 60, hosts=hosts(1, cpu=100))
    (way,) = simclone.runway(doc, below=0.9, plan=ONE).ways
    first = simclone.run(doc).clones.asked_s.min()
    count = next(n for n in range(101, 200) if 100 / n < 0.9)
    assert way.quantiles_s == (first + (count - 1) * 60,) * 3


def test_what_lasts_is_beyond_the_horizon() -> None:
    """Seven units in eight places never fail."""
    found = simclone.runway(steady(10, 75), plan=ONE)
    (way,) = found.ways
    assert (way.quantiles_s, way.median, way.ran_out, way.reason) == ((None, None, None), None, 0, "")
    assert "0 of 1 replication run out" in found.summary()
    assert found.figures() == {"runway_s": None, "runway_days": None, "ran_out": 0.0}


def by_chance(horizon: float) -> Doc:
    """Units that come at random and stay."""
    return world(workload=[stream({"poisson": {"perHour": 1}})], run={"horizon": horizon})


def test_quantiles_are_those_of_the_replications() -> None:
    """Of twenty replications the second, the tenth and the eighteenth run out: so many of them had by then."""
    doc = by_chance(2 * DAY)
    (way,) = simclone.runway(doc, plan=simclone.ReplicationPlan(replications=20)).ways
    singles = sorted(_firsts(doc, 20))
    assert way.quantiles_s == (singles[1], singles[9], singles[17])
    assert way.median is not None
    assert way.median.estimate == way.quantiles_s[1]
    assert way.median.low <= singles[9] <= way.median.high
    assert way.ran_out == 20


def _firsts(doc: Doc, many: int) -> list[float]:
    """The first failures of so many replications, each from a run of its own."""
    found = [outcome_of(simclone.load(doc), 0, number).first_failure_s for number in range(many)]
    return [one for one in found if one is not None]


def test_where_half_run_out_the_median_is_known() -> None:
    """Some replications last to the horizon: a quantile is told as far as that many ran out, and no interval."""
    doc = by_chance(10 * 3600)
    (way,) = simclone.runway(doc, plan=simclone.ReplicationPlan(replications=20)).ways
    singles = sorted(_firsts(doc, 20))
    assert 2 <= len(singles) < 18
    assert way.ran_out == len(singles)
    known = [singles[rank] if rank < len(singles) else None for rank in (1, 9, 17)]
    assert list(way.quantiles_s) == known
    assert way.median is None


def test_confidence_widens_the_interval_of_the_median() -> None:
    """A question for 50 % gets a narrower interval than one for 99 %."""
    narrow, wide = (
        simclone.runway(by_chance(2 * DAY), plan=simclone.ReplicationPlan(replications=30, confidence=one))
        .ways[0]
        .median
        for one in (0.5, 0.99)
    )
    assert narrow is not None
    assert wide is not None
    assert (narrow.confidence, wide.confidence) == (0.5, 0.99)
    assert narrow.half_width < wide.half_width


def test_how_far_to_look_must_be_said() -> None:
    """Without a horizon there is no end, and a share lies between 0 and 1."""
    with pytest.raises(InvalidInput, match=r"run\.horizon: is missing"):
        simclone.runway(world())
    with pytest.raises(InvalidInput, match="below: 1 is no share"):
        simclone.runway(steady(10, 20), below=1.0)
