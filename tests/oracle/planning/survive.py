"""What survives the loss of hosts, and which outcomes of a loss are possible at all.

An answer names a new host for each VM that starts elsewhere; ``fault_of`` follows it VM by VM and says where it leaves
the rules. The ladder counts clones beside today's VMs in the worst set of hosts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from tests.oracle.planning import headroom, losses, rules
from tests.oracle.planning.rules import Call, Cloud


def cases(cloud: Cloud, kind: str) -> dict[str, tuple[str, ...]]:
    """Everything of a kind that can be lost, with its hosts."""
    hosts = losses.losable(cloud)
    if kind == "host":
        return {host.name: (host.name,) for host in hosts}
    if kind == "pair":
        return {f"{one.name}, {two.name}": (one.name, two.name) for one, two in combinations(hosts, 2)}
    result: dict[str, tuple[str, ...]] = {}
    for host in hosts:
        value = {"cluster": host.cluster, "zone": host.zone}.get(kind) or host.labels[kind]
        result[value] = (*result.get(value, ()), host.name)
    return result


def fault_of(cloud: Cloud, hosts: Sequence[str], restarted: Mapping[str, str], down: Sequence[str]) -> str:
    """What is wrong with an answer; nothing where every VM of the lost hosts ends as the rules allow."""
    state = cloud.copy()
    waiting = losses.fail(state, hosts)
    if sorted(waiting) != sorted([*restarted, *down]):
        return f"VMs of the lost hosts are {sorted(waiting)}"
    for name in waiting:
        choices = losses.start_choices(state, state.vms[name])
        if name in down and choices:
            return f"{name} may start on {choices}"
        if name in restarted and restarted[name] not in choices:
            return f"{name} may start on {choices}, not on {restarted[name]}"
        if name in restarted:
            rules.place(state, state.vms[name], restarted[name])
    return ""


def ceilings(cloud: Cloud, call: Call, size: int) -> dict[tuple[str, ...], set[int]]:
    """By set of so many hosts lost: VMs that may run and still survive, today's among them; 0 if those do not."""
    today = sum(vm.host is not None for vm in cloud.vms.values())
    result = {}
    for hosts in losses.sets_of(losses.losable(cloud), size):
        numbers: set[int] = set()
        for after, down in losses.outcomes(cloud, hosts):
            numbers |= {0} if down else {today + number for number in headroom.room(after, call)}
        result[hosts] = numbers
    return result
