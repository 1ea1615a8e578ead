"""PrimaryStoragePriority: clusters whose storage suits the image's backup storage best.

Rule: rules/host-selection.md#order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simclone.allocator.host.flow import Candidates, Elementwise, FlowFacts, HostView, Pass, SortFlow
from simclone.allocator.host.request import HostRequest
from simclone.allocator.lookups import Lookup
from simclone.allocator.primary_storage.chain import DEFAULT_PRIORITY, type_priority
from simclone.model.cloud import Cloud


@dataclass(frozen=True, slots=True)
class Facts:
    """Per cluster the priority of its best storage; *best* among the candidates."""

    priority: Lookup
    best: int


class PrimaryStoragePriorityFlow(SortFlow):
    """Smaller priority first; only the best go on to later sorters."""

    name: ClassVar[str] = "PrimaryStoragePrioritySortFlow"
    reads: ClassVar[frozenset[str]] = frozenset({"static", "storage"})
    width: ClassVar[int] = 8

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """Priorities, or `Pass` where nothing is to prefer."""
        backup = self._backup(request, cloud)
        if backup is None or len(request.required_storages) == 1:
            return Pass()
        priority = [self._of_cluster(cloud, backup, row) for row in range(len(cloud.clusters))]
        if set(priority) == {DEFAULT_PRIORITY}:
            return Pass()
        return Facts(Lookup(priority), min(priority[row] for row in candidates.clusters()))

    def _backup(self, request: HostRequest, cloud: Cloud) -> int | None:
        refs = () if request.image is None else cloud.images[request.image].backup_storages
        if request.backup_storage in refs:
            return request.backup_storage
        return refs[0] if refs else None

    def _of_cluster(self, cloud: Cloud, backup: int, cluster: int) -> int:
        kinds = (cloud.storages[row].kind for row in cloud.storages_of(cluster))
        return min((type_priority(cloud, backup, kind) for kind in kinds), default=DEFAULT_PRIORITY)

    def key(self, host: HostView, facts: FlowFacts) -> Elementwise:
        """The cluster's priority."""
        return facts.priority[host.cluster]

    def preferred(self, host: HostView, facts: FlowFacts) -> Elementwise:
        """Those of the best priority."""
        return facts.priority[host.cluster] == facts.best
