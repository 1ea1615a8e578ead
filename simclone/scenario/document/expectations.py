"""What a clone request may be expected to lead to; the vocabulary of the conformance cases."""

from __future__ import annotations

from typing import Literal

from simclone.scenario.document.base import Amount, Doc, Name


class Bounds(Doc):
    """Bounds that must all hold."""

    gt: int | None = None
    """More than this."""
    ge: int | None = None
    """At least this."""
    lt: int | None = None
    """Less than this."""
    le: int | None = None
    """At most this."""
    ne: int | None = None
    """Not this."""


Expected = int | Bounds


class VolumeExpectation(Doc):
    """A volume after the request."""

    primary_storage: Name | None = None
    """The storage it lies on."""
    primary_storage_in: list[Name] | None = None
    """One of the storages it may lie on."""
    host: Name | None = None
    """Local storage: the host it lies on."""
    size: Expected | None = None
    """Its bytes."""


class CloneExpectation(Doc):
    """One entry of the answer, and the clone if it succeeded."""

    ok: bool | None = None
    """Whether it succeeded."""
    error_code: str | None = None
    """The code of the outermost error."""
    root_error_code: str | None = None
    """The code of the deepest cause."""
    reason: str | None = None
    """simclone's reason of the failure."""
    state: Literal["Created", "Running", "Paused", "Stopped", "Destroyed"] | None = None
    """The clone's state."""
    host: Name | None = None
    """The host it stands on."""
    host_in: list[Name] | None = None
    """One of the hosts it may stand on."""
    host_not: list[Name] | None = None
    """Hosts it must not stand on."""
    last_host: Name | None = None
    """Its last host."""
    cluster: Name | None = None
    """Its cluster."""
    zone: Name | None = None
    """Its zone."""
    cpu_num: Expected | None = None
    """Its vCPUs."""
    memory_size: Expected | None = None
    """Its bytes of memory."""
    ips: dict[Name, str | None] | None = None
    """Its addresses by network; null for none."""
    l3_networks: list[Name] | None = None
    """Its networks."""
    instance_offering: Name | None = None
    """Its offering."""
    allocator_strategy: Name | None = None
    """Its strategy."""
    affinity_group: Name | None = None
    """Its affinity group."""
    root_volume: VolumeExpectation | None = None
    """Its root volume."""
    data_volumes: list[VolumeExpectation] | None = None
    """Its data volumes, in order."""


class RequestExpectation(Doc):
    """The answer to one request; *reasons* counts failed entries by simclone's reason."""

    ok: bool | None = None
    """Whether the call as a whole succeeded."""
    reason: str | None = None
    """simclone's reason of the failure."""
    error_code: str | None = None
    """The code of the outermost error."""
    root_error_code: str | None = None
    """The code of the deepest cause."""
    results: Expected | None = None
    """How many entries the answer has."""
    number_of_cloned_vm: Expected | None = None
    """How many clones were made."""
    batch: Literal["SUCCESS", "PARTIAL", "FAIL"] | None = None
    """The batch header of the answer."""
    per_name: dict[Name, CloneExpectation] | None = None
    """Expectations by clone name."""
    distinct_hosts: Expected | None = None
    """On how many hosts the clones stand."""
    per_host: dict[Name, Expected] | None = None
    """How many clones stand on each host."""
    failed_error_codes: list[str] | None = None
    """Outermost error codes of failed entries, in order."""
    failed_root_error_codes: list[str] | None = None
    """Deepest error codes of failed entries, in order."""
    reasons: dict[Name, Amount | Bounds] | None = None
    """Failed entries counted by simclone's reason."""


class ScenarioExpectation(RequestExpectation):
    """Of a scenario's request also what is said of its first failure: the *verdict* and the kind of the *topFix*."""

    verdict: Literal["shortage", "fragmentation", "policy", "order", "transient", "request"] | None = None
    """The verdict of the first failure's explanation."""
    top_fix: Name | None = None
    """The kind of the first fix proposed for it."""
