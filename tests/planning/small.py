"""Small generated clouds that are valid by construction, and plain restatements to compare plans with."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

import simclone
from simclone.units import GIB
from tests.time.worlds import Doc, running, vm, world

__all__ = ["SIZES", "made_in_the_hand", "offerings", "running", "small_clouds"]

SIZES = {"unit": (1, 1), "wide": (3, 1), "tall": (1, 3), "odd": (2, 2)}
"""Offerings: vCPUs and GiB."""


def offerings() -> list[Doc]:
    """The offerings of every small cloud."""
    return [{"name": name, "cpuNum": cpu, "memorySize": memory * GIB} for name, (cpu, memory) in SIZES.items()]


@st.composite
def small_clouds(draw: st.DrawFn, most_hosts: int = 5, most_vms: int = 5, **more: Any) -> Doc:
    """Hosts in one or two clusters, some disabled, ratios, a reserve, and VMs that run where they have room."""
    clusters = [{"name": f"c{n}"} for n in range(draw(st.integers(1, 2)))]
    ratio = draw(st.sampled_from([1, 2, 3]))
    memory_ratio = draw(st.sampled_from([1.0, 1.0, 1.2, 1.5, 2.0]))
    reserve = draw(st.sampled_from([0, GIB, GIB // 2 + 7]))
    fleet = []
    for n in range(1, draw(st.integers(1, most_hosts)) + 1):
        usual = ["Enabled"] * (5 if n == 1 else 4)  # the first always takes VMs
        fleet.append(
            {
                "name": f"h{n}",
                "cluster": draw(st.sampled_from(clusters))["name"],
                "cpuNum": draw(st.integers(1, 6)),
                "totalPhysicalMemory": draw(st.integers(2, 9)) * GIB,
                "state": draw(st.sampled_from(usual if n == 1 else [*usual, "Disabled"])),
            }
        )
    doc = world(
        {
            "host.cpu.overProvisioning.ratio": ratio,
            "mevoco.overProvisioning.memory": memory_ratio,
            "kvm.reservedMemory": reserve,
        },
        clusters=clusters,
        hosts=fleet,
        instanceOfferings=offerings(),
        vms=[vm("v", state="Stopped", lastHost="h1", primaryStorage="nfs")],
        **more,
    )
    cpu = {one["name"]: one["cpuNum"] * ratio for one in fleet}
    memory = {one["name"]: one["totalPhysicalMemory"] - reserve for one in fleet}
    for n in range(draw(st.integers(0, most_vms))):
        host = draw(st.sampled_from(fleet))
        kind = draw(st.sampled_from(sorted(SIZES)))
        taken, bytes_ = SIZES[kind][0], round(SIZES[kind][1] * GIB / memory_ratio)
        name = host["name"]
        if cpu[name] < taken or memory[name] < bytes_ or SIZES[kind][1] * GIB >= host["totalPhysicalMemory"]:
            continue
        cpu[name] -= taken
        memory[name] -= bytes_
        doc["vms"].append(vm(f"r{n}", host=name, primaryStorage="nfs", instanceOffering=kind))
    return doc


def made_in_the_hand(doc: Doc, source: str) -> int:
    """How many clones of *source* a cloud in the hand makes, one call each, until the first that is refused."""
    cloud, made = simclone.open_cloud(doc), 0
    while True:
        answer = cloud.clone_vm_instance(source, {"cloneVmInstance": {"names": [f"n{made}"]}})
        if not answer.get("result", {}).get("numberOfClonedVm"):
            return made
        made += 1
