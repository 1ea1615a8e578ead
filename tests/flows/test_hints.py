"""Flows without a hint under the index: asked at every decision, and always right."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from simclone.allocator.host.filters.capacity import HostCapacityFlow
from simclone.allocator.host.flow import FilterFlow, HardStop, Pass, Skip, Test, refusal
from simclone.allocator.host.index.hints import HINTS, IndexHint, hint_of
from simclone.allocator.host.strategies import LEAST_VM, TABLES, Strategy
from simclone.vocabulary import Reason, Subject
from tests.clouds import examples, opened
from tests.flows.test_index import compared, fleet, stir

EVEN = Reason("test.even", "only the hosts with few VMs may be used", Subject.HOST)
LARGE = Reason("test.large", "only large hosts may be used", Subject.HOST)


class EvenFlow(FilterFlow):
    """Hosts with at most one VM more than the emptiest candidate: its facts depend on the candidates."""

    name = "test.Even"
    tests = (Test(EVEN, lambda host, facts: host.vm_count <= facts),)

    def facts(self, request: Any, cloud: Any, candidates: Any) -> Any:
        """The limit, or nothing while there are few VMs."""
        limit = int(candidates.hosts.vm_count.min()) + 1
        return Pass() if limit < 2 else limit


class MoodyFlow(FilterFlow):
    """Two tests, and facts of every kind, by the number of VMs there ever were."""

    name = "test.Moody"
    tests = (
        Test(EVEN, lambda host, facts: host.vm_count < facts),
        Test(LARGE, lambda host, facts: host.total_cpu > 2),
    )

    def facts(self, request: Any, cloud: Any, candidates: Any) -> Any:
        """Passes, skips, stops or filters."""
        turn = cloud.vms.row_count % 8
        if turn == 0:
            return HardStop(refusal(LARGE, "not now"), immediate=True)
        return Skip() if turn == 1 else Pass() if turn == 2 else turn


class GroupedFlow(FilterFlow):
    """Reads the group of a request: members only go to hosts with few VMs."""

    name = "test.Grouped"
    tests = (Test(EVEN, lambda host, facts: host.vm_count < facts),)

    def facts(self, request: Any, cloud: Any, candidates: Any) -> Any:
        """Nothing for requests in no group."""
        return Pass() if request.group is None else 2


@pytest.mark.parametrize("last", [True, False], ids=["last", "before storage"])
@pytest.mark.parametrize("pages", [None, 5], ids=["unpaged", "small pages"])
@pytest.mark.parametrize("flow", [EvenFlow(), MoodyFlow()], ids=["even", "moody"])
def test_a_flow_without_a_hint_is_answered_as_by_the_plain_driver(
    flow: FilterFlow, pages: int | None, last: bool
) -> None:
    """Decisions and Steps are the plain driver's; where the flow comes last, the index gives many of them."""
    seen: Counter[str] = Counter()
    usual = TABLES["cloud"][LEAST_VM]
    place = (
        len(usual.filters)
        if last
        else 1 + next(position for position, other in enumerate(usual.filters) if isinstance(other, HostCapacityFlow))
    )
    chain = Strategy("scored", (*usual.filters[:place], flow, *usual.filters[place:]), usual.sorters)
    for number in range(examples(3)):
        dice = Random(f"{flow.name}/{pages}/{number}")
        with compared(seen):
            ctx = opened(fleet(dice, "scored", "shuffle", pages))
            ctx.cloud.strategies["scored"] = chain
            ctx.cloud.index = None
            for serial in range(90):
                stir(ctx, dice, serial)
    assert seen["placed"] + seen["plain"] > 100
    if last:
        assert seen["placed"] > 60


@pytest.mark.parametrize("policy", ["affinityHard", "affinitySoft", "antiHard", "antiSoft", "spreadSoft"])
def test_a_flow_without_a_hint_sees_the_group_of_a_request(policy: str) -> None:
    """Members are answered as by the plain driver, also where their group's rule has nothing to say."""
    seen: Counter[str] = Counter()
    usual = TABLES["cloud"][LEAST_VM]
    for number in range(examples(2)):
        dice = Random(f"{policy}/{number}")
        doc = fleet(dice, "scored", "shuffle", None)
        doc["affinityGroups"] = [
            {"name": "g", "policy": policy},
            {"name": "off", "policy": policy, "state": "Disabled"},
        ]
        with compared(seen):
            ctx = opened(doc)
            ctx.cloud.strategies["scored"] = Strategy("scored", (*usual.filters, GroupedFlow()), usual.sorters)
            ctx.cloud.index = None
            for serial in range(80):
                stir(ctx, dice, serial, group=dice.choice(["g", "off"]))
    assert seen["placed"] > 30


def test_only_the_class_itself_has_its_hint() -> None:
    """A subclass may judge otherwise, so it is asked at every decision until it has a hint of its own."""

    class Stricter(HostCapacityFlow):
        pass

    assert isinstance(hint_of(HostCapacityFlow()), IndexHint)
    assert hint_of(Stricter()) is None


@pytest.mark.parametrize("profile", ["open", "cloud"])
def test_built_in_flows_have_hints_but_one(profile: str) -> None:
    """The instance limit needs none: it is short and stands last."""
    flows = {type(flow) for strategy in TABLES[profile].values() for flow in strategy.filters}
    assert {kind.name for kind in flows - set(HINTS)} <= {"MaxInstancePerHostAllocatorFlow"}
