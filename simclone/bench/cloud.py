"""The bench's cloud: identical hosts, one network, one storage that never binds, the whole chain of a strategy."""

from __future__ import annotations

from typing import Any

import numpy as np

from simclone.allocator.host.request import HostRequest
from simclone.allocator.host.strategies import BEST_FIT, FIRST_FIT, LEAST_VM, WORST_FIT
from simclone.bench.stream import FLAVOURS, HOST_CORES, HOST_GIB
from simclone.chance import place_uuid
from simclone.changes.load import scenario_of
from simclone.engine.context import Context
from simclone.engine.opening import open_context
from simclone.units import GIB

POLICIES = {"fewest": LEAST_VM, "worst": WORST_FIT, "best": BEST_FIT, "first": FIRST_FIT}
ROOT_SIZE = 10 * GIB


def document(*, ties: str = "lowestUuid", paging: bool = False) -> dict[str, Any]:
    """Everything but the hosts."""
    return {
        "clusters": [{"name": "cluster"}],
        "primaryStorages": [{"name": "nfs", "type": "NFS", "attachedClusters": ["cluster"], "totalCapacity": 1 << 60}],
        "backupStorages": [{"name": "store", "type": "ImageStoreBackupStorage"}],
        "images": [{"name": "image", "size": ROOT_SIZE, "actualSize": GIB}],
        "l2Networks": [{"name": "l2"}],
        "l3Networks": [{"name": "l3", "l2Network": "l2", "dhcp": False, "ipRanges": []}],
        "globalConfig": {
            "host.cpu.overProvisioning.ratio": 1,
            "kvm.reservedMemory": 0,
            "hostAllocator.usePagination": paging,
        },
        "run": {"tieBreak": ties},
    }


def opened(hosts: int, *, ties: str = "lowestUuid", paging: bool = False, uneven: bool = False) -> Context:
    """The cloud with its hosts, nothing recorded; *uneven* ones have half, once or twice the cores and memory."""
    ctx = open_context(scenario_of(document(ties=ties, paging=paging)))
    cloud = ctx.cloud
    names = [f"host-{number}" for number in range(hosts)]
    halves = np.array([1, 2, 4], dtype=np.int64)[np.arange(hosts) % 3] if uneven else np.full(hosts, 2, dtype=np.int64)
    cores, memory = HOST_CORES // 2 * halves, HOST_GIB // 2 * GIB * halves
    cloud.fleet.extend(
        [place_uuid("host", name, row) for row, name in enumerate(names)],
        names,
        zone=0,
        cluster=0,
        hypervisor=cloud.code("hypervisor", cloud.clusters[0].hypervisor_type),
        architecture=cloud.code("architecture", cloud.clusters[0].architecture),
        os=-1,
        cpu_num=cores,
        total_cpu=cores,
        available_cpu=cores,
        total_memory=memory,
        available_memory=memory,
    )
    ctx.ledger.recording = False
    cloud.record_steps = False
    return ctx


def flavour_requests(policy: str) -> list[HostRequest]:
    """One question to the allocator for each flavour."""
    return [
        HostRequest(
            cpu,
            gib * GIB,
            POLICIES[policy],
            l3s=(0,),
            image=0,
            backup_storage=0,
            disk_size=ROOT_SIZE,
            zone=0,
            hypervisor="KVM",
        )
        for cpu, gib, _ in FLAVOURS
    ]
