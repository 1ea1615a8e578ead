"""Frozen dataclasses that are made often: the same classes with a constructor that writes their slots directly.

A frozen dataclass writes every field through ``object.__setattr__``, which is most of the cost of a small record. Here
the fresh object is an open twin with the same slots while its fields are written, and frozen ever after.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, TypeVar

C = TypeVar("C", bound=type)
T = TypeVar("T")
_COPIES: dict[type, Callable[[Any], Any]] = {}
"""Per quick class what makes an open copy of a record."""


def quick(cls: C) -> C:
    """Give a frozen dataclass with slots, to which nothing is added after its fields, the quicker constructor."""
    known = fields(cls)
    if hasattr(cls, "__post_init__") or any(not one.init or one.default_factory is not MISSING for one in known):
        raise TypeError(f"{cls.__name__} needs its own constructor")
    names = [one.name for one in known]
    twin = type(f"{cls.__name__}Open", (), {"__slots__": tuple(names)})
    scope: dict[str, Any] = {"_set": object.__setattr__, "_open": twin, "_done": cls}
    scope.update({f"_{one.name}": one.default for one in known if one.default is not MISSING})
    copies = "".join(f"    made.{name} = old.{name}\n" for name in names)
    asked = ", ".join(name if f"_{name}" not in scope else f"{name}=_{name}" for name in names)
    writes = "".join(f"    self.{name} = {name}\n" for name in names)
    head = f"def __init__(self, {asked}):\n    _set(self, '__class__', _open)\n"
    text = f"{head}{writes}    self.__class__ = _done\ndef copied(old):\n    made = _open()\n{copies}    return made\n"
    exec(compile(text, f"<quick {cls.__name__}>", "exec"), scope)
    _COPIES[cls] = scope["copied"]
    made = scope["__init__"]
    slow: Any = cls.__init__  # type: ignore[misc]
    made.__qualname__, made.__module__, made.__annotations__ = slow.__qualname__, cls.__module__, slow.__annotations__
    cls.__init__ = made  # type: ignore[misc]
    return cls


def changed(record: T, **values: Any) -> T:
    """A copy of a record of a quick class with other *values*, as `dataclasses.replace` makes it."""
    made = _COPIES[type(record)](record)
    for name, value in values.items():
        setattr(made, name, value)
    made.__class__ = type(record)
    found: T = made
    return found
