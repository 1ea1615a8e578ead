"""A primary storage is filled by others, or emptied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simclone.changes.entries import storage_entry
from simclone.changes.kind import Data, Incidents, StorageEvent, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.storage import set_available_physical, set_storage_status
from simclone.scenario.document.base import Size
from simclone.scenario.document.kinds import FileNames


class FillStorage(StorageEvent):
    """What is physically free on a primary storage becomes *availablePhysicalCapacity* bytes."""

    key: ClassVar[str] = "fillStorage"
    event: ClassVar[str] = "fill"

    available_physical_capacity: Size | None = None
    """The bytes that are left."""

    @classmethod
    def check_incidents(cls, names: FileNames, incidents: Incidents) -> None:
        """Add a fault where nobody says how many bytes are left."""
        for path, change in incidents:
            if change.available_physical_capacity is None:
                names.findings.add(path, "fills without saying how far", "availablePhysicalCapacity")

    def _bytes_left(self) -> int:
        if self.available_physical_capacity is None:
            raise self.missing("availablePhysicalCapacity", "bytes")
        return self.available_physical_capacity

    def to_file(self, data: Data) -> None:
        """Write the bytes that are left; raises InvalidInput."""
        entry = storage_entry(data, self.name_of_target(), f"{self.key}.primaryStorage")
        entry["availablePhysicalCapacity"] = self._bytes_left()

    def strike(self, ctx: Context, rows: Sequence[int]) -> Workflows:
        """Set the bytes that are left."""
        for row in rows:
            yield finished(set_available_physical(ctx, row, self._bytes_left()))

    def undo(self, ctx: Context, row: int) -> Workflows:
        """Connect the storage, should it have failed since; what fills it stays."""
        yield finished(set_storage_status(ctx, row, "Connected"))
