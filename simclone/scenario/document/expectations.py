"""What a clone request may be expected to lead to; the vocabulary of the conformance cases."""

from __future__ import annotations

from typing import Literal

from simclone.scenario.document.base import Amount, Doc, Name


class Bounds(Doc):
    """Bounds that must all hold."""

    gt: int | None = None
    ge: int | None = None
    lt: int | None = None
    le: int | None = None
    ne: int | None = None


Expected = int | Bounds


class VolumeExpectation(Doc):
    """A volume after the request."""

    primary_storage: Name | None = None
    primary_storage_in: list[Name] | None = None
    host: Name | None = None
    size: Expected | None = None


class CloneExpectation(Doc):
    """One entry of the answer, and the clone if it succeeded."""

    ok: bool | None = None
    error_code: str | None = None
    root_error_code: str | None = None
    reason: str | None = None
    state: Literal["Created", "Running", "Paused", "Stopped", "Destroyed"] | None = None
    host: Name | None = None
    host_in: list[Name] | None = None
    host_not: list[Name] | None = None
    last_host: Name | None = None
    cluster: Name | None = None
    zone: Name | None = None
    cpu_num: Expected | None = None
    memory_size: Expected | None = None
    ips: dict[Name, str | None] | None = None
    l3_networks: list[Name] | None = None
    instance_offering: Name | None = None
    allocator_strategy: Name | None = None
    affinity_group: Name | None = None
    root_volume: VolumeExpectation | None = None
    data_volumes: list[VolumeExpectation] | None = None


class RequestExpectation(Doc):
    """The answer to one request; *reasons* counts failed entries by simclone's reason."""

    ok: bool | None = None
    reason: str | None = None
    error_code: str | None = None
    root_error_code: str | None = None
    results: Expected | None = None
    number_of_cloned_vm: Expected | None = None
    batch: Literal["SUCCESS", "PARTIAL", "FAIL"] | None = None
    per_name: dict[Name, CloneExpectation] | None = None
    distinct_hosts: Expected | None = None
    per_host: dict[Name, Expected] | None = None
    failed_error_codes: list[str] | None = None
    failed_root_error_codes: list[str] | None = None
    reasons: dict[Name, Amount | Bounds] | None = None


class ScenarioExpectation(RequestExpectation):
    """Of a scenario's request also what is said of its first failure: the *verdict* and the kind of the *topFix*."""

    verdict: Literal["shortage", "fragmentation", "policy", "order", "transient", "request"] | None = None
    top_fix: Name | None = None
