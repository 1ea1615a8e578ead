"""Distributions against closed forms, and every fault of their parameters."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from simclone.scenario.document.distributions import DistributionDoc
from simclone.workload.distributions import KINDS, Distribution
from simclone.workload.values import ValueTable, survival

DAY = Path(__file__).resolve().parents[3] / "scenarios" / "data" / "azure-vm-2017-day"
U = (np.arange(2000) + 0.5) / 2000

KNOWN: list[tuple[dict[str, Any], Any]] = [
    ({"exponential": {"mean": 600}}, stats.expon(scale=600)),
    ({"uniform": {"low": 0, "high": 30}}, stats.uniform(0, 30)),
    ({"lognormal": {"median": 300, "sigma": 1.5}}, stats.lognorm(1.5, scale=300)),
    ({"weibull": {"scale": 100, "shape": 0.7}}, stats.weibull_min(0.7, scale=100)),
    ({"gamma": {"mean": 90, "shape": 2.5}}, stats.gamma(2.5, scale=36)),
    ({"pareto": {"scale": 10, "shape": 1.5}}, stats.pareto(1.5, scale=10)),
    ({"scipy": {"name": "gengamma", "args": [2, 1.5], "kwargs": {"scale": 7}}}, stats.gengamma(2, 1.5, scale=7)),
]


@pytest.mark.parametrize(("data", "law"), KNOWN, ids=lambda one: str(one)[:12])
def test_a_quantile_undoes_the_distribution_function(data: dict[str, Any], law: Any) -> None:
    """F(Q(u)) is u for every continuous law, and Q is that of scipy."""
    found = Distribution.of(data).quantile(U)
    np.testing.assert_allclose(law.cdf(found), U, rtol=1e-9)
    np.testing.assert_allclose(found, law.ppf(U), rtol=1e-9)


@pytest.mark.parametrize(("data", "law"), KNOWN, ids=lambda one: str(one)[:12])
def test_a_mean_is_the_closed_form(data: dict[str, Any], law: Any) -> None:
    """The mean is that of scipy."""
    assert Distribution.of(data).mean == pytest.approx(law.mean())


def test_a_geometric_law_counts_from_one() -> None:
    """Its quantiles and mean are scipy's, and a mean of 1 is always 1."""
    law = Distribution.of({"geometric": {"mean": 4}})
    assert law.quantile(U).tolist() == stats.geom(0.25).ppf(U).tolist()
    assert law.mean == 4
    assert set(Distribution.of({"geometric": {"mean": 1}}).quantile(U)) == {1.0}


def test_a_number_is_a_constant() -> None:
    """`5`, `{constant: 5}` and every quantile of it are 5."""
    assert Distribution.of(5) == Distribution.of({"constant": 5.0})
    assert set(Distribution.of(5).quantile(U)) == {5.0}
    assert Distribution.of(0).mean == 0


def test_an_empirical_law_gives_its_values_evenly() -> None:
    """Each value comes as often as it is listed, in ascending order of the uniforms."""
    law = Distribution.of({"empirical": [30, 10, 10, 20]})
    assert law.quantile(np.array([0.0, 0.49, 0.5, 0.74, 0.75, 1 - 2**-53])).tolist() == [10, 10, 20, 20, 30, 30]
    assert law.mean == 17.5


def test_a_choice_goes_by_weight_and_never_gives_a_weight_of_zero() -> None:
    """Weights are relative, and a value of weight 0 does not come, wherever it lies."""
    given = [{"value": 1, "weight": 0}, {"value": 8, "weight": 0}, {"value": 4}, {"value": 2, "weight": 3}]
    law = Distribution.of({"choice": given})
    found, counts = np.unique(law.quantile(U), return_counts=True)
    assert dict(zip(found.tolist(), counts.tolist(), strict=True)) == {2.0: 1500, 4.0: 500}
    assert law.quantile(np.array([0.0, 1 - 2**-53])).tolist() == [2, 4]
    assert law.mean == 2.5


def test_forever_is_infinite() -> None:
    """A share without an end has infinite quantiles and makes the mean infinite."""
    law = Distribution.of({"empirical": [5, "forever"]})
    assert law.quantile(np.array([0.1, 0.9])).tolist() == [5, math.inf]
    assert law.mean == math.inf
    assert Distribution.of({"pareto": {"scale": 1, "shape": 1}}).mean == math.inf


@pytest.mark.parametrize(
    "data", [one for one, _ in KNOWN] + [{"geometric": {"mean": 3}}], ids=lambda one: next(iter(one))
)
def test_extreme_uniforms_give_usable_values(data: dict[str, Any]) -> None:
    """The least and the largest uniform of a generator give finite values from 0 up, without a warning."""
    found = Distribution.of(data).quantile(np.array([0.0, 1 - 2.0**-53]))
    assert np.all(np.isfinite(found))
    assert 0 <= found[0] < found[1]


def test_a_trace_gives_lifetimes_and_batches() -> None:
    """A law can be taken from a trace; VMs that never ended live forever in it."""
    life = Distribution.of({"fromTrace": DAY.name}).within(DAY.parent)
    batch = Distribution.of({"fromTrace": str(DAY), "field": "batch"})
    assert life.quantile(np.array([0.0, 0.99])).tolist() == [150.0, math.inf]
    assert batch.mean == pytest.approx(80375 / 17936)
    assert batch.quantile(np.array([0.5]))[0] == 1


def test_lives_cut_short_count_as_at_least_that_long() -> None:
    """Kaplan and Meier's estimate: a life cut short at 2 leaves its share to those that were longer."""
    table = survival(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, True]))
    assert table.values.tolist() == [1, 2, 3, 4, math.inf]
    np.testing.assert_allclose(table.weights, [0.25, 0, 0.375, 0.375, 0], atol=1e-15)
    assert survival(np.array([1.0, 5.0]), np.array([True, False])).weights.tolist() == [0.5, 0, 0.5]


def test_a_table_keeps_mean_and_order() -> None:
    """Values are merged and sorted."""
    table = ValueTable.of([3.0, 1.0, 3.0])
    assert table.values.tolist() == [1, 3]
    assert table.mean == pytest.approx(7 / 3)


FAULTS: list[tuple[object, str]] = [
    ("soon", "a distribution is a number or has one key of constant, exponential, "),
    (True, "a distribution is a number or has one key"),
    ({}, "a distribution is a number or has one key"),
    ({"constant": 1, "gamma": {}}, "a distribution is a number or has one key"),
    ({"exponentiall": {"mean": 3}}, "unknown distribution 'exponentiall'; did you mean exponential?"),
    (-1, "value of constant must be at least 0, not -1"),
    (math.nan, "constant needs a number as value, not nan"),
    ({"exponential": 3}, "exponential needs a mapping with mean"),
    ({"exponential": {}}, "mean of exponential is missing"),
    ({"exponential": {"mean": 0}}, "mean of exponential must be more than 0, not 0"),
    ({"exponential": {"mean": "3"}}, "exponential needs a number as mean, not '3'"),
    ({"exponential": {"mean": 3, "meen": 3}}, "unknown key 'meen' of exponential; did you mean mean?"),
    ({"uniform": {"low": 3, "high": 2}}, "uniform: low 3 is above high 2"),
    ({"uniform": {"low": -3, "high": 2}}, "low of uniform must be at least 0, not -3"),
    ({"geometric": {"mean": 0.5}}, "geometric: mean 0.5 is below 1, the least value"),
    ({"empirical": []}, "empirical needs a list with at least one entry"),
    ({"empirical": [1, -1]}, "a value of empirical must be at least 0, not -1"),
    ({"choice": [{"value": 1, "weight": 0}]}, "the weights of choice are all 0"),
    ({"choice": [3]}, "choice needs a mapping with value, weight"),
    ({"scipy": {"name": "nrom"}}, "scipy.stats has no distribution 'nrom'"),
    ({"scipy": {"name": "describe"}}, "scipy.stats has no distribution 'describe'"),
    ({"scipy": {"name": "norm", "args": [5]}}, "scipy norm has values from -inf, but they must not be negative"),
    ({"scipy": {"name": "gamma"}}, "scipy gamma does not take these parameters"),
    ({"scipy": {"name": "expon", "kwargs": {"scale": -1}}}, "scipy expon does not take these parameters"),
    ({"scipy": {"name": "expon", "args": 3}}, "scipy takes args as a list and kwargs as a mapping"),
    ({"fromTrace": ""}, "fromTrace needs the path of a trace"),
    ({"fromTrace": "x", "field": "lifetimes"}, "unknown field 'lifetimes' of fromTrace; did you mean lifetime?"),
    ({"fromTrace": "x", "gamma": 3}, "unknown key 'gamma' of fromTrace"),
]


@pytest.mark.parametrize(("data", "said"), FAULTS, ids=lambda one: str(one)[:40])
def test_a_wrong_distribution_is_a_sentence(data: object, said: str) -> None:
    """Every mistake is a ValueError that says which one."""
    with pytest.raises(ValueError, match="^" + re.escape(said)):
        Distribution.of(data)


def test_every_kind_has_a_name() -> None:
    """The kinds are those of the documents."""
    named = {field.alias or name for name, field in DistributionDoc.model_fields.items()}
    assert named == {*KINDS, "field"}
