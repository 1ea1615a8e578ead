"""``--fail-if``: conditions on the statistics of a run."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from simclone.engine.statistics import Statistics

OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}
SHAPE = re.compile(r"\s*([a-z0-9_]+)(?:\.(.+?))?\s*(<=|>=|==|<|>)\s*(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Condition:
    """A figure (*key* picks one of several), an operator and a limit."""

    name: str
    key: str
    sign: str
    limit: float

    def met(self, statistics: Statistics) -> str | None:
        """What to say when the condition is met, or None; a figure over nothing meets none."""
        value = getattr(statistics, self.name)
        if isinstance(value, Mapping):
            value = value.get(self.key, 0 if self.name == "reasons" else None)
        if value is None or not OPERATORS[self.sign](value, self.limit):
            return None
        return f"{self.name}{'.' if self.key else ''}{self.key} is {value:g}: {self.sign} {self.limit:g}"


class ConditionType(click.ParamType[Condition]):
    """Reads a condition, checking that the figure exists."""

    name = "condition"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """How the option's value is shown in the help."""
        return "FIGURE<LIMIT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Condition:
        """A condition; fails as bad usage."""
        if isinstance(value, Condition):
            return value
        found = SHAPE.fullmatch(value)
        if found is None:
            self.fail(f"{value!r} is no condition such as success_ratio<0.99 (< <= > >= ==)", param, ctx)
        name, key, sign, limit = found.groups(default="")
        try:
            number = float(limit)
        except ValueError:
            self.fail(f"{limit!r} is no number", param, ctx)
        self._known(name, key, param, ctx)
        return Condition(name, key, sign, number)

    def _known(self, name: str, key: str, param: click.Parameter | None, ctx: click.Context | None) -> None:
        from simclone.engine.statistics import Statistics

        kinds = {one.name: str(one.type) for one in fields(Statistics)}
        if name not in kinds:
            self.fail(f"{name!r} is no figure; there is {', '.join(kinds)}", param, ctx)
        several = kinds[name].startswith("Mapping")
        if several and not key:
            self.fail(f"{name} holds several figures: {name}.NAME", param, ctx)
        if key and not several:
            self.fail(f"{name} is one figure, it has no {key!r}", param, ctx)
