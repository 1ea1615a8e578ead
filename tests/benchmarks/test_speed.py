"""Speed by pytest-benchmark; nothing is asserted of time. Run with ``pytest -m bench tests/benchmarks``."""

from __future__ import annotations

from typing import Any

import pytest

import simclone
from simclone.bench.cloud import flavour_requests, opened
from simclone.bench.placement import run_placement
from simclone.bench.simulation import run_simulation
from simclone.chance import Identity
from simclone.placement.host import decide, dry_run
from tests.time.worlds import hosts, request, world

pytestmark = pytest.mark.bench


@pytest.mark.parametrize("policy", ["fewest", "worst", "best", "first"])
@pytest.mark.parametrize("regime", ["churn", "fill"])
def test_placement(benchmark: Any, regime: str, policy: str) -> None:
    """20,000 requests on 1,000 hosts, index included."""
    found = benchmark.pedantic(run_placement, (1000, 20_000, regime, policy), rounds=3)
    assert found.placed


def test_simulation(benchmark: Any) -> None:
    """10,000 VMs that come and go on 1,000 hosts."""
    assert benchmark.pedantic(run_simulation, (1000, 10_000, "worst"), rounds=3).placed == 10_000


@pytest.mark.parametrize("indexed", [True, False], ids=["index", "plain"])
@pytest.mark.parametrize("ask", [decide, dry_run], ids=["decide", "dry run"])
def test_one_decision(benchmark: Any, ask: Any, indexed: bool) -> None:
    """One question at 10,000 hosts, with its steps."""
    ctx = opened(10_000)
    ctx.cloud.record_steps, ctx.cloud.indexed = True, indexed
    asked = flavour_requests("fewest")[0]
    for _ in range(3):
        ask(asked, ctx.cloud, Identity("bench", 0))
    assert benchmark(ask, asked, ctx.cloud, Identity("bench", 0)).host >= 0


@pytest.mark.parametrize("keep", ["all", "summary"])
@pytest.mark.parametrize("names", [1, 20])
def test_clone_calls(benchmark: Any, names: int, keep: str) -> None:
    """400 clones in calls of one or twenty names on 200 hosts: storage, cards, images, answers."""
    asked = [request(n, *(f"c{n}-{copy}" for copy in range(names))) for n in range(400 // names)]
    scenario = simclone.load(world(hosts=hosts(200, cpu=64), requests=asked, run={"keep": keep}))
    assert benchmark.pedantic(simclone.run, (scenario,), rounds=3).result.totals.placed == 400


def test_load(benchmark: Any) -> None:
    """100,000 hosts by columns."""
    assert benchmark.pedantic(opened, (100_000,), rounds=2).cloud.fleet.row_count == 100_000
