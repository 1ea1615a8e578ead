"""Models of what a file writes where kinds of changes stand: ``incidents:``, ``whatif:`` and ``prices:``.

They are made from the register, so that every key of every kind is known: to the check of the shape, to the nearest
known key in its messages, and to the JSON Schema. A checked scenario holds none of them, so that it can be pickled.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field, create_model
from pydantic.fields import FieldInfo

from simclone.scenario.document.base import Doc, snake
from simclone.scenario.document.changes import WhatIfHead
from simclone.scenario.document.distributions import NotNegative
from simclone.scenario.document.incidents import IncidentHead
from simclone.scenario.document.kinds import Kinds
from simclone.scenario.document.prices import UnitPrices
from simclone.scenario.document.scenario import ScenarioDoc

Fields = dict[str, Any]
"""Keys of a model that is made, each with its type and default."""


@lru_cache(maxsize=8)
def scenario_model(kinds: Kinds) -> type[ScenarioDoc]:
    """The model of a scenario's file; its incidents, what-ifs and prices are still as written."""
    fields: Fields = {
        "incidents": (list[_incident_model(kinds)], Field(default_factory=list)),  # type: ignore[misc]
        "prices": (_price_model(kinds), UnitPrices()),
        "whatif": (list[_whatif_model(kinds)], Field(default_factory=list)),  # type: ignore[misc]
    }
    return create_model("ScenarioDoc", __base__=ScenarioDoc, __doc__=ScenarioDoc.__doc__, **fields)


@lru_cache(maxsize=8)
def change_model(kinds: Kinds) -> type[Doc]:
    """The model of one change: a mapping with the key of its kind."""
    fields: Fields = {snake(key): _optional(kind) for key, kind in kinds.by_key.items()}
    return create_model("ChangeDoc", __base__=Doc, __doc__="Exactly one change.", **fields)


def _whatif_model(kinds: Kinds) -> type[WhatIfHead]:
    changes: Any = Annotated[list[change_model(kinds)], Field(min_length=1)]  # type: ignore[misc]
    text = "A named set of changes, made before the run or *at* a time of it (seconds)."
    return create_model("WhatIfDoc", __base__=WhatIfHead, __doc__=text, changes=(changes, ...))


def _incident_model(kinds: Kinds) -> type[IncidentHead]:
    events = tuple(dict.fromkeys(event for _, event in kinds.events))
    fields: Fields = {"event": (Literal[events] | None, None)}
    for kind in kinds.all:
        if kind.event:
            fields.update({name: _optional(_annotated(field)) for name, field in kind.parameters().items()})
    fields.update({snake(key): _optional(kind) for key, kind in kinds.incident_keys.items()})
    return create_model("IncidentDoc", __base__=IncidentHead, __doc__=IncidentHead.__doc__, **fields)


def _price_model(kinds: Kinds) -> type[UnitPrices]:
    fields: Fields = {snake(key): (NotNegative, price) for key, price in kinds.prices.items()}
    text = "Effort or money of each kind of fix; what grows counts on top by vCPU and GiB."
    return create_model("PricesDoc", __base__=UnitPrices, __doc__=text, **fields)


def _optional(annotation: Any) -> tuple[Any, None]:
    """A key that may be left out."""
    return annotation | None, None


def _annotated(field: FieldInfo) -> Any:
    """The annotation of a field with its bounds and conversions."""
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
