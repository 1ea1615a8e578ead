"""Fitting: a generated workload gives its parameters back, and the shipped day is fitted well."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML
from scipy import stats

from simclone.cli.fit import command
from simclone.errors import InvalidInput
from simclone.scenario.document.workload import WorkloadDoc, stream_specs
from simclone.traces.batches import batched
from simclone.traces.rows import Batch
from simclone.units import GIB, SECOND
from simclone.workload import open_trace
from simclone.workload.arrivals import Profile, process_of
from simclone.workload.clock import Clock
from simclone.workload.distributions import Distribution
from simclone.workload.fit import MOST_POINTS, QUANTILES, Seen, fewer_points, fit, strata
from simclone.workload.goodness import distance, goodness
from simclone.workload.profile_fit import profile_of
from simclone.workload.streams import StreamSpec, arrivals
from simclone.workload.values import ValueTable

DAY = Path(__file__).resolve().parents[3] / "scenarios" / "data" / "azure-vm-2017-day"
START = datetime(2024, 1, 3, 10, 20, 30)
PER_HOUR = tuple(20.0 + 15 * math.sin(hour / 3.9) for hour in range(24))
WEEKDAY = (1.3, 1.2, 1.1, 1.1, 1.0, 0.7, 0.6)
DAYS = 70


def spec(**changed: Any) -> StreamSpec:
    """A stream with known parameters."""
    given: dict[str, Any] = {
        "name": "made",
        "clock": Clock(START),
        "process": Profile(PER_HOUR, WEEKDAY),
        "mix": (("1", 3.0), ("4", 1.0)),
        "batch": Distribution.of({"geometric": {"mean": 2.5}}),
        "lifetime": Distribution.of({"lognormal": {"median": 7200, "sigma": 1.0}}),
    }
    return StreamSpec(**given | changed)


def made(stream: StreamSpec, days: float) -> Iterator[Batch]:
    """Its requests as a trace would record them; what lives beyond the end is cut short."""
    end = round(days * 86_400 * SECOND)
    for one in arrivals(stream, 1, 0, end):
        ends = [None if life is None else one.at_us + life for life in one.lifetimes_us]
        seen = tuple(None if at is None or at > end else at for at in ends)
        yield Batch(one.at_us, 1000 * int(one.vm), GIB, 0, one.count, seen, one.ordinal)


@pytest.fixture(scope="module")
def seen() -> Seen:
    """Ten weeks of the stream."""
    return Seen.of(made(spec(), DAYS))


def test_rates_are_recovered(seen: Seen) -> None:
    """Each hour's and each weekday's rate lies within its 99.9 % band."""
    found = fit(seen, START)
    for hour in range(24):
        mean = PER_HOUR[hour] * DAYS
        low, high = stats.poisson(mean).interval(0.9999)
        assert low <= found.per_hour[hour] * DAYS <= high
    np.testing.assert_allclose(found.weekday, WEEKDAY, rtol=4 / math.sqrt(10 * 480 * 0.6))
    assert found.weekday.mean() == pytest.approx(1)


def test_batches_mix_and_lifetimes_are_recovered(seen: Seen) -> None:
    """Means agree within 99.9 %, distributions within the distance their number of points allows."""
    found = fit(seen, START)
    requests, vms = len(seen.arrivals), sum(seen.counts)
    assert abs(found.batch.mean - 2.5) < 3.29 * math.sqrt(2.5 * 1.5 / requests)
    shapes = {cpu: count for (cpu, _, _), count in found.shapes}
    low, high = stats.binom(requests, 0.75).interval(0.999)
    assert low <= shapes[1000] <= high
    law = Distribution.of({"lognormal": {"median": 7200, "sigma": 1.0}})
    exact = ValueTable.of(law.quantile((np.arange(20_000) + 0.5) / 20_000))
    assert distance(found.lifetime, exact) < 1 / QUANTILES + 2 / math.sqrt(vms)
    assert found.lifetime.mean == pytest.approx(law.mean, rel=0.03)


def test_the_fit_is_good(seen: Seen) -> None:
    """Distances are small, and around the profile the counts scatter as a Poisson process does."""
    good = goodness(seen, fit(seen, START), START)
    assert good.lifetime_ks <= 1 / QUANTILES + 1e-9
    assert good.batch_ks < 1e-9
    assert good.dispersion is not None
    assert good.dispersion > 2
    assert good.residual_dispersion == pytest.approx(1, abs=0.05)
    assert (good.requests, good.vms, good.hours) == (len(seen.arrivals), sum(seen.counts), DAYS * 24)


def test_flocks_are_noticed() -> None:
    """Bursts show as a dispersion around the profile, as large as a burst."""
    bursts = process_of({"bursts": {"perHour": 4, "size": 10, "spread": 1}})
    flocks = Seen.of(made(spec(process=bursts), 20))
    good = goodness(flocks, fit(flocks, START), START)
    assert good.residual_dispersion == pytest.approx(10, rel=0.15)


def test_a_short_record_has_no_days_of_the_week() -> None:
    """Less than two weeks give factors of 1, hours without a record the mean rate."""
    seen = Seen.of(made(spec(process=process_of({"poisson": {"perHour": 600}})), 0.25))
    per_hour, weekday = profile_of(seen.moments, seen.window, START)
    assert set(weekday) == {1.0}
    assert per_hour[0] == pytest.approx(per_hour[9], rel=1e-12) == pytest.approx(len(seen.arrivals) / 6)
    assert per_hour.min() > 400


def test_weeks_that_are_not_whole_keep_factors_and_rates_apart() -> None:
    """With some days of the week seen more often than others, the factors still have a mean of 1."""
    moments = np.arange(0.0, 17 * 86_400, 60.0)
    busy = moments[((moments // 86_400) % 7 < 3) | (moments % 120 == 0)]
    per_hour, weekday = profile_of(busy, (0.0, 17 * 86_400.0), datetime(2024, 1, 1))
    np.testing.assert_allclose(weekday, np.array([60, 60, 60, 30, 30, 30, 30]) / (300 / 7))
    np.testing.assert_allclose(per_hour, 300 / 7)


def test_cut_lives_do_not_shorten_the_fit() -> None:
    """With a third of the lives cut short by the end of the record, the median is still that of the law."""
    busy = spec(
        process=process_of({"poisson": {"perHour": 600}}), lifetime=Distribution.of({"exponential": {"mean": 86_400}})
    )
    short = Seen.of(made(busy, 2))
    lives = np.array(short.lives.ends)
    assert (lives < 0).mean() > 0.3
    middle = short.lives.table().quantile(np.array([0.5]))[0]
    assert middle == pytest.approx(86_400 * math.log(2), rel=0.03)
    assert fit(short, START).lifetime.quantile(np.array([0.49]))[0] <= middle


def test_points_are_merged_until_they_are_few() -> None:
    """Small sizes stay exact, the mean nearly so, and there are at most so many points."""
    counts = np.repeat(np.arange(1.0, 400), np.maximum(1, 4000 // np.arange(1, 400) ** 2))
    table = fewer_points(counts)
    assert len(table.values) <= MOST_POINTS
    assert table.values[:3].tolist() == [1, 2, 3]
    assert table.mean == pytest.approx(counts.mean(), rel=0.01)
    assert distance(table, ValueTable.of(counts)) < 0.03
    assert fewer_points(np.array([2.0, 2.0, 7.0])).values.tolist() == [2, 7]


def test_strata_keep_mean_atoms_and_what_has_no_end() -> None:
    """The mean of the strata is the mean, a common value stays exact, a half without end stays a half."""
    values = np.random.default_rng(3).pareto(1.5, 5000)
    assert strata(ValueTable.of(values)).mean == pytest.approx(values.mean())
    assert strata(ValueTable.of([300.0] * 9 + [7.7])).values.tolist()[-1] == 300.0
    half = strata(ValueTable.of([1.0, math.inf]))
    assert (half.values.tolist(), half.weights.tolist()) == ([1.0, math.inf], [0.5, 0.5])
    assert strata(ValueTable.of([math.inf])).values.tolist() == [math.inf]


def test_nothing_cannot_be_fitted() -> None:
    """A trace without VMs is invalid input."""
    with pytest.raises(InvalidInput, match="there are no VMs to fit"):
        Seen.of([])


# ---------------------------------------------------------------- simclone fit


def test_the_shipped_day_is_fitted(tmp_path: Path) -> None:
    """The file holds a valid workload that brings about as many VMs as the day had; the table goes to stderr."""
    out = tmp_path / "fitted.yaml"
    done = CliRunner().invoke(command, [str(DAY), "-o", str(out), "--name", "azure", "--vm-for", "v-{vcpu}"])
    assert (done.exit_code, done.stdout) == (0, "")
    assert "lifetimes: KS distance" in done.stderr
    (given,) = YAML(typ="safe", pure=True).load(out.read_text())["workload"]
    doc = WorkloadDoc.model_validate(given)
    (stream,) = stream_specs([doc], datetime(2017, 11, 14, 22, 20, 57))
    assert stream.name == "azure"
    assert dict(stream.mix)["v-1"] == 859 + 9705 + 7
    found = list(arrivals(stream, 1, 0, 86_400 * SECOND))
    assert len(found) == pytest.approx(17_936, abs=4 * math.sqrt(17_936))
    assert sum(one.count for one in found) == pytest.approx(80_375, rel=0.15)
    day = Seen.of(batched(open_trace(DAY)))
    table = day.lives.table()
    lives = [life for one in found for life in one.lifetimes_us]
    drawn = ValueTable.of(np.array([math.inf if life is None else life / SECOND for life in lives]))
    assert distance(drawn, table) < 1 / QUANTILES + 2 / math.sqrt(len(lives))


def test_the_fit_is_printed_and_repeatable() -> None:
    """Without a file the block goes to standard output, the same each time."""
    first, second = (CliRunner().invoke(command, [str(DAY)]) for _ in range(2))
    assert first.stdout == second.stdout
    assert first.stdout.startswith("# Fitted to 17936 requests for 80375 VMs in 24 hours.\n")
    assert "Goodness of fit" in first.stderr


def test_bad_usage_of_fit(tmp_path: Path) -> None:
    """An existing file is kept without --force; an unknown place in the rule is refused."""
    out = tmp_path / "fitted.yaml"
    out.touch()
    assert CliRunner().invoke(command, [str(DAY), "-o", str(out)]).exit_code == 2
    refused = CliRunner().invoke(command, [str(DAY), "--vm-for", "{cpu}"])
    assert (refused.exit_code, "unknown place {cpu}" in refused.stderr) == (2, True)
