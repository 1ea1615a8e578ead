"""The closed forms: each law by its parameters, as a quantile function of uniforms and a mean.

Every law lives on the numbers from 0 up, in seconds or counts. The check says what is wrong with parameters, in a
sentence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Law:
    """A family: parameter *names* in order, the *quantile* of uniforms in (0, 1), the *mean*.

    Parameters must be above 0 except those in *zero*, which may be 0; *rule* answers a sentence when they do not go
    together.
    """

    names: tuple[str, ...]
    quantile: Callable[..., Floats]
    mean: Callable[..., float]
    zero: frozenset[str] = frozenset()
    rule: Callable[..., str] = lambda *_: ""


def unit_exponential(u: Floats) -> Floats:
    """Quantiles of the exponential law of mean 1."""
    return np.asarray(-np.log1p(-u))


def _normal(u: Floats) -> Floats:
    return np.fromiter(map(_NORMAL.inv_cdf, u.ravel().tolist()), np.float64, u.size).reshape(u.shape)


def _geometric(u: Floats, mean: float) -> Floats:
    if mean == 1.0:
        return np.ones_like(u)
    return np.maximum(1.0, np.ceil(np.log1p(-u) / math.log1p(-1.0 / mean)))


def _gamma(u: Floats, mean: float, shape: float) -> Floats:
    from scipy.special import gammaincinv

    return np.asarray(gammaincinv(shape, u), np.float64) * (mean / shape)


def _powered(u: Floats, scale: float, exponent: float) -> Floats:
    """scale × e^(exponent × standard exponential), infinite where it is too large for a float."""
    return np.asarray(scale * np.exp(np.minimum(unit_exponential(u) * exponent, 600.0)))


LAWS: Mapping[str, Law] = {
    "constant": Law(
        ("value",), lambda u, value: np.full_like(u, value), lambda value: value, zero=frozenset({"value"})
    ),
    "exponential": Law(("mean",), lambda u, mean: mean * unit_exponential(u), lambda mean: mean),
    "uniform": Law(
        ("low", "high"),
        lambda u, low, high: low + (high - low) * u,
        lambda low, high: (low + high) / 2,
        zero=frozenset({"low"}),
        rule=lambda low, high: f"low {low:g} is above high {high:g}" if low > high else "",
    ),
    "lognormal": Law(
        ("median", "sigma"),
        lambda u, median, sigma: median * np.exp(np.minimum(sigma * _normal(u), 600.0)),
        lambda median, sigma: median * _exp(sigma * sigma / 2),
    ),
    "weibull": Law(
        ("scale", "shape"),
        lambda u, scale, shape: scale * np.exp(np.minimum(np.log(unit_exponential(u)) / shape, 600.0)),
        lambda scale, shape: scale * _gamma_of(1 + 1 / shape),
    ),
    "gamma": Law(("mean", "shape"), _gamma, lambda mean, shape: mean),
    "pareto": Law(
        ("scale", "shape"),
        lambda u, scale, shape: _powered(u, scale, 1.0 / shape),
        lambda scale, shape: scale * shape / (shape - 1) if shape > 1 else math.inf,
    ),
    "geometric": Law(
        ("mean",),
        _geometric,
        lambda mean: mean,
        rule=lambda mean: "" if mean >= 1 else f"mean {mean:g} is below 1, the least value",
    ),
}
"""Every family with a closed form, by the name a file gives it."""


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf


def _gamma_of(value: float) -> float:
    return math.gamma(value) if value < 170 else math.inf
