"""Pydantic's errors in simclone's words: one per place, with the value found and what was expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from simclone.scenario.findings import Path, nearest

_SHOWN = 60
_EXPECTED: Mapping[str, str] = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "string_too_short": "text that is not empty",
    "string_pattern_mismatch": "32 hexadecimal digits, a to f in lower case",
    "finite_number": "a finite number",
    "int_from_float": "a whole number",
    "too_short": "at least one entry",
}
_BOUNDS: Mapping[str, tuple[str, str]] = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


class Complaint(NamedTuple):
    """A fault of shape at *path*; *inner* is True when it was found inside one member of a union."""

    path: Path
    message: str
    expected: str
    inner: bool


def complaints(model: type[BaseModel], data: Any, error: ValidationError) -> list[Complaint]:
    """The errors of a validation, one per path."""
    result: dict[Path, list[Complaint]] = {}
    for item in error.errors(include_url=False):
        complaint = _complaint(model, data, item)
        result.setdefault(complaint.path, []).append(complaint)
    deeper = {path[:end] for path in result for end in range(len(path))}
    return [
        _merged(same) for path, same in result.items() if not (path in deeper and all(entry.inner for entry in same))
    ]


def _merged(same: list[Complaint]) -> Complaint:
    expected = dict.fromkeys(item.expected for item in same if item.expected)
    return same[0]._replace(expected=" or ".join(expected))


def _complaint(model: type[BaseModel], data: Any, error: ErrorDetails) -> Complaint:
    kind, path = error["type"], _path(data, error)
    inner = len(path) < len(error["loc"])
    if kind == "missing":
        return Complaint(path, "is missing", "", False)
    if kind == "extra_forbidden":
        return Complaint(path, "unknown key", nearest(str(path[-1]), fields(model, path[:-1])), False)
    if kind == "value_error":
        reason = str(error.get("ctx", {}).get("error", error["msg"]))
        value = shown(error["input"])
        return Complaint(path, reason if value in reason else f"{value}: {reason}", _of_value(reason), inner)
    return Complaint(path, shown(error["input"]), _expected(error), inner)


def _of_value(reason: str) -> str:
    if "size" in reason or "bytes" in reason:
        return "a size in bytes or with a unit, such as 256GiB"
    return "a date and time, such as 2017-11-14T22:20:57Z" if "date" in reason else ""


def _expected(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        return f"{words} {context[key]:g}"
    if kind.startswith("union_tag"):
        return f"kind {context.get('expected_tags', 'uuid or tag')}"
    return _EXPECTED.get(kind) or str(context.get("expected") or error["msg"])


def shown(value: object) -> str:
    """A value for a message, cut where it is long."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    text = ("true" if value else "false") if isinstance(value, bool) else repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def stands(data: Any, part: str | int) -> bool:
    """True when *part* is a key or position of *data*."""
    if isinstance(data, dict):
        return part in data
    return isinstance(data, list) and isinstance(part, int) and part < len(data)


def _path(data: Any, error: ErrorDetails) -> Path:
    """The parts of a location that stand in the data: union members and key marks do not."""
    path: list[str | int] = []
    value = data
    for part in error["loc"]:
        if stands(value, part):
            value = value[part]
        elif not (error["type"] == "missing" and part == error["loc"][-1]):
            continue
        path.append(part)
    return tuple(path)


def fields(model: type[BaseModel], path: Path) -> dict[str, Any]:
    """The annotations of the keys that are known at a path."""
    matching: list[Any] = [model]
    for part in path:
        matching = [below for item in matching for below in _below(item, part)]
    return {field.alias or name: field.annotation for entry in matching for name, field in entry.model_fields.items()}


def _below(model: type[BaseModel], part: str | int) -> Iterable[type[BaseModel]]:
    if isinstance(part, int):
        return (model,)
    for name, field in model.model_fields.items():
        if part == (field.alias or name):
            return _models(field.annotation)
    return (model,)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for part in get_args(annotation) for model in _models(part)]
