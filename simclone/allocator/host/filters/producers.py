"""The first flow of the cloud profile: the producers of rules/host-selection.md#commercial-chains read as one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from simclone.allocator.host.filters.designated import DesignatedHostFlow
from simclone.allocator.host.filters.network import AttachedL2NetworkFlow
from simclone.allocator.host.flow import Candidates, FilterFlow, FlowFacts, Skip, Test, refusal
from simclone.allocator.host.request import HostRequest
from simclone.allocator.lookups import Lookup
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, ENABLED
from simclone.records import ErrorCode
from simclone.vocabulary import HOST_STATE, HOST_STATUS, NETWORK_L2

_L2, _WISH = AttachedL2NetworkFlow(), DesignatedHostFlow()


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of both flows this one joins."""

    attached: Lookup
    wish: Any


def _of_wish(test: Test) -> Test:
    return Test(test.why, lambda host, facts: test.keep(host, facts.wish))


class HostProducerFlow(FilterFlow):
    """Attached, wanted, Enabled and Connected hosts, in pages; an empty first page is the plain "no host"."""

    name: ClassVar[str] = "HostProducers"
    tests: ClassVar[tuple[Test, ...]] = (
        Test(NETWORK_L2, lambda host, facts: facts.attached[host.cluster] == 1),
        *(_of_wish(test) for test in DesignatedHostFlow.tests[:4]),
        Test(HOST_STATE, lambda host, facts: host.state == ENABLED),
        Test(HOST_STATUS, lambda host, facts: host.status == CONNECTED),
    )

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """Both flows' facts; no card means every cluster serves."""
        network = _L2.facts(request, cloud, candidates)
        everywhere = Lookup(cloud.cluster_mask(set(range(len(cloud.clusters)))))
        attached = everywhere if isinstance(network, Skip) else network.attached
        return Facts(attached, _WISH.facts(request, cloud, candidates))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """Blames the network, the wish, or the state, whichever nobody met first.

        Hosts at the wanted place that lack the network are a fault of the network.
        """
        hosts = candidates.hosts
        attached = self.tests[0].keep(hosts, facts)
        at_place: Any = True
        for test in self.tests[1:5]:
            at_place = at_place & test.keep(hosts, facts)
        if not candidates.any(at_place):
            return _WISH.refuses(request, cloud, facts.wish, candidates)
        if not candidates.any(attached & at_place):
            return _L2.refuses(request, cloud, facts, candidates)
        connected = attached & at_place & self.tests[6].keep(hosts, facts)
        reason = HOST_STATE if candidates.any(connected) else HOST_STATUS
        return refusal(reason, "no attached host is both Enabled and Connected")
