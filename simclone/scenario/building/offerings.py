"""Offerings, affinity groups and host groups of a cloud."""

from __future__ import annotations

from simclone.allocator.host.strategies import LEAST_VM
from simclone.model.cloud import Cloud, Group
from simclone.model.inventory import DiskOffering, HostGroup, HostRule, InstanceOffering, StorageConstraint
from simclone.scenario.checking.document import Resolved
from simclone.scenario.document.offerings import TagConstraint, UuidConstraint
from simclone.vocabulary import Policy


def add_offerings(cloud: Cloud, resolved: Resolved) -> None:
    """All instance and disk offerings."""
    names = resolved.names
    for uuid, doc in zip(names.kinds["instanceOffering"].uuids, names.docs("instanceOffering"), strict=True):
        cloud.offerings.append(
            InstanceOffering(
                uuid=uuid,
                name=doc.name,
                cpu_num=doc.cpu_num,
                memory_size=doc.memory_size,
                strategy=doc.allocator_strategy or LEAST_VM,
                constraint=_constraint(doc.primary_storage_constraint, resolved),
                system_tags=tuple(doc.system_tags),
                cpu_speed=doc.cpu_speed,
                state=doc.state,
            )
        )
    for uuid, doc in zip(names.kinds["diskOffering"].uuids, names.docs("diskOffering"), strict=True):
        constraint = _constraint(doc.primary_storage_constraint, resolved)
        cloud.disk_offerings.append(DiskOffering(uuid, doc.name, doc.disk_size, doc.allocator_strategy, constraint))


def _constraint(doc: UuidConstraint | TagConstraint | None, resolved: Resolved) -> StorageConstraint | None:
    if doc is None:
        return None
    if isinstance(doc, TagConstraint):
        return StorageConstraint(tag=doc.tag, required=doc.required)
    return StorageConstraint(storage=resolved.names.kinds["primaryStorage"].rows[doc.primary_storage])


def add_groups(cloud: Cloud, resolved: Resolved) -> None:
    """All host groups and affinity groups, without members."""
    names = resolved.names
    host_groups = names.kinds["hostGroup"]
    for row, doc in enumerate(host_groups.docs):
        cloud.host_groups.append(HostGroup(host_groups.uuids[row], doc.name, resolved.attached.group_hosts[row]))
    for uuid, doc in zip(names.kinds["affinityGroup"].uuids, names.docs("affinityGroup"), strict=True):
        rule = doc.host_rule
        cloud.groups.append(
            Group(
                uuid=uuid,
                name=doc.name,
                policy=Policy(doc.policy),
                enabled=doc.state == "Enabled",
                over=doc.over,
                max_skew=doc.max_skew,
                host_rule=HostRule(Policy(rule.policy), host_groups.rows[rule.host_group]) if rule else None,
            )
        )
