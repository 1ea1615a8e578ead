"""Affinity groups: enabling, joining, and spread over domains that can be reached."""

from __future__ import annotations

from typing import Any

import pytest

import simclone
from simclone.changes.load import scenario_of
from simclone.check.run import run_steps


def world(policy: str, hosts: list[dict[str, Any]], **group: Any) -> dict[str, Any]:
    """A cloud with one group and room everywhere."""
    return {
        "hosts": [{"cpuNum": 16, "totalPhysicalMemory": "64GiB", **host} for host in hosts],
        "primaryStorages": [{"name": "nfs", "type": "NFS", "totalCapacity": "10TiB"}],
        "backupStorages": [{"name": "is", "type": "ImageStoreBackupStorage"}],
        "images": [{"name": "i", "size": "1GiB", "actualSize": 0}],
        "l2Networks": [{"name": "l2"}],
        "l3Networks": [{"name": "l3", "l2Network": "l2", "ipRanges": [{"start": "10.0.0.1", "end": "10.0.0.99"}]}],
        "instanceOfferings": [{"name": "o", "cpuNum": 1, "memorySize": "1GiB"}],
        "affinityGroups": [{"name": "g", "policy": policy, **group}],
    }


def create(name: str, host: str, **more: Any) -> dict[str, Any]:
    """A step that puts a VM on a host."""
    spec = {"name": name, "instanceOffering": "o", "image": "i", "l3Networks": ["l3"], "host": host, **more}
    return {"op": "create", "spec": spec, "expect": {"ok": True}}


def member(vm: str, ok: bool) -> dict[str, Any]:
    """A step that makes a VM a member."""
    return {"op": "addVmToAffinityGroup", "spec": {"affinityGroup": "g", "vm": vm}, "expect": {"ok": ok}}


def state(event: str, ok: bool) -> dict[str, Any]:
    """A step that enables or disables the group."""
    return {"op": "changeAffinityGroupState", "spec": {"affinityGroup": "g", "event": event}, "expect": {"ok": ok}}


TWO = [{"name": "h1"}, {"name": "h2"}]


@pytest.mark.parametrize(
    ("policy", "places", "ok"),
    [
        ("antiHard", ("h1", "h2"), True),
        ("antiHard", ("h1", "h1"), False),
        ("affinityHard", ("h1", "h1"), True),
        ("affinityHard", ("h1", "h2"), False),
        ("antiSoft", ("h1", "h1"), True),
    ],
)
def test_enabling_asks_whether_the_running_members_stand_by_the_rule(
    policy: str, places: tuple[str, str], ok: bool
) -> None:
    """A disabled group takes anybody; it can be enabled only if its members meet a hard rule as they run."""
    steps = [
        state("disable", True),
        *(create(f"v{number}", host) for number, host in enumerate(places)),
        *(member(f"v{number}", True) for number in range(2)),
        state("enable", ok),
    ]
    assert run_steps(scenario_of(world(policy, TWO)).build(), steps).failures == ()


@pytest.mark.parametrize(
    ("policy", "host", "ok"),
    [("antiHard", "h1", False), ("antiHard", "h2", True), ("affinityHard", "h1", True), ("affinityHard", "h2", False)],
)
def test_a_running_vm_joins_a_hard_group_only_where_it_may_stand(policy: str, host: str, ok: bool) -> None:
    """The first member may stand anywhere, the second only by the rule."""
    steps = [create("first", "h1"), member("first", True), create("second", host), member("second", ok)]
    assert run_steps(scenario_of(world(policy, TWO)).build(), steps).failures == ()


def placed(hosts: list[dict[str, Any]], names: int, **group: Any) -> int:
    """How many of so many clones in the group find a host."""
    document = world("spreadHard", hosts, over="rack", **group)
    document["vms"] = [{"name": "v", "instanceOffering": "o", "image": "i", "l3Networks": ["l3"], "state": "Stopped"}]
    body = {"names": [f"c{n}" for n in range(names)], "systemTags": ["affinityGroupUuid::g"]}
    document["requests"] = [{"vm": "v", "cloneVmInstance": body}]
    return simclone.run(document).answers[0].succeeded


def racks(*states: str) -> list[dict[str, Any]]:
    """One host a rack; ``full`` hosts have room for none, other words are their state or status."""
    found = []
    for number, word in enumerate(states):
        host: dict[str, Any] = {"name": f"h{number}", "labels": {"rack": f"r{number}"}}
        if word == "full":
            host["totalPhysicalMemory"] = "1GiB"
        elif word == "Disconnected":
            host["status"] = word
        else:
            host["state"] = word
        found.append(host)
    return found


@pytest.mark.parametrize(
    ("states", "skew", "expected"),
    [
        (("Enabled", "Enabled"), 1, 6),
        (("Enabled", "full"), 1, 1),
        (("Enabled", "full"), 3, 3),
        (("Enabled", "Disabled"), 1, 6),
        (("Enabled", "Disconnected"), 1, 6),
    ],
)
def test_spread_waits_for_domains_that_can_be_reached(states: tuple[str, str], skew: int, expected: int) -> None:
    """A full rack holds the others back to the allowed skew; a rack nobody can reach does not."""
    assert placed(racks(*states), 6, maxSkew=skew) == expected
