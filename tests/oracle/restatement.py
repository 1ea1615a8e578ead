"""The host filter chain, sort order and reservation told a second time, from the rules' pages alone.

One host at a time, plain loops and ints; nothing here comes from ``simclone.allocator``. Citations lead to those pages.
The request is read by attribute, the cloud through its model.

In the order of the file:

* tables of strategies: which flows (``OPEN``, ``CLOUD``) and sorters (``…_SORT``, ``TEXTBOOK_SORT``) a name stands for;
* ``Skip``, ``Fail``, ``Hard``: the ways a flow ends other than with hosts; ``Verdict``: the answer to one question;
* ``Chain``, one question on one cloud, whose methods are

  - small questions: figures of a host, settings, storages, rows of the database;
  - flows, in capitals by the short names of the tables (``L2`` … ``MAXVM``), each with the helpers it needs below it:
    local shares, devices, affinity groups with their domains and host rules stand behind ``FILT``;
  - the chain: ``names`` (of the strategy), ``run`` (page by page, errors included);
  - sorters ``sort_…``: hosts in their new order, those the next sorter sees, and whether the chain stops;
    ``ordered`` runs them on a shuffled list;
  - the reservation: ``reservable``, and from it the hosts that may come first (``possible_firsts``) or be chosen
    (``winners``) under some shuffle.

``run`` gives the hosts that are left, ``winners`` the set a decision must lie in; test_restatement.py compares both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

Cloud = Any
Request = Any

NO_HOST = "HOST_ALLOCATION.1000"
MARKER = "NO_AVAILABLE_HOST_BUT_PAGINATION_HAS_NOT_DONE"
FAILED = "SYS.1006"
INTERNAL = "SYS.1000"

# rules/host-selection.md#chains, column by column.
_OPEN_LEAST = "L2 DES QUO BSPS STATE IMG CAP VOLPS PS AVOID TAG BIND FILT"
OPEN = {
    "LeastVmPreferredHostAllocatorStrategy": _OPEN_LEAST,
    "StoppedVmAwareLeastVmPreferredHostAllocatorStrategy": _OPEN_LEAST,
    "DefaultHostAllocatorStrategy": "L2 DES QUO BSPS STATE IMG CAP PS AVOID TAG BIND FILT",
    "DesignatedHostAllocatorStrategy": "L2 DES QUO BSPS IMG STATE CAP PS AVOID TAG BIND FILT LAST",
    "LastHostPreferredAllocatorStrategy": "L2 DES QUO BSPS STATE CAP VOLPS PS AVOID TAG BIND FILT LAST",
    "MigrateVmAllocatorStrategy": "L2 DES STATE VOLPS DES PS AVOID OS TAG BIND FILT",
    "LocalStorageMigrateVmAllocatorStrategy": "L2 DES AVOID LSMIG STATE CAP VOLPS PS OS",
}
OPEN_SORT = {
    "LeastVmPreferredHostAllocatorStrategy": "PRIO SOFT LEAST",
    "StoppedVmAwareLeastVmPreferredHostAllocatorStrategy": "PRIO SOFT STOPPED",
    "DefaultHostAllocatorStrategy": "PRIO SOFT",
    "MigrateVmAllocatorStrategy": "PRIO SOFT LEAST",
    "LocalStorageMigrateVmAllocatorStrategy": "PRIO LEAST",
}
# rules/host-selection.md#commercial-chains. The producers P are read as one first query: attached, designated,
# Enabled, Connected, hypervisor.
_CLOUD_LEAST = "P DES QUO BSPS STATE IMG CAP VOLPS PS AVOID TAG BIND FILT"
CLOUD = {
    "LeastVmPreferredHostAllocatorStrategy": _CLOUD_LEAST,
    "StoppedVmAwareLeastVmPreferredHostAllocatorStrategy": _CLOUD_LEAST,
    "DefaultHostAllocatorStrategy": "P DES QUO BSPS STATE IMG CAP PS AVOID TAG BIND FILT",
    "DesignatedHostAllocatorStrategy": "P DES QUO BSPS IMG STATE CAP PS AVOID TAG BIND FILT LAST",
    "LastHostPreferredAllocatorStrategy": "P DES QUO BSPS STATE CAP VOLPS PS AVOID TAG BIND FILT LAST",
    "MigrateVmAllocatorStrategy": "P STATE BSPS CAP VOLPS DES PS AVOID OS TAG BIND FILT",
    "LocalStorageMigrateVmAllocatorStrategy": "P DES AVOID LSMIG STATE CAP VOLPS PS OS",
    "MinimumCPUUsageHostAllocatorStrategy": "P DES BSPS STATE IMG CAP VOLPS PS AVOID TAG BIND FILT",
    "MinimumMemoryUsageHostAllocatorStrategy": _CLOUD_LEAST,
    "MaxInstancePerHostHostAllocatorStrategy": "P DES BSPS STATE IMG CAP VOLPS PS AVOID TAG BIND FILT MAXVM",
}
CLOUD_SORT = {
    "LeastVmPreferredHostAllocatorStrategy": "PRIO RULE HOSTRULE SOFT LEAST",
    "StoppedVmAwareLeastVmPreferredHostAllocatorStrategy": "PRIO RULE HOSTRULE SOFT STOPPED",
    "DefaultHostAllocatorStrategy": "PRIO RULE HOSTRULE SOFT",
    "MigrateVmAllocatorStrategy": "PRIO RULE HOSTRULE SOFT LEAST",
    "LocalStorageMigrateVmAllocatorStrategy": "PRIO RULE LEAST",
    "MinimumCPUUsageHostAllocatorStrategy": "PRIO RULE HOSTRULE SOFT MINCPU",
    "MinimumMemoryUsageHostAllocatorStrategy": "PRIO RULE HOSTRULE SOFT MINMEM",
    "MaxInstancePerHostHostAllocatorStrategy": "PRIO RULE HOSTRULE SOFT",
}
# Not ZStack's: orders of the field behind LeastVm's filters.
TEXTBOOK_SORT = {
    "simclone.FirstFit": "RANK",
    "simclone.BestFit": "BEST",
    "simclone.WorstFit": "WORST",
    "simclone.RoundRobin": "ROUND",
    "simclone.Random": "",
    "simclone.LifetimeAware": "STAYS",
}
FILE_TYPES = ["NFS", "SharedMountPoint", "LocalStorage", "Addon"]
PREMIUM_TYPES = ["SharedBlock", "ZSES", "BlockStorage", "AliyunNAS", "MiniStorage"]


class Skip(Exception):
    """The flow does not take part."""


class Fail(Exception):
    """The flow leaves nobody; the chain rewrites the code."""


class Hard(Exception):
    """The search stops with this code; *throwable* errors even drop the series of pages."""

    def __init__(self, code: str, throwable: bool = False) -> None:
        super().__init__(code)
        self.code, self.throwable = code, throwable


@dataclass(frozen=True)
class Verdict:
    """*hosts* of the winning *page*, or the *code* (and its *cause*) of the error; *kept* is per page reached."""

    hosts: list[int] = field(default_factory=list)
    page: int = 0
    code: str | None = None
    cause: str | None = None
    kept: tuple[tuple[int, ...], ...] = ()


def jround(value: float) -> int:
    """Java's Math.round."""
    return math.floor(value + 0.5)


def down(amount: int, ratio: float) -> int:
    """VM bytes as host bytes (rules/host-capacity.md#ratios)."""
    return amount if ratio == 1 else jround(amount / ratio)


def up(amount: int, ratio: float) -> int:
    """Host bytes as VM bytes (rules/host-capacity.md#ratios)."""
    return amount if ratio == 1 else jround(amount * ratio)


def _devices(tags: Iterable[str]) -> list[tuple[str, int]]:
    """Specifications and counts of ``pciDeviceSpec::<spec>::<n>`` tags."""
    parts = [tag.split("::") for tag in tags if tag.startswith("pciDeviceSpec::")]
    return [(part[1], int(part[2])) for part in parts]


class Chain:
    """One question on one cloud."""

    def __init__(self, request: Request, cloud: Cloud) -> None:
        self.q, self.c = request, cloud
        self.h = cloud.fleet
        self.new = request.operation == "NewCreate"
        self.cloud_profile = cloud.settings.profile == "cloud"

    # -- small questions

    def of(self, host: int, column: str) -> int:
        """A figure of a host."""
        return int(self.h.cells[column][host])

    def setting(self, key: str) -> Any:
        """A global setting."""
        return self.c.settings.values[key]

    def attached(self, host: int) -> list[int]:
        """Storages attached to a host's cluster, by ascending uuid."""
        cluster = self.of(host, "cluster")
        return [row for row, one in enumerate(self.c.storages) if cluster in one.clusters]

    def usable(self, storage: int) -> bool:
        """rules/host-filters.md#storage: Connected, and Enabled (new) or Enabled/Disabled."""
        one = self.c.storages[storage]
        return one.status == 0 and (one.state == 0 or (one.state == 1 and not self.new))

    def is_local(self, storage: int) -> bool:
        """LocalStorage."""
        return self.c.storages[storage].type == "LocalStorage"

    def cached(self, image: int, storage: int) -> bool:
        """An image cache row for the image on the storage."""
        return any(one == image for one, _ in self.c.storages[storage].caches)

    def vm_rows(self) -> Iterable[int]:
        """VM rows of the database."""
        return [row for row in range(self.c.vms.row_count) if self.c.vms.alive[row]]

    def vms_on(self, host: int) -> int:
        """Rows with this hostUuid, in any state."""
        return sum(self.c.vms.host[row] == host for row in self.vm_rows())

    def stopped_on(self, host: int) -> list[int]:
        """Stopped VMs that remember the host as their last."""
        return [
            row
            for row in self.vm_rows()
            if self.c.vms.state_name(row) == "Stopped" and self.c.vms.last_host[row] == host
        ]

    # -- flows: each takes the candidates and gives those it keeps

    def L2(self, hosts: list[int], first: bool, page: int) -> list[int]:
        """rules/host-filters.md#network."""
        if not self.q.l3s:
            if self.q.allow_no_l3 or page > 0:
                raise Skip
            return [host for host in hosts if self.of(host, "cluster") == self.q.vm_cluster]
        kept = []
        for host in hosts:
            cluster = self.of(host, "cluster")
            if all(cluster in self.c.l2_clusters[self.c.l3s[l3].l2] for l3 in self.q.l3s):
                kept.append(host)
        return kept

    def _wanted(self, host: int) -> bool:
        """The criteria of DES."""
        if self.q.zone is not None and self.of(host, "zone") != self.q.zone:
            return False
        if self.q.clusters and self.of(host, "cluster") not in self.q.clusters:
            return False
        if self.q.host is not None and host != self.q.host:
            return False
        return self._hypervisor_fits(host)

    def _hypervisor_fits(self, host: int) -> bool:
        if self.q.hypervisor is None:
            return True
        words = self.c.codes.get("hypervisor", [])
        code = self.of(host, "hypervisor")
        return code >= 0 and words[code] == self.q.hypervisor

    def _up(self, host: int) -> bool:
        return self.of(host, "state") == 0 and self.of(host, "status") == 0

    def DES(self, hosts: list[int], first: bool, page: int) -> list[int]:
        """rules/host-filters.md#designated: as first flow a query that also wants Enabled and Connected."""
        if first:
            return [host for host in hosts if self._wanted(host) and self._up(host)]
        return [host for host in hosts if self._wanted(host)]

    def P(self, hosts: list[int], first: bool, page: int) -> list[int]:
        """rules/host-selection.md#commercial-chains: the common prefix of producers."""
        with suppress(Skip):
            hosts = self.L2(hosts, first, page)
        return [host for host in hosts if self._wanted(host) and self._up(host)]

    def QUO(self, hosts: list[int], first: bool, page: int) -> list[int]:
        """rules/quotas.md#allocation-check, with the usage of rules/quotas.md#limits counted from the rows."""
        account = self.q.account
        if account < 0:
            return hosts
        used = {"vm.num": 0, "vm.totalNum": 0, "vm.cpuNum": 0, "vm.memorySize": 0}
        for row in self.vm_rows():
            if self.c.vms.account[row] != account:
                continue
            state, host = self.c.vms.state_name(row), self.c.vms.host[row]
            if state != "Destroyed" and not (host < 0 and self.c.vms.last_host[row] < 0 and self.c.vms.root[row] < 0):
                used["vm.totalNum"] += 1
            if state in ("Stopped", "Destroying", "Destroyed", "Created") or (state == "Starting" and host < 0):
                continue
            used["vm.num"] += 1
            used["vm.cpuNum"] += self.c.vms.cpu[row]
            used["vm.memorySize"] += self.c.vms.memory[row]
        asked = {"vm.num": 1, "vm.totalNum": 1 if self.q.last_host is None else 0}
        if not self.q.full_allocate:
            asked = {}
        asked.update({"vm.cpuNum": self.q.cpu, "vm.memorySize": self.q.memory})
        for name, amount in asked.items():
            if amount and used[name] + amount > self.c.limit(account, name):
                word = self.c.settings.fidelity["quotaAtAllocation"]
                raise Hard(INTERNAL if word == "SYS.1000" else "ID.1003", throwable=True)
        return hosts

    def BSPS(self, hosts: list[int], first: bool, page: int) -> list[int]:
        """Every failure is a direct SYS.1006.

        Rules: rules/host-filters.md#image with the table of rules/primary-storage.md#backup-types.
        """
        if self.q.backup_storage is None:
            return hosts
        backup = self.c.backups[self.q.backup_storage]
        if backup.type == "Ceph":
            related = [
                row
                for row, one in enumerate(self.c.storages)
                if one.type == "Ceph" and one.ceph_fsid == backup.ceph_fsid
            ]
        else:
            types = {
                "SftpBackupStorage": FILE_TYPES,
                "ImageStoreBackupStorage": [*FILE_TYPES, "Ceph", *(PREMIUM_TYPES if self.cloud_profile else [])],
                "SimulatorBackupStorage": ["SimulatorPrimaryStorage"],
            }[backup.type]
            related = [row for row, one in enumerate(self.c.storages) if one.type in types]
        kept = [host for host in hosts if any(row in related for row in self.attached(host))]
        if not kept:
            raise Hard(FAILED)
        return kept

    def STATE(self, hosts: list[int], first: bool, page: int) -> list[int]:
        """rules/host-filters.md#state."""
        return [host for host in hosts if self._up(host) and self._hypervisor_fits(host)]

    def IMG(self, hosts: list[int], first: bool, page: int) -> list[int]:
        """rules/host-filters.md#image."""
        if not self.new or self.q.image is None:
            return hosts
        reach = {row for host in hosts for row in self.attached(host)}
        if self.q.required_storages:
            reach = reach & set(self.q.required_storages)
        if reach and sum(self.cached(self.q.image, row) for row in reach) >= len(reach):
            return hosts
        refs = self.c.images[self.q.image].backup_storages
        if not refs:
            raise Hard(FAILED)
        connected = [row for row in refs if self.c.backups[row].status == 0]
        if not connected:
            raise Hard(NO_HOST)
        return [host for host in hosts if any(self.of(host, "zone") in self.c.backups[row].zones for row in connected)]

    def CAP(self, hosts: list[int], first: bool, page: int) -> list[int]:
        """rules/host-capacity.md#filter."""
        kept = []
        check = self.setting("hostAllocator.hostAllocator.checkHostMem")
        for host in hosts:
            cpu, memory = self.q.cpu, self.q.memory
            ratio = self.h.memory_ratio(host)
            free = self.of(host, "available_memory")
            if cpu != 0 and self.of(host, "available_cpu") < cpu:
                continue
            if memory != 0:
                if check and memory + self.q.old_memory >= self.of(host, "total_memory"):
                    continue
                if up(free, ratio) < memory:
                    continue
                if free - self.of(host, "reserved_memory") < down(memory, ratio):
                    continue
            kept.append(host)
        return kept

    def VOLPS(self, hosts: list[int], first: bool, page: int) -> list[int]:
        """rules/host-filters.md#storage."""
        if self.new:
            return hosts
        if not self.q.root_ready:
            return []
        return [host for host in hosts if set(self.q.volume_storages) <= set(self.attached(host))]

    def PS(self, hosts: list[int], first: bool, page: int) -> list[int]:
        """rules/host-filters.md#storage, both stages."""
        required, optional = set(self.q.required_storages), self.q.optional_storages
        kept = []
        for host in hosts:
            near = self.attached(host)
            good = [row for row in near if self.usable(row)]
            if not (required <= set(good) if required else good):
                continue
            if not all(set(options) & set(near) for options in optional if options):
                continue
            if any(self.c.storages[row].links.get(host) == 2 for row in required):
                continue
            if not all(any(self.c.storages[row].links.get(host) == 0 for row in o) for o in optional if o):
                continue
            kept.append(host)
        if not self.new:
            return kept
        usable = sorted({row for host in kept for row in self.attached(host) if self.usable(row)})
        if not usable or not required <= set(usable):
            return []
        if required:
            usable = sorted(required)
            kept = [host for host in kept if all(self.c.storages[row].links.get(host, 0) == 0 for row in required)]
        need = self.q.disk_size
        if self.q.image is not None and not self.cached(self.q.image, usable[0]):
            need += self.c.images[self.q.image].actual_size
        final = []
        for host in kept:
            near = self.attached(host)
            total = sum(up(self.c.storages[row].available, self.c.storage_ratio(row)) for row in usable if row in near)
            if total >= need:
                final.append(host)
        return final

    def AVOID(self, hosts: list[int], first: bool, page: int) -> list[int]:
        """rules/host-filters.md#designated."""
        return [host for host in hosts if host not in self.q.avoid]

    def OS(self, hosts: list[int], first: bool, page: int) -> list[int]:
        """rules/host-filters.md#binding; an unknown system never excludes anybody."""
        reference = self.q.current_host if self.q.current_host is not None else self.q.last_host
        if self.setting("hostAllocator.migration.differentOs") or reference is None:
            return hosts
        own = self.of(reference, "os")
        return [host for host in hosts if own < 0 or self.of(host, "os") in (own, -1)]

    def TAG(self, hosts: list[int], first: bool, page: int) -> list[int]:
        """rules/primary-storage.md#tags: the VM's wish, then the first of its disk offerings'."""
        if not self.new:
            return hosts
        wishes = [self.q.vm_constraint, *self.q.disk_constraints[:1]]
        for wish in wishes:
            if wish is None:
                continue
            meeting = []
            for host in hosts:
                for row in self.attached(host):
                    named = wish.storage is not None and row == wish.storage
                    tagged = wish.tag is not None and wish.tag in self.c.storages[row].tags
                    if (named or tagged) and host not in meeting:
                        meeting.append(host)
            if not meeting and wish.required:
                raise Hard(NO_HOST)
            hosts = meeting or hosts
        return hosts

    def BIND(self, hosts: list[int], first: bool, page: int) -> list[int]:
        """rules/host-filters.md#binding."""
        scene = self.setting("vm.resourceBinding.Scene")
        across = self.setting("vm.vm.ha.across.clusters")
        if (scene != "All" and scene != self.q.scene) or (not self.q.bindings and across):
            return hosts
        bound = []
        for host in hosts:
            cluster = self.of(host, "cluster")
            named = ("Host", host) in self.q.bindings or ("Cluster", cluster) in self.q.bindings
            own = not across and self.q.vm_cluster is not None and cluster == self.q.vm_cluster
            if (named or own) and self._up(host):
                bound.append(host)
        return hosts if not bound and self.setting("vm.resourceBinding.strategy") == "Soft" else bound

    def FILT(self, hosts: list[int], first: bool, page: int) -> list[int]:
        """Architecture, local storage; in the cloud edition the scheduling rules too.

        Rules: rules/host-filters.md#binding, rules/affinity.md#evaluation, rules/affinity.md#scheduling-rules.
        """
        image = None if self.q.image is None else self.c.images[self.q.image]
        wanted = self.q.architecture or (image.architecture if image else None)
        if wanted is not None:
            words = self.c.codes.get("architecture", [])
            hosts = [host for host in hosts if words[self.of(host, "architecture")] == wanted]
        hosts = self._local(hosts)
        if self.cloud_profile:
            hosts = [host for host in hosts if self.rule_allows(host) and self._host_rule_allows(host)]
            hosts = [host for host in hosts if self.devices_allow(host)]
        return hosts

    def _local(self, hosts: list[int]) -> list[int]:
        if self.q.operation == "Start":
            return [host for host in hosts if host in self.q.volume_hosts] if self.q.volume_hosts else hosts
        if not self.new:
            return hosts
        required = set(self.q.required_storages)
        demanded = any(self.is_local(row) for row in required) and not self.q.dry_run
        kept = []
        for host in hosts:
            near = self.attached(host)
            only = bool(near) and all(self.is_local(row) for row in near)
            shares = [
                row
                for row, one in enumerate(self.c.storages)
                if one.shares is not None
                and host < one.shares.row_count
                and one.shares.present[host]
                and (not required or row in required)
            ]
            if not (only or demanded) or not shares or any(self._share_fits(row, host) for row in shares):
                kept.append(host)
        return kept

    def _share_fits(self, row: int, host: int) -> bool:
        shares, size = self.c.storages[row].shares, self.q.disk_size
        free = shares.available[host] - down(size, self.c.storage_ratio(row))
        total, real = shares.total_physical[host], shares.available_physical[host]
        limit = jround(total * self.c.storage_setting("mevoco.threshold.primaryStorage.physicalCapacity", row))
        if free < self.setting("primaryStorage.reservedCapacity"):
            return False
        return (real == total or total - real < limit) and size < limit

    def devices_allow(self, host: int) -> bool:
        """PciDeviceFilterFlow: whole devices, taken by VMs on the host; a resize takes none.

        Rule: rules/host-selection.md#commercial-chains.
        """
        if self.q.operation == "UpdateVm":
            return True
        for spec, count in _devices(self.q.tags.texts):
            here = [row for row in range(self.c.vms.row_count) if self.c.vms.hold_host[row] == host]
            taken = [n for row in here for one, n in _devices(self.c.vms.shape_of(row).tags.texts) if one == spec]
            if self.h.devices.get(spec, {}).get(host, 0) - sum(taken) < count:
                return False
        return True

    # -- scheduling rules

    def group(self) -> Any:
        """The VM's enabled group."""
        found = None if self.q.group is None else self.c.groups[self.q.group]
        return found if found is not None and found.enabled else None

    def members(self, host: int) -> int:
        """rules/affinity.md#evaluation count(h): other members whose hostUuid is the host."""
        group = self.group()
        return sum(
            1 for row in group.members if row != self.q.vm and self.c.vms.alive[row] and self.c.vms.host[row] == host
        )

    def _everywhere(self) -> list[int]:
        return list(range(self.h.row_count))

    def _domain(self, host: int, over: str) -> Any:
        if over == "host":
            return host
        if over in ("zone", "cluster"):
            return self.of(host, over)
        label = self.h.labels[host].get(over)
        return ("alone", host) if label is None else label

    def domain_members(self, host: int) -> int:
        """rules/affinity.md#domains: other members on the hosts of the host's domain."""
        group = self.group()
        own = self._domain(host, group.over)
        return sum(self.members(one) for one in self._everywhere() if self._domain(one, group.over) == own)

    def spread_allows(self, host: int) -> bool:
        """rules/affinity.md#spread: at most max_skew more in the host's domain than in the emptiest able one."""
        live = [one for one in self._everywhere() if self._could_ever_run(one)]
        emptiest = min((self.domain_members(one) for one in live), default=0)
        return self.domain_members(host) + 1 <= emptiest + self.group().max_skew

    def _could_ever_run(self, host: int) -> bool:
        """rules/affinity.md#spread: the host, if it were empty, could hold the VM."""
        if not self.of(host, "exists") or not self._up(host) or not self._host_rule_allows(host):
            return False
        cluster, bound = self.of(host, "cluster"), self.q.required_storages
        if any(cluster not in self.c.l2_clusters[self.c.l3s[l3].l2] for l3 in self.q.l3s):
            return False
        near = [row for row, storage in enumerate(self.c.storages) if cluster in storage.clusters]
        if any(row not in near for row in bound) or not near:
            return False
        if any(self.h.devices.get(spec, {}).get(host, 0) < count for spec, count in _devices(self.q.tags.texts)):
            return False
        return self._large_enough(host)

    def _large_enough(self, host: int) -> bool:
        """rules/affinity.md#spread: all vCPUs and all memory of the host are enough for the VM."""
        total, ratio, memory = self.of(host, "total_memory"), self.h.memory_ratio(host), self.q.memory
        if self.q.cpu != 0 and self.of(host, "total_cpu") < self.q.cpu:
            return False
        if memory == 0:
            return True
        if self.setting("hostAllocator.hostAllocator.checkHostMem") and total <= memory:
            return False
        return up(total, ratio) >= memory and total - down(memory, ratio) >= self.of(host, "reserved_memory")

    def rule_allows(self, host: int) -> bool:
        """The hard VM-VM rule."""
        group = self.group()
        if group is None or group.policy not in ("antiHard", "affinityHard", "spreadHard"):
            return True
        if group.policy == "antiHard":
            return self.domain_members(host) == 0
        if group.policy == "affinityHard":
            anywhere = any(self.members(one) for one in self._everywhere())
            return not anywhere or self.domain_members(host) > 0
        return self.spread_allows(host)

    def _host_rule_allows(self, host: int) -> bool:
        rule = self.group().host_rule if self.group() else None
        if rule is None or not rule.policy.endswith("Hard"):
            return True
        inside = host in self.c.host_groups[rule.group].hosts
        return inside if rule.policy == "affinityHard" else not inside

    def LAST(self, hosts: list[int], first: bool, page: int) -> list[int]:
        """rules/host-selection.md#chains."""
        if self.q.list_all or self.q.last_host not in hosts:
            return hosts
        return [self.q.last_host]

    def LSMIG(self, hosts: list[int], first: bool, page: int) -> list[int]:
        """rules/primary-storage.md#local-flows, strict."""
        row = self.q.root_storage
        shares = None if row is None else self.c.storages[row].shares
        if shares is None:
            return []
        need = down(self.q.volume_sizes, self.c.storage_ratio(row)) + self.q.snapshot_sizes
        return [h for h in hosts if h < shares.row_count and shares.present[h] and shares.available[h] > need]

    def MAXVM(self, hosts: list[int], first: bool, page: int) -> list[int]:
        """The tag is mandatory and a number; hosts with n VMs or more are out (rules/host-selection.md#commercial)."""
        tags = [tag.split("::")[1] for tag in self.q.tags.texts if tag.startswith("maxInstancePerHost::")]
        if not tags or not tags[0].isdecimal():
            raise Hard(FAILED)
        return [host for host in hosts if self.vms_on(host) < int(tags[0])]

    # -- the chain

    def names(self) -> tuple[list[str], list[str]]:
        """Filters and sorters of the request's strategy."""
        name = self.q.strategy or "DefaultHostAllocatorStrategy"
        if name == "Mevoco":
            name = self.setting("mevoco.hostAllocatorStrategy")
        filters, sorters = (CLOUD, CLOUD_SORT) if self.cloud_profile else (OPEN, OPEN_SORT)
        if name in TEXTBOOK_SORT:
            return filters["LeastVmPreferredHostAllocatorStrategy"].split(), TEXTBOOK_SORT[name].split()
        return filters[name].split(), sorters.get(name, "").split()

    def run(self) -> Verdict:
        """rules/host-selection.md#pagination, page by page."""
        paging = self.setting("hostAllocator.usePagination")
        limit = self.setting("hostAllocator.paginationLimit")
        everybody = [host for host in self._everywhere() if self.of(host, "exists")]
        series, page = 0, 0
        kept: list[tuple[int, ...]] = []
        while True:
            hosts, first = everybody, True
            try:
                for name in self.names()[0]:
                    flow: Callable[..., list[int]] = getattr(self, name)
                    try:
                        hosts = flow(hosts, first, page)
                    except Skip:
                        continue
                    if first and paging:
                        hosts = hosts[page * limit : (page + 1) * limit]
                    if not hosts:
                        raise Fail
                    first = False
                kept.append(tuple(hosts))
                return Verdict(hosts, page, kept=tuple(kept))
            except Fail:
                if paging and not first:
                    series += 1
                    page += 1
                    kept.append(())
                    continue
                code = NO_HOST
            except Hard as stop:
                code = stop.code
                if stop.throwable:
                    return Verdict(page=page, code=code, kept=tuple(kept))
            if series:
                return Verdict(page=page, code=NO_HOST, cause=MARKER, kept=tuple(kept))
            return Verdict(page=page, code=code, kept=tuple(kept))

    # -- the sort chain, on real lists (rules/host-selection.md#order)

    def ordered(self, shuffled: list[int]) -> list[int] | None:
        """The order in which hosts are tried when the shuffle gave *shuffled*; None where a sorter fails."""
        full = list(shuffled)
        sub = list(shuffled)
        for name in self.names()[1]:
            if not sub:
                break
            found = getattr(self, f"sort_{name}")(sub)
            if found is None:
                return None
            sub, following, stop = found
            full = sub + [host for host in full if host not in sub]
            sub = following
            if stop:
                break
        return full

    def sort_PRIO(self, sub: list[int]) -> Any:
        """Storage types the image's backup storage prefers."""
        refs = () if self.q.image is None else self.c.images[self.q.image].backup_storages
        if not refs or len(self.q.required_storages) == 1:
            return sub, sub, False
        backup = self.c.backups[self.q.backup_storage if self.q.backup_storage in refs else refs[0]].type
        ceph = {
            "Ceph": self.setting("ceph.backupstorage.primary.storage.priority"),
            "ImageStoreBackupStorage": self.setting("imagestore.backupstorage.primary.storage.priority"),
        }
        if backup not in ceph:
            return sub, sub, False

        def priority(host: int) -> int:
            kinds = [self.c.storages[row].type for row in self.attached(host)]
            return min([ceph[backup] if kind == "Ceph" else 10 for kind in kinds] or [10])

        ranked = sorted(sub, key=priority)
        return ranked, [host for host in ranked if priority(host) == priority(ranked[0])], False

    def sort_RULE(self, sub: list[int]) -> Any:
        """Soft VM-VM rules prefer (rules/affinity.md#evaluation)."""
        group = self.group()
        policy = group.policy if group else ""
        if policy == "antiSoft":
            return sub, [host for host in sub if self.domain_members(host) == 0] or sub, False
        if policy == "affinitySoft" and any(self.members(one) for one in self._everywhere()):
            return sub, [host for host in sub if self.domain_members(host) > 0], False
        if policy == "spreadSoft":
            return sub, [host for host in sub if self.spread_allows(host)] or sub, False
        return sub, sub, False

    def sort_HOSTRULE(self, sub: list[int]) -> Any:
        """Soft VM-host rules prefer (rules/affinity.md#scheduling-rules)."""
        rule = self.group().host_rule if self.group() else None
        if rule is None or not rule.policy.endswith("Soft"):
            return sub, sub, False
        named = self.c.host_groups[rule.group].hosts
        if not named:
            return sub, sub, False
        return sub, [host for host in sub if (host in named) == (rule.policy == "affinitySoft")], False

    def sort_SOFT(self, sub: list[int]) -> Any:
        """Softly avoided hosts leave the sub-list."""
        return sub, [host for host in sub if host not in self.q.soft_avoid], False

    def sort_LEAST(self, sub: list[int]) -> Any:
        """Fewest VM rows."""
        return sorted(sub, key=self.vms_on), sub, True

    def sort_MINCPU(self, sub: list[int]) -> Any:
        """Lowest CPU use (rules/host-selection.md#commercial)."""
        return self._usage(sub, "minimumCPUUsageHostAllocatorStrategyMode::hard", "cpu_use_ppm")

    def sort_MINMEM(self, sub: list[int]) -> Any:
        """Lowest memory use (rules/host-selection.md#commercial)."""
        return self._usage(sub, "minimumMemoryUsageHostAllocatorStrategyMode::hard", "memory_use_ppm")

    def _usage(self, sub: list[int], hard: str, column: str) -> Any:
        if self.h.monitored:
            return sorted(sub, key=lambda host: self.of(host, column)), sub, True
        return None if hard in self.q.tags.texts else (sorted(sub, key=self.vms_on), sub, True)

    def sort_STOPPED(self, sub: list[int]) -> Any:
        """With the iteration order of Java's HashMap (rules/host-selection.md#stopped-aware)."""

        def room(host: int) -> bool:
            there = self.stopped_on(host)
            if not there:
                return True
            cpu = sum(self.c.vms.cpu[row] for row in there)
            memory = sum(self.c.vms.memory[row] for row in there)
            return (
                self.of(host, "available_cpu") > cpu + self.q.cpu
                and self.of(host, "available_memory") > memory + self.q.memory
            )

        available = [host for host in sub if room(host)] or list(sub)
        size = 16
        while len(available) > 0.75 * size:
            size *= 2

        def bucket(host: int) -> int:
            code = 0
            for letter in self.h.uuids[host]:
                code = (31 * code + ord(letter)) % 2**32
            return (code ^ (code >> 16)) & (size - 1)

        hashed = sorted(available, key=bucket)
        ranked = sorted(hashed, key=lambda host: len(self.stopped_on(host)))
        return ranked + [host for host in sub if host not in available], sub, True

    def sort_RANK(self, sub: list[int]) -> Any:
        """First fit."""
        return sorted(sub), sub, False

    def sort_BEST(self, sub: list[int]) -> Any:
        """Fewest free vCPUs, then rank."""
        return sorted(sub, key=lambda host: (self.of(host, "available_cpu"), host)), sub, False

    def sort_WORST(self, sub: list[int]) -> Any:
        """Most free vCPUs, then rank."""
        return sorted(sub, key=lambda host: (-self.of(host, "available_cpu"), host)), sub, False

    def sort_ROUND(self, sub: list[int]) -> Any:
        """The next host after the last one, wrapping round."""
        after = [host for host in sorted(sub) if host > self.c.last_placed]
        return after + [host for host in sorted(sub) if host <= self.c.last_placed], sub, False

    def sort_STAYS(self, sub: list[int]) -> Any:
        """Kept busy no longer, up to a minute longer, two, four, …; then as best fit. Unknown ends are never."""
        vms, never = self.c.vms, 2**60

        def end(row: int | None) -> int:
            until = -1 if row is None else vms.until_us[row]
            return never if until == -1 else until

        def grade(host: int) -> int:
            last = max((end(row) for row in range(vms.row_count) if vms.hold_host[row] == host), default=0)
            longer = max(end(self.q.vm) - last, 0)
            return 0 if longer == 0 else 1 + sum(longer > 60_000_000 * 2**step for step in range(24))

        return sorted(sub, key=lambda host: (grade(host), self.of(host, "available_cpu"), host)), sub, False

    # -- the reservation (rules/host-capacity.md#reservation, rules/affinity.md#evaluation)

    def reservable(self, host: int) -> bool:
        """The authoritative test under the row lock; the physical size is not looked at."""
        if self.q.cpu != 0 and self.of(host, "available_cpu") - self.q.cpu < 0:
            return False
        left = self.of(host, "available_memory") - down(self.q.memory, self.h.memory_ratio(host))
        if self.q.memory != 0 and left - self.of(host, "reserved_memory") < 0:
            return False
        return not self.cloud_profile or (self.rule_allows(host) and self.devices_allow(host))

    def possible_firsts(self, survivors: list[int]) -> set[int]:
        """Hosts that some shuffle puts first; sorting is stable, so it is enough to deal each host first."""
        found = set()
        for host in survivors:
            order = self.ordered([host, *(one for one in survivors if one != host)])
            if order is not None and order[0] == host:
                found.add(host)
        return found

    def winners(self, survivors: list[int]) -> set[int]:
        """Hosts that may be chosen: those of the best class in which somebody can be reserved."""
        left = list(survivors)
        able = [host for host in left if self.reservable(host)]
        found = set()
        for host in able:
            others = [one for one in left if one != host]
            refused = [one for one in others if not self.reservable(one)]
            order = self.ordered([*refused, host, *(one for one in others if one not in refused)])
            if order is not None and next(one for one in order if self.reservable(one)) == host:
                found.add(host)
        return found
