"""Affinity groups: who counts where, and which hosts a group's policy allows (rules/affinity.md#model)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simclone.allocator.lookups import ByDomain, Sparse
from simclone.allocator.rules.domains import HOST, SpreadRequest, demand_key, demand_of_vm, domains_of, hosts_able
from simclone.model.cloud import Cloud, Group
from simclone.model.columns import IntArray
from simclone.model.inventory import HostRule
from simclone.model.vms import NONE
from simclone.units import MAX_AMOUNT
from simclone.vocabulary import PolicyKind, VmState


@dataclass(frozen=True, slots=True)
class Band:
    """*counts* of members per host, or in the host's domain; a host is allowed with *low* to *high* of them."""

    counts: Sparse | ByDomain
    low: int
    high: int

    def allows(self, host: Any) -> Any:
        """Whether hosts are allowed, for an array of rows or for one row."""
        count = self.counts[host]
        return (count >= self.low) & (count <= self.high)


def active_group(cloud: Cloud, row: int | None) -> Group | None:
    """The group, unless it is disabled or there is none."""
    if row is None or row == NONE:
        return None
    group = cloud.groups[row]
    return group if group.enabled else None


def member_counts(group: Group, vm: int | None, cloud: Cloud) -> dict[int, int]:
    """Members with a host, per host, *vm* itself left out; hosts without any are absent."""
    counts = {host: count for host, count in group.counts.items() if count > 0}
    if vm is not None and vm in group.members:
        own = cloud.vms.host[vm]
        if own != NONE:
            counts[own] -= 1
            if not counts[own]:
                del counts[own]
    return counts


def allowed_band(group: Group, cloud: Cloud, vm: int | None, demand: SpreadRequest | None = None) -> Band | None:
    """The hosts that a group's policy, hard or soft, allows *vm*; None where it has nothing to say.

    Members count by the domain of their host under the group's *over*, which is the host itself where a group says
    nothing. Anti-affinity: no other member in the domain. Affinity: only domains with members, once there are any.
    Spread (simclone's own): the domain may not run ahead of the emptiest one that could hold the *demand*, or any VM
    where that is None (rules/affinity.md#spread).
    """
    counts = member_counts(group, vm, cloud)
    kind = group.policy.kind
    if kind is PolicyKind.AFFINITY and not counts:
        return None
    if kind is PolicyKind.SPREAD:
        domains, totals = _domain_counts(cloud, group, counts)
        return Band(ByDomain(domains, totals), 0, _spread_limit(cloud, group, domains, totals, demand))
    low, high = (1, MAX_AMOUNT) if kind is PolicyKind.AFFINITY else (0, 0)
    if group.over == HOST:
        return Band(Sparse(counts, cloud.fleet.row_count), low, high)
    return Band(ByDomain(*_domain_counts(cloud, group, counts)), low, high)


def members_in_order(group: Group, cloud: Cloud) -> tuple[int, int]:
    """How many members with a host stand by the group's policy, and how many there are.

    A member of an affinity group stands by it when every other one is in its domain.
    """
    counts = member_counts(group, None, cloud)
    total = sum(counts.values())
    if group.policy.kind is PolicyKind.SPREAD:
        return _members_spread(group, cloud), total
    band = allowed_band(group, cloud, None)
    if band is None:
        return total, total
    if group.policy.kind is PolicyKind.AFFINITY:
        return sum(count for host, count in counts.items() if band.counts[host] == total), total
    return sum(count for host, count in counts.items() if band.counts[host] == 1), total


def _members_spread(group: Group, cloud: Cloud) -> int:
    """How many members of a spread group stand in a domain that is not ahead of the emptiest one able to hold them."""
    counts = member_counts(group, None, cloud)
    domains, totals = _domain_counts(cloud, group, counts)
    limits: dict[tuple[object, ...], int] = {}
    in_order = 0
    for vm in group.members:
        host = cloud.vms.host[vm]
        if host == NONE:
            continue
        demand = demand_of_vm(cloud, vm)
        key = demand_key(demand)
        if key not in limits:
            limits[key] = _spread_limit(cloud, group, domains, totals, demand)
        in_order += int(totals[domains[host]]) - 1 <= limits[key]
    return in_order


def _domain_counts(cloud: Cloud, group: Group, counts: dict[int, int]) -> tuple[IntArray, IntArray]:
    """The domain of each host, and the members of each domain by its number."""
    domains = domains_of(cloud, group.over)
    totals = np.zeros(int(domains.max(initial=-1)) + 1, dtype=np.int64)
    np.add.at(totals, domains[list(counts)], list(counts.values()))
    return domains, totals


def _spread_limit(cloud: Cloud, group: Group, domains: IntArray, totals: IntArray, demand: SpreadRequest | None) -> int:
    """The most members a domain may hold before one more is put there.

    Domains count that have a host able to hold the VM, so a rack nobody can reach does not block the others.
    """
    key = ("spread", group.over, group.host_rule, cloud.fleet.row_count, demand and demand_key(demand))
    known = cloud.remembered()
    eligible: IntArray | None = known.get(key)
    if eligible is None:
        hosts = cloud.fleet.usable() if demand is None else hosts_able(cloud, demand)
        if group.host_rule is not None and group.host_rule.policy.hard:
            hosts = hosts & rule_side(cloud, group.host_rule).allows(np.arange(cloud.fleet.row_count))
        eligible = known[key] = np.unique(domains[hosts])
    emptiest = int(totals[eligible].min()) if len(eligible) else 0
    return emptiest + group.max_skew - 1


@dataclass(frozen=True, slots=True)
class RuleSide:
    """*named* is 1 for the hosts that a VM-host rule names; allowed are those with the value *side*."""

    named: Sparse
    side: int

    def allows(self, host: Any) -> Any:
        """Whether hosts are on the rule's side, for an array of rows or for one row."""
        return self.named[host] == self.side


def rule_side(cloud: Cloud, rule: HostRule) -> RuleSide:
    """The hosts a VM-host rule, hard or soft, allows: those of its host group, or all others."""
    hosts = dict.fromkeys(sorted(cloud.host_groups[rule.group].hosts), 1)
    return RuleSide(Sparse(hosts, cloud.fleet.row_count), int(rule.policy.kind is PolicyKind.AFFINITY))


_JOIN = {
    PolicyKind.ANTI: "another running member of the group is on this VM's {domain}",
    PolicyKind.AFFINITY: "the running members of the group are on other {domain}s",
}
_ENABLE = {
    PolicyKind.ANTI: "running members of the group share a {domain}, which does not satisfy its policy",
    PolicyKind.AFFINITY: "running members of the group are on several {domain}s, which does not satisfy its policy",
}
"""ZStack's own hard policies are looked at when a VM joins or a group is enabled; a spread group takes everybody."""


def join_refusal(cloud: Cloud, row: int, vm: int) -> str | None:
    """Why a VM cannot become a member now, or None (rules/affinity.md#membership)."""
    if cloud.vms.group[vm] != NONE:
        return "the VM is already added to an affinity group"
    if cloud.vms.state[vm] not in (VmState.RUNNING, VmState.STOPPED):
        return f"a VM in state {cloud.vms.state_name(vm)} cannot join an affinity group"
    group, host = cloud.groups[row], cloud.vms.host[vm]
    if not group.enabled or host == NONE or not group.policy.hard or group.policy.kind not in _JOIN:
        return None
    band = allowed_band(group, cloud, vm)
    return None if band is None or band.allows(host) else _JOIN[group.policy.kind].format(domain=group.over)


def enable_refusal(cloud: Cloud, row: int) -> str | None:
    """Why a group cannot be enabled: its running members must meet a hard policy already."""
    group = cloud.groups[row]
    if not group.policy.hard or group.policy.kind not in _ENABLE:
        return None
    in_order, total = members_in_order(group, cloud)
    return None if in_order == total else _ENABLE[group.policy.kind].format(domain=group.over)
