"""The allocator against the plain restatement of the rules: survivors, pages, errors, order, reservation."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from simclone.allocator.host import chain
from simclone.allocator.host.request import HostRequest
from simclone.chance import Identity
from simclone.placement.host import candidates, decide, strategy_of
from simclone.records import Placed, Unplaced
from simclone.units import GIB
from tests.clouds import (
    Doc,
    Seen,
    apply,
    clouds,
    crowded_cloud,
    examples,
    opened,
    operations,
    request_of,
    requests,
    stir,
    watched,
)
from tests.oracle.restatement import Chain, Verdict


def same_survivors(request: HostRequest, cloud: Any) -> Verdict:
    """Filters: page and hosts, or error code and cause, equal the restatement's; no host exactly when it keeps none."""
    wanted = Chain(request, cloud).run()
    found = chain.run(strategy_of(request, cloud), request, cloud)
    about = f"{request}\nrestated {wanted}\nfound {found}"
    assert isinstance(found, Unplaced) == (not any(wanted.kept)), about
    if isinstance(found, Unplaced):
        assert found.error.code == wanted.code, about
        assert (found.error.cause.code if found.error.cause else None) == wanted.cause, about
        assert found.error.root_code == ("HOST_ALLOCATION.1000" if wanted.cause else wanted.code), about
    else:
        assert (found.page, found.hosts.tolist()) == (wanted.page, wanted.hosts), about
    return wanted


def same_decision(request: HostRequest, cloud: Any, decision: Any) -> None:
    """Order and reservation: the tried hosts and the chosen one are a beginning of an order the rules allow."""
    wanted, told = same_survivors(request, cloud), Chain(request, cloud)
    about = f"{request}\nrestated {wanted}\ndecided {decision}"
    tried = [one.host for one in decision.tried]
    assert not any(told.reservable(host) for host in tried), about
    if not wanted.hosts or told.ordered(wanted.hosts) is None:
        assert isinstance(decision, Unplaced), about
        assert not tried, about
        return
    reached = [*tried, decision.host] if isinstance(decision, Placed) else tried
    order = told.ordered([*reached, *(host for host in wanted.hosts if host not in reached)])
    assert order is not None
    assert order[: len(reached)] == reached, about
    assert reached[0] in told.possible_firsts(wanted.hosts), about
    if isinstance(decision, Placed):
        assert decision.page == wanted.page, about
        assert told.reservable(decision.host), about
        assert decision.host in told.winners(wanted.hosts), about
    else:
        assert sorted(tried) == wanted.hosts, about
        assert decision.error.code is None, about
        assert [one.code for one in decision.error.causes] == ["SYS.1006"] * len(tried), about


def same_list(request: HostRequest, cloud: Any, found: Any) -> None:
    """Dry runs: the list is the survivors of the winning page in an order the rules allow."""
    request = request.dry()
    wanted, told = same_survivors(request, cloud), Chain(request, cloud)
    if not wanted.hosts or told.ordered(wanted.hosts) is None:
        assert isinstance(found, Unplaced)
        return
    assert sorted(found) == wanted.hosts
    assert told.ordered(list(found)) == list(found), f"{request}\n{found}"


@given(clouds(), operations())
@settings(max_examples=examples(250))
def test_every_decision_of_a_run_equals_the_restatement(doc: Doc, ops: list[Any]) -> None:
    """Each host decision and dry run of a stream of operations is one the rules allow, and no other."""

    def decided(seen: Seen) -> None:
        same_decision(seen.request, seen.cloud, seen.decision)

    with watched(decided, same_list):
        ctx = opened(doc)
        ctx.watch = lambda number, request, seen: same_survivors(request, ctx.cloud) and None
        for serial, op in enumerate(ops):
            apply(ctx, op, serial)


@given(st.data())
@settings(max_examples=examples(250))
def test_any_question_is_answered_as_restated(data: Any) -> None:
    """Requests no operation would ask get the restatement's answer too: every strategy, wish and corner at once."""
    ctx = opened(data.draw(clouds()))
    for serial, op in enumerate(data.draw(operations())):
        apply(ctx, op, serial)
    values = ctx.cloud.settings.values
    values["vm.vm.ha.across.clusters"] = data.draw(st.sampled_from([True, True, False]))
    values["vm.resourceBinding.Scene"] = data.draw(st.sampled_from(["All", "All", "Auto"]))
    for turn in range(12):
        request = data.draw(requests(ctx.cloud, turn))
        asker = Identity("oracle", turn)
        same_decision(request, ctx.cloud, decide(request, ctx.cloud, asker))
        same_list(request, ctx.cloud, candidates(request, ctx.cloud, asker))


@pytest.mark.parametrize("profile", ["cloud", "open"])
def test_crowded_clouds_are_answered_as_restated(profile: str) -> None:
    """Where many hosts survive, groups have members and images are cached here and there, order and rules agree too."""
    for number in range(examples(50)):
        dice = Random(f"{profile}/{number}")
        ctx = opened(crowded_cloud(dice, profile))
        stir(ctx, dice)
        for turn in range(50):
            request, asker = request_of(dice, ctx.cloud), Identity("crowd", turn)
            same_decision(request, ctx.cloud, decide(request, ctx.cloud, asker))
            same_list(request, ctx.cloud, candidates(request, ctx.cloud, asker))


@given(st.data())
@settings(max_examples=examples(60))
def test_reservation_is_tested_apart_from_the_filters(data: Any) -> None:
    """Under Migrate, whose open chain has no capacity test, hosts without room are tried and refused one by one."""
    ctx = opened(data.draw(clouds(profile="open")))
    request = data.draw(requests(ctx.cloud))
    wide = HostRequest(
        cpu=request.cpu,
        memory=request.memory,
        strategy="MigrateVmAllocatorStrategy",
        operation="Migrate",
        hypervisor="KVM",
    )
    same_decision(wide, ctx.cloud, decide(wide, ctx.cloud, Identity("oracle", 0)))
    low = replace(wide, memory=64 * GIB)
    same_decision(low, ctx.cloud, decide(low, ctx.cloud, Identity("oracle", 1)))


def test_open_profile_knows_no_scheduling_rules() -> None:
    """In profile open, whose chains have no rule flow, the reservation does not enforce a group either."""
    doc = {
        "run": {"profile": "open"},
        "hosts": [{"name": "h0", "cpuNum": 4, "totalPhysicalMemory": 8 * GIB}],
        "primaryStorages": [{"name": "p0", "type": "NFS", "totalCapacity": 500 * GIB}],
        "backupStorages": [{"name": "b0"}],
        "images": [{"name": "i0", "size": GIB}],
        "l3Networks": [{"name": "n0", "dhcp": False}],
        "instanceOfferings": [{"name": "o0", "cpuNum": 1, "memorySize": GIB}],
        "affinityGroups": [{"name": "g0", "policy": "antiHard"}],
    }
    vm = {"name": "v0", "instanceOffering": "o0", "image": "i0", "l3Networks": ["n0"], "affinityGroup": "g0"}
    ctx = opened({**doc, "vms": [vm]})
    request = HostRequest(cpu=1, memory=GIB, l3s=(0,), group=0, hypervisor="KVM")
    same_decision(request, ctx.cloud, decide(request, ctx.cloud, Identity("oracle", 0)))
