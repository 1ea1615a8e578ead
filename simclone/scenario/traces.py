"""A scenario from a recorded host list and a recorded stream of batches: one batch is one clone request."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from simclone.traces.batches import batched
from simclone.traces.formats import open_trace
from simclone.traces.openb import read_hosts
from simclone.traces.rows import Batch, HostRow
from simclone.units import GIB
from simclone.workload.replay import vm_name

HOSTS_PER_CLUSTER = 40
ROOT_SIZE = 40 * GIB
DISK_PER_HOST = 2048 * GIB
GPU = "gpu"
POD_RULE = "pod-{vcpu}-vcpu-{memoryGib}-gib-{gpus}-gpu"
_UNCOUNTED = (
    "vm.cpuNum",
    "vm.memorySize",
    "volume.data.num",
    "volume.capacity",
    "image.num",
    "image.size",
    "snapshot.volume.num",
)
UNLIMITED = dict.fromkeys(_UNCOUNTED, 1 << 60)
WAN_START, WAN_SIZE = "10.0.0.1", 1 << 24


def fleet(rows: Iterable[HostRow], per_cluster: int = HOSTS_PER_CLUSTER, per_vcpu: int = 1000) -> dict[str, Any]:
    """Clusters, hosts and storage lists for real hosts, taken in file order; a vCPU is *per_vcpu* thousandths of one.

    The rule for what the record lacks: every *per_cluster* hosts are one cluster with one NFS of 2 TiB per host, and
    all clusters share one network.
    """
    hosts = [
        {
            "name": row.name,
            "cluster": f"cluster-{position // per_cluster + 1}",
            "cpuNum": row.cpu_milli // per_vcpu,
            "totalPhysicalMemory": row.memory_bytes,
            **({"pciDevices": {GPU: row.gpus}} if row.gpus else {}),
        }
        for position, row in enumerate(rows)
    ]
    names = sorted({str(host["cluster"]) for host in hosts}, key=lambda name: int(name.removeprefix("cluster-")))
    return {
        "clusters": [{"name": name} for name in names],
        "hosts": hosts,
        "primaryStorages": [
            {
                "name": f"nfs-{name}",
                "type": "NFS",
                "attachedClusters": [name],
                "totalCapacity": DISK_PER_HOST * sum(host["cluster"] == name for host in hosts),
            }
            for name in names
        ],
    }


def _shape_name(batch: Batch) -> str:
    return f"{batch.cpu_milli // 1000}-vcpu-{batch.memory_bytes / GIB:g}-gib"


def requests(batches: Iterable[Batch], tenants: int = 0) -> tuple[list[dict[str, Any]], dict[str, Batch]]:
    """A clone request per batch (n VMs of one shape are n names), and the shapes that occur, in order.

    With *tenants*, batch k is asked for by tenant k modulo their number; without, by the administrator.
    """
    result: list[dict[str, Any]] = []
    shapes: dict[str, Batch] = {}
    for number, batch in enumerate(batches):
        shape = _shape_name(batch)
        shapes.setdefault(shape, batch)
        names = [f"batch-{number}-{copy}" for copy in range(batch.count)]
        result.append(
            {
                "name": f"batch-{number}",
                "at": batch.arrival_us / 1_000_000,
                "vm": f"source-{shape}",
                "cloneVmInstance": {"names": names},
                **({"account": f"tenant-{number % tenants + 1}"} if tenants else {}),
            }
        )
    return result, shapes


def trace_scenario(
    hosts: str | Path,
    trace: str | Path,
    *,
    batches: int,
    first_batch: int = 0,
    every_host: int = 1,
    only_cpu_hosts: bool = False,
    addresses: int = 1 << 16,
    cpu_ratio: int = 1,
    tenants: int = 0,
    tenant_vms: int = 1000,
) -> dict[str, Any]:
    """A scenario document: *batches* consecutive batches of *trace* on every *every_host*-th host of *hosts*.

    *hosts* is an openb node list; *addresses* the size of the one address range, *cpu_ratio* the vCPUs per thread.
    Each of *tenants* may run *tenant_vms* VMs. Each shape of the trace has one stopped source VM. Raises InvalidInput
    for files of another shape.
    """
    rows = [row for row in read_hosts(hosts) if not (only_cpu_hosts and row.gpus)][::every_host]
    requested, shapes = requests(islice(batched(open_trace(trace)), first_batch, first_batch + batches), tenants)
    last = (10 << 24) + addresses
    end = ".".join(str(last >> shift & 255) for shift in (24, 16, 8, 0))
    return {
        "name": f"{Path(trace).stem}-on-{Path(hosts).stem}",
        "globalConfig": {"host.cpu.overProvisioning.ratio": cpu_ratio},
        **fleet(rows),
        "backupStorages": [{"name": "imagestore", "type": "ImageStoreBackupStorage"}],
        "images": [{"name": "image", "size": ROOT_SIZE, "actualSize": GIB, "backupStorages": ["imagestore"]}],
        "l2Networks": [{"name": "l2"}],
        "l3Networks": [{"name": "l3", "l2Network": "l2", "ipRanges": [{"start": WAN_START, "end": end}]}],
        "instanceOfferings": [
            {"name": name, "cpuNum": batch.cpu_milli // 1000, "memorySize": batch.memory_bytes}
            for name, batch in shapes.items()
        ],
        "accounts": [
            {"name": f"tenant-{number + 1}", "quota": {**UNLIMITED, "vm.num": tenant_vms, "vm.totalNum": tenant_vms}}
            for number in range(tenants)
        ],
        "vms": [
            {
                "name": f"source-{name}",
                "instanceOffering": name,
                "image": "image",
                "l3Networks": ["l3"],
                "state": "Stopped",
            }
            for name in shapes
        ],
        "requests": requested,
    }


def pods_scenario(hosts: str | Path, pods: str | Path, *, every_host: int = 1, scale: float = 1.0) -> dict[str, Any]:
    """A scenario document that replays an openb pod list on every *every_host*-th openb host, GPUs included.

    Pods ask for thousandths of a vCPU, so here the unit of CPU is the thousandth: hosts and VMs have 1,000 times their
    vCPUs. A GPU is a whole device of one kind; a pod that asks for a share of one gets the device (a share cannot be
    placed), and accepted types are not looked at. Times are multiplied by *scale*; below 1 the same pods come closer
    together. Raises InvalidInput for files of another shape.
    """
    rows = list(read_hosts(hosts))[::every_host]
    shapes = dict.fromkeys((item.cpu_milli, item.memory_bytes, item.gpus) for item in open_trace(pods))
    return {
        "name": f"{Path(pods).stem}-on-{Path(hosts).stem}",
        "globalConfig": {
            "host.cpu.overProvisioning.ratio": 1,
            "kvm.reservedMemory": 0,
            "vm.deletionPolicy": "Direct",
        },
        **fleet(rows, per_vcpu=1),
        "backupStorages": [{"name": "imagestore", "type": "ImageStoreBackupStorage"}],
        "images": [{"name": "image", "size": ROOT_SIZE, "actualSize": GIB, "backupStorages": ["imagestore"]}],
        "l2Networks": [{"name": "l2"}],
        "l3Networks": [{"name": "l3", "l2Network": "l2", "dhcp": False, "ipRanges": []}],
        "instanceOfferings": [_pod_offering(*shape) for shape in shapes],
        "vms": [_pod_source(rows[0].name, vm_name(POD_RULE, *shape)) for shape in shapes],
        "workload": [{"name": "pods", "trace": {"path": str(Path(pods).resolve()), "vmFor": POD_RULE, "scale": scale}}],
    }


def _pod_offering(cpu_milli: int, memory_bytes: int, gpus: int) -> dict[str, Any]:
    """The shape of a pod; clones take their devices from the offering's tags. One without memory gets a byte."""
    return {
        "name": vm_name(POD_RULE, cpu_milli, memory_bytes, gpus),
        "cpuNum": cpu_milli,
        "memorySize": max(memory_bytes, 1),
        **({"systemTags": [f"pciDeviceSpec::{GPU}::{gpus}"]} if gpus else {}),
    }


def _pod_source(host: str, name: str) -> dict[str, Any]:
    """The stopped VM that pods of a shape are cloned from; where it once ran does not matter."""
    return {
        "name": name,
        "instanceOffering": name,
        "image": "image",
        "l3Networks": ["l3"],
        "state": "Stopped",
        "lastHost": host,
        "primaryStorage": "nfs-cluster-1",
    }
