"""A scenario with changes made: what-ifs, fixes and parameter sweeps are all told as changes to a file's data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from simclone.errors import Fault, InvalidInput
from simclone.model.settings import canonical
from simclone.scenario.change_demand import scale_demand
from simclone.scenario.change_places import (
    add_hosts,
    merge_clusters,
    move_vm,
    only_cluster,
    remove_hosts,
    replace_hosts,
    split_cluster,
)
from simclone.scenario.checking.shape import parse_document
from simclone.scenario.document.changes import ChangeDoc, WhatIfDoc
from simclone.scenario.load import Scenario, scenario_from
from simclone.scenario.reading.paths import expand_counted, set_path

Data = dict[str, Any]


def data_of(scenario: Scenario) -> Data:
    """The scenario as plain data in the file's spelling, hosts of a table among them."""
    values: Data = scenario.doc.model_dump(by_alias=True, exclude_unset=True, mode="json")
    return values


def change_docs(changes: Sequence[Mapping[str, Any]], at: str = "changes") -> list[ChangeDoc]:
    """Checked changes from plain data; raises InvalidInput with every fault."""
    docs = [parse_document(ChangeDoc, dict(change), f"{at}.{row}") for row, change in enumerate(changes)]
    faults = [
        Fault(f"{at}.{row}", f"holds {len(doc.kinds())} changes", "exactly one")
        for row, doc in enumerate(docs)
        if len(doc.kinds()) != 1
    ]
    if faults:
        raise InvalidInput(faults)
    return docs


def change_scenario(scenario: Scenario, changes: Sequence[Mapping[str, Any]]) -> Scenario:
    """The scenario with *changes* made before it starts, checked as a file is; raises InvalidInput with every fault.

    Expectations are left out, since they are about the unchanged scenario.
    """
    return with_changes(scenario, change_docs(changes))


def with_changes(scenario: Scenario, docs: Sequence[ChangeDoc], at: str = "changes") -> Scenario:
    """`changed` for checked changes; *at* is where they stand in messages."""
    data = _bare(scenario)
    for row, doc in enumerate(docs):
        apply(data, doc, f"{at}.{row}")
    text = json.dumps([doc.given() for doc in docs], sort_keys=True)
    digest = sha256(f"{scenario.sha256}{text}".encode()).hexdigest()
    return scenario_from(data, scenario.path, digest)


def _bare(scenario: Scenario) -> Data:
    """The data without what is about the unchanged scenario, under its name."""
    data = data_of(scenario)
    for key in ("expect", "whatif"):
        data.pop(key, None)
    return {**data, "name": scenario.name}


def apply(data: Data, doc: ChangeDoc, at: str = "change") -> None:
    """Make one change in plain data; raises InvalidInput when it names what is not there."""
    kind = doc.kinds()[0]
    try:
        _APPLIED[kind](data, getattr(doc, kind))
    except InvalidInput as error:
        raise InvalidInput(
            [Fault(f"{at}: {fault.path}", fault.message, fault.expected) for fault in error.faults]
        ) from None


_DERIVED = {"host.cpu.overProvisioning.ratio": "totalCpu", "kvm.reservedMemory": "reservedMemory"}
"""Settings that hosts' figures follow: one that is given in the file would contradict the new value."""


def _settings(data: Data, values: Mapping[str, Any]) -> None:
    """Set values, whatever spelling the file has for them."""
    new = {_full(key): value for key, value in values.items()}
    old = {key: value for key, value in data.get("globalConfig", {}).items() if _full(key) not in new}
    data["globalConfig"] = {**old, **new}
    for key in new:
        for host in data.get("hosts", ()) if key in _DERIVED else ():
            host.pop(_DERIVED[key], None)


def _full(key: str) -> str:
    try:
        return canonical(key)
    except KeyError:
        return key


def _quota(data: Data, doc: Any) -> None:
    for name, value in doc.limits.items():
        set_path(data, f"accounts.{doc.account}.quota.{name}", value)


def _set(data: Data, values: Mapping[str, Any]) -> None:
    for path, value in values.items():
        if path.startswith("globalConfig."):
            _settings(data, {path.removeprefix("globalConfig."): value})
        else:
            set_path(data, path, value)


_APPLIED: Mapping[str, Callable[[Data, Any], None]] = {
    "add_hosts": add_hosts,
    "remove_hosts": remove_hosts,
    "replace_hosts": replace_hosts,
    "global_config": _settings,
    "quota": _quota,
    "demand": scale_demand,
    "merge_clusters": merge_clusters,
    "split_cluster": split_cluster,
    "move_vm": move_vm,
    "set": _set,
}


def what_if(scenario: Scenario, doc: WhatIfDoc, at: str = "whatif") -> Scenario:
    """The scenario with a what-if's changes, before the run or, where it says *at*, as incidents of that time."""
    if doc.at is None:
        return with_changes(scenario, doc.changes, f"{at}.changes")
    data = _bare(scenario)
    later = [_incidents(data, change, doc.at, f"{at}.changes.{row}") for row, change in enumerate(doc.changes)]
    data["incidents"] = [*data.get("incidents", ()), *(item for some in later for item in some)]
    digest = sha256(f"{scenario.sha256}{doc.model_dump_json()}".encode()).hexdigest()
    return scenario_from(data, scenario.path, digest)


def _incidents(data: Data, doc: ChangeDoc, at: float, path: str) -> list[Data]:
    """What a change is as incidents; a host that goes is put into maintenance, its VMs find a place or stay."""
    if doc.global_config is not None:
        return [{"at": at, "globalConfig": dict(doc.global_config)}]
    if doc.remove_hosts is not None:
        return [{"at": at, "host": name, "event": "maintain"} for name in doc.remove_hosts]
    if doc.add_hosts is not None:
        grown: Data = {**data, "hosts": list(data.get("hosts", ()))}
        expand_counted(grown, "hosts")
        before = len(grown["hosts"])
        add_hosts(grown, doc.add_hosts)
        new = grown["hosts"][before:]
        for host in new:
            host.setdefault("cluster", only_cluster(data))
        return [{"at": at, "addHosts": _new(host, doc.add_hosts.local_storage)} for host in new]
    raise InvalidInput([Fault(path, f"{doc.kinds()[0]} can only be made before the run", "no at")])


def _new(host: Data, local: int | None) -> Data:
    result: Data = {key: host[key] for key in ("name", "cluster", "cpuNum", "totalPhysicalMemory")}
    return result if local is None else result | {"localStorage": local}
