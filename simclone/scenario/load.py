"""Files into checked scenarios and cases; every fault of a file is reported at once, with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from os import PathLike
from pathlib import Path as FilePath
from typing import Any, TypeVar

from simclone.errors import Fault, InvalidInput, UnknownName
from simclone.model.ledger.ledger import Ledger
from simclone.scenario.building.cloud import build_resolved
from simclone.scenario.checking.document import Resolved, check
from simclone.scenario.checking.incidents import check_incidents
from simclone.scenario.checking.requests import request_name
from simclone.scenario.checking.shape import Shaped, check_shape
from simclone.scenario.document.case import CaseDoc, StepDoc
from simclone.scenario.document.offerings import StrategyDoc, VmDoc
from simclone.scenario.document.requests import RequestDoc, RunDoc
from simclone.scenario.document.scenario import ScenarioDoc, TopologyDoc
from simclone.scenario.findings import Findings, dotted
from simclone.scenario.reading.hosts_csv import HostTable, read_hosts
from simclone.scenario.reading.migrate import migrate
from simclone.scenario.reading.text import Source, read

D = TypeVar("D", bound=TopologyDoc)


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    """What scenario and case share; *sha256* is that of the file's bytes, then of the host table's."""

    path: str
    sha256: str
    resolved: Resolved = field(repr=False)

    def build(self, seed: int | None = None, replication: int = 0) -> Ledger:
        """A new ledger at t = 0; the VMs of the file are left to be placed."""
        return build_resolved(self.resolved, seed=seed, replication=replication)

    @property
    def vms(self) -> list[VmDoc]:
        """The VMs there at the start, one entry each, in the order of the file."""
        return self.resolved.names.docs("vm")

    @property
    def vm_uuids(self) -> list[str]:
        """The uuids of `vms`."""
        return self.resolved.names.kinds["vm"].uuids

    @property
    def strategies(self) -> dict[str, StrategyDoc]:
        """The file's own host strategies."""
        return self.resolved.names.doc.strategies


@dataclass(frozen=True, slots=True, eq=False)
class Scenario(_Loaded):
    """A checked scenario; every request has a name, *expect* is by request name in the file's spelling."""

    doc: ScenarioDoc = field(repr=False)
    requests: tuple[RequestDoc, ...] = ()
    expect: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The scenario's name, or that of its file."""
        return self.doc.name or FilePath(self.path).stem

    @property
    def run(self) -> RunDoc:
        """How it is run."""
        return self.doc.run


@dataclass(frozen=True, slots=True, eq=False)
class Case(_Loaded):
    """A checked conformance case."""

    doc: CaseDoc = field(repr=False)

    @property
    def name(self) -> str:
        """The id of the case."""
        return self.doc.id

    @property
    def run(self) -> RunDoc:
        """How it is run: seed 0, at once."""
        return RunDoc(profile=self.doc.profile)

    @property
    def steps(self) -> list[StepDoc]:
        """What is done, in order."""
        return self.doc.steps


Given = Scenario | str | FilePath | Mapping[str, Any]
"""A scenario, the path of its file, or its data."""


def as_scenario(source: Given) -> Scenario:
    """A scenario from a file's path or from plain data in the file's spelling; raises InvalidInput with every fault.

    Raises TypeError for anything else.
    """
    if isinstance(source, Scenario):
        return source
    if isinstance(source, Mapping):
        return scenario_of(source)
    if not isinstance(source, (str, PathLike)):
        raise TypeError(f"a scenario is a file's path or its data as a mapping, not {type(source).__name__}")
    result = load(source)
    if isinstance(result, Case):
        raise UnknownName("scenario", f"{source} is a case; use simclone.check_path")
    return result


def load(path: str | FilePath) -> Scenario | Case:
    """The case (a file with ``steps``) or scenario at *path*; raises InvalidInput with every fault."""
    source = read(path)
    return _case(source) if isinstance(source.data, dict) and "steps" in source.data else _scenario(source)


def load_scenario(path: str | FilePath) -> Scenario:
    """The scenario at *path* (``-`` is stdin); raises InvalidInput with every fault."""
    return _scenario(read(path))


def load_case(path: str | FilePath) -> Case:
    """The conformance case at *path*; raises InvalidInput with every fault."""
    return _case(read(path))


def scenario_of(data: Mapping[str, Any], name: str = "<data>") -> Scenario:
    """A scenario from plain data in the file's spelling; raises InvalidInput with every fault."""
    return _scenario(Source(name, "", False, sha256(repr(data).encode()).hexdigest(), dict(data)))


def scenario_from(data: Mapping[str, Any], path: str, digest: str) -> Scenario:
    """A scenario from plain data made of the file at *path*, where its data files lie; raises InvalidInput."""
    return _scenario(Source(path, "", False, digest, dict(data)))


def with_incidents(scenario: Scenario, incidents: Sequence[Mapping[str, Any]]) -> Scenario:
    """The scenario with more incidents, checked like those of its file; raises InvalidInput with every fault."""
    findings = Findings()
    result = check_shape(ScenarioDoc, {"incidents": [dict(incident) for incident in incidents]}, findings)
    if result.doc is not None and not findings.found:
        names = replace(scenario.resolved.names, findings=findings)
        check_incidents(names, result.doc.incidents, FilePath(scenario.path).parent)
    if findings.found or result.doc is None:
        raise InvalidInput([Fault(dotted(item.path), item.message, item.expected) for item in findings.found])
    doc = scenario.doc.model_copy(update={"incidents": [*scenario.doc.incidents, *result.doc.incidents]})
    return replace(scenario, doc=doc)


def _scenario(source: Source) -> Scenario:
    doc, resolved, digest = _checked(ScenarioDoc, source)
    requests = tuple(
        request.model_copy(update={"name": request_name(request, at)}) for at, request in enumerate(doc.requests)
    )
    expect = {name: item.given() for name, item in doc.expect.items()}
    return Scenario(source.name, digest, resolved, doc, requests, expect)


def _case(source: Source) -> Case:
    doc, resolved, digest = _checked(CaseDoc, source)
    return Case(source.name, digest, resolved, doc)


def _checked(model: type[D], source: Source) -> tuple[D, Resolved, str]:
    if not isinstance(source.data, dict):
        raise InvalidInput([source.fault((), "the document is not a mapping", "keys such as hosts and requests")])
    findings = Findings()
    migrate(source.data, Findings())
    data, table, faults = _with_table(source, findings)
    result: Shaped[D] = check_shape(model, data, findings)
    broken: dict[str, frozenset[str]] = dict(result.broken)
    if table is not None:
        broken["host"] = broken.get("host", frozenset()) | frozenset(table.lost)
        broken["host"] = broken["host"] if table.usable else _Every()
    resolved = None if result.doc is None else check(result.doc, findings, broken, result.places, source.folder)
    for item in findings.found:
        position = table if table is not None and item.path[:1] == ("hosts",) and len(item.path) > 1 else source
        faults.append(position.fault(item.path, item.message, item.expected))
    if faults or result.doc is None or resolved is None:
        raise InvalidInput(sorted(faults, key=lambda fault: (fault.file != source.name, fault.line, fault.column)))
    return result.doc, resolved, source.digest if table is None else _digest(source, table)


class _Every(frozenset[str]):
    """Holds every name: nothing is unknown where nobody could read the names."""

    def __contains__(self, name: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return True


def _digest(source: Source, table: HostTable) -> str:
    return sha256(source.digest.encode() + table.raw).hexdigest()


def _with_table(source: Source, findings: Findings) -> tuple[dict[str, Any], HostTable | None, list[Fault]]:
    """The data with the rows of ``hosts: {csv: …}`` in place."""
    hosts = source.data.get("hosts")
    if not isinstance(hosts, dict):
        return source.data, None, []
    table = HostTable(source.name, usable=False)
    faults: list[Fault] = []
    for key in hosts:
        if key != "csv":
            findings.add(("hosts", key), "unknown key", "csv, or a list of hosts")
    if not isinstance(hosts.get("csv"), str):
        findings.add(("hosts",), "names no file", "a list of hosts, or csv: the name of a file")
    else:
        try:
            table = read_hosts(source.folder, hosts["csv"])
            faults = list(table.faults)
        except InvalidInput as error:
            faults = list(error.faults)
    return {**source.data, "hosts": table.rows}, table, faults
