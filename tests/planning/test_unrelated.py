"""One refusal that has nothing to do with hosts leaves every answer about hosts as it is, and is told."""

from __future__ import annotations

from typing import Any

import pytest

import simclone
from tests.time.worlds import Doc, hosts, request, stream, vm, world

ONE = simclone.ReplicationPlan(replications=1)

ACCOUNTS = [{"name": "team", "quota": {"vm.num": 0}}]
NETS = {
    "l3Networks": [
        {"name": "l3", "l2Network": "l2", "dhcp": False, "ipRanges": []},
        {"name": "full", "l2Network": "l2", "ipRanges": [{"start": "10.0.0.1", "end": "10.0.0.1"}]},
    ],
}
WHERE = {"state": "Stopped", "lastHost": "h1", "primaryStorage": "nfs"}
REFUSALS: dict[str, tuple[Doc, Doc, str]] = {
    "quota": ({"accounts": ACCOUNTS}, request(0, "x1", "x2") | {"account": "team"}, "quota.vm.num"),
    "body": ({}, request(0, "x1", "x2", strategy="Never"), "SYS"),
    "network": (
        {**NETS, "vms": [vm("v", **WHERE), vm("far", **WHERE, l3Networks=["full"])]},
        request(0, "x1", "x2", source="far"),
        "ip.exhausted",
    ),
}


def without(names: int = 9, **more: Any) -> Doc:
    """Hosts of four vCPUs and so many units asked for in two calls."""
    asked = [request(1, *(f"n{n}" for n in range(names - 1))), request(2, "last")]
    return world(vms=[vm("v", **WHERE)], requests=asked, **more)


def with_refusal(kind: str, names: int = 9, **more: Any) -> Doc:
    """The same with a request that is refused whatever hosts there are."""
    parts, refused, _ = REFUSALS[kind]
    doc = without(names, **more)
    return {**doc, **parts, "requests": [refused, *doc["requests"]]}


@pytest.mark.parametrize("kind", ["quota", "body"])
@pytest.mark.parametrize("names", [7, 9, 14])
def test_size_judges_the_rest(kind: str, names: int) -> None:
    """As many hosts as without it, and the reason is named."""
    model = simclone.Model("m", like="h1")
    answer = simclone.size(with_refusal(kind, names), [model], plan=ONE)
    assert answer.counts == simclone.size(without(names), [model], plan=ONE).counts
    assert sum(answer.apart.values()) == 2
    assert "apart" in answer.summary()
    share = simclone.size(with_refusal(kind, names), [model], target=0.9, plan=ONE)
    assert share.counts == simclone.size(without(names), [model], target=0.9, plan=ONE).counts


def test_size_says_what_hosts_would_do_beside_a_network_that_is_short() -> None:
    """No number of hosts is enough, but that apart one more is."""
    answer = simclone.size(with_refusal("network"), [simclone.Model("m", like="h1")], plan=ONE)
    assert answer.counts is None
    assert "ip.exhausted" in answer.summary()
    assert "that apart, 1 of m (like h1) would be enough" in answer.summary()
    assert max(trial.counts[0] for trial in answer.trials) <= 64


@pytest.mark.parametrize("kind", REFUSALS)
@pytest.mark.parametrize("names", [3, 7, 9, 20])
def test_shrink_judges_the_rest(kind: str, names: int) -> None:
    """The same hosts may go as without it, and where not even all hold the others that is still said."""
    fleet = {"hosts": hosts(4)}
    answer = simclone.shrink(with_refusal(kind, names, **fleet), plan=ONE)
    usual = simclone.shrink(without(names, **fleet), plan=ONE)
    assert (answer.removed, answer.possible) == (usual.removed, usual.possible)
    assert not usual.apart
    assert sum(answer.apart.values()) == 2
    assert "(2 names)" in answer.summary()


@pytest.mark.parametrize("kind", REFUSALS)
def test_slo_judges_the_rest(kind: str) -> None:
    """The same factor as without it."""
    load: Doc = {"workload": [stream({"every": 10}, lifetime=60)], "run": {"horizon": 600}}
    plan = simclone.ReplicationPlan(replications=2)
    with_it, usual = with_refusal(kind, 2, **load), without(2, **load)
    usual["requests"] = []
    with_it["requests"] = with_it["requests"][:1]
    answer, expected = simclone.slo(with_it, 0.95, plan=plan), simclone.slo(usual, 0.95, plan=plan)
    assert expected.factor is not None
    assert answer.factor == expected.factor
    assert answer.apart
    assert "apart" in answer.summary()


def test_a_quota_that_only_demand_uses_up_limits_the_demand() -> None:
    """Six VMs run today of nine that are allowed; more demand meets the quota before the hosts."""
    load: Doc = {
        "accounts": [{"name": "team", "quota": {"vm.num": 7}}],
        "workload": [stream({"every": 10}, lifetime=60, account="team")],
        "run": {"horizon": 600},
    }
    answer = simclone.slo(world(hosts=hosts(20), **load), 0.95, plan=ONE)
    assert answer.factor is not None
    assert answer.factor < 2
    assert not answer.apart


@pytest.mark.parametrize("kind", REFUSALS)
def test_bound_judges_the_rest(kind: str) -> None:
    """Names of a request that cannot run count for nothing."""
    answer, usual = simclone.bound(with_refusal(kind, 12), plan=ONE), simclone.bound(without(12), plan=ONE)
    assert (answer.bound, answer.asked) == (usual.bound, usual.asked + 2)
    if kind != "network":
        assert [name for name, _ in answer.refused] == ["request-x1"]
        assert "none of its 2 names can run" in answer.summary()
