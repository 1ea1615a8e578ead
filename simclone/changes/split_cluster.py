"""A cluster is split."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from simclone.changes.entries import check_known, host_entry, replace_attachments, write_clusters
from simclone.changes.kind import Data, DocKind
from simclone.errors import Fault, InvalidInput
from simclone.scenario.document.base import Name
from simclone.scenario.reading.paths import expand_counted


class SplitCluster(DocKind):
    """*hosts* leave *cluster* for a new cluster *into* with the same attachments."""

    key: ClassVar[str] = "splitCluster"

    cluster: Name
    """The cluster they leave."""
    hosts: Annotated[list[Name], Field(min_length=1)]
    """The hosts that leave."""
    into: Name
    """The name of the new cluster."""

    def to_file(self, data: Data) -> None:
        """Add the cluster, attached to the same storages and networks; raises InvalidInput."""
        write_clusters(data)
        expand_counted(data, "hosts")
        known = {cluster["name"]: cluster for cluster in data["clusters"]}
        check_known([self.cluster], known, f"{self.key}.cluster")
        if self.into in known:
            text = f"{self.into!r} is there already"
            raise InvalidInput([Fault(f"{self.key}.into", text, "the name of a new cluster")])
        model = {key: value for key, value in known[self.cluster].items() if key != "uuid"}
        data["clusters"].append({**model, "name": self.into})
        for row, name in enumerate(self.hosts):
            host_entry(data, name, f"{self.key}.hosts.{row}")["cluster"] = self.into
        replace_attachments(data, {self.cluster}, [self.cluster, self.into])
