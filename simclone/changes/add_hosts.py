"""Hosts join: in a what-if, as an incident, as a fix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from simclone.changes.entries import MachineKind, machine, only_cluster
from simclone.changes.kind import Data, Incidents, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.hosts import add_host, host_size, set_devices
from simclone.errors import Fault, InvalidInput
from simclone.scenario.document.base import Count, Name, Positive, Size
from simclone.scenario.document.kinds import FileNames
from simclone.scenario.reading.expand import has_number, numbered
from simclone.scenario.reading.paths import expand_counted

MOST_CORES = 1_000_000


class AddHosts(MachineKind):
    """*count* new hosts: like one that is there (*like*), or of *cpuNum* and *totalPhysicalMemory* in *cluster*.

    Local storages take as much from each as from the host it is like, or *localStorage* bytes. *labels* and
    *pciDevices* go before those of the host it is like.
    """

    key: ClassVar[str] = "addHosts"
    incident: ClassVar[bool] = True
    grows: ClassVar[bool] = True
    prices: ClassVar[Mapping[str, float]] = {"addHost": 100.0}

    name: Name = "new-{n}"
    """The hosts' name, or a pattern such as `new-{n}`."""
    cluster: Name | None = None
    """The cluster they join."""
    local_storage: Size | None = None
    """The bytes that each brings to every local storage."""
    local_storages: dict[Name, Size] = Field(default_factory=dict)
    """The bytes that each brings to the local storages named; they go before `localStorage`."""
    labels: dict[Name, Name] = Field(default_factory=dict)
    """Labels of each, such as its rack; they go before those of the host it is like."""
    pci_devices: dict[Name, Positive] | None = None
    """Whole PCI devices of each by specification, instead of those of the host it is like."""
    count: Count = 1
    """How many there are."""

    @classmethod
    def check_incidents(cls, names: FileNames, incidents: Incidents) -> None:
        """Add faults: hosts that join have a size, a cluster that is there, and names of their own."""
        taken = set(names.words("host"))
        for path, change in incidents:
            change.check(names, (*path, cls.key), taken)

    def check(self, names: FileNames, path: tuple[str | int, ...], taken: set[str]) -> None:
        """Add the faults of one incident; its new names are *taken* from then on."""
        size = {"cluster": self.cluster, "cpuNum": self.cpu_num, "totalPhysicalMemory": self.total_physical_memory}
        for key, value in size.items():
            if value is None and self.like is None:
                names.findings.add((*path, key), "is missing")
        for key, kind, name in (("cluster", "cluster", self.cluster), ("like", "host", self.like)):
            if name is not None:
                names.find(kind, name, (*path, key))
        if self.count > 1 and not has_number(self.name):
            names.findings.add((*path, "name"), f"names {self.count} hosts alike", "a pattern such as host-{n}")
        if (self.cpu_num or 0) > MOST_CORES:
            names.findings.add((*path, "cpuNum"), f"{self.cpu_num} cores", f"at most {MOST_CORES}")
        new = {numbered(self.name, number) for number in range(1, self.count + 1)}
        if new & taken:
            names.findings.add((*path, "name"), f"{min(new & taken)!r} exists", "a name of its own")
        taken |= new

    def new_names(self, taken: set[str]) -> list[str]:
        """The names of the new hosts; numbers that are *taken* are passed over."""
        pattern = self.name if has_number(self.name) or self.count == 1 else f"{self.name}-{{n}}"
        names: list[str] = []
        number = 0
        for _ in range(self.count):
            number += 1
            while has_number(pattern) and numbered(pattern, number) in taken:
                number += 1
            names.append(numbered(pattern, number))
        return names

    def to_file(self, data: Data) -> None:
        """Add entries at the end of the hosts; raises InvalidInput."""
        expand_counted(data, "hosts")
        model = machine(data, self, self.key, self._cluster(data))
        if self.labels:
            model["labels"] = {**model.get("labels", {}), **self.labels}
        if self.pci_devices is not None:
            model["pciDevices"] = dict(self.pci_devices)
        for name in self.new_names({host["name"] for host in data["hosts"]}):
            data["hosts"].append({**model, "name": name})
            self._add_shares(data, name)
            self._add_price(data, name)

    def _cluster(self, data: Data) -> str | None:
        """The cluster the new entries name; raises InvalidInput when there are several to choose from."""
        if self.cluster is not None or self.like is not None:
            return self.cluster
        clusters = [cluster["name"] for cluster in data.get("clusters", ())]
        if len(clusters) > 1 and self.cpu_num is not None and self.total_physical_memory is not None:
            raise InvalidInput([Fault(f"{self.key}.cluster", "is missing", ", ".join(clusters))])
        return clusters[0] if clusters else None

    def _add_shares(self, data: Data, name: str) -> None:
        """Write what a new host brings to local storages."""
        for storage in data.get("primaryStorages", ()):
            if storage.get("localHosts") is None:
                continue
            expand_counted(storage, "localHosts", "host")
            like = next((share for share in storage["localHosts"] if share["host"] == self.like), None)
            size = self.local_storage if self.local_storage is not None else like and like["totalCapacity"]
            size = self.local_storages.get(storage["name"], size)
            if size is not None:
                storage["localHosts"].append({"host": name, "totalCapacity": size})

    def _add_price(self, data: Data, name: str) -> None:
        """Give a new host the monthly price of the host that it is like, where that one has a price of its own."""
        prices = data.get("prices", {})
        price = prices.get("hostMonths", {}).get(self.like)
        if price is not None:
            data["prices"] = {**prices, "hostMonths": {**prices["hostMonths"], name: price}}

    def to_cloud(self, ctx: Context) -> Workflows:
        """Add empty hosts, Enabled and Connected, at the end of the rank order."""
        cloud = ctx.cloud
        like = None if self.like is None else cloud.find("host", self.like)
        if self.cluster is not None:
            cluster = cloud.find("cluster", self.cluster)
        else:
            cluster = 0 if like is None else cloud.fleet.cluster[like]
        cpu_num, memory = (self.cpu_num or 0, self.total_physical_memory or 0) if like is None else host_size(ctx, like)
        for name in self.new_names(set(cloud.fleet.names)):
            shares = self._shares(ctx, cluster, like)
            outcome = add_host(ctx, name, cluster, cpu_num, memory, shares, like=like, labels=self.labels)
            if self.pci_devices is not None:
                set_devices(ctx, outcome.row, self.pci_devices)
            yield finished(outcome)

    def _shares(self, ctx: Context, cluster: int, like: int | None) -> dict[int, int]:
        """Bytes that a new host brings, by the row of the local storage."""
        cloud = ctx.cloud
        named = {cloud.find("primaryStorage", name): size for name, size in self.local_storages.items()}
        if self.local_storage is not None:
            every = {row: self.local_storage for row in cloud.storages_of(cluster) if cloud.storages[row].per_host}
            return every | named
        shares: dict[int, int] = {}
        for row, storage in enumerate(cloud.storages):
            if like is not None and storage.shares is not None and storage.shares.present[like]:
                shares[row] = storage.shares.total[like]
        return shares | named

    def as_incidents(self, data: Data, at: float) -> list[Data]:
        """An incident for each new host, which says its size."""
        grown: Data = {**data, "hosts": list(data.get("hosts", ()))}
        expand_counted(grown, "hosts")
        before = len(grown["hosts"])
        grown["primaryStorages"] = []
        self.to_file(grown)
        local = {key: value for key, value in self.written(mode="json").items() if key.startswith("localStorage")}
        keys = ("name", "cluster", "cpuNum", "totalPhysicalMemory", "labels", "pciDevices")
        new = [{"cluster": only_cluster(data), **host} for host in grown["hosts"][before:]]
        return [{"at": at, self.key: {**{key: host[key] for key in keys if host.get(key)}, **local}} for host in new]

    def words(self) -> str:
        """What is done."""
        what = "a host" if self.count == 1 else f"{self.count} hosts"
        return f"add {what}" + (f" like {self.like}" if self.like is not None else "")
