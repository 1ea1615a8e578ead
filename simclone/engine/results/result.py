"""What a run leaves: answers, decisions, events, figures before and after, statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simclone.engine.results.records import answer_records, figures
from simclone.engine.results.series import PlaceSeries
from simclone.model.columns import IntArray
from simclone.model.ledger.ledger import Ledger
from simclone.records import CloneAnswer, DecisionRecord, Event

HOST_FIGURES = ("available_cpu", "available_memory", "total_cpu", "total_memory", "vm_count", "reserved_memory")


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of a run, kept whatever else is dropped.

    *reasons* counts failed names; *peak* and *peak_at_us* are those of VMs, vCPUs and bytes running, *area* their
    integrals in microseconds since the end of the warm-up, *span_us* the time they cover. *concurrent_placements*
    counts placements beside others in the allocator, *rule_violations* those of them that broke a rule, by reason.
    """

    requests: int = 0
    asked: int = 0
    placed: int = 0
    ended: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    peak: tuple[int, int, int] = (0, 0, 0)
    peak_at_us: tuple[int, int, int] = (0, 0, 0)
    area: tuple[int, int, int] = (0, 0, 0)
    span_us: int = 0
    concurrent_placements: int = 0
    rule_violations: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run: its answers, decisions and events, the ledger as it stands, and host figures before.

    *opening* are the figures before anything was placed, *start* those before the first request, *series* and
    *places* the sampled columns, *waited_us* the time each VM row spent in queues, *complete* False when rows were
    dropped on request.
    """

    ledger: Ledger
    answers: tuple[CloneAnswer, ...]
    decisions: tuple[DecisionRecord, ...]
    events: Sequence[Event]
    before: Mapping[str, IntArray]
    storage_before: tuple[int, ...]
    opening: Mapping[str, Any]
    start: Mapping[str, Any]
    totals: Totals = Totals()
    series: Mapping[str, Any] = field(default_factory=dict)
    places: PlaceSeries | None = None
    waited_us: Mapping[int, int] = field(default_factory=dict)
    complete: bool = True

    def records(self) -> dict[str, Any]:
        """Opening, closing and answers as plain data; with the events all an auditor needs."""
        closing = figures(self.ledger.cloud)
        return {"opening": self.opening, "closing": closing, "answers": answer_records(self.answers)}
