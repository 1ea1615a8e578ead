"""From changes as a file writes them to changes of their kinds: exactly one each, of a kind that suits its target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from simclone.scenario.document.base import Doc, snake
from simclone.scenario.document.changes import WhatIfDoc, WhatIfHead
from simclone.scenario.document.incidents import IncidentDoc, IncidentHead
from simclone.scenario.document.kinds import HOST, STORAGE, Change, Kinds
from simclone.scenario.document.prices import PricesDoc, UnitPrices
from simclone.scenario.document.scenario import ScenarioDoc
from simclone.scenario.findings import Findings, Path
from simclone.scenario.reading.wording import complaints

D = TypeVar("D", bound=Doc)


def with_kinds(
    written: ScenarioDoc, kinds: Kinds, findings: Findings, positions: Mapping[str, Sequence[int]]
) -> ScenarioDoc:
    """The document of a file (read by `scenario_model`) with changes of their kinds in the place of what it writes.

    *positions* are those of list entries in the file, where some were left out. Faults go to *findings*.
    """
    values: dict[str, Any] = {name: getattr(written, name) for name in ScenarioDoc.model_fields}
    rows = {key: positions.get(key) or range(len(values[key])) for key in ("incidents", "whatif")}
    values["incidents"] = [
        _incident(incident, kinds, findings, ("incidents", row))
        for row, incident in zip(rows["incidents"], written.incidents, strict=True)
    ]
    values["whatif"] = [
        _whatif(whatif, kinds, findings, ("whatif", row))
        for row, whatif in zip(rows["whatif"], written.whatif, strict=True)
    ]
    values["prices"] = prices_of(kinds, written.prices)
    return ScenarioDoc.model_construct(_fields_set=set(written.model_fields_set), **values)


def prices_of(kinds: Kinds, written: UnitPrices | None = None) -> PricesDoc:
    """The price of every fix: as written, else the usual one."""
    written = written or UnitPrices()
    fixes = {key: getattr(written, snake(key), price) for key, price in kinds.prices.items()}
    keys = frozenset(key for key in kinds.prices if snake(key) in written.model_fields_set)
    return _copied(PricesDoc, UnitPrices, written, fixes=fixes, given_keys=keys)


def single_change(written: Doc, kinds: Kinds, findings: Findings, path: Path) -> Change | None:
    """The one change of a mapping; None, with a fault at *path*, when it holds none or several."""
    changes: list[Change] = [change for key in kinds.by_key if (change := getattr(written, snake(key))) is not None]
    if len(changes) == 1:
        return changes[0]
    findings.add(path, f"holds {len(changes)} changes", "exactly one")
    return None


def _whatif(written: WhatIfHead, kinds: Kinds, findings: Findings, path: Path) -> WhatIfDoc:
    entries: Sequence[Doc] = getattr(written, "changes", ())
    changes = [single_change(entry, kinds, findings, (*path, "changes", row)) for row, entry in enumerate(entries)]
    return _copied(WhatIfDoc, WhatIfHead, written, changes=tuple(change for change in changes if change is not None))


def _incident(written: IncidentHead, kinds: Kinds, findings: Findings, path: Path) -> IncidentDoc:
    return _copied(IncidentDoc, IncidentHead, written, change=_change_of(written, kinds, findings, path))


def _change_of(written: IncidentHead, kinds: Kinds, findings: Findings, path: Path) -> Change | None:
    """The change of an incident; None with a fault where it is of no kind."""
    targets = written.target_keys()
    keyed: list[Change] = [
        change for key in kinds.incident_keys if (change := getattr(written, snake(key))) is not None
    ]
    if len(targets) + len(keyed) != 1:
        expected = ", ".join(["host, hosts, cluster, zone, label, primaryStorage", *kinds.incident_keys])
        findings.add(path, f"has {len(targets) + len(keyed)} targets", f"one of {expected}")
        return None
    if keyed:
        return keyed[0]
    target = STORAGE if targets == ["primary_storage"] else HOST
    kind = kinds.events.get((target, str(written.event)))
    if kind is None:
        known = ", ".join(kinds.events_of(target))
        findings.add((*path, "event"), f"{written.event!r} does not suit the target", known)
        return None
    keys = {field.alias or name for name, field in kind.parameters().items()}
    plain = written.model_dump(by_alias=True, exclude_unset=True, include=set(kind.parameters()))
    given = {key: value for key, value in plain.items() if key in keys and value is not None}
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        for fault in complaints(type(written), given, error):
            findings.add((*path, *fault.path), fault.message, fault.expected)
        return None


def _copied(model: type[D], head: type[Doc], written: Doc, **more: Any) -> D:
    values = {name: getattr(written, name) for name in head.model_fields}
    given = {name for name in written.model_fields_set if name in head.model_fields}
    return model.model_construct(_fields_set=given | set(more), **values, **more)
