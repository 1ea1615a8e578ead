"""Hard scheduling rules: anti-affinity, affinity, spread and VM-host rules.

Rule: rules/affinity.md#evaluation, rules/affinity.md#scheduling-rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from simclone.allocator.affinity import active_group, domain_lookup, member_counts, rule_hosts, spread_limit
from simclone.allocator.host.flow import Candidates, FilterFlow, Lookup, Pass, Sparse, Test, refusal
from simclone.allocator.host.request import HostRequest
from simclone.model.cloud import Cloud
from simclone.records import ErrorCode


@dataclass(frozen=True, slots=True)
class Facts:
    """*counts* members per host; allowed are counts from *low* to *high*."""

    counts: Sparse | Lookup
    low: int
    high: int


class AffinityGroupFlow(FilterFlow):
    """antiHard: no other member on the host. affinityHard: only hosts with members, once there are any.

    spreadHard (simclone's own): the host's domain may not run ahead of the emptiest one.
    """

    name: ClassVar[str] = "FilterFlow/VmSchedulingRule"
    reads: ClassVar[frozenset[str]] = frozenset({"affinity"})
    brief: ClassVar[bool] = True
    tests: ClassVar[tuple[Test, ...]] = (
        Test(
            "affinity.hard",
            lambda host, facts: (facts.counts[host.index] >= facts.low) & (facts.counts[host.index] <= facts.high),
        ),
    )

    def still(self, request: HostRequest, cloud: Cloud, facts: Any, clusters: Sequence[int]) -> bool | None:
        """Members come and go; without a group nobody asks."""
        return True if request.group is None else None

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> Any:
        """Member counts and the allowed band, or `Pass` without an enabled hard group."""
        group = active_group(cloud, request.group)
        if group is None or not group.policy.endswith("Hard"):
            return Pass()
        counts = member_counts(group, request.vm, cloud)
        many = cloud.vms.size + 1
        if group.policy == "antiHard":
            return Facts(Sparse(counts, cloud.fleet.size), 0, 0)
        if group.policy == "affinityHard":
            return Facts(Sparse(counts, cloud.fleet.size), 1, many) if counts else Pass()
        return Facts(domain_lookup(cloud, group, counts), 0, spread_limit(cloud, group, counts))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: Any, candidates: Candidates) -> ErrorCode:
        """Names the group and its policy."""
        group = cloud.groups[request.group or 0]
        text = f"no host meets the scheduling rule {group.policy} of group {group.uuid}"
        return refusal(f"affinity.{group.policy}", text)


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """*inside* is 1 for hosts of the host group, *wanted* the value a host must have."""

    inside: Sparse
    wanted: int


class HostRuleFlow(FilterFlow):
    """VM-host rules: only hosts of the group, or none of them."""

    name: ClassVar[str] = "FilterFlow/VmHostRule"
    reads: ClassVar[frozenset[str]] = frozenset({"affinity"})
    brief: ClassVar[bool] = True
    tests: ClassVar[tuple[Test, ...]] = (
        Test("affinity.hostRule", lambda host, facts: facts.inside[host.index] == facts.wanted),
    )

    def still(self, request: HostRequest, cloud: Cloud, facts: Any, clusters: Sequence[int]) -> bool | None:
        """Without a group there is no rule."""
        return True if request.group is None else None

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> Any:
        """The rule's hosts, or `Pass`."""
        group = active_group(cloud, request.group)
        rule = group.host_rule if group else None
        if rule is None or not rule.policy.endswith("Hard"):
            return Pass()
        inside = Sparse(dict.fromkeys(rule_hosts(cloud, rule), 1), cloud.fleet.size)
        return RuleFacts(inside, int(rule.policy == "affinityHard"))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: Any, candidates: Candidates) -> ErrorCode:
        """Names the group."""
        group = cloud.groups[request.group or 0]
        return refusal("affinity.hostRule", f"no host meets the VM-host rule of group {group.uuid}")
