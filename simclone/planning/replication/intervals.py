"""Intervals and tests for what replications come to; every quantile from scipy, nothing drawn without a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np

from simclone.errors import Fault, InvalidInput

CONFIDENCE = 0.95
FEW = 10
"""Below so many replications an interval says so."""
RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate from *n* values with its interval; *warning* says when it should not be trusted."""

    estimate: float
    low: float
    high: float
    n: int
    confidence: float = CONFIDENCE
    warning: str = ""

    @property
    def half_width(self) -> float:
        """Half the interval's length."""
        return (self.high - self.low) / 2

    def summary(self, unit: str = "") -> str:
        """``0.93 (0.91 to 0.95)``."""
        return f"{self.estimate:.4g}{unit} ({self.low:.4g} to {self.high:.4g})"


def checked_share(name: str, value: float) -> float:
    """*value*, if it lies strictly between 0 and 1; raises InvalidInput."""
    if not 0 < value < 1:
        raise InvalidInput([Fault(name, f"{value:g} is no share", "a number between 0 and 1, both excluded")])
    return value


def normal_quantile(p: float) -> float:
    """The standard normal quantile."""
    from scipy.special import ndtri

    return float(ndtri(p))


def t_quantile(p: float, freedom: float) -> float:
    """Student's quantile."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, p))


def wilson(good: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval of a share (Wilson 1927; Brown, Cai & DasGupta 2001).

    >>> found = wilson(8, 10)
    >>> round(found.low, 4), round(found.high, 4)
    (0.4902, 0.9433)
    """
    if n == 0:
        return Interval(float("nan"), 0.0, 1.0, 0, confidence, "nothing was asked")
    z = normal_quantile(0.5 + confidence / 2)
    p, z2 = good / n, z * z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = z * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Interval(p, max(middle - half, 0.0), min(middle + half, 1.0), n, confidence, _few(n))


def mean_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Student's interval of a mean over independent replications.

    >>> found = mean_interval([1.0, 2.0, 3.0])
    >>> round(found.low, 3), round(found.high, 3)
    (-0.484, 4.484)
    """
    n = len(values)
    if n == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0, confidence, "there is no value")
    mean = float(np.mean(values))
    if n == 1:
        return Interval(mean, float("-inf"), float("inf"), 1, confidence, "one replication has no interval")
    if min(values) == max(values):  # sums would leave a rounding error around them
        return Interval(float(values[0]), float(values[0]), float(values[0]), n, confidence, _few(n))
    deviation = float(np.std(values, ddof=1))
    half = t_quantile(0.5 + confidence / 2, n - 1) * deviation / sqrt(n)
    return Interval(mean, mean - half, mean + half, n, confidence, _few(n))


def bootstrap_interval(values: Sequence[float], share: float = 0.5, confidence: float = CONFIDENCE) -> Interval:
    """Percentile bootstrap of a quantile (Efron 1979), 2,000 resamples from a fixed seed."""
    n = len(values)
    if n < 2:
        return mean_interval(values, confidence)
    data = np.sort(np.asarray(values, dtype=np.float64))
    draws = np.random.Generator(np.random.PCG64(0)).integers(0, n, size=(RESAMPLES, n))
    result = np.sort(np.quantile(data[draws], share, axis=1, method="inverted_cdf"))
    edge = (1 - confidence) / 2
    low, high = result[int(edge * RESAMPLES)], result[min(ceil((1 - edge) * RESAMPLES), RESAMPLES) - 1]
    estimate = float(np.quantile(data, share, method="inverted_cdf"))
    return Interval(estimate, float(low), float(high), n, confidence, _few(n))


@dataclass(frozen=True, slots=True)
class Difference:
    """A paired difference; *significant* when its interval leaves out 0."""

    interval: Interval

    @property
    def significant(self) -> bool:
        """Whether the two differ at the interval's confidence."""
        return self.interval.low > 0 or self.interval.high < 0


def paired(one: Sequence[float], other: Sequence[float], confidence: float = CONFIDENCE) -> Difference:
    """*one* minus *other*, replication by replication: common random numbers cancel what both share.

    Where every pair differs by the same amount there is no spread: the interval is that amount.
    """
    return Difference(mean_interval([a - b for a, b in zip(one, other, strict=True)], confidence))


def replications_for(values: Sequence[float], half_width: float, confidence: float = CONFIDENCE) -> int:
    """So many replications that Student's interval of the mean gets as narrow (Law 2015, section 9.4.1)."""
    n = max(len(values), 2)
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    while t_quantile(0.5 + confidence / 2, n - 1) * spread / sqrt(n) > half_width and n < 1_000_000:
        n = max(n + 1, int(n * 1.02))
    return n


def warm_up_of(series: Sequence[float], batch: int = 5) -> int:
    """Where the start-up of a series ends, by MSER-5 (White, Cobb & Spratt 2000): samples to leave out.

    The cut that makes the standard error of the rest smallest, in batches of five; never more than half.
    """
    means = np.array([np.mean(series[at : at + batch]) for at in range(0, len(series) - batch + 1, batch)])
    if len(means) < 4:
        return 0
    scores = [float(np.var(means[cut:])) / (len(means) - cut) for cut in range(len(means) // 2 + 1)]
    return int(np.argmin(scores)) * batch


def _few(n: int) -> str:
    return f"only {n} values: the interval is rough" if n < FEW else ""
