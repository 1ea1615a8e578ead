"""How many clones of one kind fit into a cloud: on columns where hosts are judged by themselves, else by calls."""

from __future__ import annotations

from simclone.allocator.host.request import HostRequest
from simclone.allocator.rules.capacity import ANYTHING, checks_physical, vms_that_fit
from simclone.engine.context import Context
from simclone.model.columns import IntArray
from simclone.planning.parts.clone_calls import Ask, with_offering
from simclone.planning.parts.count_by_calls import count_by_calls
from simclone.planning.parts.count_by_columns import Counted, count_by_columns
from simclone.planning.parts.filled import Filled, Unit
from simclone.planning.parts.host_loss import HostLoss


class RoomLeft:
    """Counts clones of *ask* in a cloud and in copies of it that lost hosts.

    Where only the capacity of hosts limits the count, what a loss changes is the hosts that are gone and those that
    took their VMs; only these are counted again.
    """

    def __init__(self, ctx: Context, ask: Ask, unit: Unit) -> None:
        self.ask, self.unit = ask, unit
        twin = ctx.fork()
        with_offering(twin, ask)
        self.dressed = twin
        self._counted = count_by_columns(twin, ask) if unit.by_columns else None
        self._by_capacity = self._counted is not None and _only_capacity(ctx, self._counted)

    @property
    def how(self) -> str:
        """``columns`` or ``calls``."""
        return "calls" if self._counted is None else "columns"

    def now(self) -> Filled:
        """The count in the cloud as it is."""
        return count_by_calls(self.dressed, self.ask, self.unit) if self._counted is None else self._counted.filled

    def __call__(self, ctx: Context, loss: HostLoss) -> int:
        """Clones that fit after *loss*, until the first that does not."""
        if self._counted is None or not self._by_capacity:
            return self._anew(ctx)
        find = ctx.cloud.find
        counts, request = self._counted.counts, self._counted.request
        total = int(counts.sum()) - sum(int(counts[find("host", name)]) for name in loss.hosts)
        for host in {find("host", name) for _, name in loss.restarted}:
            if counts[host]:
                total -= int(counts[host]) - (_of_host(ctx, request, host) or 0)
        return total

    def _anew(self, ctx: Context) -> int:
        twin = ctx.fork()
        with_offering(twin, self.ask)
        counted = count_by_columns(twin, self.ask) if self.unit.by_columns else None
        filled = count_by_calls(twin, self.ask, self.unit) if counted is None else counted.filled
        return filled.until_failure


def _of_host(ctx: Context, request: HostRequest, host: int) -> int | None:
    physical = request.memory if checks_physical(ctx.cloud) else ANYTHING
    return vms_that_fit(ctx.cloud.fleet, host, request.cpu, request.memory, physical)


def _only_capacity(ctx: Context, counted: Counted) -> bool:
    """Whether every host that takes a clone takes as many as its capacity lets in."""
    counts: IntArray = counted.counts
    return all(_of_host(ctx, counted.request, host) == counts[host] for host in counts.nonzero()[0].tolist())
