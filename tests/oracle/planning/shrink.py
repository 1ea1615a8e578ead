"""Which hosts may go: whether what runs on them, and every clone asked for, has some place on the others.

This asks what is possible, not what the allocator does: every assignment of the VMs that must move is tried. A VM on
local storage takes its volumes along.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from tests.oracle.planning import headroom, rules
from tests.oracle.planning.rules import Call, Choice, Cloud, OpenCall, Vm

Demand = Sequence[tuple[Call, int]]
"""Calls and how many names each has."""


def without(cloud: Cloud, gone: Iterable[str]) -> tuple[Cloud, list[Vm]]:
    """The cloud without some hosts and their local disks, and the VMs that ran there, which hold no host now."""
    rest, names = cloud.copy(), set(gone)
    moving = [rules.unplace(rest, vm.name) for vm in rest.vms.values() if vm.host in names]
    rest.hosts = {name: host for name, host in rest.hosts.items() if name not in names}
    for name, storage in cloud.storages.items():
        shares = {host: size for host, size in storage.shares.items() if host not in names}
        rest.storages[name] = replace(storage, shares=shares)
    return rest, moving


def clones(cloud: Cloud, demand: Demand) -> list[tuple[Call, Vm]]:
    """Every clone that is asked for, with its call."""
    return [
        (call, rules.clone_of(cloud, call, f"clone-{at}-{turn}"))
        for at, (call, names) in enumerate(demand)
        for turn in range(names)
    ]


def placements(cloud: Cloud, vm: Vm) -> Iterator[Cloud]:
    """The cloud with a VM that moves on each host that may take it."""
    for host in cloud.usable():
        if rules.can_place(cloud, vm, host.name):
            after = cloud.copy()
            rules.place(after, replace(vm, volumes=[replace(volume) for volume in vm.volumes]), host.name)
            yield after


def starts(cloud: Cloud, call: Call, vm: Vm) -> Iterator[Cloud]:
    """The cloud with a clone on each host that may take it."""
    opened = OpenCall(call, 0)
    for host in rules.candidates(cloud, opened, vm):
        storage = rules.root_storage(cloud, opened, vm, host)
        if storage is not None:
            after = cloud.copy()
            rules.start_clone(after, OpenCall(call, 0), vm, Choice(host, storage))
            yield after


def fits(cloud: Cloud, moving: Sequence[Vm], demand: Demand = ()) -> bool:
    """Whether VMs that hold no host, and the clones of a demand after them, can be placed in some way."""
    largest = sorted(moving, key=lambda vm: (-vm.memory, -vm.cpu, vm.name))
    states = {headroom.state_of(cloud): cloud}
    for vm in largest:
        states = {key_of(after): after for state in states.values() for after in placements(state, vm)}
    for call, vm in clones(cloud, demand):
        states = {key_of(after): after for state in states.values() for after in starts(state, call, vm)}
    return bool(states)


def key_of(cloud: Cloud) -> headroom.State:
    """Clouds that differ in nothing that matters to the VMs still to come; members of groups stand where they stand."""
    members = tuple(sorted((vm.group, vm.host) for vm in cloud.vms.values() if vm.group and vm.host))
    return (*headroom.state_of(cloud), members)


def can_go(cloud: Cloud, gone: Iterable[str], demand: Demand = ()) -> bool:
    """Whether everything can be placed without these hosts."""
    return fits(*without(cloud, gone), demand)


def most_that_can_go(cloud: Cloud, demand: Demand = ()) -> int | None:
    """The size of the largest set of hosts that can go, one always stays; None where not even all are enough."""
    names = list(cloud.hosts)
    for size in range(len(names) - 1, -1, -1):
        if any(can_go(cloud, gone, demand) for gone in combinations(names, size)):
            return size
    return None


def holds_with_spare(cloud: Cloud, gone: Iterable[str], spare: int, demand: Demand = ()) -> bool:
    """Whether everything fits, from scratch, on what stays without any *spare* usable hosts.

    Necessary for every kind of cloud; for VMs of one size on shared storage it is enough too.
    """
    names = set(gone)
    usable = [host.name for host in cloud.usable() if host.name not in names]
    running = [vm.name for vm in cloud.vms.values() if vm.host is not None]
    for lost in combinations(usable, min(spare, len(usable))):
        rest, _ = without(cloud, names | set(lost))
        if not fits(rest, [rules.unplace(rest, name) for name in running], demand):
            return False
    return True


def most_with_spare(cloud: Cloud, spare: int, demand: Demand = ()) -> int | None:
    """The size of the largest set that can go while *spare* more may be lost; None where there is none."""
    names = list(cloud.hosts)
    for size in range(len(names) - 1, -1, -1):
        if any(holds_with_spare(cloud, gone, spare, demand) for gone in combinations(names, size)):
            return size
    return None
