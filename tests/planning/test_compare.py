"""Which is better, and many settings: small situations whose right answer is plain."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest

import simclone
from simclone.errors import InvalidInput
from simclone.units import GIB
from tests.time.worlds import Doc, finished, request, stream, vm, world

FEW = "LeastVmPreferredHostAllocatorStrategy"
KINDS = [{"name": name, "cpuNum": cpu, "memorySize": GIB} for name, cpu in (("unit", 1), ("all", 4))]


def small_first() -> Doc:
    """Two units, then one that needs a whole host: packing leaves one, spreading does not."""
    where = {"state": "Stopped", "lastHost": "h1", "primaryStorage": "nfs"}
    doc = world(instanceOfferings=KINDS, vms=[vm("v", **where), vm("w", **(where | {"instanceOffering": "all"}))])
    return {**doc, "requests": [request(0, "a"), request(1, "b"), request(2, "c", source="w")]}


def at_random(hours: float = 30, **more: Any) -> Doc:
    """Units at random that stay for an hour, too many for eight vCPUs."""
    lives = {"exponential": {"mean": 3600}}
    arrivals = {"poisson": {"perHour": 9}}
    return world(workload=[stream(arrivals, lifetime=lives)], run={"horizon": hours * 3600}, **more)


def test_the_plainly_better_strategy_leads() -> None:
    """Best fit places all three in every replication, the fewest VMs two of them."""
    variants = simclone.strategy_variants(small_first(), [FEW, "simclone.BestFit"])
    found = simclone.compare(small_first(), variants, plan=simclone.ReplicationPlan(replications=10))
    assert [(one.name, one.rank, one.figure.estimate) for one in found.variants] == [
        ("simclone.BestFit", 1, 1.0),
        (FEW, 2, pytest.approx(2 / 3)),
    ]
    gap = found.variants[1].to_best
    assert gap is not None
    assert gap.significant
    assert gap.interval.estimate == pytest.approx(-1 / 3)
    assert found.variants[1].reasons == {"host.cpu": 10}


def test_who_knows_the_ends_keeps_hosts_that_empty(tmp_path: Path) -> None:
    """A short VM on h1, long ones on h2: the small long one fills h1 under best fit and goes to h2 under foresight.

    When the short one has ended, only foresight has a whole host for the last VM.
    """
    (tmp_path / "vms.csv").write_text(
        "arrival_s,end_s,vcpu,memory_gib,count\n0,600,3,1,1\n1,90000,2,1,1\n2,90000,1,1,1\n1000,90000,4,1,1\n"
    )
    shapes = {f"source-{cpu}-vcpu-1-gib": cpu for cpu in (1, 2, 3, 4)}
    where = {"state": "Stopped", "lastHost": "h1", "primaryStorage": "nfs"}
    doc = world(
        instanceOfferings=[{"name": name, "cpuNum": cpu, "memorySize": GIB} for name, cpu in shapes.items()],
        vms=[vm(name, instanceOffering=name, **where) for name in shapes],
        workload=[{"name": "trace", "trace": {"path": str(tmp_path / "vms.csv")}}],
    )
    variants = simclone.strategy_variants(doc, ["simclone.BestFit", "simclone.LifetimeAware"])
    found = simclone.compare(doc, variants, plan=simclone.ReplicationPlan(replications=2))
    assert {one.name: one.figure.estimate for one in found.variants} == {
        "simclone.LifetimeAware": 1.0,
        "simclone.BestFit": 0.75,
    }


def test_identical_variants_share_the_first_rank() -> None:
    """The same scenario under two names: no difference at all, on the same random numbers."""
    doc = at_random()
    found = simclone.compare(doc, simclone.change_variants(doc, {"one": [], "other": []}))
    assert [one.rank for one in found.variants] == [1, 1]
    assert found.variants[0].figure == found.variants[1].figure
    assert found.variants[1].to_best is not None
    assert found.variants[1].to_best.interval.half_width == 0
    assert not found.variants[1].to_best.significant


def test_a_small_gain_shows_on_common_random_numbers() -> None:
    """One vCPU more in nine: the intervals overlap, the paired difference is significant."""
    doc = at_random(hours=12)
    variants = simclone.change_variants(doc, {"as it is": [], "more": [{"set": {"hosts.h1.cpuNum": 5}}]})
    found = simclone.compare(doc, variants, plan=simclone.ReplicationPlan(replications=12))
    best, other = found.variants
    assert (best.name, best.rank, other.rank) == ("more", 1, 2)
    assert other.figure.high > best.figure.low
    assert other.to_best is not None
    assert other.to_best.interval.high < 0


def test_less_is_better_where_less_is_better() -> None:
    """By success the larger cloud leads, by peak of VMs the smaller one."""
    doc = at_random()
    variants = simclone.change_variants(doc, {"small": [{"removeHosts": ["h2"]}], "large": []})
    plan = simclone.ReplicationPlan(replications=3)
    assert simclone.compare(doc, variants, plan=plan).variants[0].name == "large"
    assert simclone.compare(doc, variants, figure="peak_vms", plan=plan).variants[0].name == "small"
    costs = {"small": 4.0, "large": 9.0}
    assert [one.cost for one in simclone.compare(doc, variants, costs=costs, plan=plan).variants] == [9.0, 4.0]


def test_a_half_width_stops_when_it_is_reached() -> None:
    """A certain outcome needs no more than it began with; a random one goes on until its interval is narrow."""
    variants = simclone.strategy_variants(small_first(), [FEW, "simclone.BestFit"])
    certain = simclone.compare(small_first(), variants, plan=simclone.ReplicationPlan(replications=3, half_width=0.001))
    assert certain.replications == 3
    doc = at_random(hours=10)
    pair = simclone.change_variants(doc, {"one": [], "other": []})
    found = simclone.compare(doc, pair, plan=simclone.ReplicationPlan(replications=3, half_width=0.03))
    assert 3 < found.replications < 1000
    assert all(one.figure.half_width <= 0.03 for one in found.variants)
    capped = simclone.compare(doc, pair, plan=simclone.ReplicationPlan(replications=3, half_width=1e-9, most=7))
    assert capped.replications == 7


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"replications": 0}, "replications: 0 is no number of runs"),
        ({"replications": 1, "half_width": 0.1}, "replications: one run has no interval to narrow"),
        ({"half_width": 0.0}, "half_width: 0 is no width"),
        ({"half_width": float("nan")}, "half_width: nan is no width"),
        ({"confidence": 1.0}, "confidence: 1 is no share"),
    ],
)
def test_a_plan_that_cannot_be_is_a_fault(given_: dict[str, Any], words: str) -> None:
    """It says what is wrong with which number."""
    with pytest.raises(InvalidInput) as caught:
        simclone.ReplicationPlan(**given_)
    assert words in str(caught.value)


def test_one_variant_cannot_be_compared_and_figures_have_names() -> None:
    """Two at least; an unknown figure says which there are."""
    doc = small_first()
    with pytest.raises(InvalidInput, match="variants: 1 cannot be compared"):
        simclone.compare(doc, {"a": simclone.load(doc)})
    pair = simclone.change_variants(doc, {"a": [], "b": []})
    with pytest.raises(InvalidInput, match=r"figure: 'beauty' is no figure \(expected .*success_ratio"):
        simclone.compare(doc, pair, figure="beauty")


# ---------------------------------------------------------------- sweeps

SIX = [request(0, *"abcdef")]


def test_a_sweep_runs_every_combination() -> None:
    """Six names on hosts of so many vCPUs, under so much of the demand: each point is the run of that file."""
    doc = world(requests=SIX)
    values = {"hosts.h1.cpuNum": [1, 2, 4], "hosts.h2.cpuNum": [1, 3], "demand": [0.5, 1.0, 2.0]}
    found = simclone.sweep(doc, values, figure="placed", plan=simclone.ReplicationPlan(replications=1))
    assert [tuple(one.values.values()) for one in found.points] == list(product(*values.values()))
    for one in found.points:
        first, second, demand = one.values.values()
        assert one.figure is not None
        assert one.figure.estimate == min(first + second, 6 * demand)
    assert found.figures() == {"least": 2.0, "most": 7.0}


def test_a_point_that_cannot_be_run_says_why() -> None:
    """The others are told all the same."""
    found = simclone.sweep(
        world(requests=SIX), {"hosts.h1.cpuNum": [0, 2]}, plan=simclone.ReplicationPlan(replications=1)
    )
    assert found.points[0].figure is None
    assert "cpuNum" in found.points[0].fault
    assert found.points[1].figure is not None
    frame = found.to_frame()
    assert list(frame["hosts.h1.cpuNum"]) == [0, 2]
    with pytest.raises(InvalidInput, match="no combination can be run"):
        simclone.sweep(world(requests=SIX), {"hosts.h9.cpuNum": [1, 2]})


def test_a_hypercube_meets_every_slice_once() -> None:
    """Ten points: in each dimension one in every tenth of the range; the same seed gives the same."""
    doc = world(requests=SIX)
    ranges = {"demand": (1.0, 2.0), "hosts.h1.cpuNum": (1.0, 21.0)}
    plan = simclone.ReplicationPlan(replications=1)
    found = simclone.hypercube(doc, ranges, 10, whole=["hosts.h1.cpuNum"], figure="placed", plan=plan)
    demands = sorted(one.values["demand"] for one in found.points)
    assert [int((value - 1) * 10) for value in demands] == list(range(10))
    assert all(isinstance(one.values["hosts.h1.cpuNum"], int) for one in found.points)
    again = simclone.hypercube(doc, ranges, 10, whole=["hosts.h1.cpuNum"], figure="placed", plan=plan)
    assert again == found
    other = simclone.hypercube(doc, ranges, 10, whole=["hosts.h1.cpuNum"], plan=plan, seed=1)
    assert [one.values for one in other.points] != [one.values for one in found.points]


def test_the_widest_bar_is_what_binds() -> None:
    """With six names for eight places demand moves the count, memory does not."""
    doc = world(requests=SIX)
    ranges = {
        "hosts.h2.totalPhysicalMemory": (100.0 * GIB, 200.0 * GIB),
        "demand": (0.5, 2.0),
        "hosts.h1.cpuNum": (1.0, 3.0),
    }
    found = simclone.sensitivity(doc, ranges, figure="placed", plan=simclone.ReplicationPlan(replications=1))
    assert found.base == 6.0
    assert [(one.path, one.at_low, one.at_high) for one in found.bars] == [
        ("demand", 3.0, 8.0),
        ("hosts.h1.cpuNum", 5.0, 6.0),
        ("hosts.h2.totalPhysicalMemory", 6.0, 6.0),
    ]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda doc: simclone.sweep(doc, {}), "values: names nothing"),
        (lambda doc: simclone.sweep(doc, {"demand": []}), "demand: has no values"),
        (lambda doc: simclone.sweep(doc, {"demand": range(400), "hosts.h1.cpuNum": range(400)}), "combinations"),
        (lambda doc: simclone.hypercube(doc, {"demand": (2.0, 1.0)}, 4), "demand: 2 to 1 is no range"),
        (lambda doc: simclone.hypercube(doc, {"demand": (1.0, 2.0)}, 1), "points: 1 is no sample"),
        (lambda doc: simclone.hypercube(doc, {}, 4), "ranges: names nothing"),
        (lambda doc: simclone.sensitivity(doc, {"no.such": (1.0, 2.0)}), "no"),
        (lambda doc: simclone.sensitivity(doc, {"demand": (0.0, 2.0)}), "more than 0"),
    ],
)
def test_wrong_settings_say_where(call: Any, words: str) -> None:
    """Every fault names its place and what would be right."""
    with pytest.raises(InvalidInput) as caught:
        call(world(requests=SIX))
    assert words in str(caught.value)


# ---------------------------------------------------------------- what-ifs


def with_whatifs() -> Doc:
    """Ten names for eight places: a host more holds them, a disabled one does not."""
    more = [
        {"name": "third host", "changes": [{"addHosts": {"like": "h1", "name": "h3"}}]},
        {"name": "twice the names", "changes": [{"demand": 2.0}]},
    ]
    return world(requests=[request(0, *"abcdefghij")], whatif=more)


def test_what_ifs_stand_beside_the_scenario_and_stack() -> None:
    """Eight of ten; ten with a host more; eight of twenty; twelve of twenty with both."""
    stacks = [["third host", "twice the names"]]
    found = simclone.whatif(with_whatifs(), stacks=stacks, plan=simclone.ReplicationPlan(replications=2))
    told = {one.name: (one.hosts, one.cpu_vcpus, one.success.estimate, one.room) for one in found.variants}
    assert told == {
        "as it is": (2, 8, 0.8, {"unit": 8}),
        "third host": (3, 12, 1.0, {"unit": 12}),
        "twice the names": (2, 8, 0.4, {"unit": 8}),
        "third host + twice the names": (3, 12, 0.6, {"unit": 12}),
    }
    changes = [one.success_change for one in found.variants]
    assert changes[0] is None
    assert [one.interval.estimate for one in changes[1:] if one] == pytest.approx([0.2, -0.4, -0.2])
    assert "third host: 3 hosts, 100.00 % placed (+20.00 points)" in found.summary()


def test_unknown_what_ifs_and_none_are_faults() -> None:
    """A stack of unknown names says which there are; a file without a block says so."""
    with pytest.raises(InvalidInput, match=r"whatif: 'x' is not there \(expected third host, twice the names\)"):
        simclone.whatif(with_whatifs(), stacks=[["x"]])
    with pytest.raises(InvalidInput, match="whatif: the scenario has none"):
        simclone.whatif(world())


def test_a_variant_is_the_changed_scenario() -> None:
    """What is compared is what a run of the changed file gives."""
    doc = with_whatifs()
    for name, variant in simclone.whatif_variants(doc).items():
        placed = simclone.run(variant).result.totals.placed
        assert placed == {"as it is": 8, "third host": 10, "twice the names": 8}[name]
    assert finished(doc).totals.placed == 8


def test_hosts_that_come_later_find_names_among_counted_ones() -> None:
    """Four hosts by a count and two more at a later time: the new ones are called otherwise."""
    doc = world(hosts=[{"name": "h{n}", "count": 4, "cpuNum": 4, "totalPhysicalMemory": 64 * GIB}])
    doc |= {"requests": [request(0, "a")], "run": {"horizon": 1000}}
    doc["whatif"] = [{"name": "later", "at": 500, "changes": [{"addHosts": {"like": "h1", "count": 2}}]}]
    found = simclone.whatif(doc, plan=simclone.ReplicationPlan(replications=2))
    assert [one.name for one in found.variants] == ["as it is", "later"]


def test_a_share_lies_between_nothing_and_all() -> None:
    """Few replications near 100 %: the interval ends there."""
    found = simclone.compare(at_random(), simclone.change_variants(at_random(), {"a": [], "b": [{"demand": 0.3}]}))
    assert all(0 <= one.figure.low <= one.figure.high <= 1 for one in found.variants)
