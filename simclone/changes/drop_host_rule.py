"""The VM-host rule of an affinity group is dropped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from simclone.changes.entries import named_entry
from simclone.changes.kind import Data, DocKind, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.groups import drop_host_rule
from simclone.scenario.document.base import Name


class DropHostRule(DocKind):
    """An affinity group has no VM-host rule any more."""

    key: ClassVar[str] = "dropHostRule"
    prices: ClassVar[Mapping[str, float]] = {"dropHostRule": 4.0}

    affinity_group: Name
    """The affinity group."""

    def to_file(self, data: Data) -> None:
        """Take the rule out; raises InvalidInput."""
        groups = data.get("affinityGroups", ())
        named_entry(groups, self.affinity_group, f"{self.key}.affinityGroup", "affinity group").pop("hostRule", None)

    def to_cloud(self, ctx: Context) -> Workflows:
        """Drop the rule."""
        yield finished(drop_host_rule(ctx, ctx.cloud.find("affinityGroup", self.affinity_group)))

    def words(self) -> str:
        """What is done."""
        return f"drop the VM-host rule of group {self.affinity_group}"
