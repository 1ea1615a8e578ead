"""The allocator's queue: one host allocation after the other, or several at once, each with its own view.

With ``hostAllocator.concurrent`` the filters of an allocation see the cloud as it is when its turn begins; only the
reservation sees what others reserved meanwhile. Rules the reservation does not test again can then be broken
(rules/host-selection.md#ties, rules/affinity.md#evaluation).
"""

from __future__ import annotations

from dataclasses import dataclass

from simclone.allocator.host.request import HostRequest
from simclone.chance import Identity
from simclone.engine.context import Context
from simclone.engine.waits import Work
from simclone.model.cloud import Cloud
from simclone.placement.host import breach, decide
from simclone.records import Decision, Placed


@dataclass(slots=True)
class View:
    """The cloud as the filters of one allocation saw it; None where that is the cloud of now."""

    ctx: Context
    seen: Cloud | None = None

    def take(self) -> None:
        """Remember the cloud of now."""
        self.seen = self.ctx.cloud.fork()


def allocation(ctx: Context, vm: int) -> tuple[Work, View]:
    """The step of a host allocation, and what its filters will have seen when it is over."""
    view = View(ctx)
    parallel = ctx.timed and ctx.cloud.settings.flag("hostAllocator.hostAllocator.concurrent")
    return Work("allocateHost", ("host-allocator",), vm=vm, begin=view.take if parallel else None), view


def decide_in_view(ctx: Context, request: HostRequest, identity: Identity, view: View) -> Decision:
    """The allocator's decision; a rule that the placement breaks is counted."""
    decision = decide(request, ctx.cloud, identity, view.seen)
    if isinstance(decision, Placed) and view.seen is not None:
        broken = breach(request, ctx.cloud, decision.host)
        ctx.count_violations(() if broken is None else (broken,))
        if broken is not None and request.vm is not None:
            ctx.ledger.hosts.report_violation(request.vm, decision.host, broken)
    return decision
