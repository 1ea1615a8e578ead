"""`survive` against the restated rules: each VM of a lost host starts where they allow it, or stays down."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import simclone
from tests.oracle.planning import rules, survive
from tests.oracle.planning.clouds import Doc, clouds, examples, host, nfs, sources, stopped, vm, world

POLICIES = ("antiHard", "affinityHard", "antiSoft")
KINDS: tuple[Any, ...] = ("host", "pair", "cluster", "zone")
EXCLUDED = {
    "over-racks": "only spread rules look at what a group is counted over",
}
"""Kinds of wrong answer kept out of the generated clouds, each with a test of its own."""


@st.composite
def cloudy(draw: st.DrawFn) -> Doc:
    """A cloud with a group at times, VMs on most hosts."""
    groups = POLICIES if draw(st.booleans()) else ()
    overs = ("host",) if "over-racks" in EXCLUDED else ("host", "rack")
    return draw(clouds(policies=groups, overs=overs, most_vms=8))


@given(cloudy())
@settings(max_examples=examples(100))
def test_every_loss_ends_as_the_rules_allow(doc: Doc) -> None:
    """Hosts, pairs, clusters, the zone and racks: what is lost, where its VMs start, and which have no place."""
    cloud = rules.cloud_of(doc)
    found = simclone.survive(doc, each=KINDS, label="rack")
    for kind in (*KINDS, "rack"):
        expected = survive.cases(cloud, kind)
        lost = {case.name: case.loss for case in found.cases if case.kind == kind}
        assert {name: set(loss.hosts) for name, loss in lost.items()} == {
            name: set(hosts) for name, hosts in expected.items()
        }
        for loss in lost.values():
            assert not survive.fault_of(cloud, loss.hosts, dict(loss.restarted), [name for name, _ in loss.lost])


@given(
    clouds(
        most_hosts=4,
        most_vms=4,
        storages=("shared", "local") if "own-storage-on-columns" in EXCLUDED else ("shared", "own", "local"),
        has_vms_on_idle_hosts="busy-idle-hosts" not in EXCLUDED,
    )
)
@settings(max_examples=examples(40))
def test_a_rung_is_the_worst_of_all_sets(doc: Doc) -> None:
    """The told set may come to the told number, and no set is sure to come to less."""
    cloud, source = rules.cloud_of(doc), sources(doc)[0]
    for rung in simclone.survive(doc, each=(), ladder=2, vm=source).ladder:
        possible = survive.ceilings(cloud, rules.Call(source), rung.k)
        assert rung.ceiling in possible[rung.worst.hosts]
        assert min(map(min, possible.values())) <= rung.ceiling <= min(map(max, possible.values()))


def test_the_ladder_loses_disabled_hosts_that_run_vms() -> None:
    """A VM of 6 vCPUs on a Disabled host finds no other host: not even today's VM is safe."""
    hosts = [host("h1"), host("h2", 6, state="Disabled"), host("h3")]
    vms = [stopped("v", "nfs", "h1"), vm("r", "nfs", host="h2")]
    del vms[1]["instanceOffering"]
    doc = world(hosts, [nfs()], [vms[0], vms[1] | {"cpuNum": 6, "memorySize": "1GiB"}])
    assert survive.ceilings(rules.cloud_of(doc), rules.Call("v"), 1)["h2",] == {0}
    found = simclone.survive(doc, each=("host",), ladder=1, vm="v")
    assert not next(case for case in found.cases if case.name == "h2").safe
    assert found.ladder[1].ceiling == 0


def test_members_apart_over_racks_start_in_a_rack_of_their_own() -> None:
    """One member a rack: the member of the rack that is lost has no other rack to go to."""
    hosts = [host(name, labels={"rack": rack}) for name, rack in (("h1", "a"), ("h2", "b"), ("h3", "b"))]
    vms = [vm("v", "nfs", host="h1", affinityGroup="g"), vm("r", "nfs", host="h2", affinityGroup="g")]
    doc = world(hosts, [nfs()], vms, affinityGroups=[{"name": "g", "policy": "antiHard", "over": "rack"}])
    (case,) = (case for case in simclone.survive(doc, each=("host",)).cases if case.name == "h1")
    assert not survive.fault_of(rules.cloud_of(doc), ["h1"], {}, ["v"])
    assert [name for name, _ in case.loss.lost] == ["v"]
