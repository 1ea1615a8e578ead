"""A layer-2 network is attached to a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from simclone.changes.entries import attach, named_entry
from simclone.changes.kind import Data, DocKind, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.groups import attach_l2_network
from simclone.scenario.document.base import Name


class AttachNetwork(DocKind):
    """A layer-2 network, with the layer-3 networks on it, reaches one more cluster."""

    key: ClassVar[str] = "attachNetwork"
    prices: ClassVar[Mapping[str, float]] = {"attachNetwork": 5.0}

    l2_network: Name
    """The layer-2 network."""
    cluster: Name
    """The cluster."""

    def to_file(self, data: Data) -> None:
        """Write the attachment of the network and of those on it; raises InvalidInput."""
        networks = data.setdefault("l2Networks", [])
        entry = named_entry(networks, self.l2_network, f"{self.key}.l2Network", "layer-2 network")
        attach(entry, self.cluster)
        for network in data.get("l3Networks", ()):
            if network.get("l2Network", networks[0]["name"]) in (entry["name"], entry.get("uuid")):
                attach(network, self.cluster)

    def to_cloud(self, ctx: Context) -> Workflows:
        """Attach it."""
        cloud = ctx.cloud
        row, cluster = cloud.find("l2Network", self.l2_network), cloud.find("cluster", self.cluster)
        yield finished(attach_l2_network(ctx, row, cluster))
