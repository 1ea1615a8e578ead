"""A conformance case as a file writes it: a topology and steps."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from simclone.scenario.document.base import Doc, Name
from simclone.scenario.document.scenario import TopologyDoc


class StepDoc(Doc):
    """One operation and what it must lead to; an unknown *op* is kept for the runner to report."""

    op: Name
    spec: dict[str, Any] = Field(default_factory=dict)
    expect: dict[str, Any] = Field(default_factory=dict)
    arrange: bool = False
    target: dict[str, Any] | None = None
    for_: Name | None = None
    vm: Name | None = None
    volume: Name | None = None
    host: Name | None = None
    account: Name | None = None
    affinity_group: Name | None = None
    note: str | None = None


class CaseDoc(TopologyDoc):
    """A case; without *profile* it is of the open-source allocator."""

    schema_version: Literal[1] = 1
    id: Name
    topic: Name | None = None
    profile: Literal["open", "cloud"] = "open"
    source: list[str] = Field(default_factory=list)
    source_commit: str | None = None
    about: str = ""
    fidelity: Literal["asserted", "mixed", "derived"] | None = None
    notes: list[str] = Field(default_factory=list)
    units: dict[str, str] = Field(default_factory=dict)
    ops: list[Name] = Field(default_factory=list)
    steps: list[StepDoc] = Field(min_length=1)
