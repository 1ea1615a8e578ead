"""The shape check: pydantic's errors in simclone's words, and what is left of a document without its faulty parts."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from simclone.scenario.documents import TopologyDoc
from simclone.scenario.faults import Findings, Path
from simclone.scenario.resolve import KINDS
from simclone.scenario.wording import Complaint, complaints

D = TypeVar("D", bound=TopologyDoc)


@dataclass(slots=True)
class Shaped(Generic[D]):
    """A document, or what can be checked of a faulty one; *broken* and *places* describe what was left out."""

    doc: D | None
    broken: dict[str, frozenset[str]] = field(default_factory=dict)
    places: dict[str, list[int]] = field(default_factory=dict)


def shaped(model: type[D], data: dict[str, Any], findings: Findings) -> Shaped[D]:
    """Check *data* against *model*; every fault goes to *findings*."""
    try:
        return Shaped(model.model_validate(data))
    except ValidationError as error:
        found = complaints(model, data, error)
    for one in found:
        findings.add(one.path, one.message, one.expected)
    findings.known.update(one.path for one in found)
    return _rest(model, copy.deepcopy(data), found)


def _rest(model: type[D], data: dict[str, Any], found: list[Complaint]) -> Shaped[D]:
    for one in found:
        _cut(data, one.path)
    try:
        return Shaped(model.model_validate(data))
    except ValidationError as error:
        again = complaints(model, data, error)
    broken, places = _leave_out(data, {one.path[:2] for one in again})
    try:
        return Shaped(model.model_validate(data), broken, places)
    except ValidationError:
        return Shaped(None)


def _cut(data: Any, path: Path) -> None:
    """Take one key out of a mapping, if it is there."""
    for part in path[:-1]:
        if isinstance(data, dict) and part in data:
            data = data[part]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return
    if isinstance(data, dict):
        data.pop(path[-1], None)


def _leave_out(data: dict[str, Any], heads: set[Path]) -> tuple[dict[str, frozenset[str]], dict[str, list[int]]]:
    broken: dict[str, frozenset[str]] = {}
    places: dict[str, list[int]] = {}
    kinds = {key: kind for kind, key in KINDS.items()} | {"requests": "request"}
    for key in {str(head[0]) for head in heads if head}:
        value = data.get(key)
        if isinstance(value, list):
            out = {head[1] for head in heads if head[0] == key and len(head) > 1}
            broken[kinds.get(key, key)] = frozenset(_words(value, out))
            places[key] = [place for place in range(len(value)) if place not in out]
            data[key] = [value[place] for place in places[key]]
        else:
            data.pop(key, None)
    return broken, places


def _words(entries: list[Any], out: set[Any]) -> Iterator[str]:
    for place, entry in enumerate(entries):
        if place in out and isinstance(entry, Mapping):
            yield from (entry[key] for key in ("name", "uuid") if isinstance(entry.get(key), str))
