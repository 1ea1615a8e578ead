"""HostStateAndHypervisor: Enabled and Connected hosts of the right hypervisor (host-allocation.md 1.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from simclone.allocator.host.flow import Candidates, FilterFlow, Test, refusal
from simclone.allocator.host.request import HostRequest
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, ENABLED
from simclone.records import ErrorCode


@dataclass(frozen=True, slots=True)
class Facts:
    """*hypervisor* is a code, -1 for any."""

    hypervisor: int


class HostStateFlow(FilterFlow):
    """Drops hosts that are not Enabled, not Connected or of another hypervisor."""

    name: ClassVar[str] = "HostStateAndHypervisorAllocatorFlow"
    reads: ClassVar[frozenset[str]] = frozenset({"static", "state"})
    tests: ClassVar[tuple[Test, ...]] = (
        Test("host.status", lambda host, facts: host.status == CONNECTED),
        Test("host.state", lambda host, facts: host.state == ENABLED),
        Test(
            "host.hypervisor",
            lambda host, facts: (host.hypervisor == facts.hypervisor) | (facts.hypervisor < 0),
        ),
    )

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> Any:
        """The hypervisor's code."""
        return Facts(cloud.code("hypervisor", request.hypervisor))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: Any, candidates: Candidates) -> ErrorCode:
        """The first condition nobody met, else their combination."""
        many = len(candidates.index)
        for test, what in zip(self.tests, ("Connected", "Enabled", f"of type {request.hypervisor}"), strict=True):
            if not candidates.any(test.keep(candidates.hosts, facts)):
                return refusal(test.reason, f"none of {many} candidate hosts is {what}")
        return refusal("host.state", f"none of {many} candidate hosts is Enabled and Connected at once")
