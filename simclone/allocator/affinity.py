"""Affinity groups: who counts where, and what a rule makes of it (rules/affinity.md#model)."""

from __future__ import annotations

import numpy as np

from simclone.allocator.host.flow import Lookup
from simclone.model.cloud import Cloud, Group
from simclone.model.columns import IntArray
from simclone.model.inventory import HostRule
from simclone.model.vms import NONE


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
        own = cloud.vms.get("host", vm)
        if own != NONE:
            counts[own] -= 1
            if not counts[own]:
                del counts[own]
    return counts


def domains(cloud: Cloud, over: str) -> IntArray:
    """The domain of each host under *over* (host, zone, cluster or a host label) as a small integer, shape (hosts,).

    A host without the label stands in a domain of its own. Not to be written.
    """
    known, key = cloud.lasting(), ("domains", over, cloud.fleet.size)
    found: IntArray | None = known.get(key)
    if found is None:
        found = known[key] = _domains(cloud, over)
    return found


def _domains(cloud: Cloud, over: str) -> IntArray:
    if over in ("zone", "cluster"):
        return cloud.fleet.array(over).copy()
    if over == "host":
        return np.arange(cloud.fleet.size)
    known: dict[str, int] = {}
    rows = [
        known.setdefault(labels.get(over, f"\0{host}"), len(known)) for host, labels in enumerate(cloud.fleet.labels)
    ]
    return np.array(rows, dtype=np.int64)


def domain_counts(cloud: Cloud, group: Group, counts: dict[int, int]) -> tuple[IntArray, IntArray]:
    """The domain of each host, and the members of each domain by its number."""
    where = domains(cloud, group.over)
    totals = np.zeros(int(where.max(initial=-1)) + 1, dtype=np.int64)
    np.add.at(totals, where[list(counts)], list(counts.values()))
    return where, totals


def domain_lookup(cloud: Cloud, group: Group, counts: dict[int, int]) -> Lookup:
    """Per host the members in its domain."""
    where, totals = domain_counts(cloud, group, counts)
    return Lookup(totals[where])


def spread_limit(cloud: Cloud, group: Group, counts: dict[int, int]) -> int:
    """The most members a domain may hold before one more is put there.

    Domains with at least one Enabled and Connected host count, so an unreachable rack does not block the others.
    """
    where, totals = domain_counts(cloud, group, counts)
    known, key = cloud.lasting(), ("live", group.over, cloud.fleet.size)
    live: IntArray | None = known.get(key)
    if live is None:
        live = known[key] = np.unique(where[cloud.fleet.usable()])
    emptiest = int(totals[live].min()) if len(live) else 0
    return emptiest + group.max_skew - 1


def rule_hosts(cloud: Cloud, rule: HostRule) -> list[int]:
    """The hosts a VM-host rule names, ascending."""
    return sorted(cloud.host_groups[rule.group].hosts)


def join_refusal(cloud: Cloud, row: int, vm: int) -> str | None:
    """Why a VM cannot become a member now, or None (rules/affinity.md#membership)."""
    if cloud.vms.get("group", vm) != NONE:
        return "the VM is already added to an affinity group"
    if cloud.vms.state_name(vm) not in ("Running", "Stopped"):
        return f"a VM in state {cloud.vms.state_name(vm)} cannot join an affinity group"
    group = cloud.groups[row]
    host = cloud.vms.get("host", vm)
    if not group.enabled or host == NONE:
        return None
    counts = member_counts(group, vm, cloud)
    if group.policy == "antiHard" and counts.get(host, 0):
        return "another running member of the group is on this VM's host"
    if group.policy == "affinityHard" and counts and host not in counts:
        return "the running members of the group are on other hosts"
    return None


def enable_refusal(cloud: Cloud, row: int) -> str | None:
    """Why a group cannot be enabled: its running members must meet a hard rule already."""
    group = cloud.groups[row]
    running = {host: count for host, count in group.counts.items() if count > 0}
    if group.policy == "antiHard" and any(count > 1 for count in running.values()):
        return "running members of the group share a host, which does not satisfy its policy"
    if group.policy == "affinityHard" and len(running) > 1:
        return "running members of the group are on several hosts, which does not satisfy its policy"
    return None
