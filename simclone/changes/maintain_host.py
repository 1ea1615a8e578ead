"""Hosts go into maintenance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simclone.changes.entries import MAINTAINED, host_entry
from simclone.changes.kind import Data, HostEvent, Workflows
from simclone.engine.context import Context
from simclone.engine.operations.hosts import change_host_state


class MaintainHost(HostEvent):
    """A host goes into maintenance once its VMs have moved away; what cannot move stops, or blocks."""

    key: ClassVar[str] = "maintainHost"
    event: ClassVar[str] = "maintain"
    in_waves: ClassVar[bool] = True

    def to_file(self, data: Data) -> None:
        """Mark the host; its VMs move, or stop, once all changes are made. Raises InvalidInput."""
        entry = host_entry(data, self.name_of_target(), f"{self.key}.host")
        data[MAINTAINED] = [*data.get(MAINTAINED, ()), entry["name"]]

    def strike(self, ctx: Context, rows: Sequence[int]) -> Workflows:
        """Empty the hosts, all at once."""
        for row in rows:
            yield change_host_state(ctx, row, "maintain")

    def undo(self, ctx: Context, row: int) -> Workflows:
        """Enable the host."""
        yield change_host_state(ctx, row, "enable")
