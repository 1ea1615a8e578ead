"""Intervals against scipy and textbook values, and how often they hold what they should."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy import stats

from simclone.errors import InvalidInput
from simclone.planning.replication.intervals import (
    Interval,
    bootstrap_interval,
    checked_share,
    mean_interval,
    normal_quantile,
    paired,
    replications_for,
    t_quantile,
    warm_up_of,
    wilson,
)

SAMPLES = 2_000


def chance(seed: int = 0) -> np.random.Generator:
    """Random numbers from a fixed seed."""
    return np.random.Generator(np.random.PCG64(seed))


def holds(found: Interval, value: float) -> bool:
    """Whether an interval holds a value."""
    return found.low <= value <= found.high


def test_quantiles_are_those_of_the_tables() -> None:
    """1.960 of the normal law; 2.262 and 3.250 of Student's with 9 degrees of freedom."""
    assert normal_quantile(0.975) == pytest.approx(1.959964, abs=1e-6)
    assert (t_quantile(0.975, 9), t_quantile(0.995, 9)) == pytest.approx((2.262157, 3.249836), abs=1e-6)


@pytest.mark.parametrize(("good", "n"), [(0, 10), (8, 10), (10, 10), (1, 3), (263, 1000), (49, 50)])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilson_is_the_score_interval(good: int, n: int, confidence: float) -> None:
    """The same as scipy's, at the ends of the scale too."""
    other = stats.binomtest(good, n).proportion_ci(confidence, method="wilson")
    found = wilson(good, n, confidence)
    assert (found.low, found.high) == pytest.approx((other.low, other.high), abs=1e-12)
    assert (found.estimate, found.n) == (good / n, n)


@pytest.mark.parametrize("n", [20, 50, 200])
def test_wilson_covers(n: int) -> None:
    """Over shares from 10 to 90 % the exact coverage of the 95 % interval is between 93 and 97 % on average."""
    shares = np.linspace(0.1, 0.9, 33)
    found = [wilson(good, n) for good in range(n + 1)]
    cover = [sum(stats.binom.pmf(good, n, p) for good in range(n + 1) if holds(found[good], p)) for p in shares]
    assert 0.93 < np.mean(cover) < 0.97
    assert min(cover) > 0.90


def test_a_mean_is_told_with_students_interval() -> None:
    """The same as scipy's."""
    values = chance().normal(3, 2, 12).tolist()
    found = mean_interval(values, 0.9)
    other = stats.t.interval(0.9, 11, loc=np.mean(values), scale=stats.sem(values))
    assert (found.low, found.high) == pytest.approx(other)
    assert found.half_width == pytest.approx(stats.t.ppf(0.95, 11) * np.std(values, ddof=1) / sqrt(12))


@pytest.mark.parametrize("n", [5, 30])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_students_interval_covers(n: int, confidence: float) -> None:
    """Of 2,000 samples of a normal law as many as said hold the mean, give or take two points."""
    draws = chance(n).normal(7, 3, (SAMPLES, n))
    share = np.mean([holds(mean_interval(row.tolist(), confidence), 7) for row in draws])
    assert confidence - 0.02 < share < confidence + 0.02


def test_few_values_are_warned_of() -> None:
    """None, one, nine and ten values."""
    assert mean_interval([]).warning == "there is no value"
    one = mean_interval([4.0])
    assert (one.estimate, one.low, one.high) == (4.0, float("-inf"), float("inf"))
    assert one.warning
    assert "only 9 values" in mean_interval([1.0] * 9).warning
    assert mean_interval([1.0] * 10).warning == ""
    assert wilson(0, 0).warning == "nothing was asked"


@pytest.mark.parametrize(("share", "true"), [(0.5, 0.6931), (0.9, 2.3026)])
def test_the_bootstrap_covers(share: float, true: float) -> None:
    """Of 400 exponential samples of 61 about 95 % hold the true quantile; a percentile interval is a little short."""
    draws = chance(3).exponential(1, (400, 61))
    covered = np.mean([holds(bootstrap_interval(row.tolist(), share), true) for row in draws])
    assert 0.91 < covered < 0.98


def test_the_bootstrap_is_the_same_every_time() -> None:
    """Its seed is fixed; the estimate is a value of the sample, the interval lies around it inside the sample."""
    values = [3.0, 9.0, 4.0, 1.0, 7.0, 8.0, 2.0, 6.0, 5.0]
    found = bootstrap_interval(values)
    assert found == bootstrap_interval(sorted(values))
    assert found.estimate == 5.0
    assert 1.0 <= found.low < 5.0 < found.high <= 9.0
    assert bootstrap_interval(values, confidence=0.5).half_width < found.half_width
    assert bootstrap_interval([4.0] * 5).half_width == 0


def test_pairs_cancel_what_they_share() -> None:
    """A difference of 0.1 under a common noise of 10 is significant in pairs and not without."""
    draws = chance()
    noise, small = draws.normal(0, 10, 20), draws.normal(0, 0.05, 20)
    one, other = (noise + 0.1 + small).tolist(), noise.tolist()
    found = paired(one, other)
    assert found.significant
    expected = stats.ttest_rel(one, other).confidence_interval(0.95)
    assert (found.interval.low, found.interval.high) == pytest.approx((expected.low, expected.high))
    assert mean_interval(one).low < mean_interval(other).high


def test_equal_pairs_do_not_differ() -> None:
    """Nor do pairs that differ by an exact amount have any doubt."""
    assert not paired([1.0, 2.0], [1.0, 2.0]).significant
    exact = paired([2.0, 3.0, 9.0], [1.0, 2.0, 8.0])
    assert exact.significant
    assert (exact.interval.low, exact.interval.high) == (1.0, 1.0)
    assert not paired([5.0], [1.0]).significant
    with pytest.raises(ValueError, match="shorter"):
        paired([1.0, 2.0], [1.0])


def test_noise_is_called_significant_as_rarely_as_said() -> None:
    """Two series without a difference: about 5 of 100 pairs of them."""
    draws = chance(9).normal(0, 1, (SAMPLES, 2, 12))
    share = np.mean([paired(one.tolist(), other.tolist()).significant for one, other in draws])
    assert 0.03 < share < 0.07


@pytest.mark.parametrize("width", [0.05, 0.2, 0.5, 3.0])
def test_replications_that_make_an_interval_narrow(width: float) -> None:
    """Enough, and not more than a fiftieth too many."""
    values = chance(1).normal(0, 1, 15).tolist()
    spread = float(np.std(values, ddof=1))

    def half(n: int) -> float:
        return float(stats.t.ppf(0.975, n - 1)) * spread / sqrt(n)

    least = next(n for n in range(15, 100_000) if half(n) <= width)
    found = replications_for(values, width)
    assert least <= found <= 1.02 * least + 1
    assert half(found) <= width


def mser5(series: list[float]) -> int:
    """MSER-5 restated: the cut d of batch means that makes their sum of squares over (n - d)² smallest."""
    means = [sum(series[at : at + 5]) / 5 for at in range(0, len(series) - 4, 5)]
    scores = {}
    for cut in range(len(means) // 2 + 1):
        rest = means[cut:]
        middle = sum(rest) / len(rest)
        scores[cut] = sum((one - middle) ** 2 for one in rest) / len(rest) ** 2
    return 5 * min(scores, key=lambda cut: scores[cut])


@pytest.mark.parametrize("length", [0, 40, 100, 250])
def test_the_start_up_ends_where_mser_5_says(length: int) -> None:
    """Noise after a start-up of so many samples: cut where the rule says, which is about there."""
    draws = chance(length)
    series = np.concatenate([np.linspace(12, 2, length), np.zeros(1000 - length)]) + draws.normal(0, 1, 1000)
    found = warm_up_of(series.tolist())
    assert found == mser5(series.tolist())
    assert length * 0.7 <= found <= length + 150


def test_a_start_up_is_never_more_than_half() -> None:
    """A series that only rises has no end of it; of a very short one nothing is left out."""
    assert warm_up_of([float(n) for n in range(200)]) == 100
    assert warm_up_of([9.0, 1.0, 1.0]) == 0


@pytest.mark.parametrize("value", [0.0, 1.0, -0.5, float("nan"), float("inf")])
def test_a_share_lies_strictly_between(value: float) -> None:
    """Neither end, and no number that is none."""
    with pytest.raises(InvalidInput, match="target"):
        checked_share("target", value)


def test_equal_values_have_their_own_value_for_an_interval() -> None:
    """Nineteen of twenty in every replication is 95 %, to the last bit, however many there are."""
    for many in range(2, 40):
        found = mean_interval([0.95] * many)
        assert (found.estimate, found.low, found.high) == (0.95, 0.95, 0.95)
