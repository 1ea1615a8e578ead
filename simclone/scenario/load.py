"""Files into checked scenarios and cases; every fault of a file is reported at once, with its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from os import PathLike
from pathlib import Path as FilePath
from typing import Any, TypeVar

from simclone.errors import Fault, InvalidInput, UnknownName
from simclone.model.ledger.ledger import Ledger
from simclone.scenario.building.cloud import build_resolved
from simclone.scenario.checking.changes import with_kinds
from simclone.scenario.checking.document import Resolved, check
from simclone.scenario.checking.incidents import check_incidents
from simclone.scenario.checking.requests import request_name
from simclone.scenario.checking.shape import Shaped, check_shape
from simclone.scenario.document.case import CaseDoc, StepDoc
from simclone.scenario.document.incidents import IncidentDoc
from simclone.scenario.document.kinds import Kinds
from simclone.scenario.document.offerings import StrategyDoc, VmDoc
from simclone.scenario.document.requests import RequestDoc, RunDoc
from simclone.scenario.document.scenario import ScenarioDoc, TopologyDoc
from simclone.scenario.document.written import scenario_model
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


def as_scenario(source: Given, *, kinds: Kinds) -> Scenario:
    """A scenario from a file's path or from plain data in the file's spelling; raises InvalidInput with every fault.

    Raises TypeError for anything else.
    """
    if isinstance(source, Scenario):
        return source
    if isinstance(source, Mapping):
        return scenario_of(source, kinds=kinds)
    if not isinstance(source, (str, PathLike)):
        raise TypeError(f"a scenario is a file's path or its data as a mapping, not {type(source).__name__}")
    found = load(source, kinds=kinds)
    if isinstance(found, Case):
        raise UnknownName("scenario", f"{source} is a case; use simclone.check_path")
    return found


def load(path: str | FilePath, *, kinds: Kinds) -> Scenario | Case:
    """The case (a file with ``steps``) or scenario at *path*; raises InvalidInput with every fault.

    *kinds* are the kinds of changes it may hold.
    """
    source = read(path)
    return _case(source) if isinstance(source.data, dict) and "steps" in source.data else _scenario(source, kinds)


def load_scenario(path: str | FilePath, *, kinds: Kinds) -> Scenario:
    """The scenario at *path* (``-`` is stdin); raises InvalidInput with every fault."""
    return _scenario(read(path), kinds)


def load_case(path: str | FilePath) -> Case:
    """The conformance case at *path*; raises InvalidInput with every fault."""
    return _case(read(path))


def scenario_of(data: Mapping[str, Any], name: str = "<data>", *, kinds: Kinds) -> Scenario:
    """A scenario from plain data in the file's spelling; raises InvalidInput with every fault."""
    return _scenario(Source(name, "", False, sha256(repr(data).encode()).hexdigest(), dict(data)), kinds)


def scenario_from(data: Mapping[str, Any], path: str, digest: str, *, kinds: Kinds) -> Scenario:
    """A scenario from plain data made of the file at *path*, where its data files lie; raises InvalidInput."""
    return _scenario(Source(path, "", False, digest, dict(data)), kinds)


def with_incidents(scenario: Scenario, incidents: Sequence[Mapping[str, Any]], *, kinds: Kinds) -> Scenario:
    """The scenario with more incidents, checked like those of its file; raises InvalidInput with every fault."""
    findings = Findings()
    written = check_shape(scenario_model(kinds), {"incidents": [dict(incident) for incident in incidents]}, findings)
    more: list[IncidentDoc] = []
    if written.doc is not None and not findings.found:
        more = with_kinds(written.doc, kinds, findings, {}).incidents
        names = replace(scenario.resolved.names, findings=findings)
        check_incidents(names, more, FilePath(scenario.path).parent)
    if findings.found or written.doc is None:
        raise InvalidInput([Fault(dotted(fault.path), fault.message, fault.expected) for fault in findings.found])
    doc = scenario.doc.model_copy(update={"incidents": [*scenario.doc.incidents, *more]})
    return replace(scenario, doc=doc)


def _scenario(source: Source, kinds: Kinds) -> Scenario:
    doc, resolved, digest = _checked(scenario_model(kinds), source, partial(_with_kinds, kinds))
    requests = tuple(one.model_copy(update={"name": request_name(one, at)}) for at, one in enumerate(doc.requests))
    expect = {name: one.given() for name, one in doc.expect.items()}
    return Scenario(source.name, digest, resolved, doc, requests, expect)


def _with_kinds(kinds: Kinds, written: Shaped[ScenarioDoc], findings: Findings) -> ScenarioDoc | None:
    return None if written.doc is None else with_kinds(written.doc, kinds, findings, written.places)


def _as_shaped(written: Shaped[D], _: Findings) -> D | None:
    return written.doc


def _case(source: Source) -> Case:
    doc, resolved, digest = _checked(CaseDoc, source, _as_shaped)
    return Case(source.name, digest, resolved, doc)


def _checked(
    model: type[D], source: Source, finish: Callable[[Shaped[D], Findings], D | None]
) -> tuple[D, Resolved, str]:
    if not isinstance(source.data, dict):
        raise InvalidInput([source.fault((), "the document is not a mapping", "keys such as hosts and requests")])
    findings = Findings()
    migrate(source.data, Findings())
    data, table, faults = _with_table(source, findings)
    result: Shaped[D] = check_shape(model, data, findings)
    broken: dict[str, frozenset[str]] = dict(result.broken)
    if table is not None:
        lost = frozenset(table.lost) | (broken.get("host") or frozenset())
        broken["host"] = lost if table.usable else _Every()
    doc = finish(result, findings)
    resolved = None if doc is None else check(doc, findings, broken, result.places, source.folder)
    for one in findings.found:
        place = table if table is not None and one.path[:1] == ("hosts",) and len(one.path) > 1 else source
        faults.append(place.fault(one.path, one.message, one.expected))
    if faults or doc is None or resolved is None:
        raise InvalidInput(sorted(faults, key=lambda fault: (fault.file != source.name, fault.line, fault.column)))
    return doc, resolved, source.digest if table is None else _digest(source, table)


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
