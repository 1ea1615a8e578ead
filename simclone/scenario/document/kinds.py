"""What a scenario knows of kinds of changes: what a file writes for them, how they are checked, what they cost.

The kinds themselves stand above the scenario, because they also change a running cloud. They are handed to
`simclone.scenario.load` as an argument, so that a scenario can be read without knowing what a failure is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol, Self

from pydantic.fields import FieldInfo

from simclone.scenario.findings import Findings, Path

TARGET_KEYS = ("host", "hosts", "cluster", "zone", "label", "primary_storage")
"""Attributes of an incident that say what its event happens to."""
HOST, STORAGE = "host", "primaryStorage"
"""What an event can happen to."""


class FileNames(Protocol):
    """The names of a file, as the check of a change sees them."""

    findings: Findings

    def find(self, kind: str, name: str, path: Path) -> int:
        """The row of a name or uuid, negative with a fault at *path* when there is none."""

    def words(self, kind: str) -> Iterable[str]:
        """Every name and uuid of a kind."""


class Change(Protocol):
    """A change as the document a file writes for it.

    *key* is its name in a what-if; an incident may write it under the same key when *incident* is True, or as the
    *event* that happens to a *target*. *restores* says that it undoes others: at equal times it comes before failures.
    *has_presets* says that published laws tell how often it happens, *in_waves* that it can go round the targets.
    *prices* are the costs of fixes that are changes of this kind, by the key they have under ``prices:``.
    """

    key: ClassVar[str]
    event: ClassVar[str]
    target: ClassVar[str]
    incident: ClassVar[bool]
    restores: ClassVar[bool]
    has_presets: ClassVar[bool]
    in_waves: ClassVar[bool]
    prices: ClassVar[Mapping[str, float]]

    @classmethod
    def model_validate(cls, obj: object) -> Self:
        """The document of plain data; raises pydantic's ValidationError."""

    @classmethod
    def parameters(cls) -> Mapping[str, FieldInfo]:
        """The fields that an incident writes beside the event: all but the one that names the target."""

    @classmethod
    def check_incidents(cls, names: FileNames, incidents: Sequence[tuple[Path, Self]]) -> None:
        """Add a fault for everything that does not suit, of all incidents of this kind, each with its path."""

    def written(self, *, mode: str = "python") -> Any:
        """What the file wrote below the key."""


@dataclass(frozen=True, eq=False)
class Kinds:
    """The kinds of changes that are known, in the order of their register."""

    all: tuple[type[Change], ...]

    @cached_property
    def by_key(self) -> Mapping[str, type[Change]]:
        """Kinds by their key in a what-if."""
        return {kind.key: kind for kind in self.all}

    @cached_property
    def incident_keys(self) -> Mapping[str, type[Change]]:
        """Kinds that an incident writes under their key."""
        return {kind.key: kind for kind in self.all if kind.incident}

    @cached_property
    def events(self) -> Mapping[tuple[str, str], type[Change]]:
        """Kinds by target and event."""
        return {(kind.target, kind.event): kind for kind in self.all if kind.event}

    def events_of(self, target: str) -> tuple[str, ...]:
        """The events that can happen to a target."""
        return tuple(event for kind, event in self.events if kind == target)

    @cached_property
    def prices(self) -> Mapping[str, float]:
        """The usual price of every fix, by its key under ``prices:``."""
        return {key: price for kind in self.all for key, price in kind.prices.items()}
