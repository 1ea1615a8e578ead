"""Figures of a cloud as plain data, at the opening and at the end of a run; with the events they are its records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from simclone.model.cloud import Cloud
from simclone.model.settings import QUOTA_DEFAULTS
from simclone.records import CloneAnswer

HOST_FIELDS = (
    "exists",
    "zone",
    "cluster",
    "state",
    "status",
    "total_cpu",
    "available_cpu",
    "total_memory",
    "available_memory",
    "reserved_memory",
)
VM_FIELDS = ("alive", "state", "host", "cpu", "memory")


def figures(cloud: Cloud) -> dict[str, Any]:
    """Hosts, storages, networks, groups and limits as they stand, by row."""
    columns = {name: cloud.fleet.array(cloud.fleet.cells[name]).tolist() for name in HOST_FIELDS}
    hosts = [
        {
            "name": cloud.fleet.names[row],
            "labels": cloud.fleet.labels[row],
            "devices": {spec: counts[row] for spec, counts in cloud.fleet.devices.items() if row in counts},
            **{name: columns[name][row] for name in HOST_FIELDS},
        }
        for row in range(cloud.fleet.row_count)
    ]
    return {
        "hosts": hosts,
        "storages": [_storage(cloud, row) for row in range(len(cloud.storages))],
        "networks": [
            {"ranges": [[range_.start, range_.end] for range_ in pool.ranges], "used": sorted(pool.used)}
            for pool in cloud.pools
        ],
        "groups": [_group(cloud, row) for row in range(len(cloud.groups))],
        "vms": [{name: cloud.vms.cells[name][row] for name in VM_FIELDS} for row in range(cloud.vms.row_count)],
        "accounts": [
            {name: cloud.limit(account, name) for name in QUOTA_DEFAULTS} for account in range(len(cloud.accounts))
        ],
    }


def opening_figures(cloud: Cloud) -> dict[str, Any]:
    """The figures of the opening, and what is attached to each cluster: the auditor judges spread groups by it."""
    return {**figures(cloud), "clusters": _clusters(cloud)}


def _clusters(cloud: Cloud) -> list[dict[str, list[int]]]:
    """The layer-2 networks and primary storages attached to each cluster, as rows."""
    return [
        {
            "l2s": [l2 for l2, clusters in enumerate(cloud.l2_clusters) if cluster in clusters],
            "storages": [row for row, storage in enumerate(cloud.storages) if cluster in storage.clusters],
        }
        for cluster in range(len(cloud.clusters))
    ]


def _storage(cloud: Cloud, row: int) -> dict[str, Any]:
    storage = cloud.storages[row]
    shown: dict[str, Any] = {"name": storage.name, "total": storage.total, "available": storage.available}
    if storage.shares is not None:
        present = np.flatnonzero(storage.shares.array(storage.shares.present)).tolist()
        shown["shares"] = {str(host): storage.shares.available[host] for host in present}
    return shown


def _group(cloud: Cloud, row: int) -> dict[str, Any]:
    item = cloud.groups[row]
    rule = item.host_rule
    hosts = None if rule is None else {"policy": rule.policy, "hosts": sorted(cloud.host_groups[rule.group].hosts)}
    return {
        "policy": item.policy,
        "enabled": int(item.enabled),
        "over": item.over,
        "max_skew": item.max_skew,
        "host_rule": hosts,
        "members": sorted(item.members),
    }


def answer_records(answers: Iterable[CloneAnswer]) -> list[dict[str, Any]]:
    """What was answered, by VM row; *kept* says that the call failed after work had begun."""
    return [
        {
            "request": answer.request.name,
            "cloned": answer.succeeded,
            "kept": answer.error is not None,
            "clones": [
                {
                    "vm": clone.vm,
                    "ok": clone.error is None,
                    "host": clone.host if clone.error is None else -1,
                    "failed_start": clone.error is not None and clone.error.code == "VM.1001",
                }
                for clone in answer.clones
            ],
        }
        for answer in answers
    ]
