"""JSON Schemas (draft 2020-12) of scenario and case files, made from the models."""

from __future__ import annotations

from typing import Any

from simclone.scenario.document.base import Doc
from simclone.scenario.document.case import CaseDoc
from simclone.scenario.document.kinds import Kinds
from simclone.scenario.document.written import scenario_model

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TABLE = {
    "type": "object",
    "properties": {"csv": {"type": "string", "minLength": 1}},
    "required": ["csv"],
    "additionalProperties": False,
}


def scenario_schema(kinds: Kinds) -> dict[str, Any]:
    """The schema of a scenario file that may hold changes of these *kinds*."""
    return _schema(scenario_model(kinds), "simclone scenario")


def case_schema() -> dict[str, Any]:
    """The schema of a conformance case."""
    return _schema(CaseDoc, "simclone case")


def _schema(model: type[Doc], title: str) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True)
    hosts = schema["properties"]["hosts"]
    schema["properties"]["hosts"] = {"anyOf": [hosts, _TABLE], "title": hosts.pop("title", "Hosts")}
    return {"$schema": _DRAFT, **schema, "title": title}
