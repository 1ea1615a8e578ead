"""What a page is made from: a finished run's data, and the answers to planning questions about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simclone.engine.results.result import RunResult
from simclone.engine.results.statistics import Statistics
from simclone.explain.explanation import Explanation
from simclone.explain.findings import Finding
from simclone.planning.parts.answer import Answer
from simclone.scenario.load import Scenario

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Material:
    """A run: its scenario and records, frames, the failures judged, and what was asked besides (*answers*)."""

    scenario: Scenario
    result: RunResult
    statistics: Statistics
    fingerprint: str
    seed: int
    replication: int
    hosts: pd.DataFrame
    storage: pd.DataFrame
    series: pd.DataFrame
    places: pd.DataFrame
    verdicts: pd.DataFrame
    story: Explanation | None
    findings: Sequence[Finding]
    clones_csv: str
    responses_json: str
    answers: Sequence[Answer] = ()
    command: str = ""
    start_up_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: words, a picture, and the numbers behind it.

    Sections stand by ascending *order*; those of a run have none of their own (`ORDER` of the page).
    """

    anchor: str
    title: str
    words: tuple[str, ...] = ()
    picture: Any = None
    table: pd.DataFrame | None = None
    caption: str = ""
    order: int | None = None
