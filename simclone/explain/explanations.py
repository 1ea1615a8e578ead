"""The stories of one run: of each clone, of each refused call, of the first failure for each reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simclone.changes.schedule import actions_of
from simclone.engine.context import Context, Watch
from simclone.engine.opening import open_context
from simclone.engine.prepare import requests_of, simulation_of
from simclone.engine.results.result import RunResult
from simclone.engine.run_loop import RunLoop
from simclone.errors import UnknownName
from simclone.explain.explanation import Explanation, explain_clone, explain_refusal
from simclone.explain.judging import Again, judge
from simclone.explain.reruns import Question
from simclone.model.vms import NONE
from simclone.records import CloneAnswer, CloneRecord
from simclone.scenario.load import Scenario

if TYPE_CHECKING:
    import pandas as pd


class Explanations:
    """Told on demand, each once. *again* makes the run once more; *opened* is its cloud at t = 0, if it was kept."""

    def __init__(
        self,
        scenario: Scenario,
        result: RunResult,
        *,
        seed: int,
        replication: int,
        again: Again | None = None,
        opened: Context | None = None,
    ) -> None:
        self._scenario, self._result, self._seed, self._replication = scenario, result, seed, replication
        self._again, self._opened = again or self._once_more, opened
        self._told: dict[tuple[str, str], Explanation] = {}

    def record(self, name: str, request: str | None = None) -> CloneRecord:
        """The record of a clone by name; raises UnknownName."""
        for answer in self._result.answers:
            for clone in answer.clones:
                if clone.name == name and request in (None, clone.request):
                    return clone
        raise UnknownName("clone", name, [item.name for answer in self._result.answers for item in answer.clones])

    def of_call(self, request: str, *, fix: bool) -> Explanation:
        """Why a call was refused as a whole; raises UnknownName."""
        for answer in self._result.answers:
            if answer.request.name == request and answer.error is not None:
                return self._judged(explain_refusal(answer, self._result.decisions), fix=fix)
        refused = [item.request.name for item in self._result.answers if item.error is not None]
        raise UnknownName("refused request", request, refused)

    def of_clone(self, name: str, request: str | None, *, fix: bool) -> Explanation:
        """Why a clone is where it is, or is not; raises UnknownName."""
        for answer in self._result.answers:
            if answer.error is not None and name in answer.request.names and request in (None, answer.request.name):
                return self.of_call(answer.request.name, fix=fix)
        clone = self.record(name, request)
        host = None if clone.host == NONE else self._result.ledger.cloud.fleet.names[clone.host]
        return self._judged(explain_clone(clone, self._result.decisions, (), host), fix=fix)

    def first_failure(self, *, fix: bool = False) -> Explanation | None:
        """The story of the first name or call that failed, if rows of it were kept."""
        for request, name in self._firsts().values():
            return self.of_call(request, fix=fix) if name is None else self.of_clone(name, request, fix=fix)
        return None

    def verdicts(self, *, fix: bool) -> pd.DataFrame:
        """One row per reason of failure: clones, reason, verdict, first, what, fix; judged on its first failure."""
        import pandas as pd

        rows, firsts = [], self._firsts()
        for reason, count in self._result.totals.reasons.items():
            if reason not in firsts:
                continue
            request, name = firsts[reason]
            story = self.of_call(request, fix=fix) if name is None else self.of_clone(name, request, fix=fix)
            kind, text = ("", "") if story.verdict is None else (story.verdict.kind, story.verdict.text)
            rows.append((count, reason, kind, name or request, text, story.fixes[0].text if story.fixes else ""))
        return pd.DataFrame(rows, columns=["clones", "reason", "verdict", "first", "what", "fix"])

    def facts(self, answer: CloneAnswer, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Verdict and cheapest fix of a request's first failure, where a scenario expects them (*wanted*)."""
        if not {"verdict", "topFix"} & set(wanted):
            return {}
        name = answer.request.name
        failed = next((clone.name for clone in answer.clones if clone.error is not None), None)
        if answer.error is None and failed is None:
            return {"verdict": None, "topFix": None}
        text = self.of_call(name, fix=True) if failed is None else self.of_clone(failed, name, fix=True)
        fixes = text.fixes
        return {"verdict": text.verdict.kind if text.verdict else None, "topFix": fixes[0].kind if fixes else "none"}

    def _firsts(self) -> dict[str, tuple[str, str | None]]:
        """By reason, in the order of time: the request and the clone that failed first; None for a whole call."""
        result: dict[str, tuple[str, str | None]] = {}
        for answer in self._result.answers:
            if answer.error is not None:
                result.setdefault(answer.error.root_reason, (answer.request.name, None))
            for clone in answer.clones:
                if clone.error is not None:
                    result.setdefault(clone.error.root_reason, (answer.request.name, clone.name))
        return result

    def _judged(self, story: Explanation, *, fix: bool) -> Explanation:
        """The story with table and verdict, and with fixes if they are asked for and it failed."""
        key = (story.request, story.name)
        text = self._told.get(key)
        if text is None or (fix and text.fixes is None and text.host is None):
            clone = None if story.name == story.request else story.name
            requested = self._result.totals.asked
            result = sum(answer.succeeded for answer in self._result.answers if answer.request.name == story.request)
            question = Question(self._scenario, story.request, clone, self._seed, self._replication, requested, result)
            text = judge(story, again=self._again, question=question, prices=self._scenario.doc.prices, fix=fix)
            self._told[key] = text
        return text if fix else replace(text, fixes=None, blocking=(), tried=0, pairs=0)

    def _once_more(self, serial: int, watch: Watch) -> RunLoop:
        """Make the run once more, up to a decision, and show every host request to *watch*."""
        if self._opened is None:
            self._opened = open_context(self._scenario, seed=self._seed, replication=self._replication)
        ctx = self._opened.fork()
        requests, _ = requests_of(self._scenario)
        ctx.watch = watch
        simulation = simulation_of(self._scenario, ctx, requests, actions=actions_of(self._scenario, ctx))
        while ctx.noted <= serial and simulation.step():
            pass
        return simulation
