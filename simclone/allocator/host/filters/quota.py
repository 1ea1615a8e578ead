"""Quota: the owner's running limits, looked at again when a host is sought (rules/quotas.md#allocation-check)."""

from __future__ import annotations

from typing import ClassVar

from simclone.allocator.host.flow import Candidates, FilterFlow, FlowFacts, HardStop, Pass, Test
from simclone.allocator.host.request import HostRequest
from simclone.allocator.rules.quota import allocation_asks, refusal
from simclone.model.cloud import Cloud
from simclone.reason import INTERNAL_ERROR
from simclone.records import ErrorCode


class QuotaFlow(FilterFlow):
    """Stops the search when one more VM breaks a limit.

    The product throws here something its chain does not expect, so the answer is ``SYS.1000`` with the quota error
    written inside; setting ``fidelity.quotaAtAllocation`` gives the plain ``ID.1003`` instead.
    """

    name: ClassVar[str] = "QuotaAllocatorFlow"
    tests: ClassVar[tuple[Test, ...]] = ()

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """`Pass` or `HardStop`: no host matters."""
        if request.account < 0:
            return Pass()
        asks = allocation_asks(
            request.cpu, request.memory, whole=request.full_allocate, first=request.last_host is None
        )
        error = refusal(cloud, request.account, asks)
        if error is None:
            return Pass()
        if cloud.settings.fidelity["quotaAtAllocation"] == "SYS.1000":
            text = f"unexpected failure during host allocation: {error.code}, {error.details}"
            error = ErrorCode(code=INTERNAL_ERROR, details=text, reason=error.reason)
        return HardStop(error, immediate=True)
