"""Affinity compliance against the rules restated member by member (rules/affinity.md#domains)."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from hypothesis import given, settings

from simclone.allocator.rules.affinity import members_in_order
from simclone.engine.operations.start_vm import existing_request
from simclone.model.cloud import Cloud
from tests.clouds import Doc, apply, clouds, crowded_cloud, examples, opened, operations, stir
from tests.oracle.restatement import Chain


def stands_by_rule(cloud: Cloud, vm: int) -> bool:
    """Whether a member stands where the others, as they stand now, let the policy have it."""
    question = Chain(existing_request(cloud, vm, "Start", None), cloud)
    group, host = cloud.groups[cloud.vms.group[vm]], cloud.vms.host[vm]
    others = sum(question.members(row) for row in range(cloud.fleet.row_count))
    if group.policy.startswith("anti"):
        return question.domain_members(host) == 0
    if group.policy.startswith("affinity"):
        return question.domain_members(host) == others
    return question.spread_allows(host)


def compare(cloud: Cloud, seen: Counter[str]) -> None:
    """Every enabled group: the same number of members in order, of the same number of members."""
    for row, group in enumerate(cloud.groups):
        if group.enabled:
            members = [vm for vm in group.members if cloud.vms.alive[vm] and cloud.vms.host[vm] >= 0]
            good = sum(stands_by_rule(cloud, vm) for vm in members)
            assert members_in_order(group, cloud) == (good, len(members)), (row, group)
            seen[f"{group.policy} {'broken' if good < len(members) else 'kept'}"] += bool(members)


@given(clouds(profile="cloud"), operations())
@settings(max_examples=examples(100))
def test_compliance_is_restated_member_by_member(doc: Doc, ops: list[Any]) -> None:
    """After every operation, under every policy and over every kind of domain."""
    ctx = opened(doc)
    for serial, op in enumerate(ops):
        apply(ctx, op, serial)
        compare(ctx.cloud, Counter())


def test_compliance_of_crowded_clouds() -> None:
    """Members taken as they are break each soft and hard rule somewhere, and keep it elsewhere."""
    seen: Counter[str] = Counter()
    for number in range(examples(60)):
        dice = Random(f"compliance/{number}")
        ctx = opened(crowded_cloud(dice, "cloud"))
        stir(ctx, dice)
        compare(ctx.cloud, seen)
    assert {
        f"{kind}{mode} {end}"
        for kind in ("anti", "affinity", "spread")
        for mode in ("Hard", "Soft")
        for end in ("kept", "broken")
    } <= set(seen)
