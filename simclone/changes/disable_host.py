"""Hosts are disabled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simclone.changes.entries import host_entry
from simclone.changes.kind import Data, HostEvent, Workflows
from simclone.engine.context import Context
from simclone.engine.operations.hosts import change_host_state


class DisableHost(HostEvent):
    """A host is Disabled: its VMs stay, no new ones come."""

    key: ClassVar[str] = "disableHost"
    event: ClassVar[str] = "disable"

    def to_file(self, data: Data) -> None:
        """Write the state; raises InvalidInput."""
        host_entry(data, self.name_of_target(), f"{self.key}.host")["state"] = "Disabled"

    def strike(self, ctx: Context, rows: Sequence[int]) -> Workflows:
        """Disable the hosts."""
        for row in rows:
            yield change_host_state(ctx, row, "disable")

    def undo(self, ctx: Context, row: int) -> Workflows:
        """Enable the host."""
        yield change_host_state(ctx, row, "enable")
