"""Members of a group on the order of those in none: the others' hosts are left out, or only they are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simclone.allocator.affinity import active_group, member_counts
from simclone.allocator.host.filters.affinity import AffinityGroupFlow
from simclone.allocator.host.flow import Pass, SortFlow
from simclone.allocator.host.index.request_class import Shape
from simclone.allocator.host.index.sorted_hosts import EVERYBODY, Choice
from simclone.allocator.host.request import HostRequest
from simclone.allocator.host.sorters.preference import VmSchedulingRuleSortFlow
from simclone.model.cloud import Cloud

REASON = AffinityGroupFlow.tests[0].reason


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a group says about hosts: *hosts* of other members are left out, or *only* they count.

    A *hard* rule filters, a soft one prefers.
    """

    hosts: tuple[int, ...]
    only: bool
    hard: bool


def ruling_of(request: HostRequest, cloud: Cloud) -> Ruling | Pass | None:
    """The rule on a request of a group, `Pass` where there is nothing to heed; None for a rule of another kind."""
    group = active_group(cloud, request.group)
    if group is None:
        return Pass()
    if group.host_rule is not None or not group.policy.startswith(("anti", "affinity")):
        return None
    counts, only = member_counts(group, request.vm, cloud), group.policy.startswith("affinity")
    if only and not counts:
        return Pass()
    return Ruling(tuple(counts), only, group.policy.endswith("Hard"))


def prefers(sorters: Sequence[SortFlow]) -> bool:
    """Whether soft rules count in an order; in some they do not."""
    return any(isinstance(one, VmSchedulingRuleSortFlow) for one in sorters)


def sifted(shape: Shape, rule: Ruling) -> Choice | None:
    """What the rule leaves of the hosts open to a shape.

    None where only the plain driver can tell: a flow behind the rule's refuses hosts too, or nobody is preferred.
    """
    if shape.rule_at < 0:
        return None
    named = np.array(rule.hosts, dtype=np.int64)
    hosts: list[int] = np.sort(named[shape.open[named]]).tolist()
    left = len(hosts) if rule.only else shape.room - len(hosts)
    if left or rule.hard or not shape.room:
        return Choice(left, hosts, rule.only, rule.hard)
    return None if rule.only else EVERYBODY
