"""A primary storage is disabled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simclone.changes.entries import storage_entry
from simclone.changes.kind import Data, StorageEvent, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.storage import set_storage_state


class DisableStorage(StorageEvent):
    """A primary storage is Disabled: volumes stay, no new ones come."""

    key: ClassVar[str] = "disableStorage"
    event: ClassVar[str] = "disable"

    def to_file(self, data: Data) -> None:
        """Write the state; raises InvalidInput."""
        storage_entry(data, self.name_of_target(), f"{self.key}.primaryStorage")["state"] = "Disabled"

    def strike(self, ctx: Context, rows: Sequence[int]) -> Workflows:
        """Set the state."""
        for row in rows:
            yield finished(set_storage_state(ctx, row, "Disabled"))

    def undo(self, ctx: Context, row: int) -> Workflows:
        """Enable it."""
        yield finished(set_storage_state(ctx, row, "Enabled"))
