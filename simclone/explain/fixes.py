"""What would fix a refusal: single changes, each tried on the books and taken back, cheapest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from simclone.allocator import quota
from simclone.allocator.host import chain
from simclone.allocator.host.request import HostRequest
from simclone.engine.admin.settings import update_global_config
from simclone.engine.context import Context
from simclone.engine.life.migrate import migrate_request
from simclone.explain.verdict import missing_memory
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, ENABLED
from simclone.model.ledger import Ledger
from simclone.model.vms import NONE, STATE
from simclone.placement.host import strategy_of
from simclone.records import Unplaced
from simclone.units import GIB, format_size

MOST_HOSTS, MOST_VMS = 200, 40
"""So many hosts are tried one by one, and so many VMs of each for a move."""
COSTS = {
    "enableHost": 1,
    "reconnectHost": 2,
    "raiseQuota": 3,
    "softenRule": 4,
    "dropHostRule": 4,
    "attachNetwork": 5,
    "lowerReserve": 6,
    "raiseRatio": 7,
    "moveVm": 8,
    "growHost": 20,
    "addHost": 100,
}
"""Effort of a change beside others; what a host grows by counts on top, a vCPU and a GiB one each."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One change with which the request finds a host. *kind* is a key of `COSTS`, *amount* vCPUs, bytes or a value."""

    kind: str
    text: str
    target: str
    cost: int
    amount: int = 0


Change = Callable[[Context], None]
Candidate = tuple[Fix, Change]


def fixes_of(request: HostRequest, cloud: Cloud, reason: str) -> tuple[Fix, ...]:
    """Every single change that helps, one of each kind, cheapest first; empty when nothing single does.

    *cloud* is as it was when the request was refused; each change is made in a trial, the whole chain is asked, and the
    change is undone. A failure that no host is to blame for gets none. Moves are tried on the first hosts and VMs only
    (`MOST_HOSTS`, `MOST_VMS`).
    """
    found: dict[str, Fix] = {}
    if _fits(request, cloud):
        return ()
    for fix, change in sorted(_candidates(request, cloud, reason), key=lambda pair: pair[0].cost):
        if fix.kind not in found and _helps(request, cloud, change):
            found[fix.kind] = fix
    grown = _added_host(request, cloud)
    if grown is not None:
        found[grown.kind] = grown
    return tuple(sorted(found.values(), key=lambda one: one.cost))


def _helps(request: HostRequest, cloud: Cloud, change: Change) -> bool:
    ledger = Ledger(cloud)
    with ledger.trial():
        change(Context(ledger))
        return _fits(request, cloud)


def _fits(request: HostRequest, cloud: Cloud) -> bool:
    return not isinstance(chain.run(strategy_of(request, cloud), request.dry(), cloud), Unplaced)


def _candidates(request: HostRequest, cloud: Cloud, reason: str) -> Iterator[Candidate]:
    yield from _states(cloud)
    if reason.startswith("quota."):
        yield from _quotas(request, cloud)
    yield from _rules(request, cloud)
    if reason.startswith("network."):
        yield from _networks(request, cloud)
    if reason.startswith("host."):
        yield from _settings(cloud)
        yield from _larger(request, cloud)
        yield from _moves(request, cloud)


def _fix(kind: str, text: str, target: str, more: int = 0, amount: int = 0) -> Fix:
    return Fix(kind, text, target, COSTS[kind] + more, amount)


def _states(cloud: Cloud) -> Iterator[Candidate]:
    fleet = cloud.fleet
    for host in np.flatnonzero(fleet.array("exists") == 1).tolist():
        name = fleet.names[host]
        if fleet.get("state", host) != ENABLED:
            yield _fix("enableHost", f"enable host {name}", name), _sets(host, state=ENABLED)
        if fleet.get("status", host) != CONNECTED:
            yield _fix("reconnectHost", f"bring host {name} back", name), _sets(host, status=CONNECTED)


def _sets(host: int, **values: int) -> Change:
    return lambda ctx: ctx.ledger.set_host(host, "trial", **values)


def _quotas(request: HostRequest, cloud: Cloud) -> Iterator[Candidate]:
    """All limits the request runs into, raised to what it takes."""
    account = request.account
    if account < 0:
        return
    asks = dict(quota.start_asks(request.cpu, request.memory)) | {"vm.totalNum": 1}
    needed = {name: quota.usage(cloud, account)[name] + more for name, more in asks.items()}
    over = {name: value for name, value in needed.items() if value > cloud.limit(account, name)}
    text = ", ".join(f"{name} to {value}" for name, value in over.items())

    def change(ctx: Context) -> None:
        for name, value in over.items():
            ctx.ledger.set_limit(account, name, value)

    if over:
        yield _fix("raiseQuota", f"raise {text}", cloud.accounts[account].name, amount=max(over.values())), change


def _rules(request: HostRequest, cloud: Cloud) -> Iterator[Candidate]:
    row = request.group
    if row is None:
        return
    group = cloud.groups[row]
    if group.policy.endswith("Hard"):
        soft = group.policy.removesuffix("Hard") + "Soft"
        text = f"make group {group.name} {soft} instead of {group.policy}"
        yield _fix("softenRule", text, group.name), lambda ctx: ctx.ledger.set_group(row, policy=soft)
    if group.host_rule is not None:
        text = f"drop the VM-host rule of group {group.name}"
        yield _fix("dropHostRule", text, group.name), lambda ctx: ctx.ledger.set_group(row, host_rule=None)


def _networks(request: HostRequest, cloud: Cloud) -> Iterator[Candidate]:
    l2s = {cloud.l3s[l3].l2 for l3 in request.l3s}
    for cluster, one in enumerate(cloud.clusters):
        lacking = [l2 for l2 in sorted(l2s) if cluster not in cloud.l2_clusters[l2]]

        def change(ctx: Context, lacking: list[int] = lacking, cluster: int = cluster) -> None:
            for l2 in lacking:
                ctx.ledger.put(cloud.l2_clusters, l2, cloud.l2_clusters[l2] | {cluster}, "l2", "trial")

        if lacking:
            names = ", ".join(cloud.l2s[l2].name for l2 in lacking)
            yield _fix("attachNetwork", f"attach {names} to cluster {one.name}", one.name), change


def _settings(cloud: Cloud) -> Iterator[Candidate]:
    values = cloud.settings.values
    for kind, key, steps in (
        ("lowerReserve", "kvm.reservedMemory", [0.0]),
        ("raiseRatio", "host.cpu.overProvisioning.ratio", _above(int(values["host.cpu.overProvisioning.ratio"]))),
        ("raiseRatio", "mevoco.overProvisioning.memory", [1.1, 1.25, 1.5, 2.0]),
    ):
        for step in steps:
            if kind == "raiseRatio" and float(step) <= float(values[key]):
                continue
            text = f"set {key} to {step:g} (it is {values[key]})"
            value = int(step) if step == int(step) else step
            yield _fix(kind, text, key, more=steps.index(step)), _configures(key, value)


def _above(ratio: int) -> list[float]:
    return [float(ratio + more) for more in (1, 2, 4, 8)]


def _configures(key: str, value: float) -> Change:
    def change(ctx: Context) -> None:
        update_global_config(ctx, key, value)

    return change


def _lacks(request: HostRequest, cloud: Cloud, host: int) -> tuple[int, int]:
    """vCPUs and bytes a host lacks."""
    cpu = max(request.cpu - cloud.fleet.get("available_cpu", host), 0)
    memory = missing_memory(cloud, host, request.memory)
    size = request.memory + request.old_memory + 1 - cloud.fleet.get("total_memory", host)
    return cpu, max(memory, size if cloud.settings.flag("hostAllocator.hostAllocator.checkHostMem") else 0)


def _larger(request: HostRequest, cloud: Cloud) -> Iterator[Candidate]:
    """A host with as much more as it lacks."""
    fleet = cloud.fleet
    for host in np.flatnonzero(fleet.array("exists") == 1).tolist():
        cpu, memory = _lacks(request, cloud, host)
        grown = {
            "total_cpu": fleet.get("total_cpu", host) + cpu,
            "available_cpu": fleet.get("available_cpu", host) + cpu,
            "total_memory": fleet.get("total_memory", host) + memory,
            "available_memory": fleet.get("available_memory", host) + memory,
        }
        parts = ([f"{cpu} more vCPUs"] if cpu else []) + ([f"{format_size(memory)} more memory"] if memory else [])
        if parts:
            text = f"give host {fleet.names[host]} {' and '.join(parts)}"
            fix = _fix("growHost", text, fleet.names[host], more=cpu - (-memory // GIB), amount=memory or cpu)
            yield fix, _sets(host, **grown)


def _moves(request: HostRequest, cloud: Cloud) -> Iterator[Candidate]:
    """One running VM that makes room where it leaves, and finds a host elsewhere."""
    vms, fleet = cloud.vms, cloud.fleet
    running = (vms.array("hold_host") != NONE) & (vms.array("state") == STATE["Running"])
    for host in sorted(range(fleet.size), key=lambda row: sum(_lacks(request, cloud, row)))[:MOST_HOSTS]:
        cpu, memory = _lacks(request, cloud, host)
        if not cpu and not memory:
            continue
        here = np.flatnonzero(running & (vms.array("hold_host") == host)).tolist()
        for vm in sorted(here, key=lambda row: vms.get("memory", row))[:MOST_VMS]:
            if vms.get("hold_cpu", vm) < cpu or vms.get("hold_memory", vm) < memory:
                continue
            target = chain.run(strategy_of(asked := migrate_request(cloud, vm, None), cloud), asked, cloud)
            if isinstance(target, Unplaced) or not len(target.hosts):
                continue
            text = f"move VM {vms.names[vm]} from {fleet.names[host]} to {fleet.names[int(target.hosts[0])]}"
            yield _fix("moveVm", text, vms.names[vm]), _moved(vm, int(target.hosts[0]))
            break


def _moved(vm: int, host: int) -> Change:
    def change(ctx: Context) -> None:
        ctx.ledger.end_host(vm, "trial")
        ctx.ledger.set_vm(vm, host=NONE)
        ctx.ledger.hold_host(vm, host, "trial")
        ctx.ledger.set_vm(vm, host=host, cluster=ctx.cloud.fleet.get("cluster", host))

    return change


def _added_host(request: HostRequest, cloud: Cloud) -> Fix | None:
    """An empty copy of each size of host that is there, the smallest that helps."""
    fleet = cloud.fleet
    sizes: dict[tuple[Any, ...], int] = {}
    for row in np.flatnonzero(fleet.array("exists") == 1).tolist():
        devices = tuple(sorted((spec, present.get(row, 0)) for spec, present in fleet.devices.items()))
        size = (fleet.get("total_memory", row), fleet.get("total_cpu", row))
        sizes.setdefault((*size, fleet.get("cluster", row), devices), row)
    for (memory, cpu, _, _), like in sorted(sizes.items()):
        ledger = Ledger(cloud).fork()
        copied = {name: fleet.get(name, like) for name in fleet.FIELDS if name not in ("state", "status", "exists")}
        empty = {"available_cpu": cpu, "available_memory": memory}
        zero = dict.fromkeys(("vm_count", "held_cpu", "held_memory", "drift_cpu", "drift_memory", "stopped_count"), 0)
        new = ledger.add_host("f" * 32, "new", dict(fleet.labels[like]), **{**copied, **empty, **zero})
        for present in ledger.cloud.fleet.devices.values():
            present[new] = present.get(like, 0)
        if _fits(request, ledger.cloud):
            text = f"add a host like {fleet.names[like]} ({cpu} vCPUs, {format_size(memory)})"
            return _fix("addHost", text, cloud.clusters[fleet.get("cluster", like)].name)
    return None
