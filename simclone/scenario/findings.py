"""Faults on their way out: found by path, placed in a file at the end."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from simclone.errors import Fault, InvalidInput

Path = tuple[str | int, ...]
"""Where something stands in a document: keys and positions from the top."""

GUESS = "\0"
"""Begins a name that stands where the file gives none."""


def dotted(path: Path) -> str:
    """A path as people read it.

    >>> dotted(("hosts", 1, "cpuNum"))
    'hosts.1.cpuNum'
    """
    return ".".join(str(part) for part in path)


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word most like *word*, as the text of an expectation; empty when none is like it."""
    choices = sorted({item for item in known if not item.startswith(GUESS)})
    near = difflib.get_close_matches(word, choices, n=1)
    if near:
        return f"{near[0]}, the nearest known"
    if len(choices) < 2:
        return "".join(choices)
    return "one of " + ", ".join(choices) if len(choices) <= 12 else ""


def single(message: str, file: str, line: int = 0, column: int = 0, expected: str = "") -> InvalidInput:
    """The error for a file that could not be read at all."""
    return InvalidInput([Fault("", message, expected, file, line, column)])


@dataclass(frozen=True, slots=True)
class FoundFault:
    """A fault that knows its path but not yet its line."""

    path: Path
    message: str
    expected: str = ""


@dataclass(slots=True)
class Findings:
    """All faults of one document, each path and message once.

    *known* holds paths already faulted by the shape check: nothing more is said about them. *guessed* are entries
    some value of which was put in by the shape check: their figures are not compared.
    """

    found: list[FoundFault] = field(default_factory=list)
    known: set[Path] = field(default_factory=set)
    guessed: set[Path] = field(default_factory=set)
    _seen: set[tuple[Path, str]] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.found)

    def add(self, path: Path, message: str, expected: str = "") -> None:
        """One more fault."""
        if path in self.known or (path, message) in self._seen:
            return
        self._seen.add((path, message))
        self.found.append(FoundFault(path, message, expected))

    def compare(self, path: Path, message: str, expected: str = "") -> None:
        """One more fault of two values that do not go together, unless one of them was guessed."""
        if path[:2] not in self.guessed:
            self.add(path, message, expected)
