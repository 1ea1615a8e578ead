"""Hosts fail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simclone.changes.entries import host_entry
from simclone.changes.kind import Data, HostEvent, Workflows
from simclone.engine.context import Context
from simclone.engine.operations.host_failure import fail_host, restart_after_repair, restart_elsewhere
from simclone.engine.waits import alone


class FailHost(HostEvent):
    """A host is gone: its VMs are Unknown, and those with HA start elsewhere."""

    key: ClassVar[str] = "failHost"
    event: ClassVar[str] = "fail"
    has_presets: ClassVar[bool] = True

    def to_file(self, data: Data) -> None:
        """Write the host as Disconnected; raises InvalidInput."""
        host_entry(data, self.name_of_target(), f"{self.key}.host")["status"] = "Disconnected"

    def strike(self, ctx: Context, rows: Sequence[int]) -> Workflows:
        """Fail all hosts first: nobody restarts on a host that fails at the same moment."""
        hit = [fail_host(ctx, row) for row in rows]
        for vms in hit:
            for vm in vms:
                yield alone(vm, restart_elsewhere(ctx, vm))

    def undo(self, ctx: Context, row: int) -> Workflows:
        """Repair the host."""
        return restart_after_repair(ctx, row)
