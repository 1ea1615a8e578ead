"""Affinity and quota re-checked from events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Figures = Mapping[str, Any]
"""Of one thing in the records."""

Amounts = Mapping[str, int]
STOPPED, DESTROYING, DESTROYED, CREATED, STARTING = 4, 6, 7, 0, 1
DELETED = 3
UNLIMITED_STRATEGIES = ("MinimumCPUUsageHostAllocatorStrategy", "MaxInstancePerHostHostAllocatorStrategy")
"""Chains that look at no quota (rules/host-selection.md#commercial-chains)."""


@dataclass(slots=True)
class Vm:
    """A VM as the auditor knows it."""

    account: str
    strategy: str
    figures: dict[str, int] = field(default_factory=dict)
    alive: bool = True
    group: str = ""
    adopted: bool = False


class Groups:
    """Hard rules, looked at whenever a member gets a host."""

    def __init__(
        self,
        opening: Sequence[Figures],
        hosts: Sequence[Figures],
        closing_hosts: Sequence[Figures],
        clusters: Sequence[Figures] | None,
    ) -> None:
        self.groups: dict[str, dict[str, Any]] = {f"group/{row}": dict(item) for row, item in enumerate(opening)}
        self.hosts = [dict(item) for item in hosts]
        self.labels: list[Mapping[str, str]] = [item["labels"] for item in closing_hosts]
        self.devices = [_DeviceBounds(row, hosts, closing_hosts) for row in range(len(closing_hosts))]
        self.clusters = clusters
        self.members: dict[str, set[str]] = {name: set() for name in self.groups}

    def domain(self, host: int, over: str) -> Any:
        """The domain of a host under *over*; a host without the label is one of its own."""
        if over == "host" or host >= len(self.hosts):
            return host
        if over in ("cluster", "zone"):
            return self.hosts[host][over]
        return self.labels[host].get(over, f"host {host}")

    def placed(self, name: str, vm: Vm, vms: Mapping[str, Vm]) -> Iterator[str]:
        """A member stands on a host now."""
        rule = self.groups.get(vm.group)
        host = vm.figures["host"]
        if rule is None or not rule["enabled"] or host < 0:
            return
        others = [
            vms[member].figures["host"] for member in self.members[vm.group] if member != name and vms[member].alive
        ]
        others = [other for other in others if other >= 0]
        over = rule["over"]
        where = f"host/{host}" if over == "host" else f"host/{host} of {over} {self.domain(host, over)}"
        domains = {self.domain(other, over) for other in others}
        if rule["policy"] == "antiHard" and self.domain(host, over) in domains:
            yield f"{name} joins another member of {vm.group} on {where} (antiHard)"
        if rule["policy"] == "affinityHard" and others and self.domain(host, over) not in domains:
            yield f"{name} stands apart from {vm.group} on {where} (affinityHard)"
        if rule["policy"] == "spreadHard":
            yield from self._spread(name, vm, host, others, rule)
        yield from self._host_rule(name, vm, host, rule)

    def _spread(self, name: str, vm: Vm, host: int, others: list[int], rule: Figures) -> Iterator[str]:
        counts: dict[Any, int] = {}
        for other in others:
            domain = self.domain(other, rule["over"])
            counts[domain] = counts.get(domain, 0) + 1
        own = self.domain(host, rule["over"])
        able = [row for row in range(len(self.hosts)) if self._is_able(row, host, vm, rule)]
        lowest = min((counts.get(self.domain(row, rule["over"]), 0) for row in able), default=counts.get(own, 0))
        if counts.get(own, 0) + 1 > lowest + rule["max_skew"]:
            yield f"{name} makes {vm.group} lopsided on {own} (spreadHard)"

    def _is_able(self, row: int, chosen: int, vm: Vm, rule: Figures) -> bool:
        """Whether host *row*, if it were empty, is sure to be able to hold a VM that *chosen* holds.

        Events do not say which networks, storages and devices a VM needs: a host that has all of the chosen one has
        them. Once attachments have changed, that is known of its own cluster alone.
        """
        host, other = self.hosts[row], self.hosts[chosen]
        if not _usable(host) or any(self._host_rule("", vm, row, rule)):
            return False
        if any(self.devices[row].least(spec) < count for spec, count in self.devices[chosen].most.items()):
            return False
        cpu, memory = vm.figures["cpu"], vm.figures["memory"]
        room, reserve = host.get("total_memory", 0), host.get("reserved_memory", 0)
        large = bool(host.get("total_cpu", 0) >= cpu and room > memory and room - reserve >= memory)
        if host["cluster"] == other["cluster"] or self.clusters is None:
            return large and host["cluster"] == other["cluster"]
        here, there = self.clusters[host["cluster"]], self.clusters[other["cluster"]]
        return large and all(set(there[kind]) <= set(here[kind]) for kind in ("l2s", "storages"))

    def _host_rule(self, name: str, vm: Vm, host: int, rule: Figures) -> Iterator[str]:
        target = rule.get("host_rule")
        if target and target["policy"] == "affinityHard" and host not in target["hosts"]:
            yield f"{name} stands outside the host group of {vm.group}"
        if target and target["policy"] == "antiHard" and host in target["hosts"]:
            yield f"{name} stands inside the host group {vm.group} must avoid"


class _DeviceBounds:
    """PCI devices of one host by specification, at least and at most, over a run whose events do not tell."""

    def __init__(self, row: int, opening: Sequence[Figures], closing: Sequence[Figures]) -> None:
        last: Mapping[str, int] = closing[row]["devices"]
        self._first: Mapping[str, int] = opening[row]["devices"] if row < len(opening) else last
        self._last = last
        self.most = {spec: max(self._first.get(spec, 0), last.get(spec, 0)) for spec in {*self._first, *last}}

    def least(self, spec: str) -> int:
        """The fewest devices of a specification."""
        return min(self._first.get(spec, 0), self._last.get(spec, 0))


def _usable(host: Mapping[str, Any]) -> bool:
    return bool(host["exists"]) and host["state"] == 0 and host["status"] == 0


class Quotas:
    """Running limits of accounts."""

    def __init__(self, opening: list[Mapping[str, int]]) -> None:
        self.limits = {f"account/{row}": dict(item) for row, item in enumerate(opening)}

    def running(self, account: str, vms: Mapping[str, Vm]) -> Iterator[str]:
        """A VM of *account* was given a host: the running limits must still hold."""
        limits = self.limits.get(account)
        if limits is None:
            return
        mine = [vm for vm in vms.values() if vm.account == account and vm.alive and _counts(vm.figures)]
        used = {
            "vm.num": len(mine),
            "vm.cpuNum": sum(vm.figures["cpu"] for vm in mine),
            "vm.memorySize": sum(vm.figures["memory"] for vm in mine),
        }
        for name, value in used.items():
            if value > limits[name]:
                yield f"{account} uses {value} of {name}, its limit is {limits[name]}"


def _counts(figures: Amounts) -> bool:
    if figures["state"] in (STOPPED, DESTROYING, DESTROYED, CREATED):
        return False
    return not (figures["state"] == STARTING and figures["host"] < 0)
