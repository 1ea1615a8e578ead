"""A primary storage is enabled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from simclone.changes.entries import storage_entry
from simclone.changes.kind import Data, StorageEvent, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.storage import set_storage_state, set_storage_status


class EnableStorage(StorageEvent):
    """A primary storage is Enabled."""

    key: ClassVar[str] = "enableStorage"
    event: ClassVar[str] = "enable"
    restores: ClassVar[bool] = True
    prices: ClassVar[Mapping[str, float]] = {"enableStorage": 1.0}

    def to_file(self, data: Data) -> None:
        """Write the state; raises InvalidInput."""
        storage_entry(data, self.name_of_target(), f"{self.key}.primaryStorage")["state"] = "Enabled"

    def strike(self, ctx: Context, rows: Sequence[int]) -> Workflows:
        """Set the state."""
        for row in rows:
            yield finished(set_storage_state(ctx, row, "Enabled"))

    def undo(self, ctx: Context, row: int) -> Workflows:
        """Connect it, should it have failed since."""
        yield finished(set_storage_status(ctx, row, "Connected"))

    def words(self) -> str:
        """What is done."""
        return f"enable primary storage {self.name_of_target()}"
