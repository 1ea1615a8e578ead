"""Planning questions on recorded traces, which take minutes: ``python tests/planning_replay.py headroom|size|compare``.

Hosts and workloads are those beside the repository (``../shared/traces``); times and answers are printed.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from pathlib import Path
from time import perf_counter
from typing import Any

import simclone
from simclone.planning.parts.answer import Answer
from simclone.scenario.traces import fleet, read_hosts
from simclone.units import GIB

TRACES = Path(__file__).resolve().parents[2] / "shared" / "traces"
NODES = TRACES / "alibaba-openb-2023" / "openb_node_list_all_node.csv"
AZURE, HUAWEI = TRACES / "azure-vm-2017-window", TRACES / "huawei-east-1" / "Huawei-East-1-lt.csv"
FAST = ("LeastVmPreferredHostAllocatorStrategy", "DefaultHostAllocatorStrategy")
TEXTBOOK = ("simclone.FirstFit", "simclone.BestFit", "simclone.WorstFit", "simclone.Random")


def cloud(hosts: list[Any], shapes: Iterable[tuple[int, float]], trace: Path | None = None) -> dict[str, Any]:
    """Hosts with storage that never binds, a stopped source of each shape, and clones of them as in *trace*."""
    named = {f"source-{cpu:g}-vcpu-{gib:g}-gib": (cpu, round(gib * GIB)) for cpu, gib in shapes}
    made = fleet(hosts)
    home = {"lastHost": made["hosts"][0]["name"], "primaryStorage": made["primaryStorages"][0]["name"]}
    source = {"image": "image", "l3Networks": [], "state": "Stopped", **home}
    document = {
        **made,
        "backupStorages": [{"name": "store", "type": "ImageStoreBackupStorage"}],
        "images": [{"name": "image", "size": "1GiB", "actualSize": 0}],
        "instanceOfferings": [{"name": one, "cpuNum": cpu, "memorySize": size} for one, (cpu, size) in named.items()],
        "vms": [{"name": one, "instanceOffering": one, **source} for one in named],
        "globalConfig": {"host.cpu.overProvisioning.ratio": 1, "kvm.reservedMemory": 0, "vm.deletionPolicy": "Direct"},
    }
    if trace is None:
        return document
    return {**document, "workload": [{"name": "trace", "trace": {"path": str(trace)}}], "run": {"keep": "summary"}}


def headroom() -> Answer:
    """Twenty offerings on all 1,523 hosts."""
    shapes = [(cpu, float(cpu * factor)) for cpu in (1, 2, 4, 8, 16) for factor in (1, 2, 4, 8)]
    return simclone.headroom(cloud(list(read_hosts(NODES)), shapes))


def size() -> Answer:
    """The largest of the hosts without GPUs added until 99.9 % of the Azure window's VMs are placed."""
    lines = (AZURE / "flav_map.txt").read_text("utf-8").splitlines()
    shapes = sorted({(int(cpu), float(gib)) for cpu, gib in (line.split(" ")[0].split(",") for line in lines)})
    document = cloud([one for one in read_hosts(NODES) if not one.gpus], shapes, AZURE)
    largest = max(document["hosts"], key=lambda one: (one["cpuNum"], one["totalPhysicalMemory"]))
    model = simclone.Model("more", like=largest["name"])
    return simclone.size(document, [model], target=0.999, plan=simclone.ReplicationPlan(replications=2))


def compare() -> Answer:
    """Strategies on every fourth of the hosts without GPUs, just about enough for Huawei-East-1."""
    with HUAWEI.open(encoding="utf-8") as file:
        shapes = sorted({(int(row["cpu"]), float(row["mem"])) for row in csv.DictReader(file)})
    document = cloud([one for one in read_hosts(NODES) if not one.gpus][::4], shapes, HUAWEI)
    variants = simclone.strategy_variants(document, (*FAST, *TEXTBOOK))
    return simclone.compare(document, variants, plan=simclone.ReplicationPlan(replications=20))


if __name__ == "__main__":
    for name in sys.argv[1:] or ("headroom",):
        begun = perf_counter()
        answer = {"headroom": headroom, "size": size, "compare": compare}[name]()
        print(answer.summary(), answer.to_frame().to_string(), f"{perf_counter() - begun:.1f} s", sep="\n")
