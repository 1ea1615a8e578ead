"""Sorters that only prefer: soft scheduling rules and softly avoided hosts (rules/affinity.md#evaluation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from simclone.allocator.affinity import active_group, domain_lookup, member_counts, rule_hosts, spread_limit
from simclone.allocator.host.flow import Candidates, Lookup, Pass, SortFlow, Sparse
from simclone.allocator.host.request import HostRequest
from simclone.model.cloud import Cloud


@dataclass(frozen=True, slots=True)
class CountFacts:
    """*counts* per host; preferred are counts from *low* to *high*."""

    counts: Sparse | Lookup
    low: int
    high: int


class VmSchedulingRuleSortFlow(SortFlow):
    """antiSoft prefers hosts without members, affinitySoft those with; the order itself does not change.

    When affinitySoft finds members only on hosts that are no candidates, nobody is preferred and the sort chain ends.
    """

    name: ClassVar[str] = "VmSchedulingRuleSortFlow"
    reads: ClassVar[frozenset[str]] = frozenset({"affinity"})

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> Any:
        """The preferred band of counts, or `Pass`."""
        group = active_group(cloud, request.group)
        if group is None or not group.policy.endswith("Soft"):
            return Pass()
        counts = member_counts(group, request.vm, cloud)
        many = cloud.vms.size + 1
        if group.policy == "affinitySoft":
            return CountFacts(Sparse(counts, cloud.fleet.size), 1, many) if counts else Pass()
        if group.policy == "antiSoft":
            facts = CountFacts(Sparse(counts, cloud.fleet.size), 0, 0)
        else:
            limit = spread_limit(cloud, group, counts)
            facts = CountFacts(domain_lookup(cloud, group, counts), 0, limit)
        return facts if candidates.any(self.preferred(candidates.hosts, facts)) else Pass()

    def preferred(self, host: Any, facts: Any) -> Any:
        """Counts inside the band."""
        return (facts.counts[host.index] >= facts.low) & (facts.counts[host.index] <= facts.high)


@dataclass(frozen=True, slots=True)
class NamedFacts:
    """*named* is 1 for hosts a rule names; preferred are those with the value *wanted*."""

    named: Sparse
    wanted: int


class VmHostRuleSortFlow(SortFlow):
    """Soft VM-host rules prefer the host group's hosts, or the others."""

    name: ClassVar[str] = "VmHostRuleSortFlow"
    reads: ClassVar[frozenset[str]] = frozenset({"affinity"})

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> Any:
        """The rule's hosts, or `Pass` when there is no soft rule or its group is empty."""
        group = active_group(cloud, request.group)
        rule = group.host_rule if group else None
        if rule is None or not rule.policy.endswith("Soft"):
            return Pass()
        hosts = rule_hosts(cloud, rule)
        if not hosts:
            return Pass()
        return NamedFacts(Sparse(dict.fromkeys(hosts, 1), cloud.fleet.size), int(rule.policy == "affinitySoft"))

    def preferred(self, host: Any, facts: Any) -> Any:
        """Hosts on the wanted side of the rule."""
        return facts.named[host.index] == facts.wanted


class SoftAvoidHostSortFlow(SortFlow):
    """Hosts to avoid if possible leave the list the next sorter sees; by itself it changes nothing."""

    name: ClassVar[str] = "SoftAvoidHostSortFlow"
    reads: ClassVar[frozenset[str]] = frozenset({"static"})

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> Any:
        """The hosts to avoid, or `Pass`."""
        if not request.soft_avoid:
            return Pass()
        return NamedFacts(Sparse(dict.fromkeys(sorted(request.soft_avoid), 1), cloud.fleet.size), 0)

    def preferred(self, host: Any, facts: Any) -> Any:
        """Hosts that need not be avoided."""
        return facts.named[host.index] == facts.wanted
