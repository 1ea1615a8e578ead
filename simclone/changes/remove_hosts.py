"""Hosts leave for good."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from simclone.changes.entries import LEAVING, host_entry
from simclone.changes.evacuate import move_away, move_disks
from simclone.changes.kind import Data, ValueKind, Workflows, finished
from simclone.engine.context import Context, Outcome, operation_error
from simclone.engine.operations.hosts import delete_host
from simclone.scenario.document.base import Name


class RemoveHosts(ValueKind[Annotated[list[Name], Field(min_length=1)]]):
    """Hosts by name that are taken away."""

    key: ClassVar[str] = "removeHosts"

    def to_file(self, data: Data) -> None:
        """Mark the hosts as leaving; their VMs move once all changes are made. Raises InvalidInput."""
        names = [host_entry(data, name, f"{self.key}.{row}")["name"] for row, name in enumerate(self.root)]
        data[LEAVING] = [*data.get(LEAVING, ()), *names]

    def to_cloud(self, ctx: Context) -> Workflows:
        """Move the VMs of the hosts away, the largest first, and delete the hosts; nothing is done where one stays."""
        rows = [ctx.cloud.find("host", name) for name in self.root]
        yield finished(remove_hosts(ctx, rows))

    def as_incidents(self, data: Data, at: float) -> list[Data]:
        """Put the hosts into maintenance: their VMs find another host or stay."""
        return [{"at": at, "host": name, "event": "maintain"} for name in self.root]


def remove_hosts(ctx: Context, rows: list[int]) -> Outcome:
    """Empty hosts and delete them; refused, without a trace, where a VM or a disk cannot leave."""
    twin = ctx.fork()
    stuck = [vm for vm, _ in (*move_away(twin, rows).stuck, *move_disks(twin, rows).stuck)]
    if stuck:
        names = [ctx.cloud.vms.names[vm] for vm in stuck]
        return Outcome(rows[0], operation_error(f"{', '.join(names)} cannot leave", "host.maintenance"))
    move_away(ctx, rows)
    move_disks(ctx, rows)
    for row in rows:
        delete_host(ctx, row)
    return Outcome(rows[0])
