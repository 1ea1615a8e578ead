"""``--fail-if``: conditions on the statistics of a run."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from simclone.engine.results.statistics import Statistics

OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}
SHAPE = re.compile(r"\s*(.+?)\s*(<=|>=|==|<|>)\s*(\S+)\s*")


def parse_condition(text: str, example: str = "success_ratio<0.99") -> tuple[str, str, float]:
    """Figure, operator and limit of a condition; ValueError says what is wrong with it."""
    result = SHAPE.fullmatch(text)
    if result is None:
        raise ValueError(f"{text!r} is no condition such as {example} (< <= > >= ==)")
    name, sign, limit = result.groups()
    try:
        return name, sign, float(limit)
    except ValueError:
        raise ValueError(f"{limit!r} is no number") from None


def describe_condition(name: str, value: float | None, sign: str, limit: float) -> str | None:
    """What to say when a figure meets a condition, or None; a figure over nothing meets none."""
    if value is None or not OPERATORS[sign](value, limit):
        return None
    return f"{name} is {value:g}: {sign} {limit:g}"


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
        return describe_condition(f"{self.name}.{self.key}" if self.key else self.name, value, self.sign, self.limit)


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
        try:
            name, sign, number = parse_condition(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        name, _, key = name.partition(".")
        self._known(name, key, param, ctx)
        return Condition(name, key, sign, number)

    def _known(self, name: str, key: str, param: click.Parameter | None, ctx: click.Context | None) -> None:
        from simclone.engine.results.statistics import Statistics

        kinds = {field.name: str(field.type) for field in fields(Statistics)}
        if name not in kinds:
            self.fail(f"{name!r} is no figure; there is {', '.join(kinds)}", param, ctx)
        several = kinds[name].startswith("Mapping")
        if several and not key:
            self.fail(f"{name} holds several figures: {name}.NAME", param, ctx)
        if key and not several:
            self.fail(f"{name} is one figure, it has no {key!r}", param, ctx)
