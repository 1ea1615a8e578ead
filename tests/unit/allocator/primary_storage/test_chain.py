"""The order in which primary storages are tried, by strategy."""

from __future__ import annotations

from typing import Any

import pytest

from simclone.allocator.primary_storage.chain import STRATEGIES
from simclone.changes.load import scenario_of
from simclone.check.run import run_steps

GIB = 1 << 30


def world(strategy: str, *storages: dict[str, Any], image_store: str = "ImageStoreBackupStorage") -> dict[str, Any]:
    """One host that sees all storages; the disk offering names the strategy."""
    fsid = {"cephFsid": "f"} if image_store == "Ceph" else {}
    return {
        "hosts": [{"name": "h", "cpuNum": 16, "totalPhysicalMemory": "64GiB"}],
        "primaryStorages": [{"type": "NFS", "totalCapacity": "1TiB", **one} for one in storages],
        "backupStorages": [{"name": "is", "type": image_store, **fsid}],
        "images": [{"name": "i", "size": "1GiB", "actualSize": 0}],
        "l2Networks": [{"name": "l2"}],
        "l3Networks": [{"name": "l3", "l2Network": "l2", "ipRanges": [{"start": "10.0.0.1", "end": "10.0.0.99"}]}],
        "instanceOfferings": [{"name": "o", "cpuNum": 1, "memorySize": "1GiB"}],
        "diskOfferings": [{"name": "d", "diskSize": "10GiB", "allocatorStrategy": strategy}],
    }


def disk(name: str, root: str, wanted: str) -> dict[str, Any]:
    """A step that makes a VM with its root on one storage and expects its disk on another."""
    spec = {"name": name, "instanceOffering": "o", "image": "i", "l3Networks": ["l3"], "dataDiskOfferings": ["d"]}
    expect = {"ok": True, "dataVolumes": [{"primaryStorage": wanted}]}
    return {"op": "create", "spec": {**spec, "rootVolumePrimaryStorage": root}, "expect": expect}


def judged(document: dict[str, Any], *steps: dict[str, Any]) -> None:
    """Run the steps for several seeds; every expectation holds."""
    for seed in range(6):
        assert run_steps(scenario_of(document).build(seed), steps).failures == ()


def test_default_takes_the_most_physical_space() -> None:
    """The storage that reports the most free bytes, whatever the books say."""
    one = {"name": "one", "totalPhysicalCapacity": "1TiB", "availablePhysicalCapacity": "500GiB"}
    two = {"name": "two", "totalPhysicalCapacity": "1TiB", "availablePhysicalCapacity": "900GiB"}
    judged(world(STRATEGIES[0], one, {**two, "availableCapacity": "400GiB"}), disk("a", "one", "two"))


def test_least_volume_counts_volumes() -> None:
    """The storage with the fewest volume rows; a root that is being made at the same time is no row yet."""
    root = {"name": "v", "instanceOffering": "o", "image": "i", "l3Networks": ["l3"], "rootVolumePrimaryStorage": "one"}
    judged(
        world(STRATEGIES[1], {"name": "one"}, {"name": "two"}),
        {"op": "create", "spec": root, "expect": {"ok": True}},
        disk("a", "two", "two"),
        disk("b", "two", "one"),
    )


def test_maximum_available_takes_the_most_recorded_space() -> None:
    """The storage with the most bytes in the allocator's book, whatever it reports as free."""
    one = {"name": "one", "availableCapacity": "900GiB", "totalPhysicalCapacity": "1TiB"}
    two = {"name": "two", "availableCapacity": "500GiB", "totalPhysicalCapacity": "2TiB"}
    judged(world(STRATEGIES[2], one, two), disk("a", "two", "one"))


@pytest.mark.parametrize("store", ["ImageStoreBackupStorage", "Ceph"])
def test_the_image_store_decides_how_early_ceph_is_tried(store: str) -> None:
    """With an ImageStore image Ceph is the last choice for the root, with a Ceph image the only one."""
    storages = ({"name": "nfs"}, {"name": "ceph", "type": "Ceph", "cephFsid": "f", "totalPhysicalCapacity": "9TiB"})
    spec = {"name": "v", "instanceOffering": "o", "image": "i", "l3Networks": ["l3"]}
    wanted = "ceph" if store == "Ceph" else "nfs"
    expect = {"ok": True, "rootVolume": {"primaryStorage": wanted}}
    judged(world(STRATEGIES[0], *storages, image_store=store), {"op": "create", "spec": spec, "expect": expect})
