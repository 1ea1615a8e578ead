"""Strategy → ordered flows, one literal table per profile (host-allocation.md 1.2, clone-storage-affinity.md A)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simclone.allocator.host.filters.affinity import AffinityGroupFlow, HostRuleFlow
from simclone.allocator.host.filters.backup_storage import (
    BackupStorageSelectPrimaryStorageFlow,
    ImageBackupStorageFlow,
)
from simclone.allocator.host.filters.capacity import HostCapacityFlow
from simclone.allocator.host.filters.designated import DesignatedHostFlow
from simclone.allocator.host.filters.devices import PciDeviceFlow
from simclone.allocator.host.filters.extensions import ArchitectureFlow, LocalStorageFlow
from simclone.allocator.host.filters.network import AttachedL2NetworkFlow
from simclone.allocator.host.filters.place import (
    AvoidHostFlow,
    HostOsVersionFlow,
    LastHostFlow,
    MaxInstancePerHostFlow,
    ResourceBindingFlow,
)
from simclone.allocator.host.filters.producers import HostProducerFlow
from simclone.allocator.host.filters.quota import QuotaFlow
from simclone.allocator.host.filters.state import HostStateFlow
from simclone.allocator.host.filters.storage import (
    AttachedVolumePrimaryStorageFlow,
    HostPrimaryStorageFlow,
    MigrationTargetSpaceFlow,
    TagFlow,
)
from simclone.allocator.host.flow import FilterFlow, SortFlow
from simclone.allocator.host.sorters.lifetime import LeastExtensionSortFlow
from simclone.allocator.host.sorters.load import (
    LeastVmPreferredSortFlow,
    MinimumCpuUsageSortFlow,
    MinimumMemoryUsageSortFlow,
    StoppedVmAwareSortFlow,
)
from simclone.allocator.host.sorters.preference import (
    SoftAvoidHostSortFlow,
    VmHostRuleSortFlow,
    VmSchedulingRuleSortFlow,
)
from simclone.allocator.host.sorters.storage_priority import PrimaryStoragePriorityFlow
from simclone.allocator.host.sorters.textbook import (
    FewestFreeCpuSortFlow,
    LowestRankSortFlow,
    MostFreeCpuSortFlow,
    RoundRobinSortFlow,
)

DEFAULT = "DefaultHostAllocatorStrategy"
LEAST_VM = "LeastVmPreferredHostAllocatorStrategy"
STOPPED_AWARE = "StoppedVmAwareLeastVmPreferredHostAllocatorStrategy"
DESIGNATED = "DesignatedHostAllocatorStrategy"
LAST_HOST = "LastHostPreferredAllocatorStrategy"
MIGRATE = "MigrateVmAllocatorStrategy"
LOCAL_MIGRATE = "LocalStorageMigrateVmAllocatorStrategy"
MIN_CPU = "MinimumCPUUsageHostAllocatorStrategy"
MIN_MEMORY = "MinimumMemoryUsageHostAllocatorStrategy"
MAX_INSTANCES = "MaxInstancePerHostHostAllocatorStrategy"
FIRST_FIT, BEST_FIT, WORST_FIT = "simclone.FirstFit", "simclone.BestFit", "simclone.WorstFit"
ROUND_ROBIN, RANDOM = "simclone.RoundRobin", "simclone.Random"
LIFETIME_AWARE = "simclone.LifetimeAware"


@dataclass(frozen=True, slots=True)
class Strategy:
    """A named chain: filters in order, sorters after the draw."""

    name: str
    filters: tuple[FilterFlow, ...]
    sorters: tuple[SortFlow, ...] = ()


L2 = AttachedL2NetworkFlow()  # which clusters can carry the cards; pages are cut here
PRODUCE = HostProducerFlow()  # profile cloud: attached, wanted and usable hosts in one query
DES = DesignatedHostFlow()  # the zone, cluster or host that was asked for
QUO = QuotaFlow()  # the owner's running limits
BSPS = BackupStorageSelectPrimaryStorageFlow()  # the image's backup storage can feed a storage in reach
STATE = HostStateFlow()  # Enabled, Connected, right hypervisor
IMG = ImageBackupStorageFlow()  # the image can be had, or is cached everywhere
CAP = HostCapacityFlow()  # vCPUs, memory, reserve
VOLPS = AttachedVolumePrimaryStorageFlow()  # existing volumes are in reach
PS = HostPrimaryStorageFlow()  # usable storage, in sum large enough
AVOID = AvoidHostFlow()  # the caller's hard exclusions
TAG = TagFlow()  # storage wishes of offerings
BIND = ResourceBindingFlow()  # hosts or clusters the VM is bound to
LAST = LastHostFlow()  # back to where it ran
OS = HostOsVersionFlow()  # migration between equal systems
LSMIG = MigrationTargetSpaceFlow()  # room for the VM's local volumes
MAXVM = MaxInstancePerHostFlow()  # the strategy's own limit

OPEN_FILT: tuple[FilterFlow, ...] = (ArchitectureFlow(), LocalStorageFlow())  # extensions of the open core
CLOUD_FILT: tuple[FilterFlow, ...] = (
    *OPEN_FILT,
    AffinityGroupFlow(),
    HostRuleFlow(),
    PciDeviceFlow(),
)  # and of the cloud edition

PRIO = PrimaryStoragePriorityFlow()  # storage the image's backup storage prefers
RULE = VmSchedulingRuleSortFlow()  # soft affinity before balancing
HOST_RULE = VmHostRuleSortFlow()
SOFT = SoftAvoidHostSortFlow()  # hosts an HA restart would rather leave
LEAST = LeastVmPreferredSortFlow()  # fewest VMs


def _table(*strategies: Strategy) -> dict[str, Strategy]:
    return {strategy.name: strategy for strategy in strategies}


_OPEN_SORT = (PRIO, SOFT)
_OPEN_LEAST = (L2, DES, QUO, BSPS, STATE, IMG, CAP, VOLPS, PS, AVOID, TAG, BIND, *OPEN_FILT)
OPEN: Mapping[str, Strategy] = _table(
    Strategy(LEAST_VM, _OPEN_LEAST, (*_OPEN_SORT, LEAST)),
    Strategy(STOPPED_AWARE, _OPEN_LEAST, (*_OPEN_SORT, StoppedVmAwareSortFlow())),
    Strategy(DEFAULT, (L2, DES, QUO, BSPS, STATE, IMG, CAP, PS, AVOID, TAG, BIND, *OPEN_FILT), _OPEN_SORT),
    # Designated asks for the image before the state, and ends at the last host
    Strategy(DESIGNATED, (L2, DES, QUO, BSPS, IMG, STATE, CAP, PS, AVOID, TAG, BIND, *OPEN_FILT, LAST)),
    # no image flow: a disconnected backup storage does not block a return to the last host
    Strategy(LAST_HOST, (L2, DES, QUO, BSPS, STATE, CAP, VOLPS, PS, AVOID, TAG, BIND, *OPEN_FILT, LAST)),
    # no capacity and no quota: only the reservation enforces them
    Strategy(MIGRATE, (L2, DES, STATE, VOLPS, DES, PS, AVOID, OS, TAG, BIND, *OPEN_FILT), (*_OPEN_SORT, LEAST)),
    Strategy(LOCAL_MIGRATE, (L2, DES, AVOID, LSMIG, STATE, CAP, VOLPS, PS, OS), (PRIO, LEAST)),
)

_SORT = (PRIO, RULE, HOST_RULE, SOFT)
_CLOUD_LEAST = (PRODUCE, DES, QUO, BSPS, STATE, IMG, CAP, VOLPS, PS, AVOID, TAG, BIND, *CLOUD_FILT)
_CLOUD_FREE = (PRODUCE, DES, BSPS, STATE, IMG, CAP, VOLPS, PS, AVOID, TAG, BIND, *CLOUD_FILT)
CLOUD: Mapping[str, Strategy] = _table(
    Strategy(LEAST_VM, _CLOUD_LEAST, (*_SORT, LEAST)),
    Strategy(STOPPED_AWARE, _CLOUD_LEAST, (*_SORT, StoppedVmAwareSortFlow())),
    Strategy(DEFAULT, (PRODUCE, DES, QUO, BSPS, STATE, IMG, CAP, PS, AVOID, TAG, BIND, *CLOUD_FILT), _SORT),
    # no sorters: soft rules have no effect under these two
    Strategy(DESIGNATED, (PRODUCE, DES, QUO, BSPS, IMG, STATE, CAP, PS, AVOID, TAG, BIND, *CLOUD_FILT, LAST)),
    Strategy(LAST_HOST, (PRODUCE, DES, QUO, BSPS, STATE, CAP, VOLPS, PS, AVOID, TAG, BIND, *CLOUD_FILT, LAST)),
    # unlike the open core, migration tests capacity here
    Strategy(
        MIGRATE,
        (PRODUCE, STATE, BSPS, CAP, VOLPS, DES, PS, AVOID, OS, TAG, BIND, *CLOUD_FILT),
        (*_SORT, LEAST),
    ),
    Strategy(LOCAL_MIGRATE, (PRODUCE, DES, AVOID, LSMIG, STATE, CAP, VOLPS, PS, OS), (PRIO, RULE, LEAST)),
    # these two look at no quota
    Strategy(MIN_CPU, _CLOUD_FREE, (*_SORT, MinimumCpuUsageSortFlow())),
    Strategy(MIN_MEMORY, _CLOUD_LEAST, (*_SORT, MinimumMemoryUsageSortFlow())),
    Strategy(MAX_INSTANCES, (*_CLOUD_FREE, MAXVM), _SORT),
)

_RANK = LowestRankSortFlow()


def _textbook(filters: tuple[FilterFlow, ...]) -> dict[str, Strategy]:
    """Orders that are not ZStack's, behind the filters of LeastVmPreferred."""
    return _table(
        Strategy(FIRST_FIT, filters, (_RANK,)),
        Strategy(BEST_FIT, filters, (FewestFreeCpuSortFlow(), _RANK)),
        Strategy(WORST_FIT, filters, (MostFreeCpuSortFlow(), _RANK)),
        Strategy(ROUND_ROBIN, filters, (RoundRobinSortFlow(),)),
        Strategy(RANDOM, filters),
        Strategy(LIFETIME_AWARE, filters, (LeastExtensionSortFlow(), FewestFreeCpuSortFlow(), _RANK)),
    )


TABLES: Mapping[str, Mapping[str, Strategy]] = {
    "open": {**OPEN, **_textbook(_OPEN_LEAST)},
    "cloud": {**CLOUD, **_textbook(_CLOUD_LEAST)},
}


def named(profile: str, name: str | None, own: Mapping[str, object]) -> Strategy:
    """The strategy of a name; None is Default. Raises KeyError for a name nobody registered."""
    found = own.get(name or "")
    if isinstance(found, Strategy):
        return found
    return TABLES[profile][name or DEFAULT]


def names(profile: str) -> tuple[str, ...]:
    """All registered names of a profile."""
    return tuple(TABLES[profile])


def flow_names(profile: str) -> tuple[str, ...]:
    """The filters a strategies block may name."""
    return tuple(dict.fromkeys(flow.name for one in TABLES[profile].values() for flow in one.filters))
