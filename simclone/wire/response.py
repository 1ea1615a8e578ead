"""Answers of ``CloneVmInstance`` as the server sends them, or in the style of the API page's sample."""

from __future__ import annotations

import json
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
    element: dict[str, Any] = {"inventory": render_vm(cloud, clone.snapshot)}
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
    return _Doc(indent).encode(document)


class _Doc(json.JSONEncoder):
    """Writes whole numbers as Java's ``Double.toString`` would."""

    def __init__(self, indent: int | None) -> None:
        super().__init__(indent=indent, ensure_ascii=False)

    def encode(self, o: Any) -> str:
        """The text of a document."""
        numbers: dict[str, str] = {}
        text = json.dumps(_marked(o, numbers), indent=self.indent, ensure_ascii=False)
        for mark, number in numbers.items():
            text = text.replace(f'"{mark}"', number)
        return text


def _marked(value: Any, numbers: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _marked(one, numbers) for key, one in value.items()}
    if isinstance(value, list):
        return [_marked(one, numbers) for one in value]
    if isinstance(value, int) and not isinstance(value, bool):
        mark = f"\0{value}"
        numbers[json.dumps(mark)[1:-1]] = java_double(value)
        return mark
    return value


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
