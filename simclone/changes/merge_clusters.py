"""Clusters become one."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from simclone.changes.entries import check_known, replace_attachments, write_clusters
from simclone.changes.kind import Data, DocKind
from simclone.scenario.document.base import Name


class MergeClusters(DocKind):
    """The hosts of *clusters* go to *into*, with what was attached to them."""

    key: ClassVar[str] = "mergeClusters"

    clusters: Annotated[list[Name], Field(min_length=1)]
    """The clusters that are merged."""
    into: Name
    """The cluster they become, one of them or a new one."""

    def to_file(self, data: Data) -> None:
        """Move hosts, attachments and references; raises InvalidInput."""
        write_clusters(data)
        known = {cluster["name"]: cluster for cluster in data["clusters"]}
        check_known(self.clusters, known, f"{self.key}.clusters")
        gone = set(self.clusters) - {self.into}
        if self.into not in known:
            model = {key: value for key, value in known[self.clusters[0]].items() if key != "uuid"}
            data["clusters"].append({**model, "name": self.into})
        data["clusters"] = [cluster for cluster in data["clusters"] if cluster["name"] not in gone]
        replace_attachments(data, gone, [self.into])
        for host in data["hosts"]:
            if host["cluster"] in gone:
                host["cluster"] = self.into
        for request in data.get("requests", ()):
            if request["cloneVmInstance"].get("clusterUuid") in gone:
                request["cloneVmInstance"]["clusterUuid"] = self.into
        for key, field in (("incidents", "cluster"), ("resourceConfig", "resource")):
            for entry in data.get(key, ()):
                if entry.get(field) in gone:
                    entry[field] = self.into
