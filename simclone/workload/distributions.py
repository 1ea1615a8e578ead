"""Distributions out of plain data, drawn by inverse transform: one uniform in, one value out.

Values are seconds or counts, never negative. The order of uniforms is the order of values, so two runs with the same
uniforms and different parameters stay comparable.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np

from simclone.workload.laws import LAWS, Floats
from simclone.workload.recorded import FIELDS, recorded
from simclone.workload.values import ValueTable

FOREVER = "forever"
"""In place of a value: no end."""

KINDS = (*LAWS, "empirical", "choice", "scipy", "fromTrace")
"""Every way to write a distribution."""

_LEAST, _MOST = 2.0**-54, 1.0 - 2.0**-53


@dataclass(frozen=True)
class Distribution:
    """A law of values from 0 up, as plain data says it; *kind* is one of `KINDS`, *parameters* are in its order.

    >>> Distribution.of({"exponential": {"mean": 60}}).mean
    60.0
    """

    kind: str
    parameters: tuple[Any, ...]

    @classmethod
    def of(cls, data: object) -> Distribution:
        """The distribution of plain data: a number, or a mapping with one kind; ValueError says what is wrong."""
        if _is_number(data):
            data = {"constant": data}
        if isinstance(data, Mapping) and "fromTrace" in data:
            return cls("fromTrace", _from_trace(data))
        if not isinstance(data, Mapping) or len(data) != 1:
            raise ValueError(f"a distribution is a number or has one key of {', '.join(KINDS)}")
        ((kind, values),) = data.items()
        if kind not in KINDS:
            raise ValueError(f"unknown distribution {kind!r}; {_near(str(kind), KINDS)}")
        return cls(kind, _READERS.get(kind, _law_parameters)(kind, values))

    def within(self, folder: Path) -> Distribution:
        """The same, a trace it is taken from looked for in *folder*."""
        if self.kind != "fromTrace":
            return self
        path, field = self.parameters
        return replace(self, parameters=(str(folder / path), field))

    def quantile(self, u: Floats) -> Floats:
        """The values of uniforms in [0, 1); infinite for no end. Raises InvalidInput for an unusable trace."""
        return self._law[0](np.clip(u, _LEAST, _MOST))

    @property
    def mean(self) -> float:
        """The expectation, infinite where there is none."""
        return self._law[1]

    @cached_property
    def _law(self) -> tuple[Callable[[Floats], Floats], float]:
        if self.kind in LAWS:
            law, parameters = LAWS[self.kind], self.parameters
            return (lambda u: law.quantile(u, *parameters)), law.mean(*parameters)
        if self.kind == "scipy":
            frozen = _frozen(*self.parameters)
            return (lambda u: np.maximum(np.asarray(frozen.ppf(u), np.float64), 0.0)), float(frozen.mean())
        table = recorded(*self.parameters) if self.kind == "fromTrace" else ValueTable.of(*self.parameters)
        return table.quantile, table.mean


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _near(word: str, known: Iterable[str]) -> str:
    names = list(known)
    near = get_close_matches(word, names, 1)
    return f"did you mean {near[0]}?" if near else f"there is {', '.join(names)}"


def number(kind: str, name: str, value: object, *, zero: bool = True) -> float:
    """A finite number from 0 up (above it without *zero*), or ValueError with a sentence."""
    if not _is_number(value) or not math.isfinite(cast(float, value)):
        raise ValueError(f"{kind} needs a number as {name}, not {value!r}")
    result = float(cast(float, value))
    if result < 0 or not (result or zero):
        raise ValueError(f"{name} of {kind} must be {'at least' if zero else 'more than'} 0, not {result:g}")
    return result


def mapping(kind: str, given: object, needed: Sequence[str], optional: Sequence[str] = ()) -> Mapping[str, Any]:
    """A mapping with the keys it needs and no others, or ValueError with a sentence."""
    known = (*needed, *optional)
    if not isinstance(given, Mapping):
        raise ValueError(f"{kind} needs a mapping with {', '.join(known)}")
    for name in given:
        if name not in known:
            raise ValueError(f"unknown key {name!r} of {kind}; {_near(str(name), known)}")
    missing = [name for name in needed if name not in given]
    if missing:
        raise ValueError(f"{missing[0]} of {kind} is missing")
    return given


def _law_parameters(kind: str, given: object) -> tuple[Any, ...]:
    law = LAWS[kind]
    result = {"value": given} if kind == "constant" else mapping(kind, given, law.names)
    parameters = tuple(number(kind, name, result[name], zero=name in law.zero) for name in law.names)
    wrong = law.rule(*parameters)
    if wrong:
        raise ValueError(f"{kind}: {wrong}")
    return parameters


def _value(kind: str, value: object) -> float:
    return math.inf if value == FOREVER else number(kind, "a value", value)


def _entries(kind: str, given: object) -> list[Any]:
    if not isinstance(given, list | tuple) or not given:
        raise ValueError(f"{kind} needs a list with at least one entry")
    return list(given)


def _empirical(kind: str, given: object) -> tuple[Any, ...]:
    return tuple(_value(kind, entry) for entry in _entries(kind, given)), None


def _choice(kind: str, given: object) -> tuple[Any, ...]:
    entries = [mapping(kind, entry, ("value",), ("weight",)) for entry in _entries(kind, given)]
    weights = tuple(number(kind, "weight", item.get("weight", 1)) for item in entries)
    if not sum(weights):
        raise ValueError("the weights of choice are all 0")
    return tuple(_value(kind, element["value"]) for element in entries), weights


def _from_trace(data: object) -> tuple[Any, ...]:
    result = mapping("fromTrace", data, ("fromTrace",), ("field",))
    path, field = result["fromTrace"], result.get("field", "lifetime")
    if not isinstance(path, str) or not path:
        raise ValueError("fromTrace needs the path of a trace")
    if field not in FIELDS:
        raise ValueError(f"unknown field {field!r} of fromTrace; {_near(str(field), FIELDS)}")
    return path, field


def _scipy(kind: str, given: object) -> tuple[Any, ...]:
    result = mapping(kind, given, ("name",), ("args", "kwargs"))
    args, kwargs = result.get("args", []), result.get("kwargs", {})
    if not isinstance(args, list | tuple) or not isinstance(kwargs, Mapping):
        raise ValueError("scipy takes args as a list and kwargs as a mapping")
    parameters = (result["name"], tuple(args), tuple(kwargs.items()))
    frozen = _frozen(*parameters)
    least, mean = float(frozen.support()[0]), float(frozen.mean())
    if math.isnan(mean) or math.isnan(least):
        raise ValueError(f"scipy {result['name']} does not take these parameters")
    if least < 0:
        raise ValueError(f"scipy {result['name']} has values from {least:g}, but they must not be negative")
    return parameters


def _frozen(name: object, args: Sequence[object], kwargs: Sequence[tuple[str, object]]) -> Any:
    """A distribution of scipy.stats; ValueError says what is wrong."""
    from scipy import stats

    result = getattr(stats, name, None) if isinstance(name, str) else None
    if not isinstance(result, stats.rv_continuous | stats.rv_discrete):
        raise ValueError(f"scipy.stats has no distribution {name!r}")
    try:
        return result(*args, **dict(kwargs))
    except (TypeError, ValueError) as error:
        raise ValueError(f"scipy {name} does not take these parameters: {error}") from None


_READERS: Mapping[str, Callable[[str, object], tuple[Any, ...]]] = {
    "empirical": _empirical,
    "choice": _choice,
    "scipy": _scipy,
}
