"""The shape check: pydantic's errors in simclone's words, and what is left of a document without its faulty parts."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from simclone.errors import Fault, InvalidInput
from simclone.scenario.checking.names import KINDS
from simclone.scenario.document.scenario import TopologyDoc
from simclone.scenario.findings import GUESS, Findings, Path, dotted
from simclone.scenario.reading.wording import Complaint, complaints, fields, stands

D = TypeVar("D", bound=TopologyDoc)
B = TypeVar("B", bound=BaseModel)


@dataclass(slots=True)
class Shaped(Generic[D]):
    """A document, or what can be checked of a faulty one; *broken* and *places* describe what was left out."""

    doc: D | None
    broken: dict[str, frozenset[str]] = field(default_factory=dict)
    places: dict[str, list[int]] = field(default_factory=dict)


def check_shape(model: type[D], data: dict[str, Any], findings: Findings) -> Shaped[D]:
    """Check *data* against *model*; every fault goes to *findings*."""
    try:
        return Shaped(model.model_validate(data))
    except ValidationError as error:
        result = complaints(model, data, error)
    for item in result:
        findings.add(item.path, item.message, item.expected)
    findings.known.update(entry.path for entry in result)
    return _rest(model, copy.deepcopy(data), result, findings)


def parse_document(model: type[B], data: dict[str, Any], at: str) -> B:
    """A part of a file by itself; raises InvalidInput with every fault of shape, its path below *at*."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults = [
            Fault(dotted((at, *complaint.path)), complaint.message, complaint.expected)
            for complaint in complaints(model, data, error)
        ]
    raise InvalidInput(faults)


def _rest(model: type[D], data: dict[str, Any], found: list[Complaint], findings: Findings) -> Shaped[D]:
    for item in found:
        _cut(data, item.path)
    again = _again(model, data)
    for item in again:
        _guess(model, data, item.path)
        findings.guessed.add(item.path[:2])
    broken, positions = _leave_out(data, {entry.path[:2] for entry in _again(model, data)})
    try:
        return Shaped(model.model_validate(data), broken, positions)
    except ValidationError:
        return Shaped(None)


def _again(model: type[D], data: dict[str, Any]) -> list[Complaint]:
    try:
        model.model_validate(data)
    except ValidationError as error:
        return complaints(model, data, error)
    return []


def _parent(data: Any, path: Path) -> dict[str, Any] | None:
    for part in path[:-1]:
        if not stands(data, part):
            return None
        data = data[part]
    return data if path and isinstance(data, dict) else None


def _cut(data: Any, path: Path) -> None:
    """Take one key out of a mapping, if it is there."""
    parent = _parent(data, path)
    if parent is not None:
        parent.pop(str(path[-1]), None)


def _guess(model: type[D], data: Any, path: Path) -> None:
    """Put something of the right kind where a needed key is missing, so that the rest can be looked at."""
    parent = _parent(data, path)
    annotation = fields(model, path[:-1]).get(str(path[-1])) if path else None
    if parent is None or path[-1] in parent or annotation is None:
        return
    if get_origin(annotation) is Literal:
        parent[str(path[-1])] = get_args(annotation)[0]
    elif annotation in (int, float, str):
        parent[str(path[-1])] = GUESS + dotted(path) if annotation is str else 1
    elif get_origin(annotation) in (dict, list):
        parent[str(path[-1])] = get_origin(annotation)()


def _leave_out(data: dict[str, Any], heads: set[Path]) -> tuple[dict[str, frozenset[str]], dict[str, list[int]]]:
    broken: dict[str, frozenset[str]] = {}
    positions: dict[str, list[int]] = {}
    kinds = {key: kind for kind, key in KINDS.items()} | {"requests": "request"}
    for key in {str(head[0]) for head in heads if head}:
        value = data.get(key)
        if isinstance(value, list):
            out = {head[1] for head in heads if head[0] == key and len(head) > 1}
            broken[kinds.get(key, key)] = frozenset(_words(value, out))
            positions[key] = [number for number in range(len(value)) if number not in out]
            data[key] = [value[location] for location in positions[key]]
        else:
            data.pop(key, None)
    return broken, positions


def _words(entries: list[Any], out: set[Any]) -> Iterator[str]:
    for position, entry in enumerate(entries):
        if position in out and isinstance(entry, Mapping):
            yield from (entry[key] for key in ("name", "uuid") if isinstance(entry.get(key), str))
