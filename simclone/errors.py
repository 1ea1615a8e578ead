"""The errors simclone raises, and what each of them means.

::

    SimcloneError
    ├── InvalidInput          a file or argument is wrong; carries every fault at once
    │   └── UnplacedVms       the allocator finds no place for VMs of the file
    ├── UnknownName           a Python caller asked for something that does not exist
    ├── RunDirectoryExists    writing would overwrite what a user made
    ├── NotARunDirectory      replacing would destroy what simclone did not make
    └── InvariantViolation    a bug in simclone, never the user's fault

"No host", "no space" or "no address" are answers, not errors: see `simclone.records`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_SHOWN = 8
"""So many names of what there is are told."""


class SimcloneError(Exception):
    """Base of everything simclone raises on purpose."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in an input.

    *path* is dotted (``hosts.1.cpuNum``), *expected* says what would have been right, *file*, *line* and
    *column* (both from 1) are given where the input came from a file.
    """

    path: str
    message: str
    expected: str = ""
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        position = self.file
        if self.line:
            position = f"{position}:{self.line}:{self.column}"
        head = f"{position}: " if position else ""
        where = f"{self.path}: " if self.path else ""
        tail = f" (expected {self.expected})" if self.expected else ""
        return f"{head}{where}{self.message}{tail}"


class InvalidInput(SimcloneError):
    """An input is not usable; `faults` lists every mistake found, in file order."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.__str__())

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


class UnplacedVms(InvalidInput):
    """VMs that the file takes for given cannot be placed by the allocator; one fault for each."""


class UnknownName(SimcloneError, KeyError):
    """A name or uuid that the cloud or the run does not hold; `kind` and `name` say which, `known` what there is."""

    def __init__(self, kind: str, name: str, known: Iterable[str] = ()) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        super().__init__(f"unknown {kind}: {name!r}")

    def __str__(self) -> str:
        text = f"unknown {self.kind}: {self.name!r}"
        if not self.known:
            return text
        near = difflib.get_close_matches(str(self.name), self.known, n=1)
        if near:
            return f"{text}; did you mean {near[0]}?"
        more = f" and {len(self.known) - _SHOWN} more" if len(self.known) > _SHOWN else ""
        return f"{text}; there is {', '.join(self.known[:_SHOWN])}{more}"


class RunDirectoryExists(SimcloneError):
    """The output directory is there and not empty; `path` names it."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} exists and is not empty; choose another directory or pass --force")


class NotARunDirectory(SimcloneError):
    """The directory to be replaced was not made by simclone; `path` names it."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} is no run directory (it has no manifest.json); it is left alone")


class InvariantViolation(SimcloneError):
    """Something that can never be true was found true: a bug in simclone."""
