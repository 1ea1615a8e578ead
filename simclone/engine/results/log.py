"""The decision log: one line per decision, stable keys, integers; and the fingerprint of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any

from simclone.engine.results.records import answer_records, figures
from simclone.model.cloud import Cloud
from simclone.records import CloneAnswer, DecisionRecord, Placed


def decision_lines(cloud: Cloud, decisions: Iterable[DecisionRecord]) -> Iterator[str]:
    """Each decision as one JSON line: who asked, where it went, what the flows that refused somebody left."""
    for decision in decisions:
        yield json.dumps(_line(cloud, decision), separators=(",", ":"), ensure_ascii=False)


def _line(cloud: Cloud, one: DecisionRecord) -> dict[str, Any]:
    result, names = one.decision, cloud.fleet.names
    error = None if isinstance(result, Placed) else result.error
    return {
        "serial": one.serial,
        "at_us": one.at_us,
        "request": one.request,
        "subject": one.subject,
        "purpose": one.purpose,
        "strategy": one.strategy,
        "host": names[result.host] if isinstance(result, Placed) else None,
        "page": result.page if isinstance(result, Placed) else None,
        "tried": [[names[each.host], each.reason] for each in result.tried],
        "steps": [
            [step.flow, step.page, step.before, step.after] for step in result.steps if step.before != step.after
        ],
        "code": error and error.root_code,
        "reason": error and error.root_reason,
    }


def fingerprint(cloud: Cloud, decisions: Iterable[DecisionRecord], answers: Iterable[CloneAnswer]) -> str:
    """32 hex digits over the decision log, the answers and the final figures; not over timings or versions."""
    digest = blake2b(digest_size=16)
    for line in decision_lines(cloud, decisions):
        digest.update(line.encode() + b"\n")
    final = {"answers": answer_records(answers), "figures": figures(cloud)}
    digest.update(json.dumps(final, separators=(",", ":"), sort_keys=True).encode())
    return digest.hexdigest()
