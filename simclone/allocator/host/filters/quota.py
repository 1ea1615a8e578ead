"""Quota: the owner's running limits, looked at again when a host is sought (rules/quotas.md#allocation-check)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from simclone.allocator.host.flow import INTERNAL_ERROR, NOBODY, Candidates, FilterFlow, HardStop, Pass, Test
from simclone.allocator.host.request import HostRequest
from simclone.allocator.quota import allocation_refusal
from simclone.model.cloud import Cloud
from simclone.records import ErrorCode


class QuotaFlow(FilterFlow):
    """Stops the search when one more VM breaks a limit.

    The product throws here something its chain does not expect, so the answer is ``SYS.1000`` with the quota error
    written inside; setting ``fidelity.quotaAtAllocation`` gives the plain ``ID.1003`` instead.
    """

    name: ClassVar[str] = "QuotaAllocatorFlow"
    reads: ClassVar[frozenset[str]] = frozenset({"count"})
    fleeting: ClassVar[bool] = True
    tests: ClassVar[tuple[Test, ...]] = ()

    def still(self, request: HostRequest, cloud: Cloud, facts: Any, clusters: Sequence[int]) -> bool | None:
        """Usage changes with every VM of the account; the administrator has no limits."""
        return isinstance(self.facts(request, cloud, NOBODY), Pass)

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> Any:
        """`Pass` or `HardStop`: no host matters."""
        if request.account < 0:
            return Pass()
        error = allocation_refusal(cloud, request)
        if error is None:
            return Pass()
        if cloud.settings.fidelity["quotaAtAllocation"] == "SYS.1000":
            text = f"unexpected failure during host allocation: {error.code}, {error.details}"
            error = ErrorCode(code=INTERNAL_ERROR, details=text, reason=error.reason)
        return HardStop(error, immediate=True)
