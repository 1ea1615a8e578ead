"""What a scenario costs over its time, restated; the same in the summary, in compare, in size and on the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simclone
from simclone.planning.parts.costs import MONTH_S, cost_of
from simclone.units import GIB
from tests.clouds import examples
from tests.time.worlds import Doc, hosts, request, world

ONE = simclone.ReplicationPlan(replications=1)
PRICES = {"hostMonth": 100, "hostMonths": {"h1": 300}, "hostWatts": 500, "powerKwh": 0.2}
PRICES |= {"licenceCoreMonth": 7, "storageGibMonth": 0.01}


def priced(**more: Any) -> Doc:
    """Two hosts of four cores and 1,000 GiB of NFS, with prices."""
    storage = {"name": "nfs", "type": "NFS", "totalCapacity": 1000 * GIB}
    return world(prices=PRICES, primaryStorages=[storage], requests=[request(0, *"abcdefghi")], **more)


MONTHLY = 300 + 100 + 2 * 0.5 * 730.5 * 0.2 + 2 * 4 * 7 + 1000 * 0.01
ONE_MORE = 100 + 0.5 * 730.5 * 0.2 + 4 * 7


def test_a_scenario_without_a_horizon_costs_by_the_month() -> None:
    """Hosts, power, licences and storage, in words too."""
    cost = cost_of(simclone.load(priced()))
    assert cost is not None
    assert (cost.total, cost.of_horizon) == (pytest.approx(MONTHLY), False)
    assert (cost.hosts, cost.licences, cost.storage) == pytest.approx((400, 56, 10))
    assert f"Costs {MONTHLY:.2f} a month" in simclone.run(priced()).summary()


@given(st.integers(1, 24), st.integers(0, 30), st.integers(1, 3))
@settings(max_examples=examples(30))
def test_a_host_costs_from_when_it_joins(months: int, joins: int, count: int) -> None:
    """Over the horizon, those that join later for what is left of it."""
    added = {"name": "x{n}", "cluster": "cluster", "cpuNum": 4, "totalPhysicalMemory": 64 * GIB, "count": count}
    doc = priced(run={"horizon": months * MONTH_S}, incidents=[{"at": joins * MONTH_S, "addHosts": added}])
    cost = cost_of(simclone.load(doc))
    assert cost is not None
    assert cost.total == pytest.approx(months * MONTHLY + count * max(months - joins, 0) * ONE_MORE)
    assert cost.of_horizon


def test_without_monthly_prices_nothing_is_said() -> None:
    """Prices of fixes alone say nothing of a scenario's time."""
    doc = world(prices={"addHost": 50}, requests=[request(0, "a")])
    assert cost_of(simclone.load(doc)) is None
    assert "Costs" not in simclone.run(doc).summary()


def test_compare_computes_costs_and_takes_those_that_are_typed() -> None:
    """A variant with a host more costs a host more; like h1 it costs what h1 does."""
    changes = {
        "one more": [{"addHosts": {"like": "h2"}}],
        "like h1": [{"addHosts": {"like": "h1"}}],
        "typed": [{"addHosts": {"like": "h2"}}],
    }
    answer = simclone.compare(priced(), changes=changes, costs={"typed": 1.0}, plan=ONE)
    costs = {item.name: item.cost for item in answer.variants}
    assert costs == {
        "as it is": pytest.approx(MONTHLY),
        "one more": pytest.approx(MONTHLY + ONE_MORE),
        "like h1": pytest.approx(MONTHLY + ONE_MORE + 200),
        "typed": 1.0,
    }


def test_size_says_what_the_scenario_costs_with_the_hosts() -> None:
    """One host more than as it is."""
    answer = simclone.size(priced(), [simclone.Model("m", like="h2")], plan=ONE)
    assert answer.counts == (1,)
    assert answer.figures()["running_cost"] == pytest.approx(MONTHLY + ONE_MORE)
    assert f"That is {ONE_MORE:.2f} more than as it is." in answer.summary()
    plain = simclone.size(priced(hosts=hosts(3)), [simclone.Model("m", like="h2")], plan=ONE)
    assert plain.counts == (0,)
    assert "That is 0.00 more" in plain.summary()


def test_the_page_has_a_section_of_costs(tmp_path: Path) -> None:
    """Where prices by the month are given."""
    pytest.importorskip("plotly")
    page = simclone.run(priced()).report(tmp_path / "page.html").read_text("utf-8")
    assert f"Costs {MONTHLY:.2f} a month" in page
    assert ">licences<" in page
