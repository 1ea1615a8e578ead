"""Moves for a VM no host has room for."""

from __future__ import annotations

from typing import Any

import simclone


def full_house() -> dict[str, Any]:
    """Two hosts of 64 GiB with five VMs of 8 GiB each: 23 GiB are left on both, a large VM takes 24."""
    return {
        "name": "full-house",
        "hosts": [{"name": f"host-{one}", "cpuNum": 16, "totalPhysicalMemory": "64GiB"} for one in "ab"],
        "primaryStorages": [{"name": "nfs", "type": "NFS", "totalCapacity": "8TiB"}],
        "backupStorages": [{"name": "imagestore"}],
        "images": [{"name": "server", "size": "20GiB", "actualSize": "2GiB"}],
        "l3Networks": [{"name": "l3", "ipRanges": [{"start": "10.0.0.10", "end": "10.0.0.99"}]}],
        "instanceOfferings": [
            {"name": "small", "cpuNum": 2, "memorySize": "8GiB"},
            {"name": "large", "cpuNum": 4, "memorySize": "24GiB"},
        ],
        "vms": [
            {
                "name": f"on-{one}-{{n}}",
                "count": 5,
                "instanceOffering": "small",
                "image": "server",
                "l3Networks": ["l3"],
                "host": f"host-{one}",
            }
            for one in "ab"
        ],
    }


def test_moves_are_found_for_a_vm_that_the_dry_run_refuses() -> None:
    """No host has room, so the call ends at its dry run; one move makes room, and it really does."""
    cloud = full_house()
    assert simclone.headroom(cloud, offerings=["large"]).rooms[0].total == 0
    found = simclone.rebalance(cloud, offering="large")
    assert (found.fits, found.makes_room, len(found.moves)) == (False, True, 1)
    assert "1 move makes room for large" in found.summary()
    after = simclone.change(cloud, [{"moveVm": {"vm": one.vm, "host": one.target}} for one in found.moves])
    assert simclone.headroom(after, offerings=["large"]).rooms[0].total == 1


def test_where_nothing_can_move_no_moves_are_told() -> None:
    """With no room on the other host either, there is no plan."""
    packed = simclone.change(full_house(), [{"set": {"instanceOfferings.small.memorySize": "12GiB"}}])
    found = simclone.rebalance(packed, offering="large")
    assert (found.fits, found.makes_room, found.moves) == (False, False, ())
