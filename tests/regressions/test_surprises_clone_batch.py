"""Surprises of the clone call about the call as a whole: batches, answers, quotas, what is left behind."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from simclone.chance import Chance, Identity
from simclone.engine.operations.clone.call import clone
from simclone.records import CloneRequest, ErrorCode
from simclone.units import GIB
from simclone.wire.request import parse
from simclone.wire.response import dump
from tests.regressions.clone_worlds import (
    IN_GROUP,
    NO_HOST,
    START_FAILED,
    Lab,
    drive,
    group,
    hosts,
    network,
    nfs,
    outcomes,
    refused,
    vm,
    world,
)


def team(**quota: int) -> dict[str, Any]:
    """The account ``team`` with some limits, and the source in its hands."""
    limits = {name.replace("_", "."): value for name, value in quota.items()}
    return {"accounts": [{"name": "team", "quota": limits}], "vms": [vm("web", account="team")]}


def many(number: int) -> list[str]:
    """That many names."""
    return [f"new-{n}" for n in range(number)]


def test_surprise_01_dry_run_tests_one_vm() -> None:
    """The dry run asks for one VM of the source's size only, so a batch far too large is accepted and fails in part."""
    lab = Lab(world(hosts=hosts(3, 16)))
    answer = lab.clone(*many(8))
    assert outcomes(answer) == (True, 5, "PARTIAL")
    assert answer["failedErrorCodes"] == [START_FAILED] * 3
    assert answer["failedRootErrorCodes"] == [NO_HOST] * 3
    assert [one.purpose for one in lab.ctx.decisions].count("dryRun") == 1
    assert refused(lab.clone(*many(8)))[:2] == (False, NO_HOST)  # now not even one fits


def test_surprise_01_dry_run_does_not_see_the_requested_group() -> None:
    """A group with a member on every host is invisible to the dry run: the call is accepted and every clone fails."""
    members = [vm(f"m{n}", f"host-{n}", affinityGroup="group") for n in (1, 2, 3)]
    lab = Lab(world(affinityGroups=group("antiHard"), vms=[vm("web"), *members]))
    answer = lab.clone("a", "b", systemTags=IN_GROUP)
    assert outcomes(answer) == (True, 0, "FAIL")
    assert answer["reasons"] == {"affinity.antiHard": 2}


def test_surprise_02_success_with_zero_clones() -> None:
    """When every start fails the job still ends with a result of zero clones and the batch header FAIL."""
    lab = Lab(world(l3Networks=[network(1)]))
    answer = lab.clone("a", "b", "c")
    assert outcomes(answer) == (True, 0, "FAIL")
    body = lab.body()
    assert set(body) == {"result"}
    assert body["result"]["numberOfClonedVm"] == 0
    assert [one["error"]["code"] for one in body["result"]["inventories"]] == [START_FAILED] * 3


def test_surprise_03_failed_clone_leaves_only_its_inventory() -> None:
    """A failed clone's row is gone, but the answer shows what it was beside the error."""
    lab = Lab(world(l3Networks=[network(2)]))
    answer = lab.clone("good", "bad")
    assert outcomes(answer) == (True, 1, "PARTIAL")
    good, bad = lab.body()["result"]["inventories"]
    assert "error" not in good
    assert bad["error"]["code"] == START_FAILED
    assert (bad["inventory"]["name"], bad["inventory"]["state"]) == ("bad", "Created")
    assert lab.vm("bad") == {"exists": False}
    assert lab.clone("again", source=bad["inventory"]["uuid"])["errorCode"] == "SYS.1003"
    assert lab.vm("good")["state"] == "Running"


def test_surprise_04_result_order_is_completion_order() -> None:
    """The elements of the answer stand in the order in which the creates were completed, not in that of the names."""
    lab = Lab(world(hosts=hosts(2, 16)))
    answer = drive(clone(lab.ctx, CloneRequest("call", "web", ("a", "b", "c"))), backwards=True)
    assert answer.succeeded == 3
    assert [one.name for one in answer.clones] == ["c", "b", "a"]


def test_surprise_17_every_call_leaves_a_snapshot() -> None:
    """A call's snapshot stays on the source and keeps its bytes, also when all its clones have been expunged."""
    lab = Lab(world(**team(snapshot_volume_num=3)))
    lab.do("setVolumeActualSize", volume="web/root", actualSize=5 * GIB)
    lab.do("updateGlobalConfig", key="vm.deletionPolicy", value="Direct")
    left = [lab.free()]
    for turn in range(3):
        assert outcomes(lab.clone(f"new-{turn}", account="team")) == (True, 1, "SUCCESS")
        lab.do("destroy", vm=f"new-{turn}")
        left.append(lab.free())
    assert [before - after for before, after in pairwise(left)] == [10, 10, 10]  # and a cache
    assert lab.snapshots() == ["for-clone-vm-new-0", "for-clone-vm-new-1", "for-clone-vm-new-2"]
    usage = lab.usage()
    assert (usage["vm.totalNum"], usage["image.num"], usage["snapshot.volume.num"]) == (1, 0, 3)
    assert refused(lab.clone(account="team")) == (False, "ID.1003", "quota.snapshot.volume.num")


def test_surprise_17_just_create_leaves_its_image() -> None:
    """JustCreate keeps its temporary image for good, so repeated calls end at image.num with no VM to be seen."""
    lab = Lab(world(**team(image_num=2)))
    for turn in range(2):
        assert outcomes(lab.clone(f"new-{turn}", strategy="JustCreate", account="team")) == (True, 1, "SUCCESS")
        lab.do("destroy", vm=f"new-{turn}")
        assert lab.vm(f"new-{turn}") == {"exists": False}
    assert len(lab.images()) == 3
    assert lab.usage()["image.num"] == 2
    answer = lab.clone(strategy="JustCreate", account="team")
    assert refused(answer) == (False, "ID.1003", "quota.image.num")
    assert len(lab.snapshots()) == 2


def test_surprise_17_just_create_fast_leaves_its_image_too() -> None:
    """A fast clone's template is dropped at the end of the call, except under JustCreate, which keeps every image."""
    for strategy, left in (("InstantStart", 1), ("CreateStopped", 1), ("JustCreate", 2)):
        lab = Lab(world())
        answer = lab.clone(strategy=strategy, systemTags=["ephemeral::volume::fastCreate"])
        assert outcomes(answer) == (True, 1, "SUCCESS")
        assert (strategy, len(lab.images())) == (strategy, left)


def disks(*gib: int) -> dict[str, Any]:
    """The source with data volumes of these sizes."""
    offerings = [{"name": f"disk-{size}", "diskSize": size * GIB} for size in gib]
    return {"diskOfferings": offerings, "vms": [vm("web", dataDiskOfferings=[one["name"] for one in offerings])]}


def test_surprise_18_just_create_full_fails_and_leaves_rows() -> None:
    """JustCreate with full and a data volume fails as a whole, for nothing can be attached to a row, which stays."""
    lab = Lab(world(**disks(10)))
    answer = lab.clone("a", "b", strategy="JustCreate", full=True)
    assert refused(answer)[0] is False
    assert [lab.cloud.vms.names.count(name) for name in ("a", "b")] == [1, 1]
    assert [lab.vm(name)["state"] for name in ("a", "b")] == ["Created", "Created"]
    assert lab.loose("DATA-for-web-clone") == 2
    assert lab.images() == ["centos"]
    bare = Lab(world())
    assert outcomes(bare.clone("a", "b", strategy="JustCreate", full=True)) == (True, 2, "SUCCESS")


def test_surprise_18_data_volume_error_keeps_vms_and_leaks() -> None:
    """One data volume that finds no room fails the whole call, yet all VMs run on and later copies lie around loose."""
    lab = Lab(world(**disks(30, 10), primaryStorages=[nfs(2000), nfs(62, name="small")]))
    answer = lab.clone("a", "b", "c", full=True, primaryStorageForDataVolume="small")
    assert (answer["ok"], answer["errorCode"]) == (False, "SYS.1006")
    assert [lab.vm(name)["state"] for name in ("a", "b", "c")] == ["Running"] * 3
    assert [len(lab.vm(name)["dataVolumes"]) for name in ("a", "b", "c")] == [2, 0, 0]
    assert lab.free("small") == 62 - 40 - 10 - 10
    assert lab.loose("DATA-for-web-clone") == 2
    assert lab.images() == ["centos"]


def test_surprise_19_just_create_needs_no_room() -> None:
    """Rows of JustCreate need no CPU, memory or address: a thousand fit into a full cloud and fail when started."""
    lab = Lab(world(hosts=hosts(1, 8), l3Networks=[network(1)]))
    assert refused(lab.clone())[:2] == (False, NO_HOST)
    answer = lab.clone(*many(1000), strategy="JustCreate")
    assert outcomes(answer) == (True, 1000, "SUCCESS")
    assert {one["state"] for one in answer["perName"].values()} == {"Created"}
    assert {one["host"] for one in answer["perName"].values()} == {None}
    assert (lab.host("host-1")["usedMemory"], lab.ips(), lab.free()) == (8 * GIB, 1, 1980)
    started = lab.do("start", vm="new-7")
    assert (started["ok"], started["rootErrorCode"]) == (False, NO_HOST)
    assert lab.vm("new-7") == {"exists": False}
    assert lab.vm("new-8")["state"] == "Created"


def test_surprise_20_create_stopped_needs_memory_but_no_running_quota() -> None:
    """CreateStopped takes a real host for a moment, so memory limits it; the call's running limits do not."""
    lab = Lab(world(hosts=hosts(1, 24)))
    answer = lab.clone("a", "b", "c", strategy="CreateStopped")
    assert outcomes(answer) == (True, 2, "PARTIAL")
    assert answer["failedRootErrorCodes"] == [NO_HOST]
    assert lab.host("host-1")["usedMemory"] == 8 * GIB
    facts = lab.vm("a")
    assert (facts["state"], facts["host"], facts["lastHost"]) == ("Stopped", None, "host-1")
    assert lab.free() == 2000 - 3 * 20
    poor = Lab(world(**team(vm_num=3)))
    assert refused(poor.clone(*many(3), account="team")) == (False, "ID.1003", "quota.vm.num")
    assert poor.clone(*many(3), account="team", strategy="CreateStopped")["ok"] is True


def test_surprise_25_address_comes_last_and_is_given_back() -> None:
    """With three free addresses three of five clones win; the losers had held host and disk and returned both."""
    for seed in range(5):
        lab = Lab(world(l3Networks=[network(4)]), seed)
        since = len(lab.ledger.events)
        answer = lab.clone(*many(5))
        assert outcomes(answer) == (True, 3, "PARTIAL")
        assert answer["failedErrorCodes"] == [START_FAILED] * 2
        assert answer["failedRootErrorCodes"] == ["L3.1000"] * 2
        assert len(lab.ended("host/", since)) == 2
        assert lab.ended("storage/", since) == [("storage/0", 20 * GIB)] * 2
        assert sum(lab.host(f"host-{n}")["usedMemory"] for n in (1, 2, 3)) == 4 * 8 * GIB
        assert (lab.free(), lab.ips()) == (2000 - 4 * 20, 4)
        assert lab.audit() == []


def test_surprise_24_no_dhcp_no_exhaustion() -> None:
    """A network without DHCP gives its cards no address, so a range of one never stops a clone."""
    lab = Lab(world(l3Networks=[network(1, dhcp=False)]))
    answer = lab.clone(*many(9))
    assert outcomes(answer) == (True, 9, "SUCCESS")
    assert {one["ips"]["l3-1"] for one in answer["perName"].values()} == {None}
    assert lab.ips() == 0


def test_surprise_28_source_is_free_while_it_is_cloned() -> None:
    """Nothing is queued on the source: it can be cloned again, stopped, destroyed meanwhile (rules/states.md#vm)."""
    lab = Lab(world())

    def meanwhile(step: Any) -> None:
        if step.name == "commitImage":
            assert outcomes(lab.clone("other")) == (True, 1, "SUCCESS")
            assert lab.do("destroy", vm="web")["state"] == "Destroyed"

    answer = drive(clone(lab.ctx, CloneRequest("call", "web", ("a", "b"), ordinal=99)), seen=meanwhile)
    assert (answer.error, answer.succeeded, answer.batch) == (None, 2, "SUCCESS")
    assert [lab.vm(name)["state"] for name in ("a", "b", "other")] == ["Running"] * 3
    late = lab.clone("late")
    assert (late["ok"], late["errorCode"], late["rootErrorCode"]) == (False, "SYS.1006", "VM.1010")


def test_surprise_29_ha_tag_is_copied() -> None:
    """A clone of a NeverStop VM is NeverStop too, while host name and bindings are left behind."""
    tags = ["ha::NeverStop", "hostname::web", "resourceBindings::Host:host-1"]
    lab = Lab(world(vms=[vm("web", systemTags=tags)]))
    lab.clone("same")
    lab.clone("other", systemTags=["ha::None"])
    lab.clone("none", systemTags=["-ha::NeverStop"])
    shapes = {name: lab.cloud.vms.shape_of(lab.row("vm", name)).tags.texts for name in ("same", "other", "none")}
    assert shapes == {"same": ("ha::NeverStop",), "other": ("ha::None",), "none": ()}


def test_surprise_31_the_page_is_wrong_in_three_places() -> None:
    """The server sends no ``started``, writes whole numbers as integers and does not know the key in lower case."""
    lab = Lab(world())
    lab.clone("a")
    (element,) = lab.body()["result"]["inventories"]
    assert "started" not in element
    assert lab.body("doc")["result"]["inventories"][0]["started"] is False
    sent = json.loads(dump(lab.body()))["result"]
    numbers = [
        sent["numberOfClonedVm"],
        *(sent["inventories"][0]["inventory"][key] for key in ("cpuNum", "memorySize")),
    ]
    assert numbers == [1, 1, 8 * GIB]
    assert {type(one) for one in numbers} == {int}
    wrong = parse({"clonevminstance": {"names": ["a"]}}, "web")
    assert isinstance(wrong, ErrorCode)
    assert isinstance(parse({"cloneVmInstance": {"names": ["a"]}}, "web"), CloneRequest)


def test_surprise_34_duplicate_mac_fails_a_clone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A MAC that happens to be drawn twice is noticed but not drawn again: the clone fails with SYS.1006."""
    usual = Chance.key

    def unlucky(self: Chance, identity: Identity, purpose: str) -> int:
        return 7 << 32 if purpose == "mac" else usual(self, identity, purpose)

    monkeypatch.setattr(Chance, "key", unlucky)
    lab = Lab(world())
    answer = lab.clone("a")
    assert outcomes(answer) == (True, 0, "FAIL")
    assert answer["failedRootErrorCodes"] == ["SYS.1006"]


def test_surprise_35_quota_counts_calls_not_names() -> None:
    """A call is charged one image and one snapshot (per volume when full), whatever the names; data volumes never."""
    data = disks(30, 10)
    limits = {"image.num": 1, "snapshot.volume.num": 4, "volume.data.num": 2, "volume.capacity": 140 * GIB}
    doc = world(
        accounts=[{"name": "team", "quota": limits}],
        diskOfferings=data["diskOfferings"],
        vms=[{**data["vms"][0], "account": "team"}],
    )
    lab = Lab(doc)
    assert lab.usage()["volume.capacity"] == 60 * GIB
    assert outcomes(lab.clone("a", "b", "c", account="team", full=True)) == (True, 3, "SUCCESS")
    usage = lab.usage()
    assert (usage["image.num"], usage["snapshot.volume.num"]) == (0, 3)
    assert (usage["volume.data.num"], usage["volume.capacity"]) == (8, 4 * 60 * GIB)
    lab = Lab(doc)
    assert refused(lab.clone(*many(5), account="team")) == (False, "ID.1003", "quota.volume.capacity")


def test_surprise_35_sixth_call_of_the_recommended_preset() -> None:
    """With the recommended limit of five snapshots the sixth call fails, until an old clone snapshot is deleted."""
    lab = Lab(world(**team(), run={"preset": "ProductionRecommended"}, globalConfig={}))
    for turn in range(5):
        assert outcomes(lab.clone(f"new-{turn}", account="team")) == (True, 1, "SUCCESS")
    assert refused(lab.clone(account="team")) == (False, "ID.1003", "quota.snapshot.volume.num")
    assert outcomes(lab.clone("admin's")) == (True, 1, "SUCCESS")
    (volume,) = lab.cloud.vms.volumes[lab.row("vm", "web")]
    lab.ledger.volumes.remove_snapshot(lab.cloud.volumes.snapshots[volume][0])
    assert outcomes(lab.clone("new", account="team")) == (True, 1, "SUCCESS")


def test_surprise_40_only_starts_fail_one_by_one() -> None:
    """What fails while a clone starts is that clone's error; snapshot, image and data-volume errors end the call."""
    lab = Lab(world(l3Networks=[network(2)]))
    assert outcomes(lab.clone("a", "b")) == (True, 1, "PARTIAL")
    snapshot = Lab(world(primaryStorages=[nfs(30), nfs(900, name="nfs-2")]))
    snapshot.do("setVolumeActualSize", volume="web/root", actualSize=10 * GIB)
    answer = snapshot.clone("a", "b", primaryStorageForRootVolume="nfs-2")
    assert refused(answer) == (False, "SYS.1006", "storage.virtual")
    assert snapshot.cloud.vms.row_count == 1
    store = {"name": "store", "totalCapacity": 100 * GIB, "availableCapacity": 10 * GIB}
    image = Lab(world(backupStorages=[store]))
    image.do("setVolumeActualSize", volume="web/root", actualSize=10 * GIB)
    assert refused(image.clone("a", "b")) == (False, "SYS.1006", "image.backupStorage")
    data = Lab(world(**disks(30), primaryStorages=[nfs(2000), nfs(10, name="small")]))
    answer = data.clone("a", "b", full=True, primaryStorageForDataVolume="small")
    assert (answer["ok"], answer["errorCode"]) == (False, "SYS.1006")


def test_surprise_40_a_taken_name_fails_one_clone() -> None:
    """Rows are plain creates: where names must be unique a taken one fails that clone alone."""
    lab = Lab(world({"vm.uniqueVmName": True}))
    answer = lab.clone("web", "new")
    assert answer["ok"] is True
    assert outcomes(answer) == (True, 1, "PARTIAL")
    assert answer["perName"]["new"]["state"] == "Running"
