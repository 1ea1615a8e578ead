"""Hosts leave for good."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from simclone.changes.entries import host_entry
from simclone.changes.kind import Data, ValueKind, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.hosts import delete_host
from simclone.scenario.document.base import Name
from simclone.scenario.reading.paths import expand_counted


class RemoveHosts(ValueKind[Annotated[list[Name], Field(min_length=1)]]):
    """Hosts by name that are taken away."""

    key: ClassVar[str] = "removeHosts"

    def to_file(self, data: Data) -> None:
        """Take the hosts out; the allocator places the VMs they carried. Raises InvalidInput."""
        gone = {host_entry(data, name, f"{self.key}.{row}")["name"] for row, name in enumerate(self.root)}
        gone |= set(self.root)
        data["hosts"] = [host for host in data["hosts"] if host["name"] not in gone]
        expand_counted(data, "vms")
        for vm in data["vms"]:
            for key in ("host", "lastHost"):
                if vm.get(key) in gone:
                    del vm[key]
        for group in data.get("hostGroups", ()):
            group["hosts"] = [name for name in group.get("hosts", ()) if name not in gone]
        for storage in data.get("primaryStorages", ()):
            if storage.get("localHosts") is not None:
                expand_counted(storage, "localHosts", "host")
                storage["localHosts"] = [share for share in storage["localHosts"] if share["host"] not in gone]
            if "hostLinks" in storage:
                storage["hostLinks"] = [link for link in storage["hostLinks"] if link["host"] not in gone]
        for key, field in (("incidents", "host"), ("resourceConfig", "resource")):
            if key in data:
                data[key] = [entry for entry in data[key] if entry.get(field) not in gone]

    def to_cloud(self, ctx: Context) -> Workflows:
        """Delete the hosts; VMs on them stop."""
        for name in self.root:
            yield finished(delete_host(ctx, ctx.cloud.find("host", name)))

    def as_incidents(self, data: Data, at: float) -> list[Data]:
        """Put the hosts into maintenance: their VMs find another host or stay."""
        return [{"at": at, "host": name, "event": "maintain"} for name in self.root]
