"""Types of arguments: what is given to a public function is compared with its annotations before it is used.

>>> @checked
... def ask(source: str, *, wave: int = 1) -> int:
...     return wave
>>> ask("x", wave="two")
Traceback (most recent call last):
simclone.errors.InvalidInput: wave: 'two' is no whole number (expected a whole number)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache, wraps
from numbers import Integral, Real
from os import PathLike
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Annotated, Literal, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints, is_typeddict

from simclone.errors import Fault, InvalidInput
from simclone.planning.option import Option

P = ParamSpec("P")
T = TypeVar("T")
TEXT = "a text"
NAMES: Mapping[object, str] = {
    int: "a whole number",
    float: "a number",
    str: TEXT,
    bool: "True or False",
    NoneType: "None",
}
LONGEST = 40
"""A value longer than this is told by its type."""


def checked(function: Callable[P, T]) -> Callable[P, T]:
    """The function, which raises InvalidInput for arguments of wrong types: each by name, with what is expected."""
    signature = inspect.signature(function)

    @wraps(function)
    def call(*values: P.args, **named: P.kwargs) -> T:
        try:
            arguments = signature.bind(*values, **named).arguments
        except TypeError:
            return function(*values, **named)  # says which argument is missing or unknown
        faults = [fault for name, value in arguments.items() for fault in _argument_faults(function, name, value)]
        if faults:
            raise InvalidInput(faults)
        return function(*values, **named)

    return call


def check_fields(record: object) -> None:
    """Raise InvalidInput for fields of a dataclass that are not of their types."""
    hints = get_type_hints(type(record), include_extras=True).items()
    faults = [fault for name, hint in hints for fault in faults_of(name, getattr(record, name), hint)]
    if faults:
        raise InvalidInput(faults)


@cache
def _hints(thing: Callable[..., object]) -> Mapping[str, object]:
    return get_type_hints(thing, include_extras=True)


def _argument_faults(function: Callable[..., object], name: str, value: object) -> Iterator[Fault]:
    hint = _hints(function).get(name, object)
    typed = next((part for part in get_args(hint) if is_typeddict(part)), None)
    if typed is None or not isinstance(value, Mapping):
        yield from faults_of(name, value, hint)
        return
    keys = _hints(typed)
    for key, item in value.items():
        yield from faults_of(key, item, keys.get(key, object))


def faults_of(path: str, value: object, hint: object) -> list[Fault]:
    """What is wrong with a value that stands at *path* and should be of a type; nothing for a type that says nothing.

    >>> [str(fault) for fault in faults_of("costs", {"a": "much"}, dict[str, float] | None)]
    ["costs.a: 'much' is no number (expected a number)"]
    """
    if get_origin(hint) is Annotated:
        hint, *extras = get_args(hint)
        if isinstance(value, PathLike) and any(isinstance(extra, Option) and extra.path for extra in extras):
            return []
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    tries = [_option_faults(path, value, option) for option in options]
    if any(not faults for faults in tries):
        return []
    deeper = [faults for faults in tries if all(fault.path != path for fault in faults)]
    return deeper[0] if deeper else [_fault(path, value, options)]


def _option_faults(path: str, value: object, hint: object) -> list[Fault]:
    """As `faults_of`, for a type that is no union."""
    origin, arguments = get_origin(hint) or hint, get_args(hint)
    if origin is Literal:
        return [] if isinstance(value, str) else [_fault(path, value, (hint,))]  # its own words for others
    if not isinstance(origin, type) or origin is object or origin.__module__ == "typing":  # Any, a type variable
        return []
    if not _is(value, origin):
        return [_fault(path, value, (hint,))]
    if isinstance(value, Mapping) and len(arguments) == 2:
        return _mapping_faults(path, value, *arguments)
    if origin is tuple and Ellipsis not in arguments and arguments:
        return _tuple_faults(path, value, hint)
    if arguments and isinstance(value, Collection):
        return [fault for row, item in enumerate(value) for fault in faults_of(f"{path}.{row}", item, arguments[0])]
    return []


def _mapping_faults(path: str, value: Mapping[object, object], keys: object, items: object) -> list[Fault]:
    nameless = [_fault(f"{path}.{key}", key, (str,)) for key in value if keys is str and not isinstance(key, str)]
    return nameless or [fault for key, item in value.items() for fault in faults_of(f"{path}.{key}", item, items)]


def _tuple_faults(path: str, value: object, hint: object) -> list[Fault]:
    items, parts = list(value) if isinstance(value, Collection) else [], get_args(hint)
    if len(items) != len(parts):
        return [_fault(path, value, (hint,))]
    return [
        fault
        for row, (item, part) in enumerate(zip(items, parts, strict=True))
        for fault in faults_of(f"{path}.{row}", item, part)
    ]


def _is(value: object, kind: type) -> bool:
    """Whether a value is of a kind; other libraries' numbers and collections count, a truth is no number."""
    truth = isinstance(value, bool) or type(value).__name__ == "bool_"
    if kind is bool:
        return truth
    if kind in (int, float):
        return isinstance(value, Integral if kind is int else Real) and not truth
    if issubclass(kind, PurePath):
        return isinstance(value, PathLike)
    if issubclass(kind, Mapping) or kind in (str, NoneType) or not issubclass(kind, Collection):
        return isinstance(value, kind)
    return isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)


def _fault(path: str, value: object, options: tuple[object, ...]) -> Fault:
    expected = list(dict.fromkeys(_name(option) for option in options))
    usual = next((name for name in expected if name != "None"), "None")
    shown = repr(value)
    if value is None:
        return Fault(path, "is None", " or ".join(expected))
    if isinstance(value, str | int | float) and len(shown) <= LONGEST:
        return Fault(path, f"{shown} is no {usual.removeprefix('a ')}", " or ".join(expected))
    kind = type(value).__name__
    return Fault(path, f"{'an' if kind[0] in 'aeiou' else 'a'} {kind} is given", " or ".join(expected))


def _name(hint: object) -> str:
    """What a value of a type is called."""
    origin, arguments = get_origin(hint) or hint, get_args(hint)
    if origin is Annotated:
        return _name(arguments[0])
    if origin in (Union, UnionType):
        return " or ".join(_name(part) for part in arguments)
    if origin is Literal:
        return f"one of {', '.join(map(repr, arguments))}"
    if not isinstance(origin, type) or origin in NAMES or origin.__module__ == "typing":
        return NAMES.get(origin, "value")
    if issubclass(origin, Mapping):
        return f"a mapping of names to {_several(arguments[-1:])}"
    if issubclass(origin, PurePath):
        return "a path"
    if origin is tuple and Ellipsis not in arguments:
        return f"a pair of {_several(arguments)}" if len(set(arguments)) == 1 else f"{len(arguments)} values"
    if issubclass(origin, Collection):
        return f"a list of {_several(arguments[:1])}"
    return f"a {origin.__name__}"


def _several(hints: tuple[object, ...]) -> str:
    """What values of a type are called, without what is in them."""
    origin = get_origin(hints[0]) or hints[0] if hints else None
    name = NAMES.get(origin, "")
    if name.startswith("a "):
        return f"{name.removeprefix('a ')}s"
    if not isinstance(origin, type) or name or origin.__module__ == "typing":
        return "values"
    kinds = ((Mapping, "mappings"), (Collection, "lists"), (object, f"{origin.__name__}s"))
    return next(word for kind, word in kinds if issubclass(origin, kind))
