"""AttachedL2Network: hosts whose cluster sees every L2 the VM's cards need (rules/host-filters.md#network)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simclone.allocator.host.flow import Candidates, FilterFlow, FlowFacts, Skip, Test, refusal
from simclone.allocator.host.request import HostRequest
from simclone.allocator.lookups import Lookup
from simclone.model.cloud import Cloud
from simclone.records import ErrorCode
from simclone.vocabulary import NETWORK_L2


@dataclass(frozen=True, slots=True)
class Facts:
    """*attached*: per cluster, all required L2s are there."""

    attached: Lookup


class AttachedL2NetworkFlow(FilterFlow):
    """First flow of every chain; looks at attachments only, never at a state.

    A VM without cards is not its business, unless the caller forbids that: then the VM's own cluster is searched on
    the first page, and everything on later ones.
    """

    name: ClassVar[str] = "AttachedL2NetworkAllocatorFlow"
    tests: ClassVar[tuple[Test, ...]] = (Test(NETWORK_L2, lambda host, facts: facts.attached[host.cluster] == 1),)

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """Per cluster whether it serves all networks."""
        if request.l3s:
            return Facts(Lookup(cloud.cluster_mask(cloud.clusters_of_l3s(request.l3s))))
        if request.allow_no_l3 or candidates.page > 0 or request.vm_cluster is None:
            return Skip()
        return Facts(Lookup(cloud.cluster_mask({request.vm_cluster})))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """Names the networks."""
        names = ", ".join(cloud.l3s[l3].uuid for l3 in request.l3s)
        return refusal(NETWORK_L2, f"no host stands in a cluster attached to the L2 networks of L3 [{names}]")
