"""Surprises of the clone call about primary storage: capacity, caches, mixed clusters."""

from __future__ import annotations

from typing import Any

import pytest

from simclone.allocator.primary_storage.request import CREATE_VM
from simclone.placement import storage as storage_module
from simclone.units import GIB
from tests.regressions.clone_worlds import (
    NO_HOST,
    Lab,
    hosts,
    local,
    nfs,
    outcomes,
    refused,
    vm,
    world,
)

TO_2 = {"primaryStorageForRootVolume": "nfs-2"}


def written(gib: int, **more: Any) -> dict[str, Any]:
    """The source with so much really written to its root."""
    return vm("web", rootActualSize=gib * GIB, **more)


def test_surprise_11_root_accepted_then_cache_refused() -> None:
    """A storage takes the root's space, then has none for the image, and everything is rolled back."""
    lab = Lab(world(primaryStorages=[nfs(60)], vms=[written(10)]))
    since = len(lab.ledger.events)
    answer = lab.clone()  # 60 - 20 root of the source - 10 snapshot = 30 = root 20 + image 10, without the reserve
    assert outcomes(answer) == (True, 0, "FAIL")
    assert answer["failedRootErrorCodes"] == ["SYS.1006"]
    assert answer["reasons"] == {"storage.imageCache": 1}
    assert lab.ended("storage/", since) == [("storage/0", 20 * GIB)]
    assert len(lab.ended("host/", since)) == 1
    assert (lab.free(), lab.caches(), lab.ips()) == (30, 0, 1)
    assert sum(lab.host(f"host-{n}")["usedMemory"] for n in (1, 2, 3)) == 8 * GIB
    assert lab.audit() == []
    assert outcomes(Lab(world(primaryStorages=[nfs(61)], vms=[written(10)])).clone()) == (True, 1, "SUCCESS")


def test_surprise_12_any_cached_image_makes_a_host_warm() -> None:
    """On local storage a host counts as warm with any image in its cache, so the clone's own image is not counted."""
    config = {"primaryStorage.reservedCapacity": 0, "mevoco.threshold.primaryStorage.physicalCapacity": 1.0}
    source = {key: value for key, value in written(10).items() if key not in ("host", "primaryStorage")}
    # root 20, cache of centos 2, snapshot 10; the clone's root 20 and image 10 fill the rest to the last byte
    doc = world(config, hosts=hosts(1), primaryStorages=[local(62)], vms=[source])
    lab = Lab(doc)
    assert lab.caches("local-1") == 1
    assert outcomes(lab.clone()) == (True, 1, "SUCCESS")
    assert (lab.share("host-1"), lab.caches("local-1")) == (0, 2)
    exact = Lab({**doc, "fidelity": {"anyCachedImage": False}})
    answer = exact.clone()
    assert outcomes(answer) == (True, 0, "FAIL")
    assert answer["reasons"] == {"storage.imageCache": 1}
    cold = Lab({**doc, "primaryStorages": [local(60)], "vms": [written(10, storage="local-1")]})
    assert cold.clone()["reasons"] == {"storage.imageCache": 1}  # nothing cached at all: the test is made


def test_surprise_13_full_check_subtracts_snapshots() -> None:
    """The check of a full clone takes the source's snapshots off what it needs, so an impossible call passes it."""
    lab = Lab(world(primaryStorages=[nfs(80)], vms=[written(5)]))
    for _ in range(3):
        assert lab.do("createVolumeSnapshot", volume="web/root")["ok"] is True
    assert lab.free() == 45  # need: (20 - 15) * 9 = 45
    names = [f"new-{n}" for n in range(9)]
    answer = lab.clone(*names, full=True)
    assert outcomes(answer) == (True, 1, "PARTIAL")  # 45 - 5 snapshot: one root of 20, and 5 for the image
    assert answer["failedRootErrorCodes"] == [NO_HOST] * 8
    raw = Lab(world(primaryStorages=[nfs(80)], vms=[written(5)]))
    assert raw.do("allocatePrimaryStorage", size=15 * GIB)["ok"] is True
    assert refused(raw.clone(*names, full=True)) == (False, "SYS.1006", "storage.fullClone")
    assert outcomes(raw.clone(full=True)) == (True, 1, "SUCCESS")


def test_surprise_13_full_check_ignores_ratio() -> None:
    """On over-provisioned storage the check of a full clone refuses a batch that the allocator would place."""
    doc = world({"mevoco.overProvisioning.primaryStorage": 2.0}, primaryStorages=[nfs(50)])
    assert Lab(doc).free() == 40
    assert refused(Lab(doc).clone("a", "b", "c", full=True)) == (False, "SYS.1006", "storage.fullClone")
    plain = Lab(doc)
    assert outcomes(plain.clone("a", "b", "c")) == (True, 3, "SUCCESS")
    assert plain.free() == 10


def test_surprise_13_full_check_ignores_the_target() -> None:
    """The check of a full clone looks at the source's storage even where all copies go to another one."""
    doc = world(primaryStorages=[nfs(30), nfs(900, name="nfs-2")])
    assert refused(Lab(doc).clone(full=True, **TO_2)) == (False, "SYS.1006", "storage.fullClone")
    assert outcomes(Lab(doc).clone(**TO_2)) == (True, 1, "SUCCESS")
    other = Lab(world(primaryStorages=[nfs(900), nfs(30, name="nfs-2")]))
    answer = other.clone("a", "b", full=True, **TO_2)
    assert outcomes(answer) == (True, 1, "PARTIAL")


def test_surprise_13_full_check_ignores_reserve_and_threshold() -> None:
    """The check of a full clone knows neither reserved capacity nor threshold: the copies fail one by one."""
    tight = Lab(world(primaryStorages=[nfs(40)]))
    answer = tight.clone(full=True)
    assert (outcomes(answer), answer["reasons"]) == ((True, 0, "FAIL"), {"storage.virtual": 1})
    worn = Lab(world(primaryStorages=[nfs(1000, availablePhysicalCapacity=100 * GIB)]))
    answer = worn.clone(full=True)
    assert (outcomes(answer), answer["reasons"]) == ((True, 0, "FAIL"), {"storage.physical": 1})


def test_surprise_14_limits_are_checked_before_not_during(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sibling that reserves between the check and the reservation pushes a storage below reserve and threshold."""
    lab = Lab(world(primaryStorages=[nfs(80)]))
    usual, once = storage_module.filtered, iter([True])

    def interrupted(cloud: Any, request: Any) -> Any:
        rows = usual(cloud, request)
        if request.purpose == CREATE_VM and next(once, False):
            assert lab.do("allocatePrimaryStorage", size=40 * GIB)["ok"] is True
            lab.ledger.space.set_storage(0, available_physical=GIB)
        return rows

    monkeypatch.setattr(storage_module, "filtered", interrupted)
    assert outcomes(lab.clone()) == (True, 1, "SUCCESS")
    assert lab.free() == 0  # the reserve of 1 GiB is gone, and 79 of 80 are used at a threshold of 72
    late = Lab(world(primaryStorages=[nfs(80)]))
    assert late.do("allocatePrimaryStorage", size=40 * GIB)["ok"] is True
    assert late.clone()["reasons"] == {"storage.virtual": 1}


def test_surprise_15_thin_and_thick_cost_the_same() -> None:
    """Provisioning does not change what is reserved; only what the storage reports as physical stops clones later."""
    left = set()
    for kind in ("ThinProvisioning", "ThickProvisioning"):
        shelf = {**nfs(1000), "type": "SharedBlock"}
        lab = Lab(world(primaryStorages=[shelf]))
        tags = [f"volumeProvisioningStrategy::{kind}"]
        assert outcomes(lab.clone("a", "b", rootVolumeSystemTags=tags)) == (True, 2, "SUCCESS")
        one = lab.cloud.storages[0]
        left.add((one.available, one.available_physical))
        for free, many in ((100 * GIB, 0), (100 * GIB + 1, 1)):
            lab.ledger.space.set_storage(0, available_physical=free)  # the agent's next report
            answer = lab.clone(f"at-{free}", rootVolumeSystemTags=tags)
            assert answer["numberOfClonedVm"] == many
            assert answer["reasons"] == ({} if many else {"storage.physical": 1})
    assert left == {(940 * GIB, 1000 * GIB)}


@pytest.mark.parametrize("seed", range(5))
def test_surprise_16_plain_clones_may_leave_the_source_storage(seed: int) -> None:
    """A plain clone goes where most is physically free, and with ImageStore images to Ceph only as a last resort."""
    two = Lab(world(primaryStorages=[nfs(500), nfs(900, name="nfs-2")]), seed)
    assert {one["rootVolume"]["primaryStorage"] for one in two.clone("a", "b")["perName"].values()} == {"nfs-2"}
    assert two.clone("c", full=True)["perName"]["c"]["rootVolume"]["primaryStorage"] == "nfs-1"
    ceph = {"name": "ceph-1", "type": "Ceph", "totalCapacity": 9000 * GIB}
    lab = Lab(world(primaryStorages=[ceph, nfs(61)], vms=[vm("web", storage="ceph-1")]), seed)
    answer = lab.clone("a", "b", "c", "d")
    places = [answer["perName"][name]["rootVolume"]["primaryStorage"] for name in "abcd"]
    assert places == ["nfs-1", "nfs-1", "nfs-1", "ceph-1"]


def test_surprise_23_one_download_per_storage() -> None:
    """A batch on shared storage pays for its image once; the next call makes a new image and pays again."""
    lab = Lab(world(vms=[written(10)]))
    before = lab.free()
    assert outcomes(lab.clone("a", "b", "c", "d")) == (True, 4, "SUCCESS")
    assert before - lab.free() == 10 + 4 * 20 + 10  # snapshot, roots, one cache
    assert outcomes(lab.clone("e")) == (True, 1, "SUCCESS")
    assert (before - lab.free(), lab.caches()) == (20 + 5 * 20 + 20, 2)
    assert lab.images() == ["centos"]  # both temporary images are gone, their caches are not


def test_surprise_23_one_download_per_local_host() -> None:
    """A batch on local storage pays for its image on every host it uses."""
    lab = Lab(world(primaryStorages=[local(500, 500, 500)], vms=[written(10, storage="local-1")]))
    answer = lab.clone("a", "b", "c", "d", "e")
    assert outcomes(answer) == (True, 5, "SUCCESS")
    assert answer["perHost"] == {"host-1": 1, "host-2": 2, "host-3": 2}
    assert [lab.share(f"host-{n}") for n in (1, 2, 3)] == [500 - 20 - 10 - 20 - 10, 500 - 40 - 10, 500 - 40 - 10]
    assert lab.caches("local-1") == 3


def mixed(gib: int, shared: int) -> list[dict[str, Any]]:
    """Local storage of *gib* on each of three hosts, and NFS beside it."""
    return [local(gib, gib, gib), nfs(shared)]


def clusters(second: list[str]) -> dict[str, Any]:
    """Cluster near with two hosts and all storage, cluster far with host-3 and what is attached to it."""
    three = hosts(3)
    for place, one in enumerate(three):
        one["cluster"] = "far" if place == 2 else "near"
    return {
        "clusters": [{"name": "near"}, {"name": "far"}],
        "hosts": three,
        "primaryStorages": [
            {
                **local(*((25, 25, 25) if "local-1" in second else (25, 25))),
                "attachedClusters": ["near", *(["far"] if "local-1" in second else [])],
            },
            {**nfs(900), "attachedClusters": ["near", *(["far"] if "nfs-1" in second else [])]},
            {**nfs(21, name="nfs-2"), "attachedClusters": ["far"] if "nfs-2" in second else []},
        ],
        "vms": [vm("web", storage="nfs-1")],
        "images": [{"name": "centos", "size": 30 * GIB}],
    }


def test_surprise_26_combinations_only_where_all_clusters_see_the_same() -> None:
    """Local disks too small are no obstacle where all clusters see the same storages; elsewhere one choice is made."""
    same = Lab(world(**clusters(["local-1", "nfs-1"])))
    answer = same.clone("a", "b")
    assert outcomes(answer) == (True, 2, "SUCCESS")
    assert {one["rootVolume"]["primaryStorage"] for one in answer["perName"].values()} == {"nfs-1"}
    assert len([one for one in same.ctx.decisions if one.purpose == "host" and one.subject == "a"]) == 2
    for seed in range(5):
        other = Lab(world(**clusters(["nfs-2"])), seed)
        answer = other.clone("a", "b")
        assert outcomes(answer) == (True, 0, "FAIL")
        assert answer["failedRootErrorCodes"] == ["SYS.1006"] * 2
        assert len([one for one in other.ctx.decisions if one.purpose == "host" and one.subject == "a"]) == 1
        assert other.free() == 900 - 30


def test_surprise_27_networks_narrow_clusters_only_from_two_on() -> None:
    """Two clusters are narrowed by the network of the first card, one alone is not and is searched in vain."""
    networks = {"l2Networks": [{"name": "l2", "attachedClusters": ["near"]}]}
    lab = Lab(world(**clusters(["nfs-2"]), **networks))  # without far all clusters see the same storages
    answer = lab.clone("a")
    assert outcomes(answer) == (True, 1, "SUCCESS")
    assert answer["perName"]["a"]["rootVolume"]["primaryStorage"] == "nfs-1"
    lone = Lab(world(**clusters(["local-1", "nfs-1"]), **networks))
    lone.clone("b", strategy="JustCreate")
    started = lone.do("start", vm="b", cluster="far")
    assert (started["ok"], started["rootErrorCode"], started["reason"]) == (False, NO_HOST, "network.l2")
    assert len([one for one in lone.ctx.decisions if one.subject == "b"]) == 2  # both storages were tried


def test_surprise_33_pools_share_an_osd_group() -> None:
    """Data volumes eat the space of roots where both pools lie on the same disks, whatever the storage has in all."""
    ceph = {
        "name": "ceph-1",
        "type": "Ceph",
        "osdGroups": [
            {"name": "ssd", "totalPhysicalCapacity": 100 * GIB},
            {"name": "hdd", "totalPhysicalCapacity": 900 * GIB},
        ],
        "pools": [
            {"name": "roots", "type": "Root", "osdGroup": "ssd"},
            {"name": "data", "type": "Data", "osdGroup": "ssd"},
            {"name": "cache", "type": "ImageCache", "osdGroup": "hdd"},
        ],
    }
    offering = [{"name": "disk", "diskSize": 50 * GIB}]
    lab = Lab(world(primaryStorages=[ceph], diskOfferings=offering, vms=[vm("web", storage="ceph-1")]))
    assert lab.do("createDataVolume", name="d", diskOffering="disk", primaryStorage="ceph-1")["ok"] is True
    answer = lab.clone("a", "b")
    assert outcomes(answer) == (True, 1, "PARTIAL")
    assert answer["reasons"] == {"storage.cephPool": 1}
    assert lab.free("ceph-1") == 1000 - 20 - 50 - 20
    assert outcomes(Lab(world(primaryStorages=[ceph], vms=[vm("web", storage="ceph-1")])).clone("a", "b", "c")) == (
        True,
        3,
        "SUCCESS",
    )


@pytest.mark.parametrize("seed", range(5))
def test_surprise_36_local_first_and_nailed_down(seed: int) -> None:
    """In a mixed cluster a plain clone of a shared-storage VM lands on local disk and can start nowhere else."""
    lab = Lab(world(primaryStorages=mixed(100, 900)), seed)
    root = lab.clone("a")["perName"]["a"]["rootVolume"]
    assert root["primaryStorage"] == "local-1"
    home = lab.vm("a")["host"]
    assert root["host"] == home
    assert home in ("host-2", "host-3")
    lab.do("stop", vm="a")
    assert lab.ask("candidateHosts", **{"for": "start", "spec": {"vm": "a"}})["hosts"] == [home]
    lab.do("changeHostState", host=home, event="disable")
    started = lab.do("start", vm="a")
    assert (started["ok"], started["rootErrorCode"]) == (False, NO_HOST)
    lab.do("stop", vm="web")
    assert lab.do("start", vm="web")["ok"] is True


def test_surprise_38_a_lost_shared_storage_still_makes_a_cluster_mixed() -> None:
    """With NFS attached but lost, naming only a local root fails as in any mixed cluster, naming nothing otherwise."""
    offering = [{"name": "disk", "diskSize": 10 * GIB}]
    far = {**nfs(500, name="nfs-2"), "attachedClusters": ["far"]}
    places = {"clusters": [{"name": "near"}, {"name": "far"}], "hosts": [{**hosts(1)[0], "cluster": "near"}]}
    create = {"name": "new", "instanceOffering": "small", "image": "centos", "l3Networks": ["l3-1"]}
    disk = {"dataDiskOfferings": ["disk"]}
    reasons = {}
    for status in ("Disconnected", None):
        shelf = [{**nfs(500), "attachedClusters": ["near"], "status": status}] if status else []
        storages = [{**local(200), "attachedClusters": ["near", "far"]}, *shelf, far]
        lab = Lab(world(**places, primaryStorages=storages, diskOfferings=offering, vms=[vm("web", storage="local-1")]))
        for named in ({"rootVolumePrimaryStorage": "local-1"}, {}):
            made = lab.do("create", **{**create, "name": f"new-{len(reasons)}"}, **disk, **named)
            reasons[status, bool(named)] = made.get("reason", made["ok"])
        answer = lab.clone("a", primaryStorageForRootVolume="local-1")
        assert answer["perName"]["a"]["rootVolume"] == {
            "primaryStorage": "local-1",
            "host": "host-1",
            "size": 20 * GIB,
            "exists": True,
        }
        assert lab.clone("b")["perName"]["b"]["rootVolume"]["primaryStorage"] == "local-1"
    assert reasons == {
        ("Disconnected", True): "storage.mixed",
        ("Disconnected", False): "storage.none",
        (None, True): True,
        (None, False): True,
    }
