"""Machines are replaced by machines of another size."""

from __future__ import annotations

from typing import ClassVar

from simclone.changes.entries import START_FIGURES, MachineKind, host_entry, machine, only_cluster
from simclone.changes.kind import Data, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.hosts import copy_machine, host_size, resize_host
from simclone.errors import Fault, InvalidInput
from simclone.scenario.document.base import Name
from simclone.scenario.reading.paths import expand_counted


class ReplaceHosts(MachineKind):
    """Hosts by name, or all of a *cluster*, become machines of another size; VMs and names stay."""

    key: ClassVar[str] = "replaceHosts"

    hosts: list[Name] | None = None
    """The hosts, by name."""
    cluster: Name | None = None
    """The cluster, all hosts of which are replaced."""

    def _check_choice(self) -> None:
        if (self.hosts is None) == (self.cluster is None):
            raise InvalidInput([Fault(self.key, "says not which hosts", "hosts or cluster")])

    def to_file(self, data: Data) -> None:
        """Write the new sizes; raises InvalidInput."""
        expand_counted(data, "hosts")
        self._check_choice()
        new = machine(data, self, self.key)
        size: Data = {key: new[key] for key in ("cpuNum", "totalPhysicalMemory")}
        if self.like is not None:
            size |= {"architecture": _architecture(data, new), "pciDevices": new.get("pciDevices")}
        if self.hosts is not None:
            chosen = [host_entry(data, name, f"{self.key}.hosts.{row}") for row, name in enumerate(self.hosts)]
        else:
            only = only_cluster(data)
            chosen = [host for host in data["hosts"] if (host.get("cluster") or only) == self.cluster]
            if not chosen:
                raise InvalidInput([Fault(f"{self.key}.cluster", f"{self.cluster!r} has no hosts", "a cluster's name")])
        for host in chosen:
            for key in START_FIGURES:
                host.pop(key, None)
            host.update(size)
            for key in [key for key in size if host[key] is None]:
                del host[key]

    def to_cloud(self, ctx: Context) -> Workflows:
        """Give the hosts their new sizes where they stand; VMs stay, also where that over-commits."""
        self._check_choice()
        cloud, fleet = ctx.cloud, ctx.cloud.fleet
        if self.hosts is not None:
            rows = [cloud.find("host", name) for name in self.hosts]
        else:
            cluster = cloud.find("cluster", str(self.cluster))
            rows = [row for row in range(fleet.row_count) if fleet.exists[row] and fleet.cluster[row] == cluster]
        like = None if self.like is None else cloud.find("host", self.like)
        cpu_num, memory = (self.cpu_num or 0, self.total_physical_memory or 0) if like is None else host_size(ctx, like)
        for row in rows:
            outcome = resize_host(ctx, row, cpu_num, memory)
            if like is not None:
                copy_machine(ctx, like, row)
            yield finished(outcome)


def _architecture(data: Data, machine: Data) -> str | None:
    """The architecture of a machine: its own, else that of its cluster."""
    cluster = machine.get("cluster") or only_cluster(data)
    inherited = [entry.get("architecture") for entry in data.get("clusters") or () if entry["name"] == cluster]
    architecture: str | None = machine.get("architecture") or next(iter(inherited), None)
    return architecture
