"""One run of many: what it is made from, as plain data any process can be handed, and what it came to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

from simclone.changes.load import scenario_from
from simclone.changes.schedule import actions_of
from simclone.engine.opening import open_context
from simclone.engine.prepare import requests_of, simulation_of, with_refused
from simclone.engine.results.statistics import statistics_of
from simclone.engine.run_loop import Observer
from simclone.records import CloneAnswer
from simclone.scenario.load import Scenario
from simclone.scenario.writing import data_of
from simclone.units import SECOND
from simclone.version import __version__

ENOUGH, STEP = 100, 0.0005
"""A share is looked at from so many names on, and kept in steps of so much."""
LATEST = 64
"""A process keeps so many scenarios that it has built."""


FILE_KEYS = frozenset({"path", "fromTrace", "recorded"})
"""Keys whose values name files beside the scenario."""


@dataclass(frozen=True, slots=True)
class RunBlock:
    """Replications *first* … *last* - 1 of a scenario, given as JSON text, under a seed."""

    text: str = field(repr=False)
    path: str
    digest: str
    seed: int
    first: int
    last: int

    @property
    def key(self) -> str:
        """32 hex digits: equal for equal blocks of this version."""
        words = f"{__version__}|{self.digest}|{self.seed}|{self.first}|{self.last}|{self.text}"
        return blake2b(words.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a run came to; *figures* are those of its statistics, *first_failure_s* None when nothing failed.

    *falls* are the moments (seconds) when the share of names placed so far was lower than ever, with that share.
    """

    replication: int
    asked: int
    placed: int
    first_failure_s: float | None
    reasons: Mapping[str, int]
    figures: Mapping[str, float | None]
    first_reason: str = ""
    falls: Sequence[tuple[float, float]] = ()

    def fell_below(self, share: float) -> float | None:
        """Seconds until fewer than *share* of the names so far were placed, a hundred names at least; None if never."""
        return next((at for at, ratio in self.falls if ratio < share), None)

    @property
    def success_ratio(self) -> float:
        """The share of names that were placed; 1 when nothing was asked."""
        return self.placed / self.asked if self.asked else 1.0

    def figure(self, name: str) -> float | None:
        """A figure by name: success_ratio, first_failure_s, or one of the statistics."""
        if name in ("success_ratio", "first_failure_s", "placed", "asked"):
            result: float | None = getattr(self, name)
            return result
        return self.figures[name]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def blocks_of(scenario: Scenario, replications: int, *, seed: int | None = None, size: int = 8) -> list[RunBlock]:
    """The replications of a scenario in blocks of *size*; blocks do not depend on who works them off."""
    data = data_of(scenario)
    text, folder = json.dumps(data, sort_keys=True), Path(scenario.path).parent
    named = "".join(_digest(folder / path) for path in sorted(_files(data)))
    digest = sha256(f"{scenario.sha256}{named}".encode()).hexdigest() if named else scenario.sha256
    return [
        RunBlock(
            text,
            scenario.path,
            digest,
            scenario.run.seed if seed is None else seed,
            at,
            min(at + size, replications),
        )
        for at in range(0, replications, size)
    ]


def _files(value: Any, key: str = "") -> set[str]:
    """The files a scenario's data names."""
    if isinstance(value, Mapping):
        return set().union(*(_files(below, name) for name, below in value.items()))
    if isinstance(value, list):
        return set().union(*(_files(item, key) for item in value))
    return {value} if key in FILE_KEYS and isinstance(value, str) else set()


def _digest(path: Path) -> str:
    """Of a file's bytes, or those of all files in a folder; empty for nothing."""
    if path.is_dir():
        return "".join(_digest(item) for item in sorted(path.iterdir()) if item.is_file())
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


class _Watch(Observer):
    """When and why the first name failed, and how the share of placed ones fell."""

    def __init__(self) -> None:
        self.at_us: int | None = None
        self.reason = ""
        self.falls: list[tuple[float, float]] = []
        self._asked = self._placed = 0
        self._least = 1.0

    def answered(self, at_us: int, answer: CloneAnswer) -> None:
        errors = [answer.error] if answer.error is not None else [clone.error for clone in answer.clones]
        failed = next((error for error in errors if error is not None), None)
        self._asked += len(answer.request.names)
        self._placed += 0 if answer.error is not None else sum(error is None for error in errors)
        if failed is None:
            return
        if self.at_us is None:
            self.at_us, self.reason = at_us, failed.root_reason
        share = self._placed / max(self._asked, 1)
        if self._asked >= ENOUGH and share <= self._least - STEP:
            self._least = share
            self.falls.append((at_us / SECOND, share))


@lru_cache(maxsize=LATEST)
def _scenario(text: str, path: str, digest: str) -> Scenario:
    data = json.loads(text)
    data["run"] = {**data.get("run", {}), "keep": "summary"}
    return scenario_from(data, path, digest)


def work_off(block: RunBlock) -> list[dict[str, Any]]:
    """The outcomes of a block as plain data; what a worker process calls."""
    scenario = _scenario(block.text, block.path, block.digest)
    return [outcome_of(scenario, block.seed, number).to_dict() for number in range(block.first, block.last)]


def outcome_of(scenario: Scenario, seed: int, replication: int) -> RunOutcome:
    """One run."""
    ctx = open_context(scenario, seed=seed, replication=replication)
    requests, refused = requests_of(scenario)
    first = _Watch()
    simulation = simulation_of(scenario, ctx, requests, actions=actions_of(scenario, ctx), observers=(first,))
    simulation.run()
    result = with_refused(scenario, simulation, refused, False)
    end = scenario.run.horizon
    early = [item.started_us for item in refused.values() if end is None or item.started_us <= end * SECOND]
    failed = min([at for at in (first.at_us, *early) if at is not None], default=None)
    figures = statistics_of(result, ()).to_dict()
    plain = {name: value for name, value in figures.items() if value is None or isinstance(value, int | float)}
    return RunOutcome(
        replication=replication,
        asked=result.totals.asked,
        placed=result.totals.placed,
        first_failure_s=None if failed is None else failed / SECOND,
        reasons=dict(result.totals.reasons),
        figures=plain,
        first_reason=first.reason,
        falls=tuple(first.falls),
    )


def outcomes_from(rows: Sequence[Mapping[str, Any]]) -> list[RunOutcome]:
    """Outcomes from plain data, by replication; the same whether the data went through JSON or not."""
    result = [RunOutcome(**{**row, "falls": tuple((at, share) for at, share in row["falls"])}) for row in rows]
    return sorted(result, key=lambda one: one.replication)
