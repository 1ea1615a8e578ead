"""JSON Schemas (draft 2020-12) of scenario and case files, made from the models.

Each key's description is the string below the attribute in the model's source. Pydantic can read those itself
(``use_attribute_docstrings``), but does so whenever a class is made: a tenth of a second at every start, for something
that only editors ask for.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from typing import Any

from simclone.scenario.document.base import Doc
from simclone.scenario.document.case import CaseDoc
from simclone.scenario.document.kinds import Change, Kinds
from simclone.scenario.document.written import scenario_model

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TABLE = {
    "type": "object",
    "description": "Hosts as columns of a CSV file.",
    "properties": {
        "csv": {"type": "string", "minLength": 1, "description": "The CSV file, relative to this file; a column a key."}
    },
    "required": ["csv"],
    "additionalProperties": False,
}


def scenario_schema(kinds: Kinds) -> dict[str, Any]:
    """The schema of a scenario file that may hold changes of these *kinds*."""
    schema = _schema(scenario_model(kinds), "simclone scenario")
    _describe_kinds(schema["$defs"], kinds)
    return schema


def _describe_kinds(defs: dict[str, Any], kinds: Kinds) -> None:
    parts = {name: defs[name]["properties"] for name in ("ChangeDoc", "IncidentDoc", "PricesDoc", "WhatIfDoc")}
    parts["WhatIfDoc"]["changes"].setdefault("description", "The changes, made in this order.")
    for kind in kinds.all:
        sentence = inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].replace("\n", " ")
        parts["ChangeDoc"][kind.key].setdefault("description", sentence)
        if kind.incident:
            parts["IncidentDoc"][kind.key].setdefault("description", sentence)
        _describe_parameters(parts["IncidentDoc"], kind)
        for price in kind.prices:
            words = re.sub("([A-Z])", r" \1", price).lower()
            parts["PricesDoc"][price].setdefault("description", f"The price of the fix '{words}'.")


def case_schema() -> dict[str, Any]:
    """The schema of a conformance case."""
    return _schema(CaseDoc, "simclone case")


def _schema(model: type[Doc], title: str) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True)
    described = {known.__name__: known for known in subclasses(Doc)}
    for name, part in (*schema.get("$defs", {}).items(), (model.__name__, schema)):
        if name in described:
            _describe(part, described[name])
    hosts = schema["properties"]["hosts"]
    described_as = {key: hosts.pop(key) for key in ("title", "description") if key in hosts}
    schema["properties"]["hosts"] = {"anyOf": [hosts, _TABLE], "title": "Hosts", **described_as}
    return {"$schema": _DRAFT, **schema, "title": title}


def _describe_parameters(properties: dict[str, Any], kind: type[Change]) -> None:
    for name, field in kind.parameters().items() if kind.event else ():
        text = field.description or next((texts[name] for texts in map(key_texts, kind.__mro__) if name in texts), None)
        if text is not None:
            properties[field.alias or name].setdefault("description", text)


def subclasses(model: type[Doc]) -> Iterator[type[Doc]]:
    """Every document below *model* that has been defined."""
    for below in model.__subclasses__():
        yield below
        yield from subclasses(below)


def _describe(part: dict[str, Any], model: type[Doc]) -> None:
    for name, field in model.model_fields.items():
        key = field.alias or name
        text = next((texts[name] for texts in map(key_texts, model.__mro__) if name in texts), None)
        if text is not None and key in part.get("properties", {}):
            part["properties"][key].setdefault("description", text)


@cache
def key_texts(model: type) -> dict[str, str]:
    """The strings below the attributes of a class, by attribute."""
    try:
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    except (OSError, TypeError):
        return {}
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    texts: dict[str, str] = {}
    for attribute, below in itertools.pairwise(body):
        if (
            isinstance(attribute, ast.AnnAssign)
            and isinstance(attribute.target, ast.Name)
            and (
                isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
                and isinstance(below.value.value, str)
            )
        ):
            texts[attribute.target.id] = inspect.cleandoc(below.value.value).replace("\n", " ")
    return texts
