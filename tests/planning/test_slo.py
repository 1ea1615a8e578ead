"""The largest demand that keeps success, against Erlang's loss formula."""

from __future__ import annotations

from typing import Any

import pytest

import simclone
from simclone.errors import InvalidInput
from tests.time.worlds import Doc, erlang_b, hosts, request, stream, world

HOUR = 3600


def load_of(servers: int, blocked: float) -> float:
    """The offered load at which Erlang B loses so large a share, by bisection."""
    low, high = 0.0, 10.0 * servers
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if erlang_b(servers, middle) < blocked else (low, middle)
    return low


def test_the_load_is_the_tables() -> None:
    """2.881 erlang lose 10 % on 5 servers, 4.461 lose 1 % on 10."""
    assert (load_of(5, 0.1), load_of(10, 0.01)) == pytest.approx((2.881, 4.461), abs=1e-3)


def lossy(servers: list[int], per_hour: float, hours: float) -> Doc:
    """Hosts of so many vCPUs, and units that live for an hour."""
    return world(
        hosts=[{**hosts(1, cpu=cpu)[0], "name": f"h{n}"} for n, cpu in enumerate(servers)],
        workload=[stream({"poisson": {"perHour": per_hour}}, lifetime={"exponential": {"mean": HOUR}})],
        run={"horizon": hours * HOUR, "warmUp": 10 * HOUR, "seed": 1},
    )


def assert_erlangs(servers: list[int], per_hour: float, target: float, hours: float, tolerance: float) -> None:
    """The load that is carried to the target; on the safe side, as the lower end of an interval must reach it."""
    plan = simclone.ReplicationPlan(replications=8)
    found = simclone.slo(lossy(servers, per_hour, hours), target, tolerance=tolerance, plan=plan)
    assert found.factor is not None
    true = load_of(sum(servers), 1 - target) / per_hour
    assert (1 - 4 * tolerance) * true < found.factor < (1 + 1.5 * tolerance) * true
    assert not found.capped


def test_the_factor_is_erlangs() -> None:
    """Today 2.5 erlang come to five servers on two hosts: 1.152 times as many lose 10 %, within 20 %."""
    assert_erlangs([2, 3], 2.5, 0.9, 110, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("servers", "per_hour", "target"), [([5], 8.0, 0.9), ([2, 3], 1.0, 0.9), ([4, 4, 2], 4.0, 0.95)]
)
def test_the_factor_is_erlangs_over_long_runs(servers: list[int], per_hour: float, target: float) -> None:
    """Up or down from today's rate, on one host or several, within 8 %."""
    assert_erlangs(servers, per_hour, target, 800, 0.02)


def test_every_trial_decided_as_it_says() -> None:
    """The factor told holds, and the next one above it does not, within the tolerance."""
    found = simclone.slo(lossy([5], 3.0, 60), 0.9, tolerance=0.1, plan=simclone.ReplicationPlan(replications=2))
    good = [factor for factor, _, low in found.trials if low >= 0.9]
    bad = [factor for factor, _, low in found.trials if low < 0.9]
    assert found.factor == max(good)
    assert min(bad) / max(good) - 1 <= 0.1
    assert min(bad) > max(good)
    assert len(found.to_frame()) == len(found.trials)


def asked(names: int, **more: Any) -> Doc:
    """A cloud for eight units, asked for some."""
    return world(requests=[request(0, *(f"n{n}" for n in range(names)))], **more)


def test_names_are_scaled_where_there_is_no_workload() -> None:
    """Four names in a cloud for eight: twice as many keep 99 %, and hardly more."""
    found = simclone.slo(asked(4), 0.99, plan=simclone.ReplicationPlan(replications=1))
    assert found.factor is not None
    assert 2.0 <= found.factor < 2.25


def test_where_nothing_is_placed_there_is_no_factor() -> None:
    """No host takes a VM however few are asked for."""
    doc = asked(4)
    for one in doc["hosts"]:
        one["state"] = "Disabled"
    doc["vms"][0] |= {"lastHost": "h1", "primaryStorage": "nfs"}
    found = simclone.slo(doc, 0.9, plan=simclone.ReplicationPlan(replications=1))
    assert found.factor is None
    assert found.figures() == {"factor": None}
    assert "not even a small share" in found.summary()


def test_demand_without_an_end_is_said_to_be_at_least() -> None:
    """A cloud for a hundred thousand takes a thousand times one name."""
    found = simclone.slo(asked(1, hosts=hosts(1, cpu=5_000)), 0.9, plan=simclone.ReplicationPlan(replications=1))
    assert (found.factor, found.capped) == (1024.0, True)
    assert "at least 1024 times" in found.summary()


@pytest.mark.parametrize(
    ("target", "tolerance", "words"), [(1.0, 0.01, "target: 1"), (0.0, 0.01, "target: 0"), (0.9, 0.0, "tolerance: 0")]
)
def test_shares_are_checked(target: float, tolerance: float, words: str) -> None:
    """Before anything is run."""
    with pytest.raises(InvalidInput, match=words):
        simclone.slo(asked(1), target, tolerance=tolerance)
