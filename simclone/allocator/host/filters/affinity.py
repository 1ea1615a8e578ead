"""Hard scheduling rules: anti-affinity, affinity, spread and VM-host rules.

Rule: rules/affinity.md#evaluation, rules/affinity.md#scheduling-rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from simclone.allocator.host.flow import Candidates, Elementwise, FilterFlow, FlowFacts, HostView, Pass, Test, refusal
from simclone.allocator.host.request import HostRequest
from simclone.allocator.rules.affinity import Band, active_group, allowed_band, rule_side
from simclone.model.cloud import Cloud
from simclone.records import ErrorCode
from simclone.vocabulary import AFFINITY_HOST_RULE, AFFINITY_RULES, Policy


@dataclass(frozen=True, slots=True)
class Facts:
    """The *policy* in force and the *band* of member counts it allows."""

    policy: Policy
    band: Band


def _keeps(policy: Policy) -> Callable[[HostView, FlowFacts], Elementwise]:
    return lambda host, facts: facts.policy is not policy or facts.band.allows(host.index)


class AffinityGroupFlow(FilterFlow):
    """Hosts that the hard policy of the VM's group allows; one test for each policy, so that each has its reason."""

    name: ClassVar[str] = "FilterFlow/VmSchedulingRule"
    tags: ClassVar[frozenset[str]] = frozenset({"affinityGroupUuid"})
    tests: ClassVar[tuple[Test, ...]] = tuple(Test(reason, _keeps(policy)) for policy, reason in AFFINITY_RULES.items())

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """Policy and allowed band, or `Pass` without an enabled hard group that has something to say."""
        group = active_group(cloud, request.group)
        if group is None or not group.policy.hard:
            return Pass()
        band = allowed_band(group, cloud, request.vm, request)
        return Pass() if band is None else Facts(group.policy, band)

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """Names the group and its policy."""
        group = cloud.groups[request.group or 0]
        text = f"no host meets the scheduling rule {group.policy} of group {group.uuid}"
        return refusal(AFFINITY_RULES[group.policy], text)


class HostRuleFlow(FilterFlow):
    """VM-host rules: only hosts of the group, or none of them."""

    name: ClassVar[str] = "FilterFlow/VmHostRule"
    tests: ClassVar[tuple[Test, ...]] = (Test(AFFINITY_HOST_RULE, lambda host, facts: facts.allows(host.index)),)

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """The rule's side, or `Pass` without a hard rule."""
        group = active_group(cloud, request.group)
        rule = group.host_rule if group else None
        return rule_side(cloud, rule) if rule is not None and rule.policy.hard else Pass()

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """Names the group."""
        group = cloud.groups[request.group or 0]
        return refusal(AFFINITY_HOST_RULE, f"no host meets the VM-host rule of group {group.uuid}")
