"""Hosts that failed come back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simclone.changes.entries import host_entry
from simclone.changes.kind import Data, HostEvent, Workflows
from simclone.engine.context import Context
from simclone.engine.operations.host_failure import restart_after_repair


class RepairHost(HostEvent):
    """A host is back, empty: VMs that did not restart elsewhere are Stopped, and start if HA wants them running."""

    key: ClassVar[str] = "repairHost"
    event: ClassVar[str] = "repair"
    restores: ClassVar[bool] = True

    def to_file(self, data: Data) -> None:
        """Write the host as Connected; raises InvalidInput."""
        host_entry(data, self.name_of_target(), f"{self.key}.host")["status"] = "Connected"

    def strike(self, ctx: Context, rows: Sequence[int]) -> Workflows:
        """Bring the hosts back one after the other."""
        for row in rows:
            yield from restart_after_repair(ctx, row)

    def undo(self, ctx: Context, row: int) -> Workflows:
        """Repair the host once more."""
        return restart_after_repair(ctx, row)
