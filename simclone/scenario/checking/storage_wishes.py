"""What offerings and affinity groups refer to is there."""

from __future__ import annotations

from simclone.scenario.checking.names import Directory
from simclone.scenario.document.offerings import UuidConstraint
from simclone.scenario.findings import nearest

PLACES = ("host", "cluster", "zone")
"""What a group may be spread over besides labels."""


def check_offerings(names: Directory) -> None:
    """A constraint to a storage names one that exists."""
    for kind in ("instanceOffering", "diskOffering"):
        for row, doc in enumerate(names.docs(kind)):
            constraint = doc.primary_storage_constraint
            if isinstance(constraint, UuidConstraint):
                path = (*names.kinds[kind].paths[row], "primaryStorageConstraint", "primaryStorage")
                names.find("primaryStorage", constraint.primary_storage, path)


def check_links(names: Directory) -> None:
    """Links of storages name hosts that exist."""
    for row, doc in enumerate(names.docs("primaryStorage")):
        for position, link in enumerate(doc.host_links):
            path = (*names.kinds["primaryStorage"].paths[row], "hostLinks", position, "host")
            names.find("host", link.host, path)


def check_groups(names: Directory) -> None:
    """Groups spread over a label that exists and name host groups that exist."""
    labels = {label for kind in ("host", "cluster") for doc in names.docs(kind) for label in doc.labels}
    for row, doc in enumerate(names.docs("affinityGroup")):
        path = names.kinds["affinityGroup"].paths[row]
        if doc.over not in {*PLACES, *labels}:
            words = nearest(doc.over, {*PLACES, *labels})
            names.findings.add((*path, "over"), f"no host has a label {doc.over!r}", words)
        if doc.host_rule is not None:
            names.find("hostGroup", doc.host_rule.host_group, (*path, "hostRule", "hostGroup"))
