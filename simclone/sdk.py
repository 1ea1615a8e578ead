"""The SDK classes of the API page, answered by a simulated cloud instead of a management node."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simclone.api import Cloud
from simclone.wire.request import FIELDS, TOP_TAGS


@dataclass
class CloneVmInstanceResult:
    """What ``call`` returns: *value* on success, *error* otherwise; the other one is None."""

    value: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


@dataclass
class CloneVmInstanceAction:
    """``CloneVmInstanceAction`` with the attribute names of the API page.

    *cloud* is the simulated cloud that answers (`simclone.open_cloud`); *sessionId* is accepted and not looked at.
    """

    cloud: Cloud | None = None
    vmInstanceUuid: str | None = None
    strategy: str | None = None
    names: list[str] | None = None
    full: bool | None = None
    primaryStorageUuidForRootVolume: str | None = None
    primaryStorageUuidForDataVolume: str | None = None
    rootVolumeSystemTags: list[str] | None = None
    dataVolumeSystemTags: list[str] | None = None
    clusterUuid: str | None = None
    hostUuid: str | None = None
    description: str | None = None
    systemTags: list[str] | None = field(default=None)
    userTags: list[str] | None = field(default=None)
    sessionId: str | None = None

    def call(self) -> CloneVmInstanceResult:
        """Send the request; raises ValueError when there is no cloud or no VM to clone."""
        if self.cloud is None or self.vmInstanceUuid is None:
            raise ValueError("set cloud and vmInstanceUuid before calling")
        action = {key: getattr(self, key) for key in FIELDS if key not in TOP_TAGS}
        body: dict[str, Any] = {"cloneVmInstance": {key: value for key, value in action.items() if value is not None}}
        body.update({tag: getattr(self, tag) for tag in TOP_TAGS if getattr(self, tag) is not None})
        answer = self.cloud.clone_vm_instance(self.vmInstanceUuid, body)
        return CloneVmInstanceResult(answer.get("result"), answer.get("error"))
