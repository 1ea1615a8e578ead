"""Questions of installed distributions, known by name and loaded on use.

The list of commands asks for their names each time help is shown, and `importlib.metadata` takes as long to import as
all of help. So it is imported only where some distribution mentions the group at all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from simclone.planning.questions import GROUP, QUESTIONS

if TYPE_CHECKING:
    from simclone.installed import PlugIn

P = ParamSpec("P")
T = TypeVar("T")
_INFO = (".dist-info", ".egg-info")


def question_names() -> list[str]:
    """The names of questions that installed distributions bring; none of them is imported."""
    if not _mentioned():
        return []
    from simclone.installed import entry_points_of

    return sorted({point.name for point in entry_points_of(GROUP)} - set(QUESTIONS))


def question_function(name: str) -> Callable[..., Any] | None:
    """The function of an installed question, loaded now; None where there is none of this name.

    Runs that are saved while it answers name the question in their manifest.
    """
    from simclone.installed import entry_points_of, plug_in

    for point in entry_points_of(GROUP):
        if point.name == name:
            return _named(point.load(), plug_in(point))
    return None


def _named(function: Callable[P, T], origin: PlugIn) -> Callable[P, T]:
    from simclone.installed import answering

    @wraps(function)
    def ask(*values: P.args, **named: P.kwargs) -> T:
        with answering(origin):
            return function(*values, **named)

    return ask


def _mentioned() -> bool:
    """Whether any distribution on the path has entry points of the group."""
    word = GROUP.encode()
    for folder in sys.path:
        try:
            entries = list(os.scandir(folder or "."))
        except OSError:
            continue
        for entry in entries:
            if entry.name.endswith(_INFO) and word in _entry_points(entry.path):
                return True
    return False


def _entry_points(folder: str) -> bytes:
    try:
        with open(os.path.join(folder, "entry_points.txt"), "rb") as file:
            return file.read()
    except OSError:
        return b""
