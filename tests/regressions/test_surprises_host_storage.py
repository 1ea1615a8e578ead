"""Surprises 20 to 30 of host allocation: life cycle, quotas, images and storage, last hosts, ratios, order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simclone.allocator.host import reserve
from simclone.allocator.host.request import HostRequest
from simclone.allocator.host.reserve import refusal
from simclone.api import run
from simclone.engine.operations.migrate_vm import migrate_vm
from simclone.engine.waits import Work
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, DISCONNECTED
from simclone.model.storage import ANYWHERE
from simclone.model.vms import NONE
from simclone.records import Placed, Try
from simclone.units import GIB
from tests.regressions.host_worlds import (
    CPU_RATIO,
    DESIGNATED,
    LAST_HOST,
    MEMORY_RATIO,
    PAGE,
    RESERVED,
    SEEDS,
    Doc,
    World,
    audit_opened,
    chain,
    chances,
    host,
    hosts_of,
    local,
    nfs,
    offering,
    standing,
    stopped,
    world,
)


@pytest.fixture(autouse=True)
def audited() -> Iterator[None]:
    """Every world a test opened is audited."""
    yield
    audit_opened()


# -- 20 to 22: life cycle and quotas -------------------------------------------------------------------------------


def test_surprise_20_stopped_creations_need_room_at_first() -> None:
    """CreateStopped is charged and freed again, so more VMs come to be than can run; JustCreate takes nothing."""
    one = World(world([host("h1", 10)], instanceOfferings=[offering("small"), offering("four", 1, 4)]))
    cold = one.burst("cold", 5, instanceOffering="four", strategy="CreateStopped")
    assert [(answer["state"], answer["host"], answer["lastHost"]) for answer in cold] == [("Stopped", None, "h1")] * 5
    assert one.free("h1") == (160, 10 * GIB)
    started = [one.do("start", vm=f"cold-{n}") for n in range(1, 6)]
    assert [answer["ok"] for answer in started] == [True, True, False, False, False]
    assert started[2]["errorCode"] == "VM.1001"
    refused = one.create("late", instanceOffering="four", strategy="CreateStopped")
    assert (refused["ok"], refused["reason"]) == (False, "host.memory")
    recorded = one.create("later", instanceOffering="four", strategy="JustCreate")
    assert (recorded["state"], recorded["host"], recorded["rootVolume"]) == ("Created", None, None)
    assert one.free("h1") == (158, 2 * GIB)


def test_surprise_20_clones_of_one_call_boot_together() -> None:
    """Stopped clones of one call are all paused before any is stopped; those of a later call find all of it free."""
    shapes = [offering("small"), offering("four", 1, 4)]
    one = World(world([host("h1", 10)], instanceOfferings=shapes, vms=[stopped("source", "h1", shape="four")]))
    for call, placed in (("ab", 2), ("cde", 2), ("f", 1)):
        answer = one.do("cloneVmInstance", sourceVm="source-1", names=list(call), strategy="CreateStopped")
        assert (answer["results"], answer["numberOfClonedVm"]) == (len(call), placed)
        assert one.free("h1") == (160, 10 * GIB)
    states = [one.do("start", vm=name)["ok"] for name in ("a", "b", "c", "d", "f")]
    assert states == [True, True, False, False, False]


def test_surprise_20_just_create_skips_the_limits() -> None:
    """A recorded VM is not held against its owner's limits, a stopped creation is."""
    one = World(world([host("h1")], accounts=[{"name": "user", "quota": {"vm.num": 0}}]))
    assert one.create("cold", account="user", strategy="CreateStopped")["errorCode"] == "ID.1003"
    assert one.create("row", account="user", strategy="JustCreate")["state"] == "Created"


def test_surprise_21_a_stopped_vm_competes_again() -> None:
    """Stop and destroy free CPU and memory at once, the disk stays until the VM is expunged."""
    one = World(world([host("h1", 10)], instanceOfferings=[offering("small"), offering("eight", 2, 8)]))
    disk = one.capacity("primaryStorage", "nfs")["availableCapacity"]
    one.create("a", instanceOffering="eight")
    one.done("stop", vm="a")
    assert one.free("h1") == (160, 10 * GIB)
    assert one.create("b", instanceOffering="eight")["host"] == "h1"
    answer = one.do("start", vm="a")
    assert (answer["errorCode"], answer["reason"]) == ("VM.1001", "host.memory")
    assert one.vm("a")["state"] == "Stopped"
    one.done("destroy", vm="b")
    assert one.free("h1") == (160, 10 * GIB)
    assert one.capacity("primaryStorage", "nfs")["availableCapacity"] == disk - 20 * GIB
    assert one.done("start", vm="a")["host"] == "h1"
    one.done("expunge", vm="b")
    assert one.capacity("primaryStorage", "nfs")["availableCapacity"] == disk - 10 * GIB


def test_surprise_22_a_limit_met_by_the_allocator_is_an_internal_error() -> None:
    """A limit is ID.1003 at the API and SYS.1000 when a host is sought, where volume limits are not looked at."""
    limits = {"vm.num": 1, "volume.capacity": 0, "volume.data.num": 0}
    disks = [{"name": "disk", "diskSize": GIB}]
    one = World(world([host("h1")], accounts=[{"name": "user", "quota": limits}], diskOfferings=disks))
    for name in ("a", "b"):
        row = one.create(name, account="user", strategy="JustCreate", dataDiskOfferings=["disk"])
        assert row["state"] == "Created"
    assert one.done("start", vm="a")["dataVolumes"][0]["size"] == GIB
    answer = one.do("start", vm="b")
    assert (answer["errorCode"], answer["rootErrorCode"], answer["reason"]) == ("VM.1001", "SYS.1000", "quota.vm.num")
    refused = one.error("c", account="user")
    assert (chain(refused), refused.root_reason) == (["ID.1003"], "quota.volume.capacity")
    one.done("updateQuota", account="user", name="volume.capacity", value=100 * GIB)
    assert one.error("c", account="user").root_reason == "quota.vm.num"


def test_surprise_22_the_default_limit_stops_a_batch_midway() -> None:
    """Twenty VMs are the shipped limit; clones count as they are placed, so the first ones come and the rest do not."""
    doc = world([host("h1")], accounts=[{"name": "user"}])
    doc["vms"] = [standing("source", "h1", 1, account="user"), stopped("off", "h1", 5, account="user")]
    one = World(doc)
    names = [f"n{n}" for n in range(17)]
    answer = one.do("cloneVmInstance", sourceVm="source-1", names=names, account="user")
    assert (answer["batch"], answer["numberOfClonedVm"]) == ("PARTIAL", 14)
    assert answer["failedRootErrorCodes"] == ["SYS.1000"] * 3
    assert answer["reasons"] == {"quota.vm.totalNum": 3}
    more = one.do("cloneVmInstance", sourceVm="source-1", names=names[:6], account="user")
    assert (more["ok"], more["errorCode"]) == (False, "ID.1003")  # vm.num, asked for all names at once


# -- 23 to 25: images and storage ----------------------------------------------------------------------------------


def file_store(**parts: Any) -> Doc:
    """An image on an Sftp backup storage, one cluster with SharedBlock and one with NFS, a host in each."""
    return world(
        [host("h1", cluster="block"), host("h2", cluster="file")],
        clusters=[{"name": "block"}, {"name": "file"}],
        primaryStorages=[nfs("lun", 900, "block", kind="SharedBlock"), nfs("nfs", 900, "file")],
        backupStorages=[{"name": "store", "type": "SftpBackupStorage"}],
        **parts,
    )


def test_surprise_23_one_backup_storage_pins_the_storage_types() -> None:
    """Hosts the backup storage cannot feed are out, cached or not, and a page of only such hosts ends the search."""
    assert chances({**file_store(), "vms": [standing("old", "h2", 5)]}) == {"h2": len(SEEDS)}
    one = World(file_store())
    one.ctx.ledger.volumes.cache_image(0, one.row("primaryStorage", "lun"), ANYWHERE, NONE)
    error = one.error("there", cluster="block")
    assert (chain(error), error.root_reason) == (["SYS.1006", "SYS.1006"], "image.storageType")
    paged = World(file_store(config={PAGE: 1}))
    error = paged.error("anywhere")
    assert (chain(error), error.root_reason, paged.pages()) == (["SYS.1006", "SYS.1006"], "image.storageType", [0])


def test_surprise_23_a_disconnected_backup_storage_needs_every_cache() -> None:
    """Without its backup storage an image serves only if every storage in reach has it; one cold storage blocks."""
    doc = world([host("h1")], primaryStorages=[nfs("n1"), nfs("n2")])
    one = World(doc)
    assert one.create("warm", rootVolumePrimaryStorage="n1")["ok"]
    one.done("changeBackupStorageState", backupStorage="store", event="disable")
    assert one.create("disabled", rootVolumePrimaryStorage="n1")["ok"]  # its state is not looked at
    one.ctx.ledger.set_backup(0, status=DISCONNECTED)
    error = one.error("cold")
    assert (chain(error), error.root_reason) == (["SYS.1006", "HOST_ALLOCATION.1000"], "image.backupStorage")
    assert one.create("pinned", rootVolumePrimaryStorage="n1")["ok"]
    one.ctx.ledger.set_backup(0, status=CONNECTED)
    assert one.create("warmer", rootVolumePrimaryStorage="n2")["ok"]
    one.ctx.ledger.set_backup(0, status=DISCONNECTED)
    assert one.create("free")["ok"]


def test_surprise_24_ceph_images_herd_vms_to_ceph() -> None:
    """An image on Ceph prefers clusters with a Ceph storage before VMs are counted; the others are a fallback."""
    doc = world(
        [host("c1", cluster="ceph"), host("n1", cluster="plain")],
        clusters=[{"name": "ceph"}, {"name": "plain"}],
        primaryStorages=[nfs("root"), nfs("data"), nfs("rbd", 900, "ceph", kind="Ceph", cephFsid="f")],
        backupStorages=[{"name": "store", "type": "Ceph", "cephFsid": "f"}, {"name": "other"}],
        images=[
            {"name": "image", "size": 10 * GIB, "backupStorages": ["store"]},
            {"name": "elsewhere", "size": 10 * GIB, "backupStorages": ["other"]},
        ],
        diskOfferings=[{"name": "disk", "diskSize": GIB}],
        vms=[standing("old", "c1", 5, "root")],
    )
    assert chances(doc) == {"c1": len(SEEDS)}
    assert chances(doc, image="elsewhere") == {"n1": len(SEEDS)}
    spread = {"rootVolumePrimaryStorage": "root", "dataVolumePrimaryStorage": "data", "dataDiskOfferings": ["disk"]}
    for seed in SEEDS:
        one = World(doc, seed)
        one.ctx.ledger.volumes.cache_image(0, 0, ANYWHERE, NONE)
        one.create("vm", host="n1", **spread)
        one.create("other", image="elsewhere", host="n1", **spread)
        for name in ("vm", "other"):
            one.done("stop", vm=name)
        assert one.done("start", vm="other")["host"] == "n1"  # 0 VMs against 5
        assert one.done("start", vm="vm")["host"] == "c1"
        one.done("stop", vm="vm")
        one.done("changeHostState", host="c1", event="disable")
        assert one.done("start", vm="vm")["host"] == "n1"


def test_surprise_25_local_storage_pins_a_vm_to_its_host() -> None:
    """With its disk on one host a VM starts there or nowhere, though every other host is empty."""
    shapes = [offering("small"), offering("four", 1, 4)]
    disks = [local("disk", {"h1": 500, "h2": 500})]
    one = World(world([host("h1", 6), host("h2", 64)], instanceOfferings=shapes, primaryStorages=disks))
    one.create("vm", instanceOffering="four", host="h1")
    one.done("stop", vm="vm")
    assert one.offered("start", vm="vm")["hosts"] == ["h1"]
    one.create("other", instanceOffering="four", host="h1")
    assert one.offered("start", vm="vm")["hosts"] == []
    answer = one.do("start", vm="vm")
    assert (answer["errorCode"], answer["rootErrorCode"]) == ("VM.1001", "HOST_ALLOCATION.1000")
    assert (answer["reason"], one.per_host()) == ("storage.localHost", {"h1": 1, "h2": 0})
    one.done("stop", vm="other")
    assert one.done("start", vm="vm")["host"] == "h1"


def test_surprise_25_mixed_clusters_skip_the_disk_check() -> None:
    """A full local disk rules a host out where all storage is local, and not where a shared one stands beside it."""
    hosts = [host("h1", cluster="one"), host("h2", cluster="two")]
    shares = local("disk", {"h1": 5}, "one")
    parts: Doc = {"clusters": [{"name": "one"}, {"name": "two"}], "vms": [standing("old", "h2", 3, "far")]}
    pure = world(hosts, primaryStorages=[local("disk", {"h1": 5, "h2": 500})], clusters=parts["clusters"])
    pure["vms"] = [standing("old", "h2", 3, "disk")]
    assert chances(pure) == {"h2": len(SEEDS)}
    for seed in SEEDS:
        one = World(
            world(hosts, primaryStorages=[shares, nfs("near", 900, "one"), nfs("far", 900, "two")], **parts), seed
        )
        answer = one.create("new")
        assert (answer["errorCode"], answer["reason"]) == ("SYS.1006", "storage.virtual")
        decision = one.ctx.decisions[-1].decision
        assert isinstance(decision, Placed)
        assert one.cloud.fleet.names[decision.host] == "h1"


# -- 26 to 30 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cards", [["l3"], []])
def test_surprise_26_a_last_host_leaves_no_fallback(cards: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """When the last host passes the filters it is the only one tried, so a reservation lost to a race is the end."""
    shapes = [offering("small"), offering("sticky", strategy=LAST_HOST), offering("free")]
    for seed in SEEDS:
        one = World(world([host("h1"), host("h2")], instanceOfferings=shapes), seed)
        one.create("vm", instanceOffering="sticky", l3Networks=cards, host="h1")
        one.done("stop", vm="vm")
        one.create("free", instanceOffering="free", host="h1")
        one.done("stop", vm="free")

        def lost(request: HostRequest, cloud: Cloud, host: int) -> Try | None:
            return Try(host, "host.memory", "somebody was faster") if host == 0 else refusal(request, cloud, host)

        with monkeypatch.context() as patch:
            patch.setattr(reserve, "refusal", lost)
            answer = one.do("start", vm="vm")
            assert (answer["errorCode"], answer["reason"]) == ("VM.1001", "host.memory")
            assert one.last_strategy == (LAST_HOST if cards else DESIGNATED)
            assert [tried.host for tried in one.ctx.decisions[-1].decision.tried] == [0]
            assert one.done("start", vm="free")["host"] == "h2"  # LeastVm goes on


def test_surprise_27_a_lower_ratio_evicts_nobody() -> None:
    """Free figures go below zero and the host takes no more; the summary floors memory per element, but adds CPU up.

    Rule: rules/host-capacity.md#ratio-evicts-nobody.
    """
    shapes = [offering("small"), offering("eight", 4, 8)]
    config = {CPU_RATIO: 4, MEMORY_RATIO: 2.0}
    one = World(world([host("h1", 16, cpu=4), host("h2", 16, cpu=4)], config=config, instanceOfferings=shapes))
    one.burst("vm", 3, instanceOffering="eight", host="h1")
    assert one.free("h1") == (4, 4 * GIB)
    one.done("updateGlobalConfig", key=CPU_RATIO, value=1)
    one.done("updateGlobalConfig", key=MEMORY_RATIO, value=1.0)
    assert (one.free("h1"), one.per_host()) == ((-8, -8 * GIB), {"h1": 3, "h2": 0})
    assert one.create("more", host="h1")["reason"] == "host.cpu"
    apart = one.capacity("report", {"hosts": ["h1"]})
    assert (apart["availableCpu"], apart["availableMemory"]) == (-8, 0)
    whole = one.capacity("report", {"clusters": ["cluster"]})
    assert (whole["availableCpu"], whole["availableMemory"]) == (-4, 8 * GIB)
    one.done("stop", vm="vm-1")
    assert one.free("h1") == (-4, 0)


def test_surprise_28_a_recalculation_forgets_a_migration_under_way() -> None:
    """The target is charged while a VM moves; a recalculation counts VM rows only and sells the place again.

    Rule: rules/host-capacity.md#recalculation-forgets-migrations.
    """
    shapes = [offering("small"), offering("eight", 1, 8)]
    one = World(world([host("h1", 64), host("h2", 10)], instanceOfferings=shapes))
    one.create("vm", instanceOffering="eight", host="h1")
    moving = migrate_vm(one.ctx, one.row("vm", "vm"))
    while not (isinstance(wait := next(moving), Work) and wait.name == "migrate"):
        pass
    assert (one.free("h1"), one.free("h2")) == ((159, 56 * GIB), (159, 2 * GIB))
    assert one.create("early", instanceOffering="eight", host="h2")["reason"] == "host.memory"
    one.done("updateGlobalConfig", key=RESERVED, value=GIB)
    assert one.free("h2") == (160, 10 * GIB)
    assert one.create("late", instanceOffering="eight", host="h2")["ok"]
    with pytest.raises(StopIteration):
        next(moving)
    assert one.per_host() == {"h1": 0, "h2": 2}


def test_surprise_29_an_iso_knows_no_hypervisor() -> None:
    """A template names its hypervisor by its format; an ISO or no image takes any, unless the place decides."""
    images = [
        {"name": "image", "size": 10 * GIB},
        {"name": "iso", "size": GIB, "mediaType": "ISO", "format": "iso"},
    ]
    doc = world(
        [host("k1", cluster="kvm"), host("s1", cluster="sim")],
        clusters=[{"name": "kvm"}, {"name": "sim", "hypervisorType": "Simulator"}],
        images=images,
        diskOfferings=[{"name": "root", "diskSize": GIB}],
        vms=[standing("old", "k1", 3)],
    )
    assert chances(doc) == {"k1": len(SEEDS)}
    for image in ("iso", None):
        assert chances(doc, image=image, rootDiskOffering="root") == {"s1": len(SEEDS)}
        assert chances(doc, image=image, rootDiskOffering="root", cluster="kvm") == {"k1": len(SEEDS)}


def test_surprise_30_a_burst_is_a_serial_queue() -> None:
    """One allocation at a time: clones are decided in the order of their names, each seeing all before it."""
    doc = world([host("h1"), host("h2"), host("h3")], vms=[standing("source", "h1", 3), standing("old", "h3", 1)])
    names = [f"clone-{n}" for n in (5, 1, 4, 2, 3)]
    doc["requests"] = [{"name": "batch", "vm": "source-1", "cloneVmInstance": {"names": names}}]
    for seed in SEEDS:
        made = run(doc, seed=seed)
        decided = [one for one in made.result.decisions if one.purpose == "host"]
        assert [one.subject for one in decided] == names
        counts = [3, 0, 1]
        for one in decided:
            assert isinstance(one.decision, Placed)
            assert counts[one.decision.host] == min(counts)
            counts[one.decision.host] += 1
        assert counts == [3, 3, 3]
        assert made.result.ledger.cloud.settings.flag("hostAllocator.hostAllocator.concurrent") is False
    one = World({**doc, "requests": []})
    assert sorted(hosts_of(one.burst("more", 5))) == ["h2", "h2", "h2", "h3", "h3"]
