"""`headroom` against making clones one after the other under the restated rules."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import simclone
from tests.oracle.planning import headroom, rules
from tests.oracle.planning.clouds import GIB, Doc, clouds, examples, host, local, nfs, sources, stopped, vm, world

POLICIES = ("antiHard", "affinityHard", "antiSoft")
EXCLUDED: dict[str, str] = {}
"""Kinds of wrong answer kept out of the generated clouds, each with a test of its own below."""
COUNTED = ("shared", "local") if "own-storage-on-columns" in EXCLUDED else ("shared", "own", "local")
"""Layouts of storage that columns are compared on."""


def answer(doc: Doc, source: str, **more: Any) -> Any:
    """The only room of the package's answer."""
    (room,) = simclone.headroom(doc, vm=source, **more).rooms
    return room


def methods(doc: Doc) -> list[dict[str, bool]]:
    """The ways to count that are compared on a cloud."""
    own = len(doc["primaryStorages"]) > 1 and "own-storage-on-columns" in EXCLUDED
    return [{"one_by_one": True}] if own else [{}, {"one_by_one": True}]


@st.composite
def asked(draw: st.DrawFn, /, **more: Any) -> tuple[Doc, str]:
    """A cloud, mostly with the usual strategy, and one of its sources."""
    doc = draw(clouds(strategy=draw(st.sampled_from([None, None, rules.FIRST_FIT])), **more))
    return doc, draw(st.sampled_from(sources(doc)))


@given(asked(), st.booleans())
@settings(max_examples=examples(100))
def test_room_of_one_offering(case: tuple[Doc, str], in_calls: bool) -> None:
    """Counted on columns or in calls, the number is one that single calls may come to."""
    doc, source = case
    possible = headroom.room(rules.cloud_of(doc), rules.Call(source))
    found = answer(doc, source, **(methods(doc)[-1 if in_calls else 0]))
    assert found.until_failure in possible
    assert found.total in possible
    assert found.until_failure <= found.total


@given(asked(has_quotas=True))
@settings(max_examples=examples(30))
def test_room_of_an_account(case: tuple[Doc, str]) -> None:
    """Limits of the account that asks, and those of the source's owner in the dry run, end the count."""
    doc, source = case
    possible = headroom.room(rules.cloud_of(doc), rules.Call(source, account="u"))
    assert answer(doc, source, account="u", **methods(doc)[0]).total in possible


@given(asked(policies=POLICIES))
@settings(max_examples=examples(30))
def test_room_of_members_of_a_group(case: tuple[Doc, str]) -> None:
    """Clones that join a group with members keep its rule."""
    doc, source = case
    possible = headroom.room(rules.cloud_of(doc), rules.Call(source, group="g"))
    how = methods(doc)[-1 if "affinity-on-columns" in EXCLUDED else 0]
    assert answer(doc, source, system_tags=["affinityGroupUuid::g"], **how).total in possible


@given(asked(most_hosts=4), st.integers(2, 3))
@settings(max_examples=examples(30))
def test_whole_batches(case: tuple[Doc, str], size: int) -> None:
    """Calls of so many names that are served whole."""
    doc, source = case
    possible = headroom.whole_calls(rules.cloud_of(doc), rules.Call(source), size)
    assert answer(doc, source, batch=size).batches in possible


@given(asked(most_hosts=4), st.sampled_from([{"unit": 2, "wide": 1}, {"tall": 1, "odd": 1}, {"wide": 1, "unit": 3}]))
@settings(max_examples=examples(30))
def test_a_mix_in_turn(case: tuple[Doc, str], weights: dict[str, int]) -> None:
    """Two offerings by weight, each until it finds no place."""
    doc, source = case
    kinds = [rules.Call(source, offering=name) for name in weights]
    possible = headroom.mix(rules.cloud_of(doc), kinds, list(weights.values()))
    rooms = {room.name: room.total for room in simclone.headroom(doc, vm=source, mix=weights).rooms}
    assert tuple(rooms[name] for name in weights) in possible


@given(asked(most_hosts=4, most_vms=4, has_vms_on_idle_hosts="busy-idle-hosts" not in EXCLUDED), st.integers(1, 2))
@settings(max_examples=examples(60))
def test_room_beside_lost_hosts(case: tuple[Doc, str], size: int) -> None:
    """The worst set of hosts that are lost, whose VMs start elsewhere first."""
    doc, source = case
    possible = headroom.rooms_after_loss(rules.cloud_of(doc), rules.Call(source), size)
    found = answer(doc, source, survive=size, **methods(doc)[0]).with_failures
    assert found.total in possible[found.hosts]
    assert min(map(min, possible.values())) <= found.total <= min(map(max, possible.values()))


@given(asked(most_hosts=4, storages=COUNTED), st.integers(1, 3))
@settings(max_examples=examples(30))
def test_room_in_one_call(case: tuple[Doc, str], halves: int) -> None:
    """A source with written bytes: the call's snapshot and cached images take their room once."""
    doc, source = case
    for entry in doc["vms"]:
        entry["rootActualSize"] = halves * GIB // 2
    possible = headroom.one_call(rules.cloud_of(doc), rules.Call(source))
    found = answer(doc, source)
    assert found.until_failure in possible
    if "written-bytes" not in EXCLUDED:
        assert answer(doc, source, one_by_one=True).total in headroom.room(rules.cloud_of(doc), rules.Call(source))


def test_storage_of_one_cluster_is_no_room_of_the_others() -> None:
    """Five clones fit on the first cluster's storage; then its host is tried again and again: at most 17 of 30."""
    hosts = [host(f"h{n}", 10, cluster=f"c{n}") for n in range(3)]
    storages = [nfs(f"nfs-{n}", size, attachedClusters=[f"c{n}"]) for n, size in enumerate((7, 1000, 1000))]
    doc = world(hosts, storages, [stopped("v", "nfs-0", "h0")])
    possible = headroom.room(rules.cloud_of(doc), rules.Call("v"))
    assert possible == {15, 16, 17}
    assert answer(doc, "v", one_by_one=True).total in possible
    assert answer(doc, "v").total in possible


def test_a_disabled_host_that_runs_vms_may_be_lost_too() -> None:
    """Its three VMs of 2 vCPUs leave 2 of the 8 vCPUs of the others; losing an empty host leaves 4."""
    hosts = [host("h1"), host("h2", 6, state="Disabled"), host("h3")]
    doc = world(hosts, [nfs()], [stopped("v", "nfs", "h1"), *(vm(f"r{n}", "nfs", "odd", host="h2") for n in range(3))])
    possible = headroom.rooms_after_loss(rules.cloud_of(doc), rules.Call("v"), 1)
    assert possible == {("h1",): {4}, ("h2",): {2}, ("h3",): {4}}
    assert answer(doc, "v", survive=1).with_failures.total == 2


def test_one_by_one_takes_a_snapshot_for_each_clone() -> None:
    """Of 9 GiB the source has 1; each call writes a snapshot and an image of 1 GiB beside the root of 1."""
    doc = world([host("h1")], [local(h1=9)], [stopped("v", "local", "h1", rootActualSize=GIB)])
    assert headroom.room(rules.cloud_of(doc), rules.Call("v")) == {2}
    assert answer(doc, "v", one_by_one=True).total == 2


def test_the_first_member_of_an_affinity_group_draws_the_others() -> None:
    """No member runs, so the first clone may go anywhere and the others follow it: 4, not the 8 of both hosts."""
    doc = world([host("h1"), host("h2")], [nfs()], [stopped("v", "nfs", "h1")])
    doc["affinityGroups"] = [{"name": "g", "policy": "affinityHard"}]
    assert headroom.room(rules.cloud_of(doc), rules.Call("v", group="g")) == {4}
    tags = ["affinityGroupUuid::g"]
    assert answer(doc, "v", system_tags=tags, one_by_one=True).total == 4
    assert answer(doc, "v", system_tags=tags).total == 4
