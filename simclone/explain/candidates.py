"""Single changes that might let a host be found, each with the change to the books and the one to the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from simclone.allocator import quota
from simclone.allocator.host import chain
from simclone.allocator.host.request import HostRequest
from simclone.engine.context import Context
from simclone.engine.operations.migrate_vm import migrate_request
from simclone.engine.operations.settings import update_global_config
from simclone.explain.verdict import missing_memory
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, ENABLED
from simclone.model.vms import NONE, STATE
from simclone.placement.host import strategy_of
from simclone.records import Unplaced
from simclone.scenario.document.prices import PricesDoc
from simclone.units import GIB, format_size, plural

MOST_HOSTS, MOST_VMS = 50, 40
"""So many hosts are looked at for one kind of change, and so many VMs of each for a move."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A change with which the request succeeds. *kind* is a key of the price table (two joined by ``+`` for a pair).

    *amount* is vCPUs, bytes or a value. *changes* are the same as changes to the scenario's file.
    """

    kind: str
    text: str
    target: str
    cost: float
    amount: int = 0
    changes: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fix to be tried; *make* changes the books, on a copy of the cloud when it *grows* the fleet."""

    fix: Fix
    make: Callable[[Context], None]
    grows: bool = False


class Candidates:
    """Candidates for one request on one cloud."""

    def __init__(self, request: HostRequest, cloud: Cloud, prices: PricesDoc) -> None:
        self.request, self.cloud, self.prices = request, cloud, prices

    def all(self) -> Iterator[Candidate]:
        """Of every kind."""
        yield from self.states()
        yield from self.quotas()
        yield from self.rules()
        yield from self.networks()
        yield from self.settings()
        yield from self.larger()
        yield from self.moves()
        yield from self.added_hosts()

    def _fix(
        self, kind: str, text: str, target: str, change: Mapping[str, Any], more: float = 0, amount: int = 0
    ) -> Fix:
        return Fix(kind, text, target, self.prices.of(kind) + more, amount, (change,))

    def _hosts(self) -> list[int]:
        return [int(row) for row in np.flatnonzero(self.cloud.fleet.array(self.cloud.fleet.exists) == 1)]

    def states(self) -> Iterator[Candidate]:
        """Hosts that are not Enabled and Connected."""
        fleet = self.cloud.fleet
        bad = (fleet.array(fleet.state) != ENABLED) | (fleet.array(fleet.status) != CONNECTED)
        for host in np.flatnonzero((fleet.array(fleet.exists) == 1) & bad).tolist():
            name = fleet.names[host]
            if fleet.state[host] != ENABLED:
                change = {"set": {f"hosts.{name}.state": "Enabled"}}
                fix = self._fix("enableHost", f"enable host {name}", name, change)
                yield Candidate(fix, _sets(host, state=ENABLED))
            if fleet.status[host] != CONNECTED:
                change = {"set": {f"hosts.{name}.status": "Connected"}}
                fix = self._fix("reconnectHost", f"bring host {name} back", name, change)
                yield Candidate(fix, _sets(host, status=CONNECTED))

    def quotas(self) -> Iterator[Candidate]:
        """All limits the request runs into, raised to what it takes."""
        account, cloud = self.request.account, self.cloud
        if account < 0:
            return
        asks = dict(quota.start_asks(self.request.cpu, self.request.memory)) | {"vm.totalNum": 1}
        needed = {name: quota.usage(cloud, account)[name] + more for name, more in asks.items()}
        over = {name: value for name, value in needed.items() if value > cloud.limit(account, name)}
        if not over:
            return
        text, name = ", ".join(f"{one} to {value}" for one, value in over.items()), cloud.accounts[account].name

        def change(ctx: Context) -> None:
            for one, value in over.items():
                ctx.ledger.set_limit(account, one, value)

        told = {"quota": {"account": name, "limits": over}}
        yield Candidate(self._fix("raiseQuota", f"raise {text}", name, told, amount=max(over.values())), change)

    def rules(self) -> Iterator[Candidate]:
        """Affinity and binding rules made soft, or dropped."""
        yield from self._bindings()
        row = self.request.group
        if row is None:
            return
        group = self.cloud.groups[row]
        if group.policy.endswith("Hard"):
            soft = group.policy.removesuffix("Hard") + "Soft"
            text = f"make group {group.name} {soft} instead of {group.policy}"
            fix = self._fix("softenRule", text, group.name, {"set": {f"affinityGroups.{group.name}.policy": soft}})
            yield Candidate(fix, lambda ctx: ctx.ledger.set_group(row, policy=soft))
        if group.host_rule is not None:
            text = f"drop the VM-host rule of group {group.name}"
            fix = self._fix("dropHostRule", text, group.name, {"set": {f"affinityGroups.{group.name}.hostRule": None}})
            yield Candidate(fix, lambda ctx: ctx.ledger.set_group(row, host_rule=None))

    def _bindings(self) -> Iterator[Candidate]:
        key = "vm.resourceBinding.strategy"
        if self.request.bindings and str(self.cloud.settings.values[key]) != "Soft":
            fix = self._fix("softenRule", f"set {key} to Soft", key, {"globalConfig": {key: "Soft"}})
            yield Candidate(fix, _configures(key, "Soft"))

    def networks(self) -> Iterator[Candidate]:
        """Clusters the networks of the VM's cards do not reach."""
        cloud, l2s = self.cloud, {self.cloud.l3s[l3].l2 for l3 in self.request.l3s}
        for cluster, one in enumerate(cloud.clusters):
            lacking = [l2 for l2 in sorted(l2s) if cluster not in cloud.l2_clusters[l2]]

            def change(ctx: Context, lacking: list[int] = lacking, cluster: int = cluster) -> None:
                for l2 in lacking:
                    ctx.ledger.put(cloud.l2_clusters, l2, cloud.l2_clusters[l2] | {cluster}, "l2", "trial")

            if lacking:
                names = ", ".join(cloud.l2s[l2].name for l2 in lacking)
                told = {
                    f"l2Networks.{cloud.l2s[l2].name}.attachedClusters": sorted(
                        cloud.clusters[at].name for at in cloud.l2_clusters[l2] | {cluster}
                    )
                    for l2 in lacking
                }
                text = f"attach {names} to cluster {one.name}"
                yield Candidate(self._fix("attachNetwork", text, one.name, {"set": told}), change)

    def settings(self) -> Iterator[Candidate]:
        """Less reserve, more over-provisioning, step by step."""
        values = self.cloud.settings.values
        cpu = int(values["host.cpu.overProvisioning.ratio"])
        for kind, key, steps in (
            ("lowerReserve", "kvm.reservedMemory", [0.0]),
            ("raiseRatio", "host.cpu.overProvisioning.ratio", [float(cpu + more) for more in (1, 2, 4, 8)]),
            ("raiseRatio", "mevoco.overProvisioning.memory", [1.1, 1.25, 1.5, 2.0]),
        ):
            for turn, step in enumerate(steps):
                if kind == "raiseRatio" and step <= float(values[key]):
                    continue
                value = int(step) if step == int(step) else step
                text = f"set {key} to {step:g} (it is {values[key]})"
                fix = self._fix(kind, text, key, {"globalConfig": {key: value}}, more=turn)
                yield Candidate(fix, _configures(key, value))

    def _lacks(self, host: int) -> tuple[int, int]:
        """vCPUs and bytes a host lacks."""
        request, cloud = self.request, self.cloud
        cpu = max(request.cpu - cloud.fleet.available_cpu[host], 0)
        memory = missing_memory(cloud, host, request.memory)
        size = request.memory + request.old_memory + 1 - cloud.fleet.total_memory[host]
        return cpu, max(memory, size if cloud.settings.flag("hostAllocator.hostAllocator.checkHostMem") else 0)

    def larger(self) -> Iterator[Candidate]:
        """Hosts with as much more as they lack, whole cores and whole GiB."""
        fleet, names = self.cloud.fleet, self.cloud.fleet.names
        for host in self._hosts():
            cpu, memory = self._lacks(host)
            cores = -(-cpu // max(fleet.total_cpu[host] // max(fleet.cpu_num[host], 1), 1))
            cpu, memory = cores * (fleet.total_cpu[host] // max(fleet.cpu_num[host], 1)), -(-memory // GIB) * GIB
            if not cpu and not memory:
                continue
            columns = {"total_cpu": cpu, "available_cpu": cpu, "total_memory": memory, "available_memory": memory}
            grown = {name: fleet.cells[name][host] + more for name, more in columns.items()}
            parts = ([plural(cores, "more core")] if cores else []) + (
                [f"{format_size(memory)} more memory"] if memory else []
            )
            told = {
                f"hosts.{names[host]}.cpuNum": fleet.cpu_num[host] + cores,
                f"hosts.{names[host]}.totalPhysicalMemory": fleet.total_memory[host] + memory,
                f"hosts.{names[host]}.totalCpu": None,
            }
            more = cpu * self.prices.vcpu + memory // GIB * self.prices.memory_gib
            text = f"give host {names[host]} {' and '.join(parts)}"
            fix = self._fix("growHost", text, names[host], {"set": told}, more=more, amount=memory or cpu)
            yield Candidate(fix, _sets(host, **grown))

    def moves(self) -> Iterator[Candidate]:
        """One running VM that makes room where it leaves, and finds a host elsewhere."""
        vms = self.cloud.vms
        running = (vms.array(vms.hold_host) != NONE) & (vms.array(vms.state) == STATE["Running"])
        lacks = {host: self._lacks(host) for host in self._hosts()}
        for host in sorted(lacks, key=lambda row: sum(lacks[row]))[:MOST_HOSTS]:
            cpu, memory = lacks[host]
            if not cpu and not memory:
                continue
            here = np.flatnonzero(running & (vms.array(vms.hold_host) == host)).tolist()
            for vm in sorted(here, key=lambda row: vms.memory[row])[:MOST_VMS]:
                target = None
                if vms.hold_cpu[vm] >= cpu and vms.hold_memory[vm] >= memory:
                    target = self._target(vm)
                if target is not None:
                    yield self._move(vm, host, target)
                    break

    def _target(self, vm: int) -> int | None:
        asked = migrate_request(self.cloud, vm, None)
        found = chain.run(strategy_of(asked, self.cloud), asked, self.cloud)
        return None if isinstance(found, Unplaced) or not len(found.hosts) else int(found.hosts[0])

    def _move(self, vm: int, host: int, target: int) -> Candidate:
        name, names = self.cloud.vms.names[vm], self.cloud.fleet.names
        change = {"moveVm": {"vm": name, "host": names[target]}}
        fix = self._fix("moveVm", f"move VM {name} from {names[host]} to {names[target]}", name, change)
        return Candidate(fix, _moved(vm, target))

    def added_hosts(self) -> Iterator[Candidate]:
        """An empty copy of each size of host that is there, smallest first."""
        fleet = self.cloud.fleet
        sizes: dict[tuple[Any, ...], int] = {}
        for row in self._hosts():
            devices = tuple(sorted((spec, present.get(row, 0)) for spec, present in fleet.devices.items()))
            size = (fleet.total_memory[row], fleet.total_cpu[row])
            sizes.setdefault((*size, fleet.cluster[row], devices), row)
        for turn, ((memory, cpu, cluster, _), like) in enumerate(sorted(sizes.items())):
            text = f"add a host like {fleet.names[like]} ({cpu} vCPUs, {format_size(memory)})"
            change = {"addHosts": {"like": fleet.names[like]}}
            fix = self._fix("addHost", text, self.cloud.clusters[cluster].name, change, more=turn)
            yield Candidate(fix, partial(_joined, like), grows=True)


def _joined(like: int, ctx: Context) -> None:
    """An empty copy of a host joins."""
    fleet = ctx.cloud.fleet
    copied = {name: value for name, value in fleet.values_of(like) if name not in ("state", "status", "exists")}
    empty = {"available_cpu": copied["total_cpu"], "available_memory": copied["total_memory"]}
    zero = dict.fromkeys(("vm_count", "held_cpu", "held_memory", "drift_cpu", "drift_memory", "stopped_count"), 0)
    new = ctx.ledger.add_host("f" * 32, "new", dict(fleet.labels[like]), **{**copied, **empty, **zero})
    for present in fleet.devices.values():
        present[new] = present.get(like, 0)


def _sets(host: int, **values: int) -> Callable[[Context], None]:
    return lambda ctx: ctx.ledger.set_host(host, "trial", **values)


def _configures(key: str, value: float | str) -> Callable[[Context], None]:
    def change(ctx: Context) -> None:
        update_global_config(ctx, key, value)

    return change


def _moved(vm: int, host: int) -> Callable[[Context], None]:
    def change(ctx: Context) -> None:
        ctx.ledger.end_host(vm, "trial")
        ctx.ledger.set_vm(vm, host=NONE)
        ctx.ledger.hold_host(vm, host, "trial")
        ctx.ledger.set_vm(vm, host=host, cluster=ctx.cloud.fleet.cluster[host])

    return change
