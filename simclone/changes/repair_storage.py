"""A primary storage comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from simclone.changes.entries import storage_entry
from simclone.changes.kind import Data, StorageEvent, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.storage import set_storage_status


class RepairStorage(StorageEvent):
    """A primary storage is Connected."""

    key: ClassVar[str] = "repairStorage"
    event: ClassVar[str] = "repair"
    restores: ClassVar[bool] = True
    prices: ClassVar[Mapping[str, float]] = {"reconnectStorage": 2.0}

    def to_file(self, data: Data) -> None:
        """Write the status; raises InvalidInput."""
        storage_entry(data, self.name_of_target(), f"{self.key}.primaryStorage")["status"] = "Connected"

    def strike(self, ctx: Context, rows: Sequence[int]) -> Workflows:
        """Set the status."""
        for row in rows:
            yield finished(set_storage_status(ctx, row, "Connected"))

    def undo(self, ctx: Context, row: int) -> Workflows:
        """Connect it once more."""
        yield finished(set_storage_status(ctx, row, "Connected"))

    def words(self) -> str:
        """What is done."""
        return f"bring primary storage {self.name_of_target()} back"
