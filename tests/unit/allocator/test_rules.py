"""The arithmetic of rules, and the flows that call it: they say the same, under one name."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simclone
from simclone.allocator.host import reserve
from simclone.allocator.host.chain import narrowed
from simclone.allocator.host.filters.affinity import AffinityGroupFlow
from simclone.allocator.host.filters.capacity import HostCapacityFlow
from simclone.allocator.host.flow import Candidates
from simclone.allocator.host.request import HostRequest
from simclone.allocator.rules.affinity import allowed_band, member_counts, members_in_order
from simclone.allocator.rules.capacity import ANYTHING, charged, shortfall, times_it_fits
from simclone.allocator.rules.storage_capacity import physical_shortage, share_threshold
from simclone.engine.context import Context
from simclone.model.fleet import Fleet
from simclone.units import GIB
from simclone.vocabulary import Policy
from tests.clouds import examples, opened

SCENARIOS = Path(__file__).resolve().parents[3] / "scenarios"


def fleet_of(*hosts: tuple[int, int, int, int, float]) -> Context:
    """Hosts with free vCPUs, physical, free and reserved memory, and a ratio."""
    ctx = opened({"hosts": [{"name": f"h{row}", "cpuNum": 1, "totalPhysicalMemory": 1} for row in range(len(hosts))]})
    fleet: Fleet = ctx.cloud.fleet
    for row, (cpu, total, free, reserved, ratio) in enumerate(hosts):
        fleet.available_cpu[row], fleet.total_memory[row] = cpu, total
        fleet.available_memory[row], fleet.reserved_memory[row] = free, reserved
        fleet.ratio_class[row] = fleet.ratio_class_of(ratio)
    return ctx


amounts = st.integers(-3, 40)
hosts = st.tuples(amounts, st.integers(1, 40), amounts, st.integers(0, 9), st.sampled_from([1.0, 1.5, 3.0, 0.7]))


@given(st.lists(hosts, min_size=1, max_size=5), st.integers(0, 20), st.integers(0, 40), st.booleans())
@settings(max_examples=examples(100), deadline=None)
def test_a_shortfall_is_what_the_capacity_filter_refuses(
    given_hosts: list[tuple[int, int, int, int, float]], cpu: int, memory: int, checked: bool
) -> None:
    """Host by host: none where the filter keeps it, else the reason of the first test that refuses."""
    ctx = fleet_of(*given_hosts)
    cloud = ctx.cloud
    cloud.settings.values["hostAllocator.hostAllocator.checkHostMem"] = checked
    request, flow = HostRequest(cpu, memory), HostCapacityFlow()
    everybody = Candidates(cloud, np.arange(cloud.fleet.row_count))
    facts = flow.facts(request, cloud, everybody)
    for host in range(cloud.fleet.row_count):
        alone = Candidates(cloud, np.array([host]))
        first = next((test.reason for test in flow.tests if not test.keep(alone.hosts, facts).all()), None)
        short = shortfall(cloud.fleet, host, cpu, memory, memory if checked and memory else ANYTHING)
        assert (short and short.reason.code) == first
        if short is not None:
            cloud.fleet.available_cpu[host] += short.cpu
            cloud.fleet.available_memory[host] += short.memory
            cloud.fleet.total_memory[host] += short.memory
            assert shortfall(cloud.fleet, host, cpu, memory, memory if checked and memory else ANYTHING) is None


@given(hosts, st.integers(1, 6), st.integers(1, 12))
@settings(max_examples=examples(100), deadline=None)
def test_as_many_fit_as_can_be_reserved(host: tuple[int, int, int, int, float], cpu: int, memory: int) -> None:
    """VMs of one size are reserved on a host one after the other until it has no more."""
    ctx = fleet_of(host)
    fleet, count = ctx.cloud.fleet, 0
    times = int(times_it_fits(fleet, cpu, memory)[0])
    while reserve.refusal(HostRequest(cpu, memory), ctx.cloud, 0) is None:
        ctx.ledger.hosts.fill(np.array([0]), cpu, memory)
        count += 1
        if count > 60:
            break
    free_of_charge = charged(memory, fleet.memory_ratio(0)) == 0
    assert count == max(times, 0) or (free_of_charge and count > times)


GROUP = {"hosts": [{"name": f"h{n}", "cpuNum": 8, "totalPhysicalMemory": 64 * GIB} for n in range(4)]}


@pytest.mark.parametrize("policy", list(Policy))
def test_a_band_allows_a_host_alone_as_among_all(policy: Policy) -> None:
    """One row and the whole column give the same; a member is left out of the counts."""
    ctx = opened({**GROUP, "affinityGroups": [{"name": "g", "policy": str(policy)}]})
    group = ctx.cloud.groups[0]
    group.counts.update({0: 2, 1: 1})
    assert member_counts(group, None, ctx.cloud) == {0: 2, 1: 1}
    band = allowed_band(group, ctx.cloud, None)
    assert band is not None
    together = band.allows(np.arange(4)).tolist()
    assert [bool(band.allows(host)) for host in range(4)] == together
    assert together == {"anti": [False, False, True, True], "affinity": [True, True, False, False]}.get(
        policy.kind, [False, False, True, True]
    )


@pytest.mark.parametrize("policy", list(Policy))
@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ("host", {"anti": (1, 3), "affinity": (0, 3), "spread": (1, 3)}),
        ("rack", {"anti": (0, 3), "affinity": (3, 3), "spread": (0, 3)}),
    ],
)
def test_members_stand_by_a_policy_over_domains(
    policy: Policy, over: str, expected: dict[str, tuple[int, int]]
) -> None:
    """Two members on h0, one on h1, both hosts of rack a; rack b has none."""
    hosts = [{**host, "labels": {"rack": rack}} for host, rack in zip(GROUP["hosts"], "aabb", strict=True)]
    vms = [
        {
            "name": name,
            "instanceOffering": "o",
            "image": "i",
            "host": host,
            "primaryStorage": "nfs",
            "affinityGroup": "g",
        }
        for name, host in (("v0", "h0"), ("v1", "h0"), ("v2", "h1"))
    ]
    document = {
        "hosts": hosts,
        "primaryStorages": [{"name": "nfs", "type": "NFS", "totalCapacity": 500 * GIB}],
        "backupStorages": [{"name": "b"}],
        "images": [{"name": "i", "size": GIB}],
        "instanceOfferings": [{"name": "o", "cpuNum": 1, "memorySize": GIB}],
        "affinityGroups": [{"name": "g", "policy": str(policy), "over": over}],
        "vms": vms,
    }
    cloud = opened(document).cloud
    assert members_in_order(cloud.groups[0], cloud) == expected[policy.kind]


def test_without_members_an_affinity_group_allows_every_host() -> None:
    """There is no band to be in."""
    ctx = opened({**GROUP, "affinityGroups": [{"name": "g", "policy": "affinityHard"}]})
    assert allowed_band(ctx.cloud.groups[0], ctx.cloud, None) is None
    assert members_in_order(ctx.cloud.groups[0], ctx.cloud) == (0, 0)


def test_a_hard_refusal_has_one_name() -> None:
    """Error, Steps, host table and blocking set say the policy's name."""
    run, reason = simclone.run(SCENARIOS / "affinity-hard.yaml"), "affinity.antiHard"
    failed = [clone for answer in run.answers for clone in answer.clones if clone.error is not None]
    assert {clone.error.root_reason for clone in failed if clone.error is not None} == {reason} == set(run.reasons())
    steps = [step for record in run.result.decisions for step in record.decision.steps]
    by_flow = Counter(code for step in steps if step.flow == "FilterFlow/VmSchedulingRule" for code, _ in step.refused)
    assert set(by_flow) == {reason}
    story = run.explain(failed[0].name, fix=True)
    assert {host.reason for host in story.hosts} == {reason}
    assert [obstacle.reason for obstacle in story.blocking] == [reason]


@pytest.mark.parametrize("policy", [policy for policy in Policy if policy.hard])
def test_each_hard_policy_refuses_under_its_own_name(policy: Policy) -> None:
    """The one test in force says it, in the Steps and in the flow's error."""
    cloud = opened({**GROUP, "affinityGroups": [{"name": "g", "policy": str(policy)}]}).cloud
    cloud.groups[0].counts.update({0: 1, 1: 1})
    candidates = Candidates(cloud, np.array([2, 3] if policy is Policy.AFFINITY_HARD else [0, 1]))
    flow, request = AffinityGroupFlow(), HostRequest(1, GIB, group=0)
    facts = flow.facts(request, cloud, candidates)
    kept, refused = narrowed(flow.tests, facts, candidates)
    assert kept.tolist() == []
    assert refused == ((f"affinity.{policy}", 2),)
    assert flow.refuses(request, cloud, facts, candidates).reason == f"affinity.{policy}"


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), min_size=1, max_size=5),
    st.integers(0, 60),
    st.sampled_from([0.5, 0.9, 1.0]),
)
@settings(max_examples=examples(100), deadline=None)
def test_the_shares_of_a_local_storage_are_judged_as_each_alone(
    figures: list[tuple[int, int]], size: int, threshold: float
) -> None:
    """A share is sound exactly where its physical figures refuse nothing."""
    hosts = [{"name": f"h{row}", "cpuNum": 1, "totalPhysicalMemory": 1} for row in range(len(figures))]
    cloud = opened(
        {
            "hosts": hosts,
            "primaryStorages": [
                {
                    "name": "local",
                    "type": "LocalStorage",
                    "localHosts": [{"host": host["name"], "totalCapacity": 100} for host in hosts],
                }
            ],
            "globalConfig": {"mevoco.threshold.primaryStorage.physicalCapacity": threshold},
        }
    ).cloud
    shares = cloud.storages[0].shares
    assert shares is not None
    for host, (total, free) in enumerate(figures):
        shares.total_physical[host], shares.available_physical[host] = total, min(free, total)
    expected = [physical_shortage(total, min(free, total), size, threshold) is None for total, free in figures]
    assert share_threshold(cloud, 0, size).sound.tolist() == expected
