"""Affinity groups: enabling, joining, and spread over domains that can be reached."""

from __future__ import annotations

from typing import Any

import pytest

import simclone
from simclone.allocator.rules.affinity import enable_refusal
from simclone.allocator.rules.domains import domains_of, hosts_without_label
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


RACKS = [{"name": f"h{n}", "labels": {"rack": rack}} for n, rack in enumerate("aab")]


@pytest.mark.parametrize(
    ("policy", "over", "first", "second", "ok"),
    [
        ("antiHard", "rack", "h0", "h1", False),
        ("antiHard", "rack", "h0", "h2", True),
        ("antiHard", "cluster", "h0", "h2", False),
        ("affinityHard", "rack", "h0", "h1", True),
        ("affinityHard", "rack", "h0", "h2", False),
        ("affinityHard", "zone", "h0", "h2", True),
    ],
)
def test_joining_and_enabling_go_by_the_domain(policy: str, over: str, first: str, second: str, ok: bool) -> None:
    """What counts is the rack, cluster or zone of the members, not their host."""
    joining = [create("v0", first), member("v0", True), create("v1", second), member("v1", ok)]
    assert run_steps(scenario_of(world(policy, RACKS, over=over)).build(), joining).failures == ()
    enabling = [
        state("disable", True),
        *(create(f"v{number}", host) for number, host in enumerate((first, second))),
        *(member(f"v{number}", True) for number in range(2)),
        state("enable", ok),
    ]
    assert run_steps(scenario_of(world(policy, RACKS, over=over)).build(), enabling).failures == ()


@pytest.mark.parametrize("policy", ["antiHard", "affinityHard"])
def test_a_refusal_names_the_domain(policy: str) -> None:
    """The sentence says rack, or host where the group says nothing else."""
    for over in ("rack", "host"):
        cloud = scenario_of(world(policy, RACKS, over=over)).build().cloud
        cloud.groups[0].counts.update({0: 2} if policy == "antiHard" else {0: 1, 2: 1})
        assert f" {over}" in str(enable_refusal(cloud, 0))


def test_hosts_without_the_label_are_named() -> None:
    """Those that exist and lack it; none where the domain is no label."""
    hosts = [*RACKS, {"name": "h3"}, {"name": "h4", "labels": {"room": "1"}}]
    cloud = scenario_of(world("antiHard", hosts, over="rack")).build().cloud
    bare = {cloud.fleet.names[row] for row in hosts_without_label(cloud, "rack")}
    assert bare == {"h3", "h4"}
    assert [hosts_without_label(cloud, over) for over in ("host", "cluster", "zone")] == [(), (), ()]
    assert len(set(domains_of(cloud, "rack").tolist())) == 4


def placed(hosts: list[dict[str, Any]], names: int, **group: Any) -> int:
    """How many of so many clones in the group find a host."""
    document = world("spreadHard", hosts, over="rack", **group)
    document["vms"] = [{"name": "v", "instanceOffering": "o", "image": "i", "l3Networks": ["l3"], "state": "Stopped"}]
    body = {"names": [f"c{n}" for n in range(names)], "systemTags": ["affinityGroupUuid::g"]}
    document["requests"] = [{"vm": "v", "cloneVmInstance": body}]
    return simclone.run(document).answers[0].succeeded


def racks(*states: str) -> list[dict[str, Any]]:
    """One host a rack; ``full`` hosts have room for one, ``small`` ones for none; others have a state or status."""
    found = []
    for number, word in enumerate(states):
        host: dict[str, Any] = {"name": f"h{number}", "labels": {"rack": f"r{number}"}}
        if word in ("full", "small"):
            host["totalPhysicalMemory"] = "2GiB" if word == "full" else "1GiB"
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
        (("Enabled", "full"), 1, 3),
        (("Enabled", "full"), 3, 5),
        (("Enabled", "small"), 1, 6),
        (("Enabled", "Disabled"), 1, 6),
        (("Enabled", "Disconnected"), 1, 6),
    ],
)
def test_spread_waits_for_domains_that_can_be_reached(states: tuple[str, str], skew: int, expected: int) -> None:
    """A full rack holds the others back to the allowed skew; one that nobody can reach or is too small does not."""
    assert placed(racks(*states), 6, maxSkew=skew) == expected


def elsewhere(what: str) -> dict[str, Any]:
    """Rack r0 in cluster c0, rack r1 in cluster c1, which lacks something of what the VM needs."""
    document = world("spreadHard", racks("Enabled", "Enabled"), over="rack")
    for number, host in enumerate(document["hosts"]):
        host["cluster"] = f"c{number}"
    document["clusters"] = [{"name": "c0"}, {"name": "c1"}]
    source = {"name": "v", "instanceOffering": "o", "image": "i", "l3Networks": ["l3"], "state": "Stopped"}
    if what == "network":
        document["l2Networks"][0]["attachedClusters"] = ["c0"]
    elif what == "storage":
        document["primaryStorages"][0]["attachedClusters"] = ["c0"]
    elif what == "devices":
        document["hosts"][0]["pciDevices"] = {"gpu": 9}
        source["systemTags"] = ["pciDeviceSpec::gpu::1"]
    elif what == "host rule":
        document["hostGroups"] = [{"name": "hg", "hosts": ["h0"]}]
        document["affinityGroups"][0]["hostRule"] = {"policy": "affinityHard", "hostGroup": "hg"}
    document["vms"] = [source]
    return document


@pytest.mark.parametrize(
    ("what", "expected"), [("nothing", 6), ("network", 6), ("storage", 6), ("devices", 6), ("host rule", 6)]
)
def test_a_rack_that_can_never_hold_the_vm_does_not_block(what: str, expected: int) -> None:
    """All six are placed: on both racks, or on the one that has what they need."""
    document = elsewhere(what)
    body = {"names": [f"c{n}" for n in range(6)], "systemTags": ["affinityGroupUuid::g"]}
    document["requests"] = [{"vm": "v", "cloneVmInstance": body}]
    run = simclone.run(document)
    assert run.answers[0].succeeded == expected
    assert run.statistics().affinity_compliance_ratio == 1.0
    assert run.audit() == []
