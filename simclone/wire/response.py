"""Answers of ``CloneVmInstance`` as the server sends them, or in the style of the API page's sample."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from simclone.model.cloud import Cloud
from simclone.records import CloneAnswer, CloneRecord
from simclone.wire.errors import render_error
from simclone.wire.inventory import render_vm

STYLES = ("server", "doc")


def render_answer(cloud: Cloud, answer: CloneAnswer, style: str = "server") -> dict[str, Any]:
    """The body a poll of the job returns: ``{"result": …}``, or ``{"error": …}`` when the call as a whole failed.

    Style ``doc`` adds the page's ``started``; its floats are a matter of `dump`.
    """
    if answer.error is not None:
        return {"error": render_error(answer.error)}
    elements = [_element(cloud, clone, style) for clone in answer.clones]
    return {"result": {"numberOfClonedVm": answer.succeeded, "inventories": elements}}


def _element(cloud: Cloud, clone: CloneRecord, style: str) -> dict[str, Any]:
    element: dict[str, Any] = {}
    if clone.snapshot is not None:
        element["inventory"] = render_vm(cloud, clone.snapshot)
    if clone.error is not None:
        element["error"] = render_error(clone.error)
    if style == "doc":
        element["started"] = False
    return element


def dump(document: Any, style: str = "server", indent: int | None = 2) -> str:
    """JSON text; style ``doc`` writes every number as the page does (``1.0``, ``8.589934592E9``).

    >>> dump({"cpuNum": 1, "memorySize": 8589934592}, "doc", None)
    '{"cpuNum": 1.0, "memorySize": 8.589934592E9}'
    """
    if style != "doc":
        return json.dumps(document, indent=indent, ensure_ascii=False)
    return "".join(_pieces(document, indent, 0))


def _pieces(value: Any, indent: int | None, depth: int) -> Iterator[str]:
    """JSON text with whole numbers as Java's ``Double.toString`` writes them."""
    if isinstance(value, bool) or not isinstance(value, int | dict | list):
        yield json.dumps(value, ensure_ascii=False)
    elif isinstance(value, int):
        yield java_double(value)
    elif not value:
        yield "{}" if isinstance(value, dict) else "[]"
    else:
        named = isinstance(value, dict)
        if isinstance(value, dict):
            items = [(json.dumps(key, ensure_ascii=False) + ": ", entry) for key, entry in value.items()]
        else:
            items = [("", element) for element in value]
        inner, outer = _breaks(indent, depth)
        yield "{" if named else "["
        for position, (head, item) in enumerate(items):
            yield ("" if not position else "," if indent is not None else ", ") + inner + head
            yield from _pieces(item, indent, depth + 1)
        yield outer + ("}" if named else "]")


def _breaks(indent: int | None, depth: int) -> tuple[str, str]:
    if indent is None:
        return "", ""
    return "\n" + " " * indent * (depth + 1), "\n" + " " * indent * depth


def java_double(value: int) -> str:
    """A whole number as Java prints it as a double.

    >>> java_double(1), java_double(107374182400), java_double(10000000)
    ('1.0', '1.073741824E11', '1.0E7')
    """
    if abs(value) < 10**7:
        return f"{value}.0"
    digits = str(abs(value))
    mantissa = (digits[1:].rstrip("0")) or "0"
    return f"{'-' if value < 0 else ''}{digits[0]}.{mantissa}E{len(digits) - 1}"
