"""A primary storage is attached to a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from simclone.changes.entries import attach, storage_entry
from simclone.changes.kind import Data, DocKind, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.storage import attach_primary_storage
from simclone.scenario.document.base import Name


class AttachStorage(DocKind):
    """A primary storage serves one more cluster."""

    key: ClassVar[str] = "attachStorage"
    prices: ClassVar[Mapping[str, float]] = {"attachStorage": 5.0}

    primary_storage: Name
    """The primary storage."""
    cluster: Name
    """The cluster."""

    def to_file(self, data: Data) -> None:
        """Write the attachment; raises InvalidInput."""
        attach(storage_entry(data, self.primary_storage, f"{self.key}.primaryStorage"), self.cluster)

    def to_cloud(self, ctx: Context) -> Workflows:
        """Attach it."""
        cloud = ctx.cloud
        row, cluster = cloud.find("primaryStorage", self.primary_storage), cloud.find("cluster", self.cluster)
        yield finished(attach_primary_storage(ctx, row, cluster))

    def words(self) -> str:
        """What is done."""
        return f"attach {self.primary_storage} to cluster {self.cluster}"
