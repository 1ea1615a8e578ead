"""How many more fit: columns, calls and single clones agree on generated clouds; small clouds have their answer."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simclone
from simclone.errors import InvalidInput
from simclone.units import GIB, MIB
from tests.clouds import examples
from tests.planning.small import SIZES, made_in_the_hand, running, small_clouds
from tests.time.worlds import Doc, hosts, request, vm, world


def room(doc: Doc, **more: Any) -> Any:
    """The only room of a headroom."""
    (found,) = simclone.headroom(doc, **more).rooms
    return found


def test_columns_calls_and_single_clones_agree() -> None:
    """Totals, reasons and clusters are the same three ways, with ratios, reserves, disabled hosts and two clusters."""
    how: Counter[str] = Counter()

    @given(small_clouds(), st.sampled_from(sorted(SIZES)))
    @settings(max_examples=examples(200))
    def compare(doc: Doc, kind: str) -> None:
        doc["vms"][0]["instanceOffering"] = kind
        fast, slow = room(doc, vm="v"), room(doc, vm="v", method="calls")
        assert slow.how == "calls"
        names = ("until_failure", "total", "reason", "clusters", "zones", "cpu", "memory")
        assert {name: getattr(fast, name) for name in names} == {name: getattr(slow, name) for name in names}
        assert made_in_the_hand(doc, "v") == fast.total
        beyond = simclone.run({**doc, "requests": [request(0, *(f"n{n}" for n in range(fast.total + 1)))]})
        assert (beyond.result.totals.placed, set(beyond.reasons())) == (fast.total, {fast.reason})
        clusters = {one["name"]: one["cluster"] for one in doc["hosts"]}
        went = Counter(clusters[host] for host in beyond.clones.host.dropna() if host)
        assert fast.clusters == dict(went)
        how[fast.how] += 1

    compare()
    assert how["columns"] > how["calls"]


@given(small_clouds(), st.sampled_from(sorted(SIZES)))
@settings(max_examples=examples(60))
def test_another_offering_is_the_vm_with_that_offering(doc: Doc, kind: str) -> None:
    """Asking for clones of another size is asking in a file whose source has that size."""
    asked = room(doc, vm="v", offerings=[kind])
    doc["vms"][0]["instanceOffering"] = kind
    alone = room(doc, vm="v")
    assert (asked.total, asked.reason, asked.clusters) == (alone.total, alone.reason, alone.clusters)


@pytest.mark.parametrize("unit_millis", [10, 50])
def test_four_nodes_hold_fifty_two_pods(unit_millis: int) -> None:
    """The example of cluster-capacity's README: 4 nodes of 2 CPU and 4 GB, pods of 150m and 100Mi, 13 on each."""
    nodes = [{"name": f"n{n}", "cpuNum": 2000 // unit_millis, "totalPhysicalMemory": 4 * 10**9} for n in range(4)]
    pod = {"name": "pod", "cpuNum": 150 // unit_millis, "memorySize": 100 * MIB}
    doc = world(hosts=nodes, instanceOfferings=[pod], vms=[vm("v", state="Stopped", instanceOffering="pod")])
    for method in ("auto", "calls"):
        found = room(doc, method=method)
        assert (found.total, found.until_failure, found.reason) == (52, 52, "host.cpu")
    alone = {**doc, "hosts": nodes[:1]}
    assert room(alone).total == 13
    names = [f"p{n}" for n in range(53)]
    clones = simclone.run({**doc, "requests": [request(0, *names)]}).clones
    assert sorted(clones[clones.ok].host.value_counts().to_dict().values()) == [13, 13, 13, 13]


def test_a_mix_fills_in_turn_until_no_kind_fits() -> None:
    """Two units to one wide on 12 vCPUs: of the third round only units fit, and they go on to the end."""
    kinds = [{"name": name, "cpuNum": cpu, "memorySize": GIB} for name, cpu in (("unit", 1), ("wide", 3))]
    found = simclone.headroom(world(hosts=hosts(1, cpu=12), instanceOfferings=kinds), mix={"unit": 2, "wide": 1})
    assert {one.name: (one.total, one.reason) for one in found.rooms} == {
        "unit": (6, "host.cpu"),
        "wide": (2, "host.cpu"),
    }
    assert "the first failure comes after 7 clones" in found.summary()


def test_batches_count_only_whole_calls() -> None:
    """Eight vCPUs take two calls of three names; the third call would be served in part."""
    found = room(world(), batch=3)
    assert (found.total, found.batches) == (8, 2)


def test_a_lost_host_takes_its_room_and_its_vms_room() -> None:
    """Two hosts of 4 vCPUs with a VM each: beside the VM of a lost host 2 of 6 clones are left."""
    doc = world(vms=[vm("v", state="Stopped"), running("a", "h1"), running("b", "h2")])
    found = room(doc, survive=1)
    assert (found.total, found.with_failures.total, found.with_failures.unplaced) == (6, 2, 0)


def test_a_source_that_fails_restarts_in_its_own_size() -> None:
    """Asked in wide clones, the running source of 1 vCPU still needs 1 vCPU when its host is lost, not 3."""
    kinds = [{"name": name, "cpuNum": cpu, "memorySize": GIB} for name, cpu in (("unit", 1), ("wide", 3))]
    doc = world(hosts=hosts(2, cpu=4), instanceOfferings=kinds, vms=[running("v", "h1")])
    found = room(doc, offerings=["wide"], survive=1)
    assert (found.total, found.with_failures.total) == (2, 1)
    tight = world(hosts=hosts(2, cpu=2), instanceOfferings=kinds, vms=[running("v", "h1")])
    assert room(tight, offerings=["wide"], survive=1).with_failures.unplaced == 0


def test_nothing_is_left_when_more_hosts_are_lost_than_there_are() -> None:
    """Three of two hosts lost are both of them, and the VM that runs finds no other."""
    found = room(world(vms=[vm("v", state="Stopped"), running("a", "h1")]), survive=3).with_failures
    assert (found.hosts, found.total, found.unplaced) == (("h1", "h2"), 0, 1)


def test_limits_of_an_account_count_for_its_calls_only() -> None:
    """A user who may run four VMs gets four; the administrator fills the hosts."""
    doc = world(accounts=[{"name": "u", "quota": {"vm.num": 4}}], vms=[vm("v", account="u", state="Stopped")])
    found = room(doc, account="u")
    assert (found.total, room(doc).total) == (4, 8)
    assert found.reason.startswith("quota")


def test_the_end_of_a_run_is_another_cloud() -> None:
    """Two clones the scenario makes itself are gone from the room at its end."""
    doc = world(requests=[request(0, "a", "b")])
    assert (room(doc).total, room(doc, at="end").total) == (8, 6)


def test_addresses_end_before_hosts_do() -> None:
    """A pool of three addresses is what it runs out of."""
    nets = [{"name": "l3", "l2Network": "l2", "ipRanges": [{"start": "10.0.0.1", "end": "10.0.0.4"}]}]
    doc = world(l3Networks=nets)
    found = room(doc)
    assert (found.how, found.total) == ("calls", room(doc, method="calls").total)
    assert found.total == made_in_the_hand(doc, "v") < 8


def test_the_largest_vm_is_the_largest_that_is_placed() -> None:
    """A VM of the told size is placed; of one byte or one vCPU more it is not."""
    doc = world({"mevoco.overProvisioning.memory": 1.5, "kvm.reservedMemory": GIB}, hosts=hosts(2, cpu=4))
    for one, memory in zip(doc["hosts"], (8 * GIB, 6 * GIB), strict=True):
        one["totalPhysicalMemory"] = memory
    hole = simclone.headroom(doc).hole
    assert hole.host == "h1"

    def placed(cpu: int, memory: int) -> int:
        size = [*doc["instanceOfferings"], {"name": "hole", "cpuNum": cpu, "memorySize": memory}]
        return int(room({**doc, "instanceOfferings": size}, vm="v", offerings=["hole"]).total)

    assert placed(hole.cpu_vcpus, hole.memory_bytes) >= 1
    assert placed(hole.cpu_vcpus + 1, hole.memory_bytes) == 0
    assert placed(hole.cpu_vcpus, hole.memory_bytes + 1) == 0


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"offerings": ["nothing"]}, "offering: 'nothing' is unknown (expected unit)"),
        ({"vm": "nobody"}, "vm: 'nobody' is unknown (expected v)"),
        ({"account": "nobody"}, "account: 'nobody' is unknown"),
        ({"batch": 0}, "batch: 0 is no size"),
        ({"batch": 10**9}, "batch: 1000000000 names are more than one call may hold (expected at most 10000)"),
        ({"survive": -1}, "survive: -1 is no number of hosts"),
        ({"method": "guess"}, "method: 'guess' is unknown"),
        ({"mix": {"unit": 0}}, "mix.unit: 0 is no weight"),
        ({"at": "noon"}, "at: 'noon' is no time"),
    ],
)
def test_a_wrong_question_says_where(given_: dict[str, Any], words: str) -> None:
    """Every fault names its place and what would be right."""
    with pytest.raises(InvalidInput) as caught:
        simclone.headroom(world(), **given_)
    assert words in str(caught.value)


def test_members_of_a_hard_group_are_counted_by_their_rule() -> None:
    """Three hosts take many clones, but one member of an antiHard group each."""
    doc = world(hosts=hosts(3, cpu=8), vms=[vm("v", state="Stopped")])
    doc["affinityGroups"] = [{"name": "g", "policy": "antiHard"}]
    free = simclone.headroom(doc).rooms[0]
    tied = simclone.headroom(doc, system_tags=["affinityGroupUuid::g"]).rooms[0]
    assert (free.total, free.how) == (24, "columns")
    assert (tied.total, tied.how, tied.reason) == (3, "calls", "affinity.antiHard")


def test_storage_that_refuses_the_first_clones_is_no_storage_that_lasts() -> None:
    """3 GiB hold one clone of 1 GiB beside the reserve; the hosts would take eight."""
    store = {"name": "nfs", "type": "NFS", "totalCapacity": "3GiB"}
    doc = world(primaryStorages=[store], vms=[vm("v", state="Stopped", lastHost="h1", primaryStorage="nfs")])
    (room,) = simclone.headroom(doc).rooms
    (slow,) = simclone.headroom(doc, method="calls").rooms
    assert (room.total, room.reason) == (slow.total, slow.reason)
    assert room.total < 8


def test_kinds_of_a_mix_are_counted_apart() -> None:
    """One host for the big ones, ten for the small: the first big one that fails ends no count but the common one."""
    kinds = [{"name": "big", "cpuNum": 5, "memorySize": GIB}, {"name": "unit", "cpuNum": 1, "memorySize": GIB}]
    where = {"state": "Stopped", "lastHost": "h1", "primaryStorage": "nfs"}
    doc = world(
        hosts=[{**hosts(1, cpu=5)[0]}, *({**one, "cpuNum": 1} for one in hosts(11)[1:])],
        instanceOfferings=kinds,
        vms=[vm("v", instanceOffering="unit", **where), vm("w", instanceOffering="big", **where)],
    )
    rooms = {one.name: one for one in simclone.headroom(doc, mix={"big": 1, "unit": 1}).rooms}
    assert sum(one.until_failure for one in rooms.values()) <= rooms["big"].total + rooms["unit"].total
    assert all(sum(one.clusters.values()) == one.total for one in rooms.values())
    with pytest.raises(simclone.InvalidInput, match="does not go with a mix"):
        simclone.headroom(doc, mix={"big": 1, "unit": 1}, survive=1)
