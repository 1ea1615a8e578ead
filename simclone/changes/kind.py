"""What a kind of change says of itself; the bases of changes that happen to a host or to a primary storage.

A kind is a document (what a file writes below its key) with two faces: `to_file` makes the change in the data of a
scenario, before it is opened; `to_cloud` makes it in a running cloud. Both lead to the same cloud.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, RootModel
from pydantic.fields import FieldInfo

from simclone.engine.context import Context, Outcome
from simclone.engine.waits import Workflow, run_now
from simclone.errors import Fault, InvalidInput
from simclone.scenario.document.base import Doc, Name, camel
from simclone.scenario.document.kinds import HOST, STORAGE, FileNames
from simclone.scenario.findings import Path

Data = dict[str, Any]
"""A scenario as plain data in the file's spelling."""
Workflows = Iterator[Workflow[Outcome]]
"""What a change sets going in a running cloud. What takes no time is done when the iterator comes to it."""
Incidents = Sequence[tuple[Path, Any]]
"""Changes that are made by incidents, each with the path of its incident."""
T = TypeVar("T")


class ChangeKind:
    """A kind of change; a subclass is also a pydantic model. See `simclone.scenario.document.kinds.Change`.

    *key* names it in what-ifs, *prices* are the usual costs of fixes that it makes. One that *grows* the columns of a
    cloud is tried on a fork of it, not in a trial.
    """

    key: ClassVar[str] = ""
    event: ClassVar[str] = ""
    target: ClassVar[str] = ""
    incident: ClassVar[bool] = False
    restores: ClassVar[bool] = False
    has_presets: ClassVar[bool] = False
    in_waves: ClassVar[bool] = False
    grows: ClassVar[bool] = False
    prices: ClassVar[Mapping[str, float]] = {}

    @classmethod
    def parameters(cls) -> Mapping[str, FieldInfo]:
        """The fields that an incident writes beside its event."""
        return {}

    @classmethod
    def check_incidents(cls, names: FileNames, incidents: Incidents) -> None:
        """Add a fault for everything that does not suit in incidents of this kind."""

    def to_file(self, data: Data) -> None:
        """Make the change in a scenario's data; raises InvalidInput when it names what is not there."""
        raise InvalidInput([Fault(self.key, "cannot be made before the run", "an incident")])

    def to_cloud(self, ctx: Context) -> Workflows:
        """Make the change in a running cloud; raises InvalidInput for a kind that only a file can take."""
        raise InvalidInput([Fault(self.key, "can only be made before the run", "no at")])

    def strike(self, ctx: Context, rows: Sequence[int]) -> Workflows:
        """Make the change as an incident that happens to hosts or storages by row.

        The row is -1 where the change itself names what it changes.
        """
        return self.to_cloud(ctx)

    def undo(self, ctx: Context, row: int) -> Workflows:
        """Take back what an incident did to a host or storage; nothing, unless a kind says otherwise."""
        return iter(())

    def as_incidents(self, data: Data, at: float) -> list[Data]:
        """The incidents that make this change at a time in seconds; raises InvalidInput when there are none."""
        if not self.incident:
            raise InvalidInput([Fault(self.key, "can only be made before the run", "no at")])
        return [{"at": at, self.key: self.written(mode="json")}]

    def written(self, *, mode: str = "python") -> Any:
        """What a file writes below the key."""
        assert isinstance(self, BaseModel)
        return self.model_dump(by_alias=True, exclude_unset=True, mode=mode)

    def as_data(self) -> Data:
        """The change as what-ifs write it: its key and what stands below it."""
        return {self.key: self.written()}

    def words(self) -> str:
        """What is done, as the text of a fix says it."""
        return f"{self.key} {self.written(mode='json')}"

    def missing(self, key: str, expected: str) -> InvalidInput:
        """The error for a key that is needed and not given."""
        return InvalidInput([Fault(f"{self.key}.{key}", "is missing", expected)])


class DocKind(Doc, ChangeKind):
    """A kind whose document is a mapping."""


class ValueKind(RootModel[T], ChangeKind, Generic[T]):
    """A kind whose document is one value or list."""

    model_config = ConfigDict(strict=True, frozen=True)


class EventKind(DocKind):
    """A change that happens to hosts or to a primary storage: an incident's event, or one named in a what-if."""

    @classmethod
    def target_field(cls) -> str:
        """The field that names the target in a what-if."""
        return "host" if cls.target == HOST else "primary_storage"

    @classmethod
    def parameters(cls) -> Mapping[str, FieldInfo]:
        """Every field but the one that names the target."""
        return {name: field for name, field in cls.model_fields.items() if name != cls.target_field()}

    def name_of_target(self) -> str:
        """The host or storage that a what-if names; raises InvalidInput when it names none."""
        name: str | None = getattr(self, self.target_field())
        if name is None:
            raise self.missing(camel(self.target_field()), "a name")
        return name

    def to_cloud(self, ctx: Context) -> Workflows:
        """Make the change to the target that is named."""
        return self.strike(ctx, [ctx.cloud.find(self.target, self.name_of_target())])

    def strike(self, ctx: Context, rows: Sequence[int]) -> Workflows:
        """Make the change to hosts or storages by row, to all before anything reacts."""
        raise NotImplementedError

    def as_incidents(self, data: Data, at: float) -> list[Data]:
        """The event at that time."""
        return [{"at": at, "event": self.event, **self.written(mode="json")}]


class HostEvent(EventKind):
    """A change that happens to hosts."""

    target: ClassVar[str] = HOST
    host: Name | None = None
    """The host, in a what-if; an incident has its own keys for that."""


class StorageEvent(EventKind):
    """A change that happens to a primary storage."""

    target: ClassVar[str] = STORAGE
    primary_storage: Name | None = None
    """The primary storage, in a what-if; an incident has its own key for that."""


def finished(outcome: Outcome) -> Workflow[Outcome]:
    """The workflow of something that is done already."""
    yield from ()
    return outcome


def make(change: ChangeKind, ctx: Context) -> list[Outcome]:
    """Make a change in a cloud at once, everything it sets going included; its outcomes in order."""
    return [run_now(workflow) for workflow in change.to_cloud(ctx)]


__all__ = [
    "ChangeKind",
    "Data",
    "DocKind",
    "EventKind",
    "HostEvent",
    "Incidents",
    "StorageEvent",
    "ValueKind",
    "Workflows",
    "finished",
    "make",
]
