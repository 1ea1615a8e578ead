"""Strategy → ordered flows, one literal table per profile.

Rule: rules/host-selection.md#chains, rules/host-selection.md#commercial-chains.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from simclone.allocator.host import plugins
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
from simclone.errors import Fault, InvalidInput

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


NETWORK = AttachedL2NetworkFlow()  # which clusters can carry the cards; pages are cut here
PRODUCE = HostProducerFlow()  # profile cloud: attached, wanted and usable hosts in one query
DESIGNATED_PLACE = DesignatedHostFlow()  # the zone, cluster or host that was asked for
QUOTA = QuotaFlow()  # the owner's running limits
IMAGE_REACHES_STORAGE = BackupStorageSelectPrimaryStorageFlow()  # the image's backup storage feeds a storage in reach
USABLE = HostStateFlow()  # Enabled, Connected, right hypervisor
IMAGE_AT_HAND = ImageBackupStorageFlow()  # the image can be had, or is cached everywhere
CAPACITY = HostCapacityFlow()  # vCPUs, memory, reserve
VOLUMES_IN_REACH = AttachedVolumePrimaryStorageFlow()  # existing volumes are in reach
STORAGE_IN_REACH = HostPrimaryStorageFlow()  # usable storage, in sum large enough
NOT_AVOIDED = AvoidHostFlow()  # the caller's hard exclusions
OFFERED_STORAGE = TagFlow()  # storage wishes of offerings
BOUND = ResourceBindingFlow()  # hosts or clusters the VM is bound to
LAST_HOST_ONLY = LastHostFlow()  # back to where it ran
SAME_OS = HostOsVersionFlow()  # migration between equal systems
ROOM_FOR_VOLUMES = MigrationTargetSpaceFlow()  # room for the VM's local volumes
BELOW_INSTANCE_LIMIT = MaxInstancePerHostFlow()  # the strategy's own limit

OPEN_EXTENSIONS: tuple[FilterFlow, ...] = (ArchitectureFlow(), LocalStorageFlow())  # extensions of the open core
CLOUD_EXTENSIONS: tuple[FilterFlow, ...] = (
    *OPEN_EXTENSIONS,
    AffinityGroupFlow(),
    HostRuleFlow(),
    PciDeviceFlow(),
)  # and of the cloud edition

STORAGE_PRIORITY = PrimaryStoragePriorityFlow()  # storage the image's backup storage prefers
SOFT_RULE = VmSchedulingRuleSortFlow()  # soft affinity before balancing
SOFT_HOST_RULE = VmHostRuleSortFlow()
SOFTLY_AVOIDED = SoftAvoidHostSortFlow()  # hosts an HA restart would rather leave
FEWEST_VMS = LeastVmPreferredSortFlow()  # fewest VMs


def _table(*strategies: Strategy) -> dict[str, Strategy]:
    return {strategy.name: strategy for strategy in strategies}


_OPEN_SORT = (STORAGE_PRIORITY, SOFTLY_AVOIDED)
_OPEN_LEAST = (
    NETWORK,
    DESIGNATED_PLACE,
    QUOTA,
    IMAGE_REACHES_STORAGE,
    USABLE,
    IMAGE_AT_HAND,
    CAPACITY,
    VOLUMES_IN_REACH,
    STORAGE_IN_REACH,
    NOT_AVOIDED,
    OFFERED_STORAGE,
    BOUND,
    *OPEN_EXTENSIONS,
)
OPEN: Mapping[str, Strategy] = _table(
    Strategy(LEAST_VM, _OPEN_LEAST, (*_OPEN_SORT, FEWEST_VMS)),
    Strategy(STOPPED_AWARE, _OPEN_LEAST, (*_OPEN_SORT, StoppedVmAwareSortFlow())),
    Strategy(
        DEFAULT,
        (
            NETWORK,
            DESIGNATED_PLACE,
            QUOTA,
            IMAGE_REACHES_STORAGE,
            USABLE,
            IMAGE_AT_HAND,
            CAPACITY,
            STORAGE_IN_REACH,
            NOT_AVOIDED,
            OFFERED_STORAGE,
            BOUND,
            *OPEN_EXTENSIONS,
        ),
        _OPEN_SORT,
    ),
    # Designated asks for the image before the state, and ends at the last host
    Strategy(
        DESIGNATED,
        (
            NETWORK,
            DESIGNATED_PLACE,
            QUOTA,
            IMAGE_REACHES_STORAGE,
            IMAGE_AT_HAND,
            USABLE,
            CAPACITY,
            STORAGE_IN_REACH,
            NOT_AVOIDED,
            OFFERED_STORAGE,
            BOUND,
            *OPEN_EXTENSIONS,
            LAST_HOST_ONLY,
        ),
    ),
    # no image flow: a disconnected backup storage does not block a return to the last host
    Strategy(
        LAST_HOST,
        (
            NETWORK,
            DESIGNATED_PLACE,
            QUOTA,
            IMAGE_REACHES_STORAGE,
            USABLE,
            CAPACITY,
            VOLUMES_IN_REACH,
            STORAGE_IN_REACH,
            NOT_AVOIDED,
            OFFERED_STORAGE,
            BOUND,
            *OPEN_EXTENSIONS,
            LAST_HOST_ONLY,
        ),
    ),
    # no capacity and no quota: only the reservation enforces them
    Strategy(
        MIGRATE,
        (
            NETWORK,
            DESIGNATED_PLACE,
            USABLE,
            VOLUMES_IN_REACH,
            DESIGNATED_PLACE,
            STORAGE_IN_REACH,
            NOT_AVOIDED,
            SAME_OS,
            OFFERED_STORAGE,
            BOUND,
            *OPEN_EXTENSIONS,
        ),
        (*_OPEN_SORT, FEWEST_VMS),
    ),
    Strategy(
        LOCAL_MIGRATE,
        (
            NETWORK,
            DESIGNATED_PLACE,
            NOT_AVOIDED,
            ROOM_FOR_VOLUMES,
            USABLE,
            CAPACITY,
            VOLUMES_IN_REACH,
            STORAGE_IN_REACH,
            SAME_OS,
        ),
        (STORAGE_PRIORITY, FEWEST_VMS),
    ),
)

_CLOUD_SORT = (STORAGE_PRIORITY, SOFT_RULE, SOFT_HOST_RULE, SOFTLY_AVOIDED)
_CLOUD_LEAST = (
    PRODUCE,
    DESIGNATED_PLACE,
    QUOTA,
    IMAGE_REACHES_STORAGE,
    USABLE,
    IMAGE_AT_HAND,
    CAPACITY,
    VOLUMES_IN_REACH,
    STORAGE_IN_REACH,
    NOT_AVOIDED,
    OFFERED_STORAGE,
    BOUND,
    *CLOUD_EXTENSIONS,
)
_CLOUD_FREE = (
    PRODUCE,
    DESIGNATED_PLACE,
    IMAGE_REACHES_STORAGE,
    USABLE,
    IMAGE_AT_HAND,
    CAPACITY,
    VOLUMES_IN_REACH,
    STORAGE_IN_REACH,
    NOT_AVOIDED,
    OFFERED_STORAGE,
    BOUND,
    *CLOUD_EXTENSIONS,
)
CLOUD: Mapping[str, Strategy] = _table(
    Strategy(LEAST_VM, _CLOUD_LEAST, (*_CLOUD_SORT, FEWEST_VMS)),
    Strategy(STOPPED_AWARE, _CLOUD_LEAST, (*_CLOUD_SORT, StoppedVmAwareSortFlow())),
    Strategy(
        DEFAULT,
        (
            PRODUCE,
            DESIGNATED_PLACE,
            QUOTA,
            IMAGE_REACHES_STORAGE,
            USABLE,
            IMAGE_AT_HAND,
            CAPACITY,
            STORAGE_IN_REACH,
            NOT_AVOIDED,
            OFFERED_STORAGE,
            BOUND,
            *CLOUD_EXTENSIONS,
        ),
        _CLOUD_SORT,
    ),
    # no sorters: soft rules have no effect under these two
    Strategy(
        DESIGNATED,
        (
            PRODUCE,
            DESIGNATED_PLACE,
            QUOTA,
            IMAGE_REACHES_STORAGE,
            IMAGE_AT_HAND,
            USABLE,
            CAPACITY,
            STORAGE_IN_REACH,
            NOT_AVOIDED,
            OFFERED_STORAGE,
            BOUND,
            *CLOUD_EXTENSIONS,
            LAST_HOST_ONLY,
        ),
    ),
    Strategy(
        LAST_HOST,
        (
            PRODUCE,
            DESIGNATED_PLACE,
            QUOTA,
            IMAGE_REACHES_STORAGE,
            USABLE,
            CAPACITY,
            VOLUMES_IN_REACH,
            STORAGE_IN_REACH,
            NOT_AVOIDED,
            OFFERED_STORAGE,
            BOUND,
            *CLOUD_EXTENSIONS,
            LAST_HOST_ONLY,
        ),
    ),
    # unlike the open core, migration tests capacity here
    Strategy(
        MIGRATE,
        (
            PRODUCE,
            USABLE,
            IMAGE_REACHES_STORAGE,
            CAPACITY,
            VOLUMES_IN_REACH,
            DESIGNATED_PLACE,
            STORAGE_IN_REACH,
            NOT_AVOIDED,
            SAME_OS,
            OFFERED_STORAGE,
            BOUND,
            *CLOUD_EXTENSIONS,
        ),
        (*_CLOUD_SORT, FEWEST_VMS),
    ),
    Strategy(
        LOCAL_MIGRATE,
        (
            PRODUCE,
            DESIGNATED_PLACE,
            NOT_AVOIDED,
            ROOM_FOR_VOLUMES,
            USABLE,
            CAPACITY,
            VOLUMES_IN_REACH,
            STORAGE_IN_REACH,
            SAME_OS,
        ),
        (STORAGE_PRIORITY, SOFT_RULE, FEWEST_VMS),
    ),
    # these two look at no quota
    Strategy(MIN_CPU, _CLOUD_FREE, (*_CLOUD_SORT, MinimumCpuUsageSortFlow())),
    Strategy(MIN_MEMORY, _CLOUD_LEAST, (*_CLOUD_SORT, MinimumMemoryUsageSortFlow())),
    Strategy(MAX_INSTANCES, (*_CLOUD_FREE, BELOW_INSTANCE_LIMIT), _CLOUD_SORT),
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
    """The strategy of a name: a file's *own*, a built-in one, or one of another package; None is Default.

    Raises KeyError for a name nobody registered.
    """
    strategy = own.get(name or "")
    if isinstance(strategy, Strategy):
        return strategy
    table = TABLES[profile]
    return table[name or DEFAULT] if (name or DEFAULT) in table else _of_packages(profile)[name or DEFAULT]


@cache
def _of_packages(profile: str) -> Mapping[str, Strategy]:
    """The strategies of other packages under a profile; raises InvalidInput for one that is none or not of its name."""
    table = {}
    for name, thing in plugins.strategies():
        strategy = thing(profile) if callable(thing) else thing
        if not isinstance(strategy, Strategy) or strategy.name != name or name in TABLES[profile]:
            expected = f"a Strategy named {name!r}, no built-in one, or a function of the profile that gives one"
            raise InvalidInput([Fault(f"{plugins.STRATEGIES}.{name}", f"{strategy!r} cannot be registered", expected)])
        table[name] = strategy
    return table


def names(profile: str) -> tuple[str, ...]:
    """All registered names of a profile."""
    return (*TABLES[profile], *_of_packages(profile))


def filters_by_name(profile: str) -> dict[str, FilterFlow]:
    """The filters a strategies block may name: those of the profile's chains and of other packages.

    Raises InvalidInput where another package's flow has the name of a built-in one.
    """
    built_in = {flow.name: flow for strategy in TABLES[profile].values() for flow in strategy.filters}
    others = {flow.name: flow for flow in plugins.flows() if isinstance(flow, FilterFlow)}
    for name in built_in.keys() & others.keys():
        raise InvalidInput([Fault(plugins.FLOWS, f"flow {name!r} is built in", "a name of its own")])
    return built_in | others


def flow_names(profile: str) -> tuple[str, ...]:
    """The names of `filters_by_name`."""
    return tuple(filters_by_name(profile))


def declared_tags() -> frozenset[str]:
    """The first words of the system tags that built-in flows read."""
    return _tags_of(strategy for table in TABLES.values() for strategy in table.values())


def package_tags() -> frozenset[str]:
    """The first words of the system tags that flows of other packages read, those in their strategies included."""
    chains = _tags_of(strategy for profile in TABLES for strategy in _of_packages(profile).values())
    return chains.union(*(flow.tags for flow in plugins.flows()))


def _tags_of(chains: Iterable[Strategy]) -> frozenset[str]:
    tags: set[str] = set()
    for chain in chains:
        tags.update(*(flow.tags for flow in chain.filters), *(flow.tags for flow in chain.sorters))
    return frozenset(tags)
