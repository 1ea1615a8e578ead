"""Options of a question: what a parameter's annotation tells the command line, and plain data made of a signature.

>>> def ask(source: str, *, wave: Annotated[int, Option("Hosts that may be away together.")] = 1) -> None:
...     '''Ask something of SCENARIO. More words.'''
>>> [option["flags"] for option in describe("ask", ask)["options"]]
[['--wave']]
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

PLAN = "plan"
"""The parameter that a command fills from its options about runs."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a command, written into the annotation of the parameter it stands for.

    It is called after the parameter (``ha_only`` → ``--ha-only``), a repeated one after its singular, unless *flag*
    names it; *aliases* are older names. *parse* names a function of `simclone.cli.parsers` that makes the value out of
    the texts; *least* is the smallest whole number taken.
    """

    help: str
    flag: str = ""
    metavar: str = ""
    parse: str = ""
    aliases: tuple[str, ...] = ()
    least: int | None = None
    path: bool = False


Seed = Annotated[int | None, Option("Seed of all chance; overrides the file's.", least=0)]
At = Annotated[Literal["start", "end"], Option("Of the scenario.")]
Vm = Annotated[str | None, Option("The VM to clone (default: one of the offering, else the first).")]
T = TypeVar("T")


def deprecated(old: str, new: str, value: T) -> T:
    """Warn whoever called a checked function that its keyword *old* is called *new*; the value goes on."""
    warnings.warn(f"the keyword {old} is called {new}", DeprecationWarning, stacklevel=4)
    return value


def describe(name: str, function: Callable[..., Any]) -> dict[str, Any]:
    """A command as plain data: its sentence and its options, made of the function's docstring and signature."""
    hints = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    options = [
        _option(parameter, hints[parameter.name])
        for parameter in parameters
        if parameter.name in hints and _mark(hints[parameter.name]) is not None
    ]
    return {
        "name": name,
        "sentence": sentence_of(function),
        "module": function.__module__,
        "function": function.__name__,
        "runs": any(parameter.name == PLAN for parameter in parameters),
        "options": options,
    }


def sentence_of(function: Callable[..., Any]) -> str:
    """The first line of a docstring: what the command answers."""
    return inspect.getdoc(function).partition("\n")[0] if function.__doc__ else ""  # type: ignore[union-attr]


def _mark(hint: Any) -> Option | None:
    if get_origin(hint) is not Annotated:
        return None
    return next((extra for extra in hint.__metadata__ if isinstance(extra, Option)), None)


def _option(parameter: inspect.Parameter, hint: Any) -> dict[str, Any]:
    mark = _mark(hint)
    if mark is None:
        raise TypeError(f"{parameter.name} has no Option")
    kind, choices, repeated = _kind(get_args(hint)[0])
    repeated = repeated or bool(mark.parse)
    required = parameter.default is inspect.Parameter.empty
    default = None if required or isinstance(parameter.default, Mapping) else parameter.default
    return {
        "keyword": parameter.name,
        "flags": [mark.flag or flag_of(parameter.name, repeated), *mark.aliases],
        "kind": "path" if mark.path else kind,
        "choices": list(choices),
        "repeated": repeated,
        "required": required,
        "default": list(default) if isinstance(default, tuple) else default,
        "metavar": mark.metavar or None,
        "parse": mark.parse,
        "least": mark.least,
        "help": mark.help,
    }


def flag_of(keyword: str, repeated: bool) -> str:
    """The option of a keyword.

    >>> flag_of("half_width", False), flag_of("offerings", True), flag_of("strategies", True)
    ('--half-width', '--offering', '--strategy')
    """
    word = keyword
    if repeated and word.endswith("ies"):
        word = word[:-3] + "y"
    elif repeated and word.endswith("s"):
        word = word[:-1]
    return "--" + word.replace("_", "-")


def _kind(hint: Any) -> tuple[str, tuple[str, ...], bool]:
    """Kind of a value, its choices, and whether the option may be repeated."""
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
    if get_origin(hint) is Literal:
        return "choice", get_args(hint), False
    if hint in (bool, int, float, str):
        return hint.__name__, (), False
    arguments = get_args(hint)
    if isinstance(get_origin(hint), type) and issubclass(get_origin(hint), Sequence) and arguments:
        kind, choices, _ = _kind(arguments[0])
        return kind, choices, True
    return "str", (), True
