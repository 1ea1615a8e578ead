"""Members of a group on the order of those in none: the others' hosts are left out, or only they are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simclone.allocator.host.flow import Pass, SortFlow
from simclone.allocator.host.index.request_class import RequestClass
from simclone.allocator.host.index.sorted_hosts import EVERYBODY, Choice
from simclone.allocator.host.request import HostRequest
from simclone.allocator.host.sorters.preference import VmSchedulingRuleSortFlow
from simclone.allocator.lookups import Sparse
from simclone.allocator.rules.affinity import active_group, allowed_band
from simclone.model.cloud import Cloud
from simclone.vocabulary import AFFINITY_RULES, PolicyKind


@dataclass(frozen=True, slots=True)
class GroupRule:
    """What a group says about hosts: *hosts* of other members are left out, or *only* they count.

    A *hard* rule filters, a soft one prefers; *reason* is the code a hard one refuses with.
    """

    hosts: tuple[int, ...]
    only: bool
    hard: bool
    reason: str = ""


def rule_of(request: HostRequest, cloud: Cloud) -> GroupRule | Pass | None:
    """The rule on a request of a group, `Pass` where there is nothing to heed; None for another kind of rule.

    A rule over domains of several hosts is of another kind: it may leave out most hosts, and not only those of members.
    """
    group = active_group(cloud, request.group)
    if group is None:
        return Pass()
    policy = group.policy
    if group.host_rule is not None or policy.kind is PolicyKind.SPREAD:
        return None
    band = allowed_band(group, cloud, request.vm)
    if band is None:
        return Pass()
    if not isinstance(band.counts, Sparse):
        return None
    reason = AFFINITY_RULES[policy].code if policy.hard else ""
    return GroupRule(tuple(band.counts.values), policy.kind is PolicyKind.AFFINITY, policy.hard, reason)


def prefers(sorters: Sequence[SortFlow]) -> bool:
    """Whether soft rules count in an order; in some they do not."""
    return any(isinstance(sorter, VmSchedulingRuleSortFlow) for sorter in sorters)


def choose_by_affinity(request_class: RequestClass, rule: GroupRule) -> Choice | None:
    """What the rule leaves of the hosts open to a request class.

    None where only the plain driver can tell: a flow behind the rule's refuses hosts too, or nobody is preferred.
    """
    if request_class.rule_position < 0:
        return None
    named = np.array(rule.hosts, dtype=np.int64)
    hosts: list[int] = np.sort(named[request_class.open[named]]).tolist()
    count = len(hosts) if rule.only else request_class.room - len(hosts)
    if count or rule.hard or not request_class.room:
        return Choice(count, hosts, rule.only, rule.hard, rule.reason)
    return None if rule.only else EVERYBODY
