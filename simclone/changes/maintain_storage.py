"""A primary storage goes into maintenance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simclone.changes.entries import storage_entry
from simclone.changes.kind import Data, StorageEvent, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.storage import change_primary_storage_state, set_storage_state
from simclone.scenario.reading.paths import expand_counted


class MaintainStorage(StorageEvent):
    """A primary storage goes into maintenance; VMs that have a volume on it stop."""

    key: ClassVar[str] = "maintainStorage"
    event: ClassVar[str] = "maintain"

    def to_file(self, data: Data) -> None:
        """Write the state, and the VMs whose root volume is on it as Stopped; raises InvalidInput."""
        entry = storage_entry(data, self.name_of_target(), f"{self.key}.primaryStorage")
        entry["state"] = "Maintenance"
        expand_counted(data, "vms")
        for vm in data["vms"]:
            if (
                vm.get("primaryStorage") in (entry["name"], entry.get("uuid"))
                and vm.get("state", "Running") != "Created"
            ):
                vm["state"] = "Stopped"
                if "host" in vm:
                    vm["lastHost"] = vm.pop("host")

    def strike(self, ctx: Context, rows: Sequence[int]) -> Workflows:
        """Set the state and stop the VMs."""
        for row in rows:
            yield finished(change_primary_storage_state(ctx, row, "maintain"))

    def undo(self, ctx: Context, row: int) -> Workflows:
        """Enable the storage; its VMs stay stopped."""
        yield finished(set_storage_state(ctx, row, "Enabled"))
