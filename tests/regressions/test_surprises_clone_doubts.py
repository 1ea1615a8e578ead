"""The doubtful points of the clone call, each with the setting that decides it, and the list of what is not tested."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from simclone.engine.operations.clone.call import clone
from simclone.model.settings import FIDELITY
from simclone.records import CloneRequest
from simclone.units import GIB
from tests.regressions.clone_worlds import NO_HOST, Lab, drive, group, hosts, nfs, outcomes, refused, vm, world

EXCEPTIONS = {
    21: "the queues of a host have no slots and no time: steps name their queue, nothing waits in it yet",
    30: "there is no legacy RPC server that cuts results and no polling client that gives up",
}
"""Surprises that cannot be shown, with the reason."""


def test_every_surprise_is_tested_or_excepted() -> None:
    """The numbers 1 to 40 are all named by a test in the files beside this one, or excepted, never both."""
    files = Path(__file__).parent.glob("test_surprises_clone*.py")
    text = "".join(file.read_text("utf-8") for file in files)
    tested = {int(number) for number in re.findall(r"^def test_surprise_(\d\d)_", text, re.M)}
    assert sorted([*tested, *EXCEPTIONS]) == list(range(1, 41))
    assert len(EXCEPTIONS) <= 5


def test_the_settings_of_doubt_are_known() -> None:
    """The documented defaults are in force unless a file says otherwise."""
    assert {name: one.default for name, one in FIDELITY.items()} == {
        "doubleReturn": True,
        "anyCachedImage": True,
        "cloudPaging": True,
        "snapshotUsesRatio": True,
        "dryRunQuota": True,
        "imageSizeQuotaVirtual": True,
        "quotaAtAllocation": "SYS.1000",
    }


def labs(name: str, other: Any, doc: dict[str, Any]) -> tuple[Lab, Lab]:
    """The cloud with the default of a setting and with the other value."""
    return Lab(doc), Lab({**doc, "fidelity": {name: other}})


def team(source: dict[str, Any] | None = None, **quota: int) -> dict[str, Any]:
    """The account ``team`` with limits and the source in its hands."""
    limits = {name.replace("_", "."): value for name, value in quota.items()}
    return {"accounts": [{"name": "team", "quota": limits}], "vms": [source or vm("web", account="team")]}


def test_doubt_1_total_number_bites_per_clone() -> None:
    """vm.totalNum is met clone by clone inside the allocator, as SYS.1000 or by setting as the plain quota error."""
    usual, other = labs("quotaAtAllocation", "ID.1003", world(**team(vm_totalNum=3)))
    for lab, code in ((usual, "SYS.1000"), (other, "ID.1003")):
        answer = lab.clone("a", "b", "c", "d", account="team")
        assert outcomes(answer) == (True, 2, "PARTIAL")
        assert answer["failedRootErrorCodes"] == [code] * 2
        assert answer["reasons"] == {"quota.vm.totalNum": 2}


def test_doubt_2_paused_starts_count() -> None:
    """A CreateStopped batch passes the call's check and stops part-way at vm.num; the setting gives the code."""
    usual, other = labs("quotaAtAllocation", "ID.1003", world(**team(vm_num=3)))
    for lab, code in ((usual, "SYS.1000"), (other, "ID.1003")):
        answer = lab.clone("a", "b", "c", "d", account="team", strategy="CreateStopped")
        assert outcomes(answer) == (True, 2, "PARTIAL")
        assert answer["failedRootErrorCodes"] == [code] * 2
        assert answer["reasons"] == {"quota.vm.num": 2}
        assert lab.usage()["vm.num"] == 1


def test_doubt_3_dry_run_asks_the_owner_quota() -> None:
    """An administrator's clone of a VM whose owner is at the limit is refused, unless the dry run asks no quota."""
    usual, other = labs("dryRunQuota", False, world(**team(vm_num=1)))
    answer = usual.clone()
    assert (answer["ok"], answer["reason"]) == (False, "quota.vm.num")
    assert outcomes(other.clone()) == (True, 1, "SUCCESS")
    assert other.usage()["vm.num"] == 1


def test_doubt_4_image_size_asks_the_virtual_size() -> None:
    """The call asks image.size for the root's virtual size, or by setting for what is written."""
    source = vm("web", account="team", rootActualSize=5 * GIB)
    usual, other = labs("imageSizeQuotaVirtual", False, world(**team(source, image_size=10 * GIB)))
    assert refused(usual.clone(account="team")) == (False, "ID.1003", "quota.image.size")
    for turn, held in enumerate((5, 10)):
        assert other.clone(f"new-{turn}", account="team", strategy="JustCreate")["ok"] is True
        assert other.usage()["image.size"] == held * GIB
    assert refused(other.clone(account="team")) == (False, "ID.1003", "quota.image.size")


def test_doubt_5_snapshots_are_charged_by_ratio() -> None:
    """A snapshot is charged its written size divided by the ratio, or by setting in full; nothing while it is 0."""
    for actual, charges in ((10, (5, 10)), (0, (0, 0))):
        doc = world({"mevoco.overProvisioning.primaryStorage": 2.0}, vms=[vm("web", rootActualSize=actual * GIB)])
        for lab, charge in zip(labs("snapshotUsesRatio", False, doc), charges, strict=True):
            before = lab.free()
            assert lab.clone(strategy="JustCreate")["ok"] is True
            assert before - lab.free() == charge


def test_doubt_6_counts_do_not_depend_on_the_order() -> None:
    """Where shared storage runs out inside a batch as many clones win in every order, with one of two causes."""
    for seed in range(5):
        for backwards in (False, True):
            lab = Lab(world(primaryStorages=[nfs(100)]), seed)
            request = CloneRequest("call", "web", ("a", "b", "c", "d", "e"))
            answer = drive(clone(lab.ctx, request), backwards=backwards)
            assert answer.succeeded == 3
            causes = {one.error.root_code for one in answer.clones if one.error is not None}
            assert causes <= {NO_HOST, "SYS.1006"}


def test_doubt_7_unknown_codes_are_operation_errors() -> None:
    """Refused joins, refused enabling and data-volume failures of a full clone are SYS.1006."""
    vms = [vm("web"), vm("x", affinityGroup="group")]
    lab = Lab(world(affinityGroups=group("antiHard"), vms=vms))
    assert refused(lab.do("addVmToAffinityGroup", affinityGroup="group", vm="web"))[:2] == (False, "SYS.1006")
    lab.do("changeAffinityGroupState", affinityGroup="group", event="disable")
    assert lab.do("addVmToAffinityGroup", affinityGroup="group", vm="web")["ok"] is True
    enabled = lab.do("changeAffinityGroupState", affinityGroup="group", event="enable")
    assert refused(enabled)[:2] == (False, "SYS.1006")
    data = {
        "diskOfferings": [{"name": "disk", "diskSize": 30 * GIB}],
        "vms": [vm("web", dataDiskOfferings=["disk"])],
        "primaryStorages": [nfs(900), nfs(9, name="small")],
    }
    answer = Lab(world(**data)).clone(full=True, primaryStorageForDataVolume="small")
    assert refused(answer)[:2] == (False, "SYS.1006")


def test_doubt_8_a_storage_failure_returns_the_host_twice() -> None:
    """After a storage failure the chosen host gets its capacity back twice, or by setting once, as it should."""
    usual, other = labs("doubleReturn", False, world(hosts=hosts(1), primaryStorages=[nfs(40)]))
    for lab, memory, cpu in ((usual, 64, 160), (other, 56, 159)):
        answer = lab.clone()
        assert (outcomes(answer), answer["reasons"]) == ((True, 0, "FAIL"), {"storage.virtual": 1})
        facts = lab.host("host-1")
        assert (facts["availableMemory"], facts["availableCpu"]) == (memory * GIB, cpu)
        assert lab.audit() == []


def test_cloud_paging_hides_hosts_behind_the_first_page() -> None:
    """With pages of one host the first host that survives wins; without pages the emptiest one does."""
    doc = world({"hostAllocator.paginationLimit": 1})
    usual, other = labs("cloudPaging", False, doc)
    assert usual.clone("a", "b")["perHost"] == {"host-1": 2, "host-2": 0, "host-3": 0}
    assert other.clone("a", "b")["perHost"] == {"host-1": 0, "host-2": 1, "host-3": 1}
