"""DesignatedHost: hosts in the zone, clusters or host that was asked for (rules/host-filters.md#designated)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simclone.allocator.host.flow import Candidates, FilterFlow, FlowFacts, Pass, Test, refusal
from simclone.allocator.host.request import HostRequest
from simclone.allocator.lookups import Lookup, Sparse
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, ENABLED
from simclone.records import ErrorCode
from simclone.vocabulary import (
    DESIGNATED,
    DESIGNATED_CLUSTER,
    DESIGNATED_HOST,
    DESIGNATED_HYPERVISOR,
    DESIGNATED_ZONE,
    HOST_STATE,
    HOST_STATUS,
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is wanted: *zone*, *hypervisor* -1 for any; *first* also demands Enabled and Connected."""

    zone: int
    clusters: Lookup
    hosts: Sparse
    hypervisor: int
    first: int


class DesignatedHostFlow(FilterFlow):
    """Narrows to the wish. As the first flow it queries the database and so looks at state and status too."""

    name: ClassVar[str] = "DesignatedHostAllocatorFlow"
    tests: ClassVar[tuple[Test, ...]] = (
        Test(DESIGNATED_ZONE, lambda host, facts: (host.zone == facts.zone) | (facts.zone < 0)),
        Test(DESIGNATED_CLUSTER, lambda host, facts: facts.clusters[host.cluster] == 1),
        Test(DESIGNATED_HOST, lambda host, facts: facts.hosts[host.index] == 1),
        Test(
            DESIGNATED_HYPERVISOR,
            lambda host, facts: (host.hypervisor == facts.hypervisor) | (facts.hypervisor < 0),
        ),
        Test(HOST_STATE, lambda host, facts: (host.state == ENABLED) | (facts.first == 0)),
        Test(HOST_STATUS, lambda host, facts: (host.status == CONNECTED) | (facts.first == 0)),
    )

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """The wish, or `Pass` when there is none."""
        wished = request.zone is not None or request.clusters or request.host is not None
        if not candidates.first and not wished and request.hypervisor is None:
            return Pass()
        clusters = set(request.clusters) or set(range(len(cloud.clusters)))
        size = cloud.fleet.row_count
        hosts = Sparse({}, size, 1) if request.host is None else Sparse({request.host: 1}, size)
        return Facts(
            -1 if request.zone is None else request.zone,
            Lookup(cloud.cluster_mask(clusters)),
            hosts,
            cloud.code("hypervisor", request.hypervisor),
            int(candidates.first),
        )

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """Lists the criteria."""
        parts = []
        if request.zone is not None:
            parts.append(f"zone {cloud.zones[request.zone].uuid}")
        if request.clusters:
            parts.append("clusters " + ", ".join(cloud.clusters[c].uuid for c in request.clusters))
        if request.host is not None:
            parts.append(f"host {cloud.fleet.uuids[request.host]}")
        if request.hypervisor is not None:
            parts.append(f"hypervisor {request.hypervisor}")
        return refusal(DESIGNATED, f"no host matches the wanted place: {'; '.join(parts) or 'any usable host'}")
