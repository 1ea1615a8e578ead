"""The bound against every placement: each limit held, in whole numbers, on small clouds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simclone
from simclone.planning import bound as bounding
from simclone.units import GIB, divided
from tests.clouds import examples
from tests.time.worlds import Doc, request, vm, world

ONE = simclone.ReplicationPlan(replications=1)
ROOT = 10 * GIB
RESERVED = GIB
SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
SIZES = {"s": (1, 3 * GIB + 5, 0), "l": (2, 7 * GIB - 11, 0), "g": (1, 2 * GIB, 1)}
"""Offerings: vCPUs, bytes, GPUs."""


@st.composite
def limited(draw: st.DrawFn) -> Doc:
    """Up to three hosts with GPUs in up to two clusters, a shared storage or local shares, a quota, addresses."""
    names = [f"c{n}" for n in range(draw(st.integers(1, 2)))]
    ratio = draw(st.sampled_from([1.0, 1.2, 1.7]))
    fleet = [
        {
            "name": f"h{n}",
            "cluster": names[0] if n == 1 else draw(st.sampled_from(names)),
            "cpuNum": draw(st.integers(1, 6)),
            "totalPhysicalMemory": draw(st.integers(8, 20)) * GIB + draw(st.integers(-9, 9)),
            "pciDevices": {"A100": draw(st.integers(1, 2))} if draw(st.booleans()) else {},
        }
        for n in range(1, draw(st.integers(1, 3)) + 1)
    ]
    if draw(st.booleans()):
        size = {"totalCapacity": draw(st.integers(4, 9)) * ROOT}
        storages: list[Doc] = [{"name": "ps", "type": "NFS", "attachedClusters": names, **size}]
    else:
        shares = [{"host": host["name"], "totalCapacity": draw(st.integers(1, 4)) * ROOT} for host in fleet]
        shares[0]["totalCapacity"] += 3 * ROOT
        storages = [{"name": "ps", "type": "LocalStorage", "attachedClusters": names, "localHosts": shares}]
    l2s = [{"name": "l2", "attachedClusters": draw(st.sampled_from([names, names[:1]]))}]
    addresses = {"ipRanges": [{"start": "10.0.0.1", "end": f"10.0.0.{draw(st.integers(4, 9))}"}]}
    quota = {"vm.num": draw(st.integers(1, 6))} if draw(st.booleans()) else {}
    offerings = [
        {"name": name, "cpuNum": cpu, "memorySize": size} | ({"systemTags": ["pciDeviceSpec::A100::1"]} if gpu else {})
        for name, (cpu, size, gpu) in SIZES.items()
    ]
    where = {"state": "Stopped", "lastHost": "h1", "primaryStorage": "ps"}
    sources = [vm(f"v{name}", instanceOffering=name, **where) for name in SIZES]
    asked = [
        request(at, *(f"n{at}{n}" for n in range(draw(st.integers(1, 4)))), source=f"v{kind}")
        | ({"account": "team"} if draw(st.booleans()) else {})
        for at, kind in enumerate(draw(st.lists(st.sampled_from(sorted(SIZES)), min_size=1, max_size=3)))
    ]
    return world(
        {"mevoco.overProvisioning.memory": ratio},
        clusters=[{"name": name} for name in names],
        hosts=fleet,
        primaryStorages=storages,
        l2Networks=l2s,
        l3Networks=[{"name": "l3", "l2Network": "l2", **addresses}],
        accounts=[{"name": "team", "quota": quota}],
        instanceOfferings=offerings,
        vms=sources,
        requests=asked,
        images=[{"name": "image", "size": ROOT, "actualSize": 0}],
    )


def most(doc: Doc, storage: Mapping[str, int], addresses: int) -> int:
    """The most names by trying every host for every name; *storage* is room for roots by host, "" for all."""
    ratio = doc["globalConfig"]["mevoco.overProvisioning.memory"]
    limit = doc["accounts"][0]["quota"].get("vm.num", 20)
    reached = doc["l2Networks"][0]["attachedClusters"]
    names: list[tuple[str, bool]] = []
    for one in doc["requests"]:
        count, own = len(one["cloneVmInstance"]["names"]), "account" in one
        if not own or count <= limit:
            names += [(one["vm"][1:], own)] * count
    fleet = [host for host in doc["hosts"] if host["cluster"] in reached]
    start = tuple(
        (host["cpuNum"], host["totalPhysicalMemory"], host["pciDevices"].get("A100", 0), storage[host["name"]])
        for host in fleet
    )
    physical = [host["totalPhysicalMemory"] for host in fleet]

    @cache
    def best(at: int, free: tuple[tuple[int, int, int, int], ...], shared: int, left: int, quota: int) -> int:
        if at == len(names) or not left:
            return 0
        kind, own = names[at]
        cpu, size, gpus = SIZES[kind]
        result = best(at + 1, free, shared, left, quota)
        if (own and not quota) or not shared:
            return result
        for row, (cpus, memory, devices, roots) in enumerate(free):
            charge = divided(size, ratio)
            if cpus < cpu or memory < charge or devices < gpus or not roots or size >= physical[row]:
                continue
            now = (*free[:row], (cpus - cpu, memory - charge, devices - gpus, roots - 1), *free[row + 1 :])
            result = max(result, 1 + best(at + 1, now, shared - 1, left - 1, quota - own))
        return result

    return best(0, start, storage[""], addresses, limit)


def rooms(doc: Doc) -> dict[str, int]:
    """How many roots each host's share takes, and all together, once the sources' roots are there."""
    scenario = simclone.load(doc)
    cloud = bounding.open_context(scenario).cloud
    (storage,) = cloud.storages
    if storage.shares is None:
        every = max((storage.available - RESERVED) // ROOT, 0)
        return {host["name"]: every for host in doc["hosts"]} | {"": every}
    free = {
        name: max((storage.shares.available[row] - RESERVED) // ROOT, 0) for row, name in enumerate(cloud.fleet.names)
    }
    threshold = cloud.settings.values["mevoco.threshold.primaryStorage.physicalCapacity"]
    for row, name in enumerate(cloud.fleet.names):
        if storage.shares.total_physical[row] * threshold <= ROOT:
            free[name] = 0
    return free | {"": sum(free.values())}


@given(limited())
@settings(max_examples=examples(150))
def test_the_bound_is_what_the_best_placement_reaches(doc: Doc) -> None:
    """Never below it, equal where it is called exact, and no run of a strategy places more."""
    (pool,) = bounding.open_context(simclone.load(doc)).cloud.pools
    addresses = sum(part.end - part.start + 1 for part in pool.ranges) - len(pool.used)
    answer = simclone.bound(doc, strategies=["simclone.FirstFit", "simclone.BestFit"], plan=ONE)
    best = most(doc, rooms(doc), addresses)
    assert answer.bound >= max([best, *(int(gap.placed.estimate) for gap in answer.gaps)])
    if answer.exact:
        assert answer.bound == best
    if not answer.left_out and len(doc["requests"]) == 1:
        assert answer.exact


@given(st.integers(2, 70), st.sampled_from([1.0, 1.2, 1.3, 1.7]), st.integers(-2, 2), st.integers(0, 2))
@settings(max_examples=examples(80))
def test_no_byte_too_many(count: int, ratio: float, more: int, other: int) -> None:
    """Room for *count* VMs and some bytes: no tolerance of a solver makes it one more."""
    size, small = 8 * GIB + 1, 3 * GIB
    room = count * divided(size, ratio) + other * divided(small, ratio) + more
    doc = world(
        {"mevoco.overProvisioning.memory": ratio},
        hosts=[{"name": "h1", "cpuNum": 1000, "totalPhysicalMemory": room}],
        instanceOfferings=[
            {"name": "unit", "cpuNum": 1, "memorySize": size},
            {"name": "small", "cpuNum": 1, "memorySize": small},
        ],
        vms=[vm("v", state="Stopped"), vm("w", state="Stopped", instanceOffering="small")],
        requests=[request(0, *(f"n{n}" for n in range(count + 2)))],
    )
    if other:
        doc["requests"].append(request(1, *(f"s{n}" for n in range(other)), source="w"))
    answer = simclone.bound(doc, plan=ONE)
    smalls = range(other + 1)
    best = max(
        number + min((room - number * divided(small, ratio)) // divided(size, ratio), count + 2) for number in smalls
    )
    assert (answer.bound, answer.exact) == (best, True)


REPORTED: Sequence[tuple[str, int, int | None]] = [
    ("quota", 0, 2),
    ("pci-devices", 2, None),
    ("local-storage", 1, None),
    ("network-attachment", 0, None),
    ("storage-physical-threshold", 0, None),
    ("storage-virtual", 3, None),
    ("ip-exhausted", 3, None),
]


@pytest.mark.parametrize(("name", "most_clones", "cut"), REPORTED, ids=[name for name, _, _ in REPORTED])
def test_limits_of_the_shipped_scenarios(name: str, most_clones: int, cut: int | None) -> None:
    """What each scenario is short of is in the bound; a call over its quota is told both ways."""
    answer = simclone.bound(SCENARIOS / f"{name}.yaml", plan=ONE)
    assert (answer.bound, answer.if_cut) == (most_clones, cut)
    assert answer.gaps[0].gap == 0
    assert answer.exact
    words = answer.summary()
    assert "inf" not in words
    assert ("cut in single names 2" in words) is (cut is not None)


def test_an_affinity_rule_that_is_left_out_is_named() -> None:
    """And the bound is not called exact."""
    group: dict[str, Any] = {"name": "g", "policy": "antiHard"}
    tags = {"systemTags": ["affinityGroupUuid::g"]}
    doc = world(affinityGroups=[group], requests=[request(0, "a", "b", "c", **tags)])
    answer = simclone.bound(doc, plan=ONE)
    assert (answer.bound, answer.exact) == (3, False)
    assert answer.left_out == ("rules of affinity groups (g)",)
    assert "not in the bound" in answer.summary()
