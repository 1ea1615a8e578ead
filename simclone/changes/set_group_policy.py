"""The policy of an affinity group changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from simclone.changes.entries import named_entry
from simclone.changes.kind import Data, DocKind, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.groups import set_group_policy
from simclone.scenario.document.base import Name
from simclone.scenario.document.offerings import GroupPolicy


class SetGroupPolicy(DocKind):
    """An affinity group has another policy."""

    key: ClassVar[str] = "setGroupPolicy"
    prices: ClassVar[Mapping[str, float]] = {"softenRule": 4.0}

    affinity_group: Name
    """The affinity group."""
    policy: GroupPolicy
    """Its policy."""

    def to_file(self, data: Data) -> None:
        """Write the policy; raises InvalidInput."""
        groups = data.get("affinityGroups", ())
        named_entry(groups, self.affinity_group, f"{self.key}.affinityGroup", "affinity group")["policy"] = self.policy

    def to_cloud(self, ctx: Context) -> Workflows:
        """Set the policy."""
        yield finished(set_group_policy(ctx, ctx.cloud.find("affinityGroup", self.affinity_group), self.policy))

    def words(self) -> str:
        """What is done."""
        return f"make group {self.affinity_group} {self.policy}"
