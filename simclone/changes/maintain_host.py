"""Hosts go into maintenance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simclone.changes.entries import host_entry
from simclone.changes.kind import Data, HostEvent, Workflows
from simclone.engine.context import Context
from simclone.engine.operations.hosts import change_host_state
from simclone.scenario.reading.paths import expand_counted


class MaintainHost(HostEvent):
    """A host goes into maintenance once its VMs have moved away; what cannot move stops, or blocks."""

    key: ClassVar[str] = "maintainHost"
    event: ClassVar[str] = "maintain"
    in_waves: ClassVar[bool] = True

    def to_file(self, data: Data) -> None:
        """Write the state; the allocator places the running VMs of the host elsewhere. Raises InvalidInput."""
        entry = host_entry(data, self.name_of_target(), f"{self.key}.host")
        entry["state"] = "Maintenance"
        expand_counted(data, "vms")
        for vm in data["vms"]:
            if vm.get("host") in (entry["name"], entry.get("uuid")) and vm.get("state", "Running") == "Running":
                del vm["host"]

    def strike(self, ctx: Context, rows: Sequence[int]) -> Workflows:
        """Empty the hosts, all at once."""
        for row in rows:
            yield change_host_state(ctx, row, "maintain")

    def undo(self, ctx: Context, row: int) -> Workflows:
        """Enable the host."""
        yield change_host_state(ctx, row, "enable")
