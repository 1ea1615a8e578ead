"""A conformance case as a file writes it: a topology and steps."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from simclone.scenario.document.base import Doc, Name
from simclone.scenario.document.scenario import TopologyDoc


class StepDoc(Doc):
    """One operation and what it must lead to; an unknown *op* is kept for the runner to report."""

    op: Name
    """The operation or question."""
    spec: dict[str, Any] = Field(default_factory=dict)
    """What it is asked with."""
    expect: dict[str, Any] = Field(default_factory=dict)
    """What it must lead to; absent keys are not compared."""
    arrange: bool = False
    """True for a step that only prepares."""
    target: dict[str, Any] | None = None
    """What the operation is about, where that is not a VM."""
    for_: Name | None = None
    """What an assertion is about."""
    vm: Name | None = None
    """The VM it is about."""
    volume: Name | None = None
    """The volume it is about."""
    host: Name | None = None
    """The host it is about."""
    account: Name | None = None
    """The account it is about."""
    affinity_group: Name | None = None
    """The affinity group it is about."""
    note: str | None = None
    """A remark for people."""


class CaseDoc(TopologyDoc):
    """A case; without *profile* it is of the open-source allocator."""

    schema_version: Literal[1] = 1
    """The version of this file format."""
    id: Name
    """The case's id."""
    topic: Name | None = None
    """What the case is about, for reports by topic."""
    profile: Literal["open", "cloud"] = "open"
    """The allocator profile it was written for."""
    source: list[str] = Field(default_factory=list)
    """Where the case comes from."""
    source_commit: str | None = None
    """The commit of that source."""
    about: str = ""
    """What the case shows, for people."""
    fidelity: Literal["asserted", "mixed", "derived"] | None = None
    """Whether its expectations were asserted by the source or derived from it."""
    notes: list[str] = Field(default_factory=list)
    """Remarks for people."""
    units: dict[str, str] = Field(default_factory=dict)
    """Units of the figures, for people."""
    ops: list[Name] = Field(default_factory=list)
    """The operations it uses, for people."""
    steps: list[StepDoc] = Field(min_length=1)
    """The steps, in order."""
