"""What will go wrong before anything runs: rules nobody can keep, shapes nothing holds, settings nobody reads."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simclone.allocator.rules.capacity import checks_physical, shortfall
from simclone.engine.context import Context
from simclone.engine.opening import open_context
from simclone.errors import InvalidInput
from simclone.explain.lint_finding import ERROR, WARNING, LintFinding
from simclone.explain.lint_requests import lint_requests
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, ENABLED
from simclone.model.settings import DEFINITIONS, canonical
from simclone.scenario.document.requests import RequestDoc
from simclone.scenario.load import Scenario
from simclone.vocabulary import Policy


def lint(scenario: Scenario) -> tuple[LintFinding, ...]:
    """Everything found, errors first, in the order of the file."""
    cloud = scenario.build().cloud
    result = [
        *_settings(scenario),
        *_offerings(cloud),
        *_images(cloud),
        *_networks(cloud),
        *_clusters(cloud),
        *_groups(scenario, cloud),
        *_bindings(scenario, cloud),
        *_placing(scenario),
    ]
    return tuple(sorted(result, key=lambda one: one.severity != ERROR))


def _placing(scenario: Scenario) -> Iterator[LintFinding]:
    """VMs of the file that have no place; where all have one, what will go wrong with the requests."""
    opened = _opened(scenario)
    if isinstance(opened, Context):
        yield from lint_requests(scenario, opened)
    else:
        for fault in opened.faults:
            yield LintFinding(ERROR, fault.path, fault.message, fault.expected)


def _opened(scenario: Scenario) -> Context | InvalidInput:
    try:
        return open_context(scenario)
    except InvalidInput as result:
        return result


def _usable(cloud: Cloud) -> list[int]:
    return [int(host) for host in np.flatnonzero(cloud.fleet.usable())]


def _settings(scenario: Scenario) -> Iterator[LintFinding]:
    for key in scenario.doc.global_config:
        if DEFINITIONS[canonical(key)].dead:
            text = f"{canonical(key)} is read by nobody: it changes no decision"
            yield LintFinding(WARNING, f"globalConfig.{key}", text, "leave it out; kvm.reservedMemory is what counts")


def _offerings(cloud: Cloud) -> Iterator[LintFinding]:
    """Offerings that no host takes even when it is empty; where no host is usable at all, others say so."""
    fleet, hosts = cloud.fleet, _usable(cloud)
    for row, offering in enumerate(cloud.offerings if hosts else ()):
        wide = [host for host in hosts if fleet.total_cpu[host] >= offering.cpu_num]
        physical = checks_physical(cloud)
        high = [
            host
            for host in hosts
            if (fleet.total_memory[host] > offering.memory_size or not physical)
            and _holds(cloud, host, offering.memory_size)
        ]
        if set(wide) & set(high):
            continue
        what = "vCPUs" if not wide else "memory" if not high else "vCPUs and memory together"
        text = f"{offering.name} fits no host at any load for its {what}"
        yield LintFinding(ERROR, f"instanceOfferings.{row}", text, "a smaller offering, larger hosts or a higher ratio")


def _holds(cloud: Cloud, host: int, memory: int) -> bool:
    fleet = cloud.fleet
    short = shortfall(fleet, host, 0, memory)
    return short is None or short.memory <= fleet.total_memory[host] - fleet.available_memory[host]


def _images(cloud: Cloud) -> Iterator[LintFinding]:
    for row, image in enumerate(cloud.images):
        present = [
            at
            for at in image.backup_storages
            if cloud.backups[at].status == CONNECTED and cloud.backups[at].state == ENABLED and cloud.backups[at].zones
        ]
        if not present:
            text = f"{image.name} is kept by no backup storage that is Enabled, Connected and attached to a zone"
            yield LintFinding(ERROR, f"images.{row}", text, "backupStorages, or the state of those it names")


def _networks(cloud: Cloud) -> Iterator[LintFinding]:
    stored = {cluster for storage in cloud.storages if storage.usable(True) for cluster in storage.clusters}
    hosts = {cloud.fleet.cluster[host] for host in _usable(cloud)}
    for row, l3 in enumerate(cloud.l3s):
        clusters = cloud.l2_clusters[l3.l2]
        if not clusters & stored & hosts:
            text = f"{l3.name} reaches no cluster that has both usable storage and a usable host"
            yield LintFinding(ERROR, f"l3Networks.{row}", text, "attach its L2 network to such a cluster")


def _clusters(cloud: Cloud) -> Iterator[LintFinding]:
    usable = {cloud.fleet.cluster[host] for host in _usable(cloud)}
    for row, item in enumerate(cloud.clusters):
        if not any(storage.usable(True) and row in storage.clusters for storage in cloud.storages):
            text = f"{item.name} has no usable primary storage: its hosts take no VM"
            yield LintFinding(
                WARNING, f"clusters.{row}", text, "attach a primary storage that is Enabled and Connected"
            )
        if row not in usable:
            yield LintFinding(
                WARNING, f"clusters.{row}", f"{item.name} has no host that is Enabled and Connected", "a host"
            )


def _asked(request: RequestDoc) -> int:
    names = request.clone_vm_instance.get("names")
    return len(names) if isinstance(names, list) else 0


def _groups(scenario: Scenario, cloud: Cloud) -> Iterator[LintFinding]:
    """antiHard groups that more names ask to join than there are hosts."""
    hosts = len(_usable(cloud))
    for row, group in enumerate(cloud.groups):
        if group.policy is not Policy.ANTI_HARD or not group.enabled:
            continue
        tags = {f"affinityGroupUuid::{group.name}", f"affinityGroupUuid::{group.uuid}"}
        joining = sum(_asked(request) for request in scenario.requests if tags & set(request.system_tags or ()))
        present = sum(doc.affinity_group in (group.name, group.uuid) for doc in scenario.vms)
        if joining + present > hosts:
            text = f"{group.name} is antiHard: {joining + present} members at most {hosts} hosts can hold"
            count = joining + present - hosts
            yield LintFinding(ERROR, f"affinityGroups.{row}", text, f"antiSoft, or {count} more hosts or fewer names")


def _bindings(scenario: Scenario, cloud: Cloud) -> Iterator[LintFinding]:
    """A wish for one place and a binding to another."""
    for row, request in enumerate(scenario.requests):
        wished = request.clone_vm_instance.get("clusterUuid")
        bound = [tag for tag in request.system_tags or () if tag.startswith("resourceBindings::Cluster:")]
        for tag in bound:
            name = tag.removeprefix("resourceBindings::Cluster:").split(",")[0]
            known = {item.name: at for at, item in enumerate(cloud.clusters)} | {
                cluster.uuid: at for at, cluster in enumerate(cloud.clusters)
            }
            if wished is not None and known.get(str(wished)) != known.get(name):
                text = f"cluster {wished} is asked for, but the VM is bound to cluster {name}"
                yield LintFinding(ERROR, f"requests.{row}.systemTags", text, "one of the two")
