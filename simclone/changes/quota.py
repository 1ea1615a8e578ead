"""The limits of an account change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from simclone.changes.kind import Data, DocKind, Incidents, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.groups import update_quota
from simclone.model.settings import QUOTA_DEFAULTS
from simclone.scenario.document.base import Name, Size
from simclone.scenario.document.kinds import FileNames
from simclone.scenario.findings import nearest
from simclone.scenario.reading.paths import set_path


class Quota(DocKind):
    """Limits of an account."""

    key: ClassVar[str] = "quota"
    incident: ClassVar[bool] = True
    prices: ClassVar[Mapping[str, float]] = {"raiseQuota": 3.0}

    account: Name
    """The account."""
    limits: dict[Name, Size]
    """Its limits, by quota name."""

    @classmethod
    def check_incidents(cls, names: FileNames, incidents: Incidents) -> None:
        """Add a fault for every account and quota name that is not there."""
        for path, change in incidents:
            names.find("account", change.account, (*path, cls.key, "account"))
            for name in change.limits:
                if name not in QUOTA_DEFAULTS:
                    where = (*path, cls.key, "limits", name)
                    names.findings.add(where, f"unknown quota {name!r}", nearest(name, QUOTA_DEFAULTS))

    def to_file(self, data: Data) -> None:
        """Write the limits; raises InvalidInput for an account that is not there."""
        for name, value in self.limits.items():
            set_path(data, f"accounts.{self.account}.quota.{name}", value)

    def to_cloud(self, ctx: Context) -> Workflows:
        """Set the limits."""
        account = ctx.cloud.find("account", self.account)
        for name, value in self.limits.items():
            yield finished(update_quota(ctx, account, name, value))

    def words(self) -> str:
        """What is done."""
        limits = ", ".join(f"{name} to {value}" for name, value in self.limits.items())
        return f"raise {limits}"
