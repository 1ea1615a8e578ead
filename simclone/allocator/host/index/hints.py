"""What lets the index keep the verdicts of a filter flow between decisions, flow by flow.

A flow without a hint is asked at every decision, about the hosts that are left for it: slower, always right. A hint
promises something about the facts of a flow; what it promises is tested against the plain driver.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from simclone.allocator.host.filters.affinity import AffinityGroupFlow, HostRuleFlow
from simclone.allocator.host.filters.backup_storage import (
    BackupStorageSelectPrimaryStorageFlow,
    ImageBackupStorageFlow,
    is_cached_everywhere,
)
from simclone.allocator.host.filters.capacity import HostCapacityFlow
from simclone.allocator.host.filters.designated import DesignatedHostFlow
from simclone.allocator.host.filters.devices import PciDeviceFlow
from simclone.allocator.host.filters.extensions import ArchitectureFlow, LocalFacts, LocalStorageFlow
from simclone.allocator.host.filters.network import AttachedL2NetworkFlow
from simclone.allocator.host.filters.place import (
    AvoidHostFlow,
    HostOsVersionFlow,
    LastHostFlow,
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
from simclone.allocator.host.flow import NOBODY, CellThreshold, Counts, FilterFlow, FlowFacts, Pass
from simclone.allocator.host.request import NEW_CREATE, START, HostRequest
from simclone.allocator.rules.bindings import binds_cluster
from simclone.model.cloud import Cloud
from simclone.records import ErrorCode


class IndexHint:
    """Facts that only an administrator's act changes; the base of all other hints.

    The facts of a flow with *depends_on_usage* can change with what VMs hold, so `facts_hold` is asked again when that
    has changed. A flow with *per_decision* asks nothing of the candidates and is asked at every decision, unless its
    facts were `Pass` when the request class was made: then they are for every request of the class. *couples_hosts*
    says that the verdict on a host can depend on VMs of other hosts.
    """

    per_decision: ClassVar[bool] = False
    depends_on_usage: ClassVar[bool] = False
    couples_hosts: ClassVar[bool] = False

    def facts_hold(
        self, flow: FilterFlow, request: HostRequest, cloud: Cloud, facts: FlowFacts, clusters: Sequence[int]
    ) -> bool | None:
        """Whether facts of before hold good, the candidates being in the same *clusters*; None: nobody can tell.

        Asked while nothing has changed but what VMs hold.
        """
        return True

    def cell_threshold(self, cloud: Cloud, facts: FlowFacts) -> CellThreshold | None:
        """The one test of the flow by what it reads beside the host columns; None where that is not so."""
        return None

    def refusal_by_counts(
        self, flow: FilterFlow, request: HostRequest, cloud: Cloud, facts: FlowFacts, refused: Counts
    ) -> ErrorCode | None:
        """What the flow answers, from the number of hosts each test refused first; None where that does not tell."""
        return None


class CapacityHint(IndexHint):
    """Thresholds depend on the request alone."""

    def refusal_by_counts(
        self, flow: FilterFlow, request: HostRequest, cloud: Cloud, facts: FlowFacts, refused: Counts
    ) -> ErrorCode | None:
        """The reason is the test that refused most hosts."""
        return flow.refusal_of(request, refused) if isinstance(flow, HostCapacityFlow) else None


class MemberHint(IndexHint):
    """Members come and go; without a group nobody asks."""

    per_decision = True
    couples_hosts = True

    def facts_hold(
        self, flow: FilterFlow, request: HostRequest, cloud: Cloud, facts: FlowFacts, clusters: Sequence[int]
    ) -> bool | None:
        """Only where there is no group."""
        return True if request.group is None else None


class DeviceHint(IndexHint):
    """Devices come and go; who asks for none does not mind."""

    per_decision = True

    def facts_hold(
        self, flow: FilterFlow, request: HostRequest, cloud: Cloud, facts: FlowFacts, clusters: Sequence[int]
    ) -> bool | None:
        """Only where no device is asked for."""
        return True if isinstance(facts, Pass) else None


class ImageHint(IndexHint):
    """The image may have been cached since, or its caches dropped."""

    depends_on_usage = True

    def facts_hold(
        self, flow: FilterFlow, request: HostRequest, cloud: Cloud, facts: FlowFacts, clusters: Sequence[int]
    ) -> bool | None:
        """Whether the image is cached everywhere exactly if it was."""
        if request.operation != NEW_CREATE or request.image is None:
            return True
        return isinstance(facts, Pass) == is_cached_everywhere(request, cloud, clusters)


class QuotaHint(IndexHint):
    """Usage changes with every VM of the account; the administrator has no limits."""

    depends_on_usage = True
    couples_hosts = True

    def facts_hold(
        self, flow: FilterFlow, request: HostRequest, cloud: Cloud, facts: FlowFacts, clusters: Sequence[int]
    ) -> bool | None:
        """Whether the limits still allow one more VM."""
        return isinstance(flow.facts(request, cloud, NOBODY), Pass)


class StorageSumHint(IndexHint):
    """Free bytes by cluster change with every volume."""

    depends_on_usage = True

    def facts_hold(
        self, flow: FilterFlow, request: HostRequest, cloud: Cloud, facts: FlowFacts, clusters: Sequence[int]
    ) -> bool | None:
        """Whether the same clusters have room enough, and no others, as far as any candidate is in them."""
        return request.operation != NEW_CREATE or (
            isinstance(flow, HostPrimaryStorageFlow) and flow.has_same_room(request, cloud, facts, clusters)
        )

    def refusal_by_counts(
        self, flow: FilterFlow, request: HostRequest, cloud: Cloud, facts: FlowFacts, refused: Counts
    ) -> ErrorCode | None:
        """The reason is the last test some host came to."""
        if not isinstance(flow, HostPrimaryStorageFlow):
            return None
        return flow.refusal_of(request, cloud, facts, refused)


class StorageTagHint(IndexHint):
    """What a wish leaves depends on the candidates' clusters."""

    def facts_hold(
        self, flow: FilterFlow, request: HostRequest, cloud: Cloud, facts: FlowFacts, clusters: Sequence[int]
    ) -> bool | None:
        """Only without wishes."""
        return True if request.vm_constraint is None and not request.disk_constraints else None


class LocalStorageHint(IndexHint):
    """Without local storage, or when nothing is created, shares do not matter."""

    def facts_hold(
        self, flow: FilterFlow, request: HostRequest, cloud: Cloud, facts: FlowFacts, clusters: Sequence[int]
    ) -> bool | None:
        """Only where the flow has nothing to say."""
        return True if isinstance(facts, Pass) else None

    def cell_threshold(self, cloud: Cloud, facts: FlowFacts) -> CellThreshold | None:
        """A new VM looks at one share of a host, where no host has shares of two storages."""
        if not isinstance(facts, LocalFacts) or facts.checked is None or len(facts.thresholds) != 1:
            return None
        ((row, threshold),) = facts.thresholds
        shares = cloud.storages[row].shares
        if shares is None:
            return None
        return CellThreshold(
            shares.available, threshold.least, facts.checked & threshold.sound, facts.checked & ~threshold.sound
        )

    def refusal_by_counts(
        self, flow: FilterFlow, request: HostRequest, cloud: Cloud, facts: FlowFacts, refused: Counts
    ) -> ErrorCode | None:
        """The error says what was asked for, not who refused."""
        return None if request.operation == START else flow.refuses(request, cloud, facts, NOBODY)


class BindingHint(IndexHint):
    """Only an idle rule is sure to stay so: a soft one that is unmet may be met later."""

    def facts_hold(
        self, flow: FilterFlow, request: HostRequest, cloud: Cloud, facts: FlowFacts, clusters: Sequence[int]
    ) -> bool | None:
        """Only where nothing is bound."""
        idle = not request.bindings and not binds_cluster(cloud)
        return True if isinstance(facts, Pass) and idle else None


class LastHostHint(IndexHint):
    """Whether the last host is still a candidate depends on its room."""

    def facts_hold(
        self, flow: FilterFlow, request: HostRequest, cloud: Cloud, facts: FlowFacts, clusters: Sequence[int]
    ) -> bool | None:
        """Only without a last host, or where all hosts are listed."""
        return True if request.last_host is None or request.list_all else None


class NeverHint(IndexHint):
    """Facts that follow what volumes take, on each host; nothing tells when they change."""

    def facts_hold(
        self, flow: FilterFlow, request: HostRequest, cloud: Cloud, facts: FlowFacts, clusters: Sequence[int]
    ) -> bool | None:
        """Nobody can tell."""
        return None


_LASTING = IndexHint()
HINTS: Mapping[type[FilterFlow], IndexHint] = {
    AttachedL2NetworkFlow: _LASTING,
    HostProducerFlow: _LASTING,
    DesignatedHostFlow: _LASTING,
    HostStateFlow: _LASTING,
    AvoidHostFlow: _LASTING,
    HostOsVersionFlow: _LASTING,
    ArchitectureFlow: _LASTING,
    AttachedVolumePrimaryStorageFlow: _LASTING,
    BackupStorageSelectPrimaryStorageFlow: _LASTING,
    HostCapacityFlow: CapacityHint(),
    QuotaFlow: QuotaHint(),
    ImageBackupStorageFlow: ImageHint(),
    HostPrimaryStorageFlow: StorageSumHint(),
    TagFlow: StorageTagHint(),
    ResourceBindingFlow: BindingHint(),
    LocalStorageFlow: LocalStorageHint(),
    LastHostFlow: LastHostHint(),
    MigrationTargetSpaceFlow: NeverHint(),
    AffinityGroupFlow: MemberHint(),
    HostRuleFlow: MemberHint(),
    PciDeviceFlow: DeviceHint(),
}


def hint_of(flow: FilterFlow) -> IndexHint | None:
    """The hint of a flow; None for one that has none, a subclass of one that has included."""
    return HINTS.get(type(flow))


def couples_hosts(flow: FilterFlow) -> bool:
    """Whether the verdict on a host can depend on VMs of other hosts; without a hint it can."""
    hint = hint_of(flow)
    return hint is None or hint.couples_hosts
