"""HostStateAndHypervisor: Enabled and Connected hosts of the right hypervisor (rules/host-filters.md#state)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simclone.allocator.host.flow import Candidates, FilterFlow, FlowFacts, Test, refusal
from simclone.allocator.host.request import HostRequest
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, ENABLED
from simclone.records import ErrorCode
from simclone.vocabulary import HOST_HYPERVISOR, HOST_STATE, HOST_STATUS


@dataclass(frozen=True, slots=True)
class Facts:
    """*hypervisor* is a code, -1 for any."""

    hypervisor: int


class HostStateFlow(FilterFlow):
    """Drops hosts that are not Enabled, not Connected or of another hypervisor."""

    name: ClassVar[str] = "HostStateAndHypervisorAllocatorFlow"
    tests: ClassVar[tuple[Test, ...]] = (
        Test(HOST_STATUS, lambda host, facts: host.status == CONNECTED),
        Test(HOST_STATE, lambda host, facts: host.state == ENABLED),
        Test(
            HOST_HYPERVISOR,
            lambda host, facts: (host.hypervisor == facts.hypervisor) | (facts.hypervisor < 0),
        ),
    )

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """The hypervisor's code."""
        return Facts(cloud.code("hypervisor", request.hypervisor))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """The first condition nobody met, else their combination."""
        count = len(candidates.index)
        for test, what in zip(self.tests, ("Connected", "Enabled", f"of type {request.hypervisor}"), strict=True):
            if not candidates.any(test.keep(candidates.hosts, facts)):
                return refusal(test.why, f"none of {count} candidate hosts is {what}")
        return refusal(HOST_STATE, f"none of {count} candidate hosts is Enabled and Connected at once")
