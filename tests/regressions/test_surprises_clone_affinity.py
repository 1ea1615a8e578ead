"""Surprises of the clone call about affinity groups and the choice of a host."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from simclone.engine.operations.clone.call import clone
from simclone.records import CloneRequest, Placed
from simclone.units import GIB
from tests.regressions.clone_worlds import (
    IN_GROUP,
    NO_HOST,
    START_FAILED,
    Lab,
    drive,
    group,
    hosts,
    local,
    nfs,
    outcomes,
    refused,
    vm,
    world,
)

LAST_HOST = "LastHostPreferredAllocatorStrategy"


def member(number: int, host: int, **more: Any) -> dict[str, Any]:
    """A VM of the group."""
    return vm(f"m{number}", f"host-{host}", affinityGroup="group", **more)


def full(host: dict[str, Any]) -> dict[str, Any]:
    """A host where one VM is all there is room for."""
    return {**host, "totalPhysicalMemory": 12 * GIB}


@pytest.mark.parametrize("seed", range(8))
def test_surprise_05_anti_hard_more_names_than_hosts(seed: int) -> None:
    """Exactly as many clones win as there are usable hosts without member; the losers leave the group.

    Rule: rules/affinity.md#more-names-than-hosts.
    """
    four = hosts(4)
    four[3]["state"] = "Disabled"
    lab = Lab(world(hosts=four, affinityGroups=group("antiHard"), vms=[vm("web"), member(1, 2)]), seed)
    answer = lab.clone("a", "b", "c", "d", "e", systemTags=IN_GROUP)
    assert outcomes(answer) == (True, 2, "PARTIAL")
    assert answer["perHost"] == {"host-1": 1, "host-2": 0, "host-3": 1, "host-4": 0}
    assert answer["failedErrorCodes"] == [START_FAILED] * 3
    assert answer["failedRootErrorCodes"] == [NO_HOST] * 3
    assert lab.members() == ["a", "b", "m1"]
    assert lab.audit() == []


def test_surprise_05_whoever_is_allocated_first_wins() -> None:
    """Not the place in names decides but who is allocated first: worked off backwards, the last two names win.

    Rule: rules/affinity.md#more-names-than-hosts.
    """
    lab = Lab(world(hosts=hosts(2), affinityGroups=group("antiHard")))
    request = CloneRequest("call", "web", ("a", "b", "c", "d"), system_tags=tuple(IN_GROUP))
    answer = drive(clone(lab.ctx, request), backwards=True)
    assert {one.name for one in answer.clones if one.succeeded} == {"c", "d"}
    assert lab.members() == ["c", "d"]


def test_surprise_06_source_group_counts_in_the_dry_run_only() -> None:
    """A grouped source on a full host, members on the others: even a clone outside any group is refused up front.

    Rule: rules/affinity.md#source-group-in-the-dry-run.
    """
    three = hosts(3)
    three[0] = full(three[0])
    vms = [vm("web", affinityGroup="group"), member(2, 2), member(3, 3)]
    lab = Lab(world(hosts=three, affinityGroups=group("antiHard"), vms=vms))
    assert refused(lab.clone()) == (False, NO_HOST, "affinity.antiHard")
    assert lab.clone(strategy="JustCreate")["ok"] is True  # no dry run
    roomy = Lab(world(affinityGroups=group("antiHard"), vms=vms))  # the source itself does not count
    answer = roomy.clone("a", "b", "c", "d")
    assert outcomes(answer) == (True, 4, "SUCCESS")
    assert {one["affinityGroup"] for one in answer["perName"].values()} == {None}
    assert max(answer["perHost"].values()) == 2
    assert roomy.members() == ["m2", "m3", "web"]


def test_surprise_07_stopped_members_do_not_count() -> None:
    """A stopped member frees its host for a clone of the group, and cannot start again afterwards.

    Rule: rules/affinity.md#stopped-members.
    """
    lab = Lab(world(hosts=hosts(2), affinityGroups=group("antiHard"), vms=[vm("web"), member(1, 1), member(2, 2)]))
    assert lab.clone("early", systemTags=IN_GROUP)["reasons"] == {"affinity.antiHard": 1}
    lab.do("stop", vm="m2")
    answer = lab.clone("new", systemTags=IN_GROUP)
    assert answer["perName"]["new"]["host"] == "host-2"
    started = lab.do("start", vm="m2")
    assert (started["ok"], started["rootErrorCode"], started["reason"]) == (False, NO_HOST, "affinity.antiHard")
    assert lab.members() == ["m1", "m2", "new"]


def test_surprise_08_destroyed_vms_keep_usage_space_and_name() -> None:
    """A destroyed VM stays a member, keeps its disk and its name until it is expunged, but not its host.

    Rule: rules/affinity.md#destroyed-members.
    """
    lab = Lab(
        world(
            {"vm.uniqueVmName": True}, hosts=hosts(1), affinityGroups=group("antiHard"), vms=[vm("web"), member(1, 1)]
        )
    )
    lab.do("destroy", vm="m1")
    assert (lab.members(), lab.free()) == (["m1"], 2000 - 40)
    assert lab.host("host-1")["usedMemory"] == 8 * GIB
    taken = lab.clone("m1")
    assert not taken["ok"] or taken["numberOfClonedVm"] == 0
    assert outcomes(lab.clone("new", systemTags=IN_GROUP)) == (True, 1, "SUCCESS")
    lab.do("expunge", vm="m1")
    assert (lab.members(), lab.free()) == (["new"], 2000 - 40)
    assert outcomes(lab.clone("m1")) == (True, 1, "SUCCESS")


def test_surprise_09_named_host_beats_soft_not_hard() -> None:
    """On a named host soft anti-affinity is moot, so all clones go there; hard anti-affinity lets one in.

    Rule: rules/affinity.md#named-host.
    """
    for policy, many in (("antiSoft", 3), ("antiHard", 1)):
        lab = Lab(world(affinityGroups=group(policy)))
        answer = lab.clone("a", "b", "c", systemTags=IN_GROUP, host="host-2")
        assert answer["numberOfClonedVm"] == many
        assert answer["perHost"] == {"host-1": 0, "host-2": many, "host-3": 0}
        assert answer["reasons"] == ({"affinity.antiHard": 2} if many == 1 else {})


def test_surprise_09_last_host_preferred_ignores_soft_rules() -> None:
    """Clones of a LastHostPreferred source are not spread by a soft group; by a hard group they are.

    Rule: rules/affinity.md#no-sorters.
    """
    spread = {}
    for policy in ("antiSoft", "antiHard"):
        for strategy in (None, LAST_HOST):
            doc = world(affinityGroups=group(policy), vms=[vm("web", **({"strategy": strategy} if strategy else {}))])
            answers = [Lab(doc, seed).clone("a", "b", "c", systemTags=IN_GROUP) for seed in range(12)]
            assert {answer["numberOfClonedVm"] for answer in answers} == {3}
            spread[policy, strategy] = {answer["distinctHosts"] for answer in answers}
    assert spread["antiSoft", None] == spread["antiHard", None] == spread["antiHard", LAST_HOST] == {3}
    assert spread["antiSoft", LAST_HOST] == {1, 2, 3}


def test_surprise_10_affinity_hard_may_leave_nothing() -> None:
    """When the only host with a member is full, hard affinity leaves no host, however empty the others are.

    Rule: rules/affinity.md#affinity-hard-leaves-none.
    """
    three = hosts(3)
    three[1] = full(three[1])
    lab = Lab(world(hosts=three, affinityGroups=group("affinityHard"), vms=[vm("web"), member(1, 2)]))
    answer = lab.clone("a", "b", systemTags=IN_GROUP)
    assert outcomes(answer) == (True, 0, "FAIL")
    assert answer["failedRootErrorCodes"] == [NO_HOST] * 2
    assert answer["reasons"] == {"affinity.affinityHard": 2}
    assert outcomes(lab.clone("free")) == (True, 1, "SUCCESS")


def test_surprise_22_host_allocation_is_serial_in_the_whole_cloud() -> None:
    """Every host search of every cluster stands in one queue, so nobody loses at the reserve step; starts do not."""
    six = [*hosts(3), *({**one, "name": f"far-{n}", "cluster": "far"} for n, one in enumerate(hosts(3)))]
    for one in six[:3]:
        one["cluster"] = "near"
    lab = Lab(world(clusters=[{"name": "near"}, {"name": "far"}], hosts=six, affinityGroups=group("antiHard")))
    steps: list[Any] = []
    request = CloneRequest("call", "web", tuple("abcdefgh"), system_tags=tuple(IN_GROUP))
    answer = drive(clone(lab.ctx, request), seen=steps.append)
    assert answer.succeeded == 6
    searches = Counter(step.queue for step in steps if step.name in ("dryRun", "allocateHost"))
    assert list(searches.values()) == [9]  # one queue, which is some queue
    assert all(searches)
    starts = Counter(step.queue for step in steps if step.name == "startOnHypervisor")
    assert list(starts.values()) == [1] * 6
    placed = [one.decision for one in lab.ctx.decisions if isinstance(one.decision, Placed)]
    assert {decision.tried for decision in placed} == {()}


def test_surprise_32_empty_preference_switches_balancing_off() -> None:
    """A soft rule whose members are on no candidate host ends the sort chain: the emptiest host is no longer first.

    Rule: rules/affinity.md#empty-preference.
    """
    three = hosts(3)
    three[2]["state"] = "Disabled"
    vms = [vm("web"), vm("x"), vm("y"), vm("z"), member(1, 3)]
    firsts = {}
    for tags in ([], IN_GROUP):
        doc = world(hosts=three, affinityGroups=group("affinitySoft"), vms=vms)
        answers = [Lab(doc, seed).clone("new", systemTags=list(tags)) for seed in range(40)]
        firsts[bool(tags)] = Counter(answer["perName"]["new"]["host"] for answer in answers)
    assert firsts[False] == {"host-2": 40}
    assert set(firsts[True]) == {"host-1", "host-2"}
    assert firsts[True]["host-1"] >= 10
    for seed in range(10):  # and once one is placed, all others pile onto its host
        lab = Lab(world(hosts=three, affinityGroups=group("affinitySoft"), vms=vms), seed)
        answer = lab.clone("a", "b", "c", "d", systemTags=IN_GROUP)
        assert (answer["numberOfClonedVm"], answer["distinctHosts"]) == (4, 1)


def test_surprise_37_fast_clones_stay_on_the_source_host() -> None:
    """All fast clones of a VM on local storage go to its host, whose memory alone limits the batch."""
    fast = ["ephemeral::volume::fastCreate"]
    two = [*hosts(1, 32), {**hosts(2)[1], "totalPhysicalMemory": 512 * GIB}]
    doc = world(hosts=two, primaryStorages=[local(900, 900)], vms=[vm("web", storage="local-1")])
    for seed in range(5):
        answer = Lab(doc, seed).clone("a", "b", "c", "d", "e", systemTags=fast)
        assert outcomes(answer) == (True, 3, "PARTIAL")
        assert answer["perHost"] == {"host-1": 3, "host-2": 0}
        assert answer["reasons"] == {"host.memory": 2}
    other = Lab(doc).clone("a", systemTags=fast, host="host-2")
    assert (other["failedRootErrorCodes"], other["numberOfClonedVm"]) == (["SYS.1006"], 0)
    assert outcomes(Lab(doc).clone("a", "b", "c", "d", "e")) == (True, 5, "SUCCESS")
    data = [vm("web", storage="local-1", dataDiskOfferings=["disk"])]
    lab = Lab({**doc, "vms": data, "diskOfferings": [{"name": "disk", "diskSize": GIB}]})
    assert refused(lab.clone("a", systemTags=fast, host="host-2"))[:2] == (False, "SYS.1007")
    assert lab.clone("a", systemTags=fast)["perHost"] == {"host-1": 1, "host-2": 0}


def test_surprise_39_dry_run_tests_no_storage_addresses_or_backup() -> None:
    """The dry run looks at local disks only where there is nothing else, never at addresses or backup storage."""
    tight = {"name": "local-1", "type": "LocalStorage", "localHosts": []}
    tight["localHosts"] = [
        {"host": f"host-{n}", "totalCapacity": 100 * GIB, "availableCapacity": GIB // 2 + 20 * GIB * (n == 1)}
        for n in (1, 2, 3)
    ]
    source = [vm("web", storage="local-1")]
    alone = Lab(world(primaryStorages=[tight], vms=source))
    assert refused(alone.clone()) == (False, NO_HOST, "storage.local")
    mixed = Lab(world(primaryStorages=[tight, nfs(10)], vms=source))
    assert outcomes(mixed.clone("a", "b")) == (True, 0, "FAIL")
    assert mixed.free() == 10
    dry = [one for one in mixed.ctx.decisions if one.purpose == "dryRun"]
    assert isinstance(dry[0].decision, Placed)
    store = {"name": "store", "totalCapacity": 100 * GIB, "availableCapacity": GIB - 1}
    lab = Lab(world(backupStorages=[store]))
    assert refused(lab.clone()) == (False, "SYS.1006", "image.backupStorage")
    assert isinstance(lab.ctx.decisions[-1].decision, Placed)


def test_surprise_39_dry_run_does_not_ask_for_addresses() -> None:
    """A call on an exhausted network passes the dry run and loses clone by clone."""
    lab = Lab(world(l3Networks=[{"name": "l3-1", "ipRanges": [{"start": "10.0.0.1", "end": "10.0.0.1"}]}]))
    answer = lab.clone("a", "b")
    assert outcomes(answer) == (True, 0, "FAIL")
    assert answer["failedRootErrorCodes"] == ["L3.1000"] * 2
