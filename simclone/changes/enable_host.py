"""Hosts are enabled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from simclone.changes.entries import host_entry
from simclone.changes.kind import Data, HostEvent, Workflows
from simclone.engine.context import Context
from simclone.engine.operations.host_failure import restart_after_repair
from simclone.engine.operations.hosts import change_host_state


class EnableHost(HostEvent):
    """A host is Enabled; one that comes out of maintenance is Connected too."""

    key: ClassVar[str] = "enableHost"
    event: ClassVar[str] = "enable"
    restores: ClassVar[bool] = True
    prices: ClassVar[Mapping[str, float]] = {"enableHost": 1.0}

    def to_file(self, data: Data) -> None:
        """Write the state; raises InvalidInput."""
        entry = host_entry(data, self.name_of_target(), f"{self.key}.host")
        if entry.get("state") == "Maintenance":
            entry["status"] = "Connected"
        entry["state"] = "Enabled"

    def strike(self, ctx: Context, rows: Sequence[int]) -> Workflows:
        """Enable the hosts."""
        for row in rows:
            yield change_host_state(ctx, row, "enable")

    def undo(self, ctx: Context, row: int) -> Workflows:
        """Bring the host back, should it have failed since."""
        return restart_after_repair(ctx, row)

    def words(self) -> str:
        """What is done."""
        return f"enable host {self.name_of_target()}"
