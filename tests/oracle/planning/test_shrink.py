"""`shrink` against trying every assignment of the VMs that must move."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import simclone
from tests.oracle.planning import rules, shrink
from tests.oracle.planning.clouds import (
    SIZES,
    Doc,
    clouds,
    examples,
    host,
    local,
    nfs,
    request,
    sources,
    stopped,
    vm,
    world,
)

ONE = simclone.ReplicationPlan(replications=1)
EXCLUDED: dict[str, str] = {}
"""Kinds of wrong answer kept out of the generated clouds, each with a test of its own below."""


def on_one_host(doc: Doc) -> Doc:
    """The cloud with the VMs of its most loaded host alone, so that no order of the file matters."""
    homes = [entry["host"] for entry in doc["vms"] if "host" in entry]
    busiest = max(homes, key=lambda home: (homes.count(home), home))
    vms = [entry for entry in doc["vms"] if entry["host"] == busiest]
    return {**doc, "vms": vms}


@st.composite
def asked(draw: st.DrawFn, /, **more: Any) -> tuple[Doc, shrink.Demand]:
    """A cloud with up to six clones asked for in one call."""
    kinds = (draw(st.sampled_from(sorted(SIZES))),) if "another-assignment" in EXCLUDED else tuple(SIZES)
    usual: dict[str, Any] = {
        "has_stopped_vms": "stopped-vms" not in EXCLUDED,
        "kinds": kinds,
        "most_hosts": 5,
        "is_tight": False,
    }
    doc = draw(clouds(**{**usual, **more}))
    if "order-of-file" in EXCLUDED:
        doc = on_one_host(doc)
    names = draw(st.integers(0, 6))
    source = sources(doc)[:1]
    if not names or not source:
        return doc, ()
    doc["requests"] = [request(0, *(f"n{n}" for n in range(names)), source=source[0])]
    return doc, [(rules.Call(source[0]), names)]


@given(asked())
@settings(max_examples=examples(100))
def test_what_may_go_can_go_and_no_larger_set(case: tuple[Doc, shrink.Demand]) -> None:
    """Every VM of the hosts that go, and every clone, has a place; where no more may go, no more can."""
    doc, demand = case
    cloud = rules.cloud_of(doc)
    found = simclone.shrink(doc, plan=ONE)
    most = shrink.most_that_can_go(cloud, demand)
    assert found.possible is (most is not None)
    if found.possible:
        assert shrink.can_go(cloud, found.removed, demand)
        assert found.exact
        assert len(found.removed) == most


@given(
    asked(
        storages=("shared",),
        kinds=("unit",),
        has_vms_on_idle_hosts="busy-idle-hosts" not in EXCLUDED,
    ),
    st.integers(1, 2),
)
@settings(max_examples=examples(60))
def test_as_many_go_as_the_spare_ones_allow(case: tuple[Doc, shrink.Demand], spare: int) -> None:
    """VMs of one size on shared storage: everything still fits when any so many more hosts are lost."""
    doc, demand = case
    if "spare-before-clones" in EXCLUDED:
        doc, demand = {**doc, "requests": []}, ()
    cloud = rules.cloud_of(doc)
    found = simclone.shrink(doc, spare=spare, plan=ONE)
    most = shrink.most_with_spare(cloud, spare, demand)
    assert found.possible is (most is not None)
    if found.possible:
        assert shrink.holds_with_spare(cloud, found.removed, spare, demand)
        assert len(found.removed) == most


def removed(doc: Doc, **more: Any) -> int | None:
    """How many hosts the package lets go, None where it says that not even all are enough."""
    found = simclone.shrink(doc, plan=ONE, **more)
    return len(found.removed) if found.possible else None


def test_vms_further_down_in_the_file_hold_their_hosts() -> None:
    """Two full hosts: none can go, whichever VM stands first."""
    doc = world([host("h1", 2), host("h2", 2)], [nfs()], [vm("v", "nfs", "odd", host="h1")])
    doc["vms"].append(vm("r", "nfs", "odd", host="h2"))
    assert shrink.most_that_can_go(rules.cloud_of(doc)) == 0
    assert removed(doc) == 0


def test_local_volumes_further_down_in_the_file_hold_their_disk() -> None:
    """Disks of 3 GiB keep one back and hold a root and a half each: no host can go."""
    doc = world([host("h1"), host("h2")], [local(h1=3, h2=3)], [vm("v", "local", host="h1")])
    doc["vms"] += [vm("r", "local", host="h2"), vm("s", "local", host="h2")]
    assert shrink.most_that_can_go(rules.cloud_of(doc)) == 0
    assert removed(doc) == 0


def test_another_assignment_lets_a_host_go() -> None:
    """First fit puts the unit where alone the odd one fits; the other way round both fit."""
    vms = [vm("v", "nfs", host="h1", cpuNum=6), vm("w", "nfs", host="h2", cpuNum=4)]
    vms += [vm("r", "nfs", "unit", host="h3"), vm("s", "nfs", "odd", host="h3")]
    doc = world([host("h1", 8), host("h2", 5), host("h3", 3)], [nfs()], vms)
    for offering in doc["instanceOfferings"]:
        offering["allocatorStrategy"] = rules.FIRST_FIT
    assert shrink.can_go(rules.cloud_of(doc), ["h3"])
    assert removed(doc) == 1


def test_a_stopped_vm_needs_no_host() -> None:
    """The other host is full; the stopped VM holds nothing of either."""
    doc = world([host("h1", 2), host("h2", 1)], [nfs()], [vm("v", "nfs", "odd", host="h1"), stopped("s", "nfs", "h2")])
    assert shrink.most_that_can_go(rules.cloud_of(doc)) == 1
    assert removed(doc) == 1


def test_clones_need_room_when_a_spare_host_is_lost() -> None:
    """Five clones do not fit on the four vCPUs that one of two hosts leaves."""
    doc = world([host("h1"), host("h2")], [nfs()], [stopped("v", "nfs", "h1")], requests=[request(0, *"abcde")])
    assert shrink.most_with_spare(rules.cloud_of(doc), 1, [(rules.Call("v"), 5)]) is None
    assert removed(doc, spare=1) is None


def test_a_disabled_host_that_runs_vms_may_be_the_one_lost() -> None:
    """Its VM of 3 vCPUs fits on no other host."""
    hosts = [host("h1", 2), host("h2", 3, state="Disabled"), host("h3", 2)]
    doc = world(hosts, [nfs()], [stopped("v", "nfs", "h1"), vm("r", "nfs", "wide", host="h2")])
    assert not simclone.survive(doc, each=("host",)).cases[1].safe
    assert removed(doc, spare=1) is None


def test_a_refusal_for_a_quota_keeps_no_host() -> None:
    """The account may run nothing, with two hosts or with one."""
    doc = world([host("h1"), host("h2")], [nfs()], [vm("v", "nfs", host="h1")], requests=[request(0, "a")])
    doc["accounts"] = [{"name": "u", "quota": {"vm.num": 0}}]
    doc["requests"][0]["account"] = "u"
    assert removed(doc) == 1
