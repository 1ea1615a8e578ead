"""Single changes that might let a host be found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from simclone.allocator.host import chain
from simclone.allocator.host.request import HostRequest
from simclone.allocator.rules import quota as quota_rule
from simclone.allocator.rules.capacity import ANYTHING, checks_physical, shortfall
from simclone.changes.add_hosts import AddHosts
from simclone.changes.attach_network import AttachNetwork
from simclone.changes.drop_host_rule import DropHostRule
from simclone.changes.enable_host import EnableHost
from simclone.changes.global_config import GlobalConfig
from simclone.changes.kind import ChangeKind
from simclone.changes.move_vm import MoveVm
from simclone.changes.quota import Quota
from simclone.changes.resize_host import ResizeHost
from simclone.changes.set_group_policy import SetGroupPolicy
from simclone.changes.set_host_status import SetHostStatus
from simclone.engine.operations.migrate_vm import migrate_request
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, ENABLED
from simclone.model.vms import NONE
from simclone.placement.host import strategy_of
from simclone.records import Unplaced
from simclone.scenario.document.prices import PricesDoc
from simclone.units import GIB, format_size, plural
from simclone.vocabulary import VmState

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
    changes: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fix to be tried, and the *change* that it makes."""

    fix: Fix
    change: ChangeKind


class FixCandidates:
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

    def _candidate(
        self, kind: str, change: ChangeKind, target: str, text: str | None = None, *, more: float = 0, amount: int = 0
    ) -> Candidate:
        """A fix that makes *change*; *text* where its own words do not say enough."""
        words = change.words() if text is None else text
        return Candidate(Fix(kind, words, target, self.prices.of(kind) + more, amount, (change.as_data(),)), change)

    def _hosts(self) -> list[int]:
        return [int(row) for row in np.flatnonzero(self.cloud.fleet.array(self.cloud.fleet.exists) == 1)]

    def states(self) -> Iterator[Candidate]:
        """Hosts that are not Enabled and Connected."""
        fleet = self.cloud.fleet
        bad = (fleet.array(fleet.state) != ENABLED) | (fleet.array(fleet.status) != CONNECTED)
        for host in np.flatnonzero((fleet.array(fleet.exists) == 1) & bad).tolist():
            name = fleet.names[host]
            if fleet.state[host] != ENABLED:
                yield self._candidate("enableHost", EnableHost(host=name), name)
            if fleet.status[host] != CONNECTED:
                yield self._candidate("reconnectHost", SetHostStatus(host=name, status="Connected"), name)

    def quotas(self) -> Iterator[Candidate]:
        """All limits the request runs into, raised to what it takes."""
        account, cloud = self.request.account, self.cloud
        if account < 0:
            return
        asks = dict(quota_rule.start_asks(self.request.cpu, self.request.memory)) | {"vm.totalNum": 1}
        needed = {name: quota_rule.usage(cloud, account)[name] + more for name, more in asks.items()}
        over = {name: value for name, value in needed.items() if value > cloud.limit(account, name)}
        if not over:
            return
        name = cloud.accounts[account].name
        yield self._candidate("raiseQuota", Quota(account=name, limits=over), name, amount=max(over.values()))

    def rules(self) -> Iterator[Candidate]:
        """Affinity and binding rules made soft, or dropped."""
        yield from self._bindings()
        row = self.request.group
        if row is None:
            return
        group = self.cloud.groups[row]
        if group.policy.endswith("Hard"):
            soft = group.policy.removesuffix("Hard") + "Soft"
            change = SetGroupPolicy.model_validate({"affinityGroup": group.name, "policy": soft})
            text = f"{change.words()} instead of {group.policy}"
            yield self._candidate("softenRule", change, group.name, text)
        if group.host_rule is not None:
            yield self._candidate("dropHostRule", DropHostRule(affinity_group=group.name), group.name)

    def _bindings(self) -> Iterator[Candidate]:
        key = "vm.resourceBinding.strategy"
        if self.request.bindings and str(self.cloud.settings.values[key]) != "Soft":
            yield self._candidate("softenRule", GlobalConfig({key: "Soft"}), key)

    def networks(self) -> Iterator[Candidate]:
        """Clusters the networks of the VM's cards do not reach."""
        cloud, l2s = self.cloud, {self.cloud.l3s[l3].l2 for l3 in self.request.l3s}
        for row, cluster in enumerate(cloud.clusters):
            lacking = [cloud.l2s[l2].name for l2 in sorted(l2s) if row not in cloud.l2_clusters[l2]]
            if lacking:
                change = AttachNetwork(l2_networks=lacking, cluster=cluster.name)
                yield self._candidate("attachNetwork", change, cluster.name)

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
                change = GlobalConfig({key: value})
                text = f"{change.words()} (it is {values[key]})"
                yield self._candidate(kind, change, key, text, more=turn)

    def _lacks(self, host: int) -> tuple[int, int]:
        """vCPUs and bytes a host lacks."""
        request, cloud = self.request, self.cloud
        physical = request.memory + request.old_memory if checks_physical(cloud) else ANYTHING
        short = shortfall(cloud.fleet, host, request.cpu, request.memory, physical)
        return (0, 0) if short is None else (short.cpu, short.memory)

    def larger(self) -> Iterator[Candidate]:
        """Hosts with as much more as they lack, whole cores and whole GiB."""
        fleet, names = self.cloud.fleet, self.cloud.fleet.names
        for host in self._hosts():
            cpu, memory = self._lacks(host)
            cores = -(-cpu // max(fleet.total_cpu[host] // max(fleet.cpu_num[host], 1), 1))
            cpu, memory = cores * (fleet.total_cpu[host] // max(fleet.cpu_num[host], 1)), -(-memory // GIB) * GIB
            if not cpu and not memory:
                continue
            parts = ([plural(cores, "more core")] if cores else []) + (
                [f"{format_size(memory)} more memory"] if memory else []
            )
            change = ResizeHost(
                host=names[host],
                cpu_num=fleet.cpu_num[host] + cores,
                total_physical_memory=fleet.total_memory[host] + memory,
            )
            more = cpu * self.prices.vcpu + memory // GIB * self.prices.memory_gib
            text = f"give host {names[host]} {' and '.join(parts)}"
            yield self._candidate("growHost", change, names[host], text, more=more, amount=memory or cpu)

    def moves(self) -> Iterator[Candidate]:
        """One running VM that makes room where it leaves, and finds a host elsewhere."""
        vms = self.cloud.vms
        running = (vms.array(vms.hold_host) != NONE) & (vms.array(vms.state) == VmState.RUNNING)
        lacks = {host: self._lacks(host) for host in self._hosts()}
        for host in sorted(lacks, key=lambda row: sum(lacks[row]))[:MOST_HOSTS]:
            cpu, memory = lacks[host]
            if not cpu and not memory:
                continue
            matching = np.flatnonzero(running & (vms.array(vms.hold_host) == host)).tolist()
            for vm in sorted(matching, key=lambda row: vms.memory[row])[:MOST_VMS]:
                target = None
                if vms.hold_cpu[vm] >= cpu and vms.hold_memory[vm] >= memory:
                    target = self._target(vm)
                if target is not None:
                    yield self._move(vm, host, target)
                    break

    def _target(self, vm: int) -> int | None:
        requested = migrate_request(self.cloud, vm, None)
        result = chain.run(strategy_of(requested, self.cloud), requested, self.cloud)
        return None if isinstance(result, Unplaced) or not len(result.hosts) else int(result.hosts[0])

    def _move(self, vm: int, host: int, target: int) -> Candidate:
        name, names = self.cloud.vms.names[vm], self.cloud.fleet.names
        text = f"move VM {name} from {names[host]} to {names[target]}"
        return self._candidate("moveVm", MoveVm(vm=name, host=names[target]), name, text)

    def added_hosts(self) -> Iterator[Candidate]:
        """An empty copy of each size of host that is there, smallest first."""
        fleet = self.cloud.fleet
        sizes: dict[tuple[int, int, int, tuple[tuple[str, int], ...]], int] = {}
        for row in self._hosts():
            devices = tuple(sorted((spec, present.get(row, 0)) for spec, present in fleet.devices.items()))
            sizes.setdefault((fleet.total_memory[row], fleet.total_cpu[row], fleet.cluster[row], devices), row)
        for turn, ((memory, cpu, cluster, _), like) in enumerate(sorted(sizes.items())):
            change = AddHosts(like=fleet.names[like])
            text = f"{change.words()} ({cpu} vCPUs, {format_size(memory)})"
            yield self._candidate("addHost", change, self.cloud.clusters[cluster].name, text, more=turn)
