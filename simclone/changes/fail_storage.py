"""A primary storage fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simclone.changes.entries import storage_entry
from simclone.changes.kind import Data, StorageEvent, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.storage import set_storage_status


class FailStorage(StorageEvent):
    """A primary storage is Disconnected."""

    key: ClassVar[str] = "failStorage"
    event: ClassVar[str] = "fail"

    def to_file(self, data: Data) -> None:
        """Write the status; raises InvalidInput."""
        storage_entry(data, self.name_of_target(), f"{self.key}.primaryStorage")["status"] = "Disconnected"

    def strike(self, ctx: Context, rows: Sequence[int]) -> Workflows:
        """Set the status."""
        for row in rows:
            yield finished(set_storage_status(ctx, row, "Disconnected"))

    def undo(self, ctx: Context, row: int) -> Workflows:
        """Connect it again."""
        yield finished(set_storage_status(ctx, row, "Connected"))
