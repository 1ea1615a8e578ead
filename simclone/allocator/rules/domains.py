"""Domains of hosts that groups are judged over: hosts, clusters, zones, values of a label (rules/affinity.md#domains)."""

from __future__ import annotations

import numpy as np

from simclone.model.cloud import Cloud
from simclone.model.columns import IntArray

HOST = "host"
"""What a group is judged over unless it says otherwise: each host is a domain."""
ROOMS = ("cluster", "zone")
"""Domains that are no labels."""


def domains_of(cloud: Cloud, over: str) -> IntArray:
    """The domain of each host under *over* (host, zone, cluster or a host label) as a small integer, shape (hosts,).

    A host without the label is a domain of its own (`hosts_without_label`). Not to be written.
    """
    known, key = cloud.remembered(), ("domains", over, cloud.fleet.row_count)
    domains: IntArray | None = known.get(key)
    if domains is None:
        domains = known[key] = _domains_of(cloud, over)
    return domains


def _domains_of(cloud: Cloud, over: str) -> IntArray:
    if over in ROOMS:
        return cloud.fleet.array(cloud.fleet.cells[over]).copy()
    if over == HOST:
        return np.arange(cloud.fleet.row_count)
    known: dict[str, int] = {}
    rows = [
        known.setdefault(labels.get(over, f"\0{host}"), len(known)) for host, labels in enumerate(cloud.fleet.labels)
    ]
    return np.array(rows, dtype=np.int64)


def hosts_without_label(cloud: Cloud, over: str) -> tuple[int, ...]:
    """The hosts, ascending, that lack the label *over* and so are domains of their own; none where it is no label."""
    if over in (HOST, *ROOMS):
        return ()
    fleet = cloud.fleet
    return tuple(host for host, labels in enumerate(fleet.labels) if fleet.exists[host] and over not in labels)
