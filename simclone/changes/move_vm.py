"""A VM stands on another host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from simclone.changes.entries import check_known, host_entry
from simclone.changes.kind import Data, DocKind, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.hosts import put_on_host
from simclone.scenario.document.base import Name
from simclone.scenario.reading.paths import expand_counted


class MoveVm(DocKind):
    """A VM of the file stands on another host, without the allocator being asked."""

    key: ClassVar[str] = "moveVm"
    prices: ClassVar[Mapping[str, float]] = {"moveVm": 8.0}

    vm: Name
    """The VM."""
    host: Name
    """The host it stands on."""

    def to_file(self, data: Data) -> None:
        """Write the other host; raises InvalidInput."""
        expand_counted(data, "vms")
        host_entry(data, self.host, f"{self.key}.host")
        known = {vm["name"]: vm for vm in data["vms"]}
        check_known([self.vm], known, f"{self.key}.vm")
        known[self.vm]["host"] = self.host

    def to_cloud(self, ctx: Context) -> Workflows:
        """End what the VM holds of its host and hold as much of the other one."""
        yield finished(put_on_host(ctx, ctx.cloud.find("vm", self.vm), ctx.cloud.find("host", self.host)))

    def words(self) -> str:
        """What is done."""
        return f"move VM {self.vm} to {self.host}"
