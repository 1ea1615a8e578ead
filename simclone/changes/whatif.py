"""Changes made in a scenario's file: what-ifs, fixes and the points of a sweep, before the run or at a time of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import cast

from simclone.changes.kind import ChangeKind, Data
from simclone.changes.load import scenario_from
from simclone.changes.register import known_kinds
from simclone.changes.settle import settle
from simclone.errors import Fault, InvalidInput, UnplacedVms
from simclone.scenario.checking.changes import single_change
from simclone.scenario.checking.shape import parse_document
from simclone.scenario.document.changes import WhatIfDoc
from simclone.scenario.document.written import change_model
from simclone.scenario.findings import Findings, dotted
from simclone.scenario.load import Scenario
from simclone.scenario.writing import data_of


def changes_of(written: Sequence[Mapping[str, object]], at: str = "changes") -> list[ChangeKind]:
    """Checked changes from plain data; raises InvalidInput with every fault, its path below *at*."""
    kinds, findings = known_kinds(), Findings()
    model = change_model(kinds)
    docs = [parse_document(model, dict(change), f"{at}.{row}") for row, change in enumerate(written)]
    changes = [single_change(doc, kinds, findings, (at, row)) for row, doc in enumerate(docs)]
    if findings.found:
        raise InvalidInput([Fault(dotted(fault.path), fault.message, fault.expected) for fault in findings.found])
    return [cast("ChangeKind", change) for change in changes]


def change_scenario(scenario: Scenario, changes: Sequence[Mapping[str, object]]) -> Scenario:
    """The scenario with *changes* made before it starts, checked as a file is; raises InvalidInput with every fault.

    Expectations are left out, since they are about the unchanged scenario.
    """
    return with_changes(scenario, changes_of(changes))


def with_changes(scenario: Scenario, changes: Sequence[ChangeKind], at: str = "changes") -> Scenario:
    """`change_scenario` for checked changes; *at* is where they stand in messages."""
    data = _without_comparisons(scenario)
    for row, change in enumerate(changes):
        apply(data, change, f"{at}.{row}")
    try:
        settle(data, scenario.path)
    except UnplacedVms as error:
        raise UnplacedVms(_below(at, error).faults) from None
    return scenario_from(data, scenario.path, _digest(scenario, [change.as_data() for change in changes]))


def apply(data: Data, change: ChangeKind, at: str = "change") -> None:
    """Make one change in plain data; raises InvalidInput, its paths below *at*, when it names what is not there."""
    try:
        change.to_file(data)
    except InvalidInput as error:
        raise _below(at, error) from None


def what_if(scenario: Scenario, doc: WhatIfDoc, at: str = "whatif") -> Scenario:
    """The scenario with a what-if's changes, before the run or, where it says *at*, as incidents of that time."""
    changes = cast("Sequence[ChangeKind]", doc.made)
    if doc.at is None:
        return with_changes(scenario, changes, f"{at}.changes")
    data = _without_comparisons(scenario)
    incidents = list(data.get("incidents", ()))
    for row, change in enumerate(changes):
        try:
            incidents += change.as_incidents(data, doc.at)
        except InvalidInput as error:
            raise _below(f"{at}.changes.{row}", error) from None
    data["incidents"] = incidents
    return scenario_from(data, scenario.path, _digest(scenario, doc.given()))


def _without_comparisons(scenario: Scenario) -> Data:
    """The scenario's data without what is about the unchanged scenario, under its name."""
    data = data_of(scenario)
    for key in ("expect", "whatif"):
        data.pop(key, None)
    return {**data, "name": scenario.name}


def _digest(scenario: Scenario, written: object) -> str:
    return sha256(f"{scenario.sha256}{json.dumps(written, sort_keys=True)}".encode()).hexdigest()


def _below(at: str, error: InvalidInput) -> InvalidInput:
    return InvalidInput([Fault(f"{at}: {fault.path}", fault.message, fault.expected) for fault in error.faults])
