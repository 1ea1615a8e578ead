"""Hosts that are lost, and what may become of their VMs: each tries to start elsewhere, one after the other.

The allocator decides, so the answer is a prediction: where it has several equal hosts, every outcome is possible.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from tests.oracle.planning import rules
from tests.oracle.planning.rules import Cloud, Host, Vm


def losable(cloud: Cloud) -> list[Host]:
    """Hosts that can still be lost: Connected ones that take VMs or hold some, by rank."""
    hosts = sorted(cloud.hosts.values(), key=lambda host: host.rank)
    return [host for host in hosts if host.is_usable or (host.status == "Connected" and cloud.on(host.name))]


def sets_of(hosts: Iterable[Host], size: int) -> list[tuple[str, ...]]:
    """Every set of so many hosts; all of them, where there are fewer."""
    names = [host.name for host in hosts]
    return list(combinations(names, min(size, len(names))))


def fail(cloud: Cloud, hosts: Iterable[str]) -> list[str]:
    """Hosts fail in this very cloud; their VMs in the order in which they start again, host by host, oldest first.

    They go on holding the lost host until they run elsewhere (rules/host-capacity.md#unknown-keeps-capacity).
    """
    ranked = sorted((cloud.hosts[name] for name in hosts), key=lambda host: host.rank)
    waiting = [vm.name for host in ranked for vm in cloud.on(host.name)]
    for host in ranked:
        host.status = "Disconnected"
    return waiting


def can_start(cloud: Cloud, vm: Vm, host: str) -> bool:
    """Whether a VM may start on a host: a local volume keeps it where it is (rules/primary-storage.md#local)."""
    if any(volume.host not in (None, host) for volume in vm.volumes):
        return False
    return rules.can_place(cloud, vm, host)


def start_choices(cloud: Cloud, vm: Vm) -> list[str]:
    """Hosts the allocator may take for the start of a VM (rules/host-selection.md#start)."""
    hosts = [host.name for host in cloud.usable() if can_start(cloud, vm, host.name)]
    avoid = frozenset() if vm.host is None else frozenset({vm.host})
    return rules.preferred(cloud, vm, hosts, avoid)


def outcomes(cloud: Cloud, hosts: Iterable[str]) -> list[tuple[Cloud, tuple[str, ...]]]:
    """Clouds that may be left once hosts are lost, each with the VMs that stay down; equal ones come once."""
    lost = cloud.copy()
    states: dict[tuple[object, ...], tuple[Cloud, tuple[str, ...]]] = {(): (lost, ())}
    for name in fail(lost, hosts):
        following: dict[tuple[object, ...], tuple[Cloud, tuple[str, ...]]] = {}
        for state, down in states.values():
            choices = start_choices(state, state.vms[name])
            for host in choices:
                after = state.copy()
                rules.place(after, after.vms[name], host)
                following[down, tuple(vm.host for vm in after.vms.values())] = (after, down)
            if not choices:
                following[(*down, name), tuple(vm.host for vm in state.vms.values())] = (state, (*down, name))
        states = following
    return list(states.values())
