"""Operations of a case that are changes: what a step writes, as the change of its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simclone.changes.add_hosts import AddHosts
from simclone.changes.attach_storage import AttachStorage
from simclone.changes.disable_host import DisableHost
from simclone.changes.disable_storage import DisableStorage
from simclone.changes.enable_host import EnableHost
from simclone.changes.enable_storage import EnableStorage
from simclone.changes.global_config import GlobalConfig
from simclone.changes.kind import ChangeKind, EventKind
from simclone.changes.maintain_host import MaintainHost
from simclone.changes.maintain_storage import MaintainStorage
from simclone.changes.quota import Quota
from simclone.changes.set_host_status import SetHostStatus
from simclone.engine.context import operation_error
from simclone.records import ErrorCode

Spec = Mapping[str, Any]
_EVENTS: Mapping[str, Mapping[str, type[EventKind]]] = {
    "host": {"enable": EnableHost, "disable": DisableHost, "maintain": MaintainHost},
    "primaryStorage": {"enable": EnableStorage, "disable": DisableStorage, "maintain": MaintainStorage},
}


def _host(spec: Spec) -> ChangeKind:
    """A new host with its disks."""
    shares = {share["primaryStorage"]: share["totalCapacity"] for share in spec.get("localStorage", ())}
    size = {key: spec[key] for key in ("name", "cluster", "cpuNum", "totalPhysicalMemory")}
    return AddHosts.model_validate({**size, "localStorages": shares})


def _event(target: str) -> Callable[[Spec], ChangeKind | ErrorCode]:
    """The change of a host's or storage's state that a step names, or the platform's error for an unknown one."""

    def change(spec: Spec) -> ChangeKind | ErrorCode:
        kind = _EVENTS[target].get(spec["event"])
        if kind is None:
            return operation_error(f"unknown {target} state event {spec['event']!r}")
        return kind.model_validate({target: spec[target]})

    return change


CHANGES: Mapping[str, Callable[[Spec], ChangeKind | ErrorCode]] = {
    "addHost": _host,
    "changeHostState": _event("host"),
    "setHostStatus": SetHostStatus.model_validate,
    "changePrimaryStorageState": _event("primaryStorage"),
    "attachPrimaryStorage": AttachStorage.model_validate,
    "updateGlobalConfig": lambda spec: GlobalConfig({spec["key"]: spec["value"]}),
    "updateQuota": lambda spec: Quota(account=spec["account"], limits={spec["name"]: spec["value"]}),
}
"""Operations that are changes, by name."""
