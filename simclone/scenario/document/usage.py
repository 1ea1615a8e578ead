"""How much of what it was given a VM really uses: a share, a daily curve, a law, or a recorded course."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated

from pydantic import Field

from simclone.scenario.document.base import Doc, Name
from simclone.scenario.document.distributions import DistributionDoc, plain
from simclone.workload.courses import Course
from simclone.workload.distributions import Distribution

Share = Annotated[float, Field(ge=0, le=1)]


class CourseDoc(DistributionDoc):
    """A course of shares of 1: 24 values *daily*, a *recorded* one (a CSV file ``second,share``), or one law.

    A law is drawn anew for each VM and window, and what is above 1 counts as 1.
    """

    daily: list[Share] | None = Field(None, json_schema_extra={"minItems": 24, "maxItems": 24})
    """Shares for each of the 24 hours of the day."""
    recorded: Name | None = None
    """A CSV file `second,share`, relative to this file."""


Use = Share | CourseDoc


class UtilisationDoc(Doc):
    """Shares of a VM's vCPUs and memory in use; what is left out is not used at all."""

    cpu: Use = 0.0
    """The share of its vCPUs in use: a number, a course or a law."""
    memory: Use = 0.0
    """The share of its memory in use: a number, a course or a law."""

    def key(self) -> str:
        """The document as text, equal for equal documents."""
        return self.model_dump_json(by_alias=True, exclude_none=True)


def course_of(doc: Use, folder: FilePath) -> Course:
    """The course of a document; ValueError says what is wrong with it."""
    if not isinstance(doc, CourseDoc):
        return Course.constant(doc)
    values = plain(doc)
    daily, recorded = values.pop("daily", None), values.pop("recorded", None)
    if (daily is not None) + (recorded is not None) + bool(values) != 1:
        raise ValueError("needs exactly one of a share, daily, recorded and a law")
    if daily is not None:
        return Course.daily(daily)
    if recorded is not None:
        return Course.recorded(folder / recorded)
    return Course.drawn(Distribution.of(values).within(folder))
