"""A whole cloud as the allocator sees it: descriptions, columns and settings, read by all, written by the ledger."""

from __future__ import annotations

import copy
from collections.abc import Hashable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simclone.chance import Chance, born_uuid
from simclone.errors import UnknownName
from simclone.model.columns import BoolArray
from simclone.model.fleet import Fleet
from simclone.model.inventory import (
    Account,
    Cluster,
    DiskOffering,
    HostGroup,
    HostRule,
    Image,
    InstanceOffering,
    IpRange,
    L2Network,
    L3Network,
    Zone,
)
from simclone.model.settings import QUOTA_DEFAULTS, Settings
from simclone.model.storage import BackupStorage, PrimaryStorage
from simclone.model.topology import Attachments
from simclone.model.vms import Nics, Snapshots, Vms, Volumes
from simclone.vocabulary import Policy

EPOCH = datetime(2017, 11, 14, 22, 20, 57)
"""Calendar time of t = 0 unless a scenario says otherwise."""

USAGE = tuple(QUOTA_DEFAULTS)
"""The names of the usage counters, in the order of an account's row."""


@dataclass(slots=True)
class Group:
    """An affinity group. *counts* holds running members per host; *members* are VM rows.

    *policy* is antiHard, antiSoft, affinityHard, affinitySoft (ZStack's) or spreadHard, spreadSoft (simclone's own: at
    most *max_skew* more members in one value of *over* than in the emptiest), *host_rule* a VM-host rule or None.
    """

    uuid: str
    name: str
    policy: Policy
    enabled: bool = True
    over: str = "host"
    max_skew: int = 1
    host_rule: HostRule | None = None
    members: dict[int, None] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)

    def duplicate(self) -> Group:
        """An independent copy."""
        twin = copy.copy(self)
        twin.members, twin.counts = dict(self.members), dict(self.counts)
        return twin


@dataclass(slots=True)
class AddressPool:
    """The addresses of one L3: ranges, taken ones (integers) and the cursor of AscDelayRecycle."""

    ranges: list[IpRange]
    used: dict[int, int] = field(default_factory=dict)
    cursor: int | None = None

    def duplicate(self) -> AddressPool:
        """An independent copy."""
        return AddressPool(list(self.ranges), dict(self.used), self.cursor)


@dataclass(slots=True)
class Cloud:
    """Everything that exists. Lists are addressed by index; hosts, storages and clusters stand in rank order.

    For whoever remembers something about it: *config_version* counts acts of administration, *usage_version* changes of
    what storages hold and accounts use, *changed_hosts* are hosts that changed since somebody looked. *index* belongs
    to the allocator, which may use one when *indexed*; without *record_steps* placements carry no steps. *words* are
    rows by name and uuid of each kind, with how many there were. *strategies* are the file's own, *used_strategies*
    those that any host request of this cloud ran.
    """

    settings: Settings
    zones: list[Zone] = field(default_factory=list)
    clusters: list[Cluster] = field(default_factory=list)
    fleet: Fleet = field(default_factory=Fleet)
    storages: list[PrimaryStorage] = field(default_factory=list)
    backups: list[BackupStorage] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    l2s: list[L2Network] = field(default_factory=list)
    l2_clusters: list[set[int]] = field(default_factory=list)
    l3s: list[L3Network] = field(default_factory=list)
    pools: list[AddressPool] = field(default_factory=list)
    offerings: list[InstanceOffering] = field(default_factory=list)
    disk_offerings: list[DiskOffering] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    limits: list[dict[str, int]] = field(default_factory=list)
    usage: list[list[int]] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    host_groups: list[HostGroup] = field(default_factory=list)
    vms: Vms = field(default_factory=Vms)
    volumes: Volumes = field(default_factory=Volumes)
    nics: Nics = field(default_factory=Nics)
    snapshots: Snapshots = field(default_factory=Snapshots)
    zone_states: list[int] = field(default_factory=list)
    cluster_states: list[int] = field(default_factory=list)
    image_states: list[int] = field(default_factory=list)
    image_space: dict[int, tuple[int, ...]] = field(default_factory=dict)
    codes: dict[str, list[str]] = field(default_factory=dict)
    chance: Chance = field(default_factory=Chance)
    strategies: dict[str, object] = field(default_factory=dict)
    used_strategies: dict[str, object] = field(default_factory=dict)
    last_placed: int = -1
    start: datetime = EPOCH
    attachments: Attachments = field(default_factory=Attachments)
    config_version: int = 0
    usage_version: int = 0
    changed_hosts: set[int] = field(default_factory=set)
    record_steps: bool = True
    indexed: bool = True
    index: Any = None
    words: dict[str, tuple[int, dict[str, list[int]]]] = field(default_factory=dict)

    def code(self, kind: str, text: str | None) -> int:
        """A small integer for a word (hypervisor, architecture, os), made when new; None is -1."""
        if text is None:
            return -1
        known = self.codes.setdefault(kind, [])
        if text not in known:
            known.append(text)
        return known.index(text)

    def decode(self, kind: str, code: int) -> str | None:
        """The word of a code."""
        return None if code < 0 else self.codes[kind][code]

    def host_levels(self, host: int) -> list[tuple[str, int]]:
        """Where an override for a host may stand, nearest first."""
        table = self.fleet
        return [("host", host), ("cluster", table.cluster[host]), ("zone", table.zone[host])]

    def storage_ratio(self, storage: int) -> float:
        """The over-provisioning ratio of a primary storage."""
        return float(self.storage_setting("mevoco.overProvisioning.primaryStorage", storage))

    def storage_setting(self, key: str, storage: int) -> float:
        """A setting that may be overridden per primary storage."""
        settings = self.settings
        value: Any = settings.values[key]
        if settings.overrides:
            value = settings.get(key, [("primaryStorage", storage), ("zone", self.storages[storage].zone)])
        result: float = value
        return result

    def remembered(self) -> dict[Hashable, Any]:
        """A place for what stays true until the next act of administration, by whatever tells it apart."""
        return self.attachments.remembered(self.config_version)

    def storages_of(self, cluster: int) -> tuple[int, ...]:
        """Primary storages attached to a cluster, ascending by uuid."""
        return self.attachments.storages_of(self.storages, cluster)

    def clusters_of_l3s(self, l3s: tuple[int, ...]) -> frozenset[int]:
        """Clusters that have the L2 of every one of *l3s* attached."""
        l2s = tuple(self.l3s[l3].l2 for l3 in l3s)
        return self.attachments.clusters_of(self.l2_clusters, l2s, len(self.clusters))

    def cluster_mask(self, clusters: AbstractSet[int]) -> BoolArray:
        """A truth per cluster; not to be written."""
        return self.attachments.mask(frozenset(clusters), len(self.clusters))

    def find(self, kind: str, name: str) -> int:
        """The index of something by name or uuid; raises UnknownName.

        *kind* is zone, cluster, host, primaryStorage, backupStorage, image, l2Network, l3Network, instanceOffering,
        diskOffering, account, affinityGroup or vm (the youngest living one of that name).
        """
        if kind == "vm":
            return self._find_vm(name)
        for row in reversed(self._rows_by_word(kind).get(name, ())):
            if self._is_there(kind, row):
                return row
        raise UnknownName(kind, name)

    def _rows_by_word(self, kind: str) -> dict[str, list[int]]:
        """Rows by name and uuid, ascending; remembered until there are more, since neither changes.

        Of images nothing is remembered: a trial that is undone takes back those it added.
        """
        count = self.fleet.row_count if kind == "host" else len(self._lists()[kind])
        known = self.words.get(kind)
        if known is None or known[0] != count or kind == "image":
            words: dict[str, list[int]] = {}
            for row, pair in enumerate(zip(*self._names(kind), strict=True)):
                for word in dict.fromkeys(pair):
                    words.setdefault(word, []).append(row)
            self.words[kind] = known = count, words
        return known[1]

    def _find_vm(self, name: str) -> int:
        for row in reversed(self.vms.by_name.get(name, ())):
            if self.vms.alive[row]:
                return row
        if len(name) == 32:
            for row in range(self.vms.row_count):
                if self.vms.alive[row] and self.vm_uuid(row) == name:
                    return row
        raise UnknownName("vm", name)

    def _is_there(self, kind: str, row: int) -> bool:
        return kind != "host" or bool(self.fleet.exists[row])

    def _names(self, kind: str) -> tuple[list[str], list[str]]:
        if kind == "host":
            return self.fleet.names, self.fleet.uuids
        rows = self._lists()[kind]
        return [item.name for item in rows], [row.uuid for row in rows]

    def _lists(self) -> dict[str, list[Any]]:
        return {
            "zone": self.zones,
            "cluster": self.clusters,
            "primaryStorage": self.storages,
            "backupStorage": self.backups,
            "image": self.images,
            "l2Network": self.l2s,
            "l3Network": self.l3s,
            "instanceOffering": self.offerings,
            "diskOffering": self.disk_offerings,
            "account": self.accounts,
            "affinityGroup": self.groups,
        }

    def vm_uuid(self, vm: int) -> str:
        """The uuid of a VM, computed unless a file gave it."""
        return self.vms.uuids.get(vm) or self.born("vm", vm)

    def volume_uuid(self, volume: int) -> str:
        """The uuid of a volume, computed unless a file gave it."""
        return self.volumes.uuids.get(volume) or self.born("volume", volume)

    def born(self, kind: str, serial: int) -> str:
        """The uuid of something born in this run."""
        return born_uuid(self.chance.seed, kind, serial)

    def limit(self, account: int, quota: str) -> int:
        """An account's limit; what its row does not name is the shipped or configured default."""
        result = self.limits[account].get(quota)
        return int(self.settings.values[f"quota.{quota}"]) if result is None else result

    def fork(self) -> Cloud:
        """An independent copy for anything that goes on living."""
        twin = copy.copy(self)
        twin.attachments = Attachments()
        twin.changed_hosts, twin.index = set(), None
        twin.words = dict(self.words)
        twin.settings, twin.fleet = self.settings.copy(), self.fleet.copy()
        twin.storages = [storage.duplicate() for storage in self.storages]
        twin.backups = [backup.duplicate() for backup in self.backups]
        twin.pools = [pool.duplicate() for pool in self.pools]
        twin.groups = [group.duplicate() for group in self.groups]
        twin.vms, twin.volumes = self.vms.copy(), self.volumes.copy()
        twin.nics, twin.snapshots = self.nics.copy(), self.snapshots.copy()
        for name in ("zones", "clusters", "images", "l2s", "l3s", "offerings", "disk_offerings", "accounts"):
            setattr(twin, name, list(getattr(self, name)))
        for name in ("zone_states", "cluster_states", "image_states", "host_groups"):
            setattr(twin, name, list(getattr(self, name)))
        twin.l2_clusters = [set(l2_cluster) for l2_cluster in self.l2_clusters]
        twin.limits = [dict(limit) for limit in self.limits]
        twin.usage = [list(item) for item in self.usage]
        twin.image_space = dict(self.image_space)
        twin.used_strategies = dict(self.used_strategies)
        twin.codes = {kind: list(words) for kind, words in self.codes.items()}
        return twin
