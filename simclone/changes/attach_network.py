"""Layer-2 networks are attached to a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from simclone.changes.entries import attach, named_entry
from simclone.changes.kind import Data, DocKind, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.groups import attach_l2_network
from simclone.scenario.document.base import Name


class AttachNetwork(DocKind):
    """Layer-2 networks, with the layer-3 networks on them, reach one more cluster."""

    key: ClassVar[str] = "attachNetwork"
    prices: ClassVar[Mapping[str, float]] = {"attachNetwork": 5.0}

    l2_networks: Annotated[list[Name], Field(min_length=1)]
    """The layer-2 networks."""
    cluster: Name
    """The cluster."""

    def to_file(self, data: Data) -> None:
        """Write the attachment of the networks and of those on them; raises InvalidInput."""
        networks = data.setdefault("l2Networks", [])
        for row, name in enumerate(self.l2_networks):
            entry = named_entry(networks, name, f"{self.key}.l2Networks.{row}", "layer-2 network")
            attach(entry, self.cluster)
            for network in data.get("l3Networks", ()):
                if network.get("l2Network", networks[0]["name"]) in (entry["name"], entry.get("uuid")):
                    attach(network, self.cluster)

    def to_cloud(self, ctx: Context) -> Workflows:
        """Attach them."""
        cluster = ctx.cloud.find("cluster", self.cluster)
        for name in self.l2_networks:
            yield finished(attach_l2_network(ctx, ctx.cloud.find("l2Network", name), cluster))

    def words(self) -> str:
        """What is done."""
        return f"attach {', '.join(self.l2_networks)} to cluster {self.cluster}"
