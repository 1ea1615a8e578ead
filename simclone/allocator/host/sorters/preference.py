"""Sorters that only prefer: soft scheduling rules and softly avoided hosts (rules/affinity.md#evaluation)."""

from __future__ import annotations

from typing import ClassVar

from simclone.allocator.host.flow import Candidates, Elementwise, FlowFacts, HostView, Pass, SortFlow
from simclone.allocator.host.request import HostRequest
from simclone.allocator.lookups import Sparse
from simclone.allocator.rules.affinity import RuleSide, active_group, allowed_band, rule_side
from simclone.model.cloud import Cloud
from simclone.vocabulary import PolicyKind


class VmSchedulingRuleSortFlow(SortFlow):
    """antiSoft prefers hosts without members, affinitySoft those with; the order itself does not change.

    When affinitySoft finds members only on hosts that are no candidates, nobody is preferred and the sort chain ends.
    """

    name: ClassVar[str] = "VmSchedulingRuleSortFlow"
    reads: ClassVar[frozenset[str]] = frozenset({"affinity"})

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """The preferred band of counts, or `Pass`."""
        group = active_group(cloud, request.group)
        if group is None or group.policy.hard:
            return Pass()
        band = allowed_band(group, cloud, request.vm, request)
        if band is None:
            return Pass()
        if group.policy.kind is PolicyKind.AFFINITY:
            return band
        return band if candidates.any(self.preferred(candidates.hosts, band)) else Pass()

    def preferred(self, host: HostView, facts: FlowFacts) -> Elementwise:
        """Counts inside the band."""
        return facts.allows(host.index)


class VmHostRuleSortFlow(SortFlow):
    """Soft VM-host rules prefer the host group's hosts, or the others."""

    name: ClassVar[str] = "VmHostRuleSortFlow"
    reads: ClassVar[frozenset[str]] = frozenset({"affinity"})

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """The rule's side, or `Pass` when there is no soft rule or its host group is empty."""
        group = active_group(cloud, request.group)
        rule = group.host_rule if group else None
        if rule is None or rule.policy.hard:
            return Pass()
        side = rule_side(cloud, rule)
        return side if side.named.values else Pass()

    def preferred(self, host: HostView, facts: FlowFacts) -> Elementwise:
        """Hosts on the rule's side."""
        return facts.allows(host.index)


class SoftAvoidHostSortFlow(SortFlow):
    """Hosts to avoid if possible leave the list the next sorter sees; by itself it changes nothing."""

    name: ClassVar[str] = "SoftAvoidHostSortFlow"
    reads: ClassVar[frozenset[str]] = frozenset({"static"})

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """The hosts to avoid, or `Pass`."""
        if not request.soft_avoid:
            return Pass()
        return RuleSide(Sparse(dict.fromkeys(sorted(request.soft_avoid), 1), cloud.fleet.row_count), 0)

    def preferred(self, host: HostView, facts: FlowFacts) -> Elementwise:
        """Hosts that need not be avoided."""
        return facts.allows(host.index)
