"""Sections of planning answers: each answer brings its title, its place and its picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simclone.planning.parts.answer import Answer
from simclone.report.material import Section

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 60


def section_of(answer: Answer, number: int = 0) -> Section:
    """The section of an answer; *number* tells several of one kind apart."""
    anchor = f"{answer.question}-{number}" if number else answer.question
    words, table = _words(answer.summary()), _rounded(answer.to_frame())
    return Section(anchor, answer.title, words, answer.picture(), table, order=answer.order)


def _words(summary: str) -> tuple[str, ...]:
    """The lines of a summary without the scenario's name, which stands at the top of the page already."""
    first, *others = summary.splitlines()
    head = first.partition(": ")[2] or first
    keep_head = not others or any(character.isdigit() for character in head)
    lines = [head, *(line.strip() for line in others)] if keep_head else others
    return tuple(line.strip()[:1].upper() + line.strip()[1:] for line in lines)


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.head(MOST_ROWS).round(4)
