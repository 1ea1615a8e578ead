"""What no strategy beats: never below any of them, and exact where one size of VM can be counted host by host."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simclone
from simclone.errors import InvalidInput
from simclone.planning import bound as bounding
from simclone.units import GIB, divided, multiplied
from tests.clouds import examples
from tests.planning.small import SIZES, running, small_clouds
from tests.time.worlds import Doc, finished, hosts, request, stream, vm, world

ONE = simclone.ReplicationPlan(replications=1)


def asked_in_order(doc: Doc, order: list[str]) -> Doc:
    """The cloud with stopped sources of every size, asked for these sizes one after the other."""
    where = {"state": "Stopped", "lastHost": "h1", "primaryStorage": "nfs"}
    sources = [vm(f"s-{kind}", instanceOffering=kind, **where) for kind in SIZES]
    asked = [request(at, f"n{at}-a", f"n{at}-b", source=f"s-{kind}") for at, kind in enumerate(order)]
    return {**doc, "vms": [*doc["vms"], *sources], "requests": asked}


orders = st.lists(st.sampled_from(sorted(SIZES)), min_size=1, max_size=8)


@pytest.mark.parametrize(("single", "most"), [(40, 20_000), (0, 20_000), (0, 0)], ids=["whole", "summed", "pieces"])
def test_no_strategy_places_more(monkeypatch: pytest.MonkeyPatch, single: int, most: int) -> None:
    """With hosts one by one, with equal hosts added up, and with VMs cut in pieces: every strategy stays below."""
    monkeypatch.setattr(bounding, "SINGLE_HOSTS", single)
    monkeypatch.setattr(bounding, "MOST_VARIABLES", most)

    known = list(simclone.strategy_variants(world(), ()))
    assert len(known) > 6

    met: set[str] = set()

    @given(small_clouds(), orders, st.lists(st.sampled_from(known), min_size=2, max_size=2, unique=True))
    @settings(max_examples=examples(200 if single else 40))
    def compare(doc: Doc, order: list[str], some: list[str]) -> None:
        doc = asked_in_order(doc, order)
        found = simclone.bound(doc, strategies=some, plan=ONE)
        met.update(some)
        assert found.bound <= found.asked == 2 * len(order)
        assert (most > 0) >= (found.exact and found.bound > 0), "pieces of VMs are not exact"
        assert [one.strategy for one in found.gaps] == some
        for one in found.gaps:
            assert one.placed.estimate <= found.bound
            assert one.gap == found.bound - one.placed.estimate

    compare()
    assert met == set(known)


def alone(doc: Doc, host: Doc, kind: str) -> int:
    """VMs of one size that a host takes by itself, restated one VM after the other."""
    settings_ = doc["globalConfig"]
    cpu_ratio, ratio = settings_["host.cpu.overProvisioning.ratio"], settings_["mevoco.overProvisioning.memory"]
    here = [SIZES[one["instanceOffering"]] for one in doc["vms"] if one.get("host") == host["name"]]
    physical = host["totalPhysicalMemory"]
    cpu = host["cpuNum"] * cpu_ratio - sum(one for one, _ in here)
    free = physical - sum(divided(gib * GIB, ratio) for _, gib in here)
    vcpus, memory = SIZES[kind][0], SIZES[kind][1] * GIB
    took = 0
    if host["state"] != "Enabled" or memory >= physical:
        return 0
    while cpu >= vcpus and multiplied(free, ratio) >= memory:
        if free - settings_["kvm.reservedMemory"] < divided(memory, ratio):
            break
        cpu, free, took = cpu - vcpus, free - divided(memory, ratio), took + 1
    return took


@given(small_clouds(), st.sampled_from(sorted(SIZES)))
@settings(max_examples=examples(200))
def test_one_size_is_the_sum_of_what_each_host_takes_alone(doc: Doc, kind: str) -> None:
    """Exactly that many, also told as exact, and first fit reaches it."""
    every = sum(alone(doc, host, kind) for host in doc["hosts"])
    doc["vms"][0]["instanceOffering"] = kind
    doc["requests"] = [request(0, *(f"n{n}" for n in range(every + 2)))]
    found = simclone.bound(doc, strategies=["simclone.FirstFit"], plan=ONE)
    assert (found.bound, found.asked, found.exact) == (every, every + 2, True)
    assert [(one.strategy, one.gap) for one in found.gaps] == [("simclone.FirstFit", 0.0)]


def test_no_more_are_asked_than_bound() -> None:
    """Three names in a cloud for eight are three."""
    doc = world(requests=[request(0, "a", "b", "c")])
    found = simclone.bound(doc, plan=ONE)
    assert (found.bound, found.asked, found.figures()["gap"]) == (3, 3, 0.0)


def test_clones_that_do_not_start_need_no_host() -> None:
    """Eight run on eight vCPUs; five that are only created come on top."""
    body = {"strategy": "JustCreate"}
    doc = world(requests=[request(0, *"abcdefghijkl"), request(1, *(f"x{n}" for n in range(5)), **body)])
    found = simclone.bound(doc, plan=ONE)
    assert (found.bound, finished(doc).totals.placed) == (13, 13)


def test_a_pool_of_addresses_bounds_what_uses_it() -> None:
    """Four addresses, one of them the source's."""
    nets = [{"name": "l3", "l2Network": "l2", "ipRanges": [{"start": "10.0.0.1", "end": "10.0.0.4"}]}]
    doc = world(l3Networks=nets, vms=[running("v")], requests=[request(0, *"abcdef")])
    found = simclone.bound(doc, plan=ONE)
    assert found.bound == finished(doc).totals.placed == 3


def test_an_order_that_wastes_room_shows_as_a_gap() -> None:
    """Small ones first, spread over both hosts, leave no whole host for the large one: two of three placed."""
    kinds = [{"name": name, "cpuNum": cpu, "memorySize": GIB} for name, cpu in (("unit", 1), ("all", 4))]
    where = {"state": "Stopped", "lastHost": "h1", "primaryStorage": "nfs"}
    doc = world(instanceOfferings=kinds, vms=[vm("v", **where), vm("w", **(where | {"instanceOffering": "all"}))])
    doc["requests"] = [request(0, "a"), request(1, "b"), request(2, "c", source="w")]
    found = simclone.bound(doc, strategies=["LeastVmPreferredHostAllocatorStrategy", "simclone.BestFit"], plan=ONE)
    assert {one.strategy: (one.placed.estimate, one.gap) for one in found.gaps} == {
        "LeastVmPreferredHostAllocatorStrategy": (2.0, 1.0),
        "simclone.BestFit": (3.0, 0.0),
    }


def test_stranded_memory_is_on_hosts_that_take_nothing() -> None:
    """A third of the free memory is on a host without a vCPU left."""
    doc = world(hosts=hosts(3, cpu=1), vms=[vm("v", state="Stopped"), running("r", "h2", memorySize=0)])
    doc["vms"][1].pop("instanceOffering")
    doc["vms"][1] |= {"cpuNum": 1, "memorySize": "1MiB"}
    doc["requests"] = [request(0, "a")]
    found = simclone.bound(doc, plan=ONE)
    assert found.stranded == pytest.approx(1 / 3, abs=1e-6)
    assert found.free_cpu_vcpus == 2


@pytest.mark.parametrize(
    "more",
    [
        {"workload": [stream({"every": 10})], "run": {"horizon": 50}},
        {"incidents": [{"at": 1, "host": "h1", "event": "fail"}]},
    ],
)
def test_what_comes_and_goes_has_no_bound(more: dict[str, Any]) -> None:
    """It is refused, not answered wrongly."""
    with pytest.raises(InvalidInput, match="comes and goes"):
        simclone.bound(world(**more))


def test_an_unknown_strategy_is_a_fault() -> None:
    """It says which there are."""
    with pytest.raises(InvalidInput, match="strategies: 'Nothing' is unknown"):
        simclone.bound(world(requests=[request(0, "a")]), strategies=["Nothing"])
