"""Run the steps of a case in order and say which expectations do not hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simclone.audit import replay
from simclone.check.compare import differences
from simclone.check.operations import OPERATIONS, Answer, Stage
from simclone.check.questions import QUESTIONS
from simclone.engine.context import Context
from simclone.engine.results.records import answer_records, figures, opening_figures
from simclone.model.ledger.ledger import Ledger

PASSED, FAILED, UNSUPPORTED, UNJUDGED = "passed", "failed", "unsupported", "unjudged"


@dataclass(frozen=True, slots=True)
class Failure:
    """One expectation that does not hold: step number from 1, operation, path, both values."""

    step: int
    op: str
    path: str
    expected: Any
    got: Any


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The verdict on a case; *unsupported* names operations nobody implements."""

    name: str
    topic: str
    verdict: str
    failures: tuple[Failure, ...] = ()
    unsupported: tuple[str, ...] = ()


def unsupported_operations(steps: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Operations of a case that this version does not know."""
    return tuple(sorted({step["op"] for step in steps} - set(OPERATIONS) - set(QUESTIONS)))


def run_steps(ledger: Ledger, steps: Sequence[Mapping[str, Any]], *, name: str = "", topic: str = "") -> CaseResult:
    """Judge a case. After an arranging step that fails the rest cannot be judged and counts as failed."""
    missing = unsupported_operations(steps)
    if missing:
        return CaseResult(name, topic, UNSUPPORTED, (), missing)
    opening = opening_figures(ledger.cloud)
    stage = Stage(Context(ledger, opening=opening))
    failures: list[Failure] = []
    for number, step in enumerate(steps, 1):
        for answer in _answers(stage, step):
            wrong = differences(_expected(step), answer)
            failures += [Failure(number, step["op"], *item) for item in wrong]
            if wrong and step.get("arrange"):
                return CaseResult(name, topic, FAILED, tuple(failures))
        ledger.check()
    records = {"opening": opening, "closing": figures(ledger.cloud), "answers": answer_records(stage.answers)}
    result = replay(records, ledger.events)
    failures += [Failure(len(steps), "audit", entry.rule, "no violation", entry.text) for entry in result]
    return CaseResult(name, topic, FAILED if failures else PASSED, tuple(failures))


def _answers(stage: Stage, step: Mapping[str, Any]) -> list[Answer]:
    if step["op"] in OPERATIONS:
        return OPERATIONS[step["op"]](stage, step["spec"])
    return [QUESTIONS[step["op"]](stage, step)]


def _expected(step: Mapping[str, Any]) -> dict[str, Any]:
    expect = dict(step.get("expect", {}))
    if step["op"] == "candidateHosts" and expect.get("ordered"):
        expect["orderedHosts"] = expect.pop("hosts")
    if step["op"] == "candidatePrimaryStorages" and "rootVolume" in expect:
        expect["rootVolume"] = sorted(expect["rootVolume"])
        expect["dataVolumes"] = [sorted(item) for item in expect.get("dataVolumes", [])]
    return expect
