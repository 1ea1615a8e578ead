"""What-ifs as a scenario holds them: named lists of changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field, SerializationInfo, SerializerFunctionWrapHandler, model_serializer

from simclone.scenario.document.base import Doc, Name
from simclone.scenario.document.kinds import Change
from simclone.scenario.document.requests import Seconds


class WhatIfHead(Doc):
    """What a what-if says besides its changes."""

    name: Name
    """The what-if's name, by which it is chosen."""
    about: str | None = None
    """What it shows, for people."""
    at: Seconds | None = None
    """The time of the changes in seconds from the start; before the run when left out."""


class WhatIfDoc(WhatIfHead):
    """A named set of changes, made before the run or *at* a time of it (seconds)."""

    changes: Any = Field(default=(), exclude=True)

    @property
    def made(self) -> Sequence[Change]:
        """The changes, in the order of the file."""
        changes: Sequence[Change] = self.changes
        return changes

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        changes = [{change.key: change.written(mode=info.mode)} for change in self.made]
        return {**handler(self), "changes": changes}
