"""Flows about particular hosts: avoided ones, bound ones, the last one, OS version, instance limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simclone.allocator.host.flow import Candidates, FilterFlow, FlowFacts, HardStop, Pass, Test, refusal
from simclone.allocator.host.request import HostRequest
from simclone.allocator.lookups import Sparse
from simclone.allocator.rules.bindings import binding_counts, binds_cluster, bound_hosts, is_soft
from simclone.model.cloud import Cloud
from simclone.model.inventory import CONNECTED, ENABLED
from simclone.records import ErrorCode
from simclone.vocabulary import HOST_AVOIDED, HOST_BINDING, HOST_MAX_INSTANCES, HOST_NOT_LAST, HOST_OS


@dataclass(frozen=True, slots=True)
class Facts:
    """*named*: 1 for the hosts the rule names."""

    named: Sparse


class AvoidHostFlow(FilterFlow):
    """Drops hosts the caller must not get."""

    name: ClassVar[str] = "AvoidHostAllocatorFlow"
    tests: ClassVar[tuple[Test, ...]] = (Test(HOST_AVOIDED, lambda host, facts: facts.named[host.index] == 0),)

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """The hosts to avoid."""
        if not request.avoid:
            return Pass()
        return Facts(Sparse(dict.fromkeys(sorted(request.avoid), 1), cloud.fleet.row_count))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """Says how many were avoided."""
        return refusal(HOST_AVOIDED, f"only hosts to be avoided are left ({len(request.avoid)} in the list)")


@dataclass(frozen=True, slots=True)
class OsFacts:
    """*os* is the reference host's distribution, release and version as one code."""

    os: int


class HostOsVersionFlow(FilterFlow):
    """Migration targets run the same OS as the reference host, unless the setting allows others."""

    name: ClassVar[str] = "HostOsVersionAllocatorFlow"
    tests: ClassVar[tuple[Test, ...]] = (Test(HOST_OS, lambda host, facts: (host.os == facts.os) | (host.os < 0)),)

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """The reference host's code."""
        reference = request.current_host if request.current_host is not None else request.last_host
        if reference is None or cloud.settings.flag("hostAllocator.migration.differentOs"):
            return Pass()
        code = cloud.fleet.os[reference]
        return Pass() if code < 0 else OsFacts(code)

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """Names the version sought."""
        return refusal(HOST_OS, f"no host runs {cloud.decode('os', facts.os)}")


class ResourceBindingFlow(FilterFlow):
    """Hosts a VM is bound to, by its tag or to its cluster; softly or hard (rules/host-filters.md#binding)."""

    name: ClassVar[str] = "ResourceBindingAllocatorFlow"
    tags: ClassVar[frozenset[str]] = frozenset({"resourceBindings"})
    tests: ClassVar[tuple[Test, ...]] = (
        Test(
            HOST_BINDING,
            lambda host, facts: (facts.named[host.index] == 1) & (host.state == ENABLED) & (host.status == CONNECTED),
        ),
    )

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """The bound hosts, or `Pass` when the rule is idle or soft and unmet."""
        own_cluster = binds_cluster(cloud)
        if not binding_counts(cloud, request.scene) or not (request.bindings or own_cluster):
            return Pass()
        bound = bound_hosts(cloud, request.bindings, request.vm_cluster if own_cluster else None)
        facts = Facts(Sparse(dict.fromkeys(bound, 1), cloud.fleet.row_count))
        if is_soft(cloud) and not candidates.any(self.keep(candidates.hosts, facts)):
            return Pass()
        return facts

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """Lists the bindings."""
        names = ", ".join(f"{kind}:{row}" for kind, row in self._named(request, cloud))
        return refusal(HOST_BINDING, f"none of the hosts bound by [{names}] is available")

    def _named(self, request: HostRequest, cloud: Cloud) -> list[tuple[str, str]]:
        uuids = {"Host": cloud.fleet.uuids, "Cluster": [cluster.uuid for cluster in cloud.clusters]}
        return [(kind, uuids[kind][row]) for kind, row in request.bindings]


class LastHostFlow(FilterFlow):
    """If the host the VM ran on last is still among the candidates, it is the only one."""

    name: ClassVar[str] = "LastHostAllocatorFlow"
    tests: ClassVar[tuple[Test, ...]] = (Test(HOST_NOT_LAST, lambda host, facts: facts.named[host.index] == 1),)

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """The last host, or `Pass` when it is not there or all are to be listed."""
        last = request.last_host
        if request.list_all or last is None or not candidates.any(candidates.index == last):
            return Pass()
        return Facts(Sparse({last: 1}, cloud.fleet.row_count))


@dataclass(frozen=True, slots=True)
class LimitFacts:
    """*limit*: hosts with this many VMs take no more."""

    limit: int


class MaxInstancePerHostFlow(FilterFlow):
    """Hosts below the number of VMs that the tag ``maxInstancePerHost::n`` allows."""

    name: ClassVar[str] = "MaxInstancePerHostAllocatorFlow"
    tags: ClassVar[frozenset[str]] = frozenset({"maxInstancePerHost"})
    tests: ClassVar[tuple[Test, ...]] = (Test(HOST_MAX_INSTANCES, lambda host, facts: host.vm_count < facts.limit),)

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """The tag's number; the strategy cannot work without it."""
        tag = request.tag("maxInstancePerHost")
        if tag is None or not tag.isdecimal():
            return HardStop(refusal(HOST_MAX_INSTANCES, "the strategy needs a tag maxInstancePerHost::<number>"))
        return LimitFacts(int(tag))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """Names the limit."""
        return refusal(HOST_MAX_INSTANCES, f"no host has fewer than {facts.limit} VMs")
