"""The connection of a host is set, and nothing else reacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from simclone.changes.entries import host_entry
from simclone.changes.kind import Data, DocKind, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.hosts import set_host_status
from simclone.scenario.document.base import Name
from simclone.scenario.document.hosts import Status


class SetHostStatus(DocKind):
    """A host is Connected, Connecting or Disconnected; its VMs stay as they are."""

    key: ClassVar[str] = "setHostStatus"
    prices: ClassVar[Mapping[str, float]] = {"reconnectHost": 2.0}

    host: Name
    """The host."""
    status: Status
    """Its status."""

    def to_file(self, data: Data) -> None:
        """Write the status; raises InvalidInput."""
        host_entry(data, self.host, f"{self.key}.host")["status"] = self.status

    def to_cloud(self, ctx: Context) -> Workflows:
        """Set the status."""
        yield finished(set_host_status(ctx, ctx.cloud.find("host", self.host), self.status))

    def words(self) -> str:
        """What is done."""
        back = f"bring host {self.host} back"
        return back if self.status == "Connected" else f"set host {self.host} to {self.status}"
