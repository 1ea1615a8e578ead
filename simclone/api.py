"""The facade: load a scenario, run it, open a cloud, check expectations; ties results to what can be done with them."""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simclone.audit import Violation, replay
from simclone.changes.load import as_scenario, scenario_from
from simclone.changes.load import load as load_file
from simclone.changes.schedule import actions_of
from simclone.changes.whatif import change_scenario
from simclone.check.compare import differences
from simclone.check.operations import answer_facts
from simclone.check.run import FAILED, PASSED, CaseResult, Failure, run_steps
from simclone.engine.collecting import collected_rarely
from simclone.engine.context import Context
from simclone.engine.opening import open_context
from simclone.engine.operations.clone.call import clone_now
from simclone.engine.prepare import requests_of, simulation_of, with_refused
from simclone.engine.results.log import decision_lines, fingerprint
from simclone.engine.results.result import RunResult
from simclone.engine.results.statistics import Statistics, statistics_of
from simclone.engine.run_loop import KEEPS, Observer
from simclone.errors import Fault, InvalidInput, InvariantViolation
from simclone.explain.explanation import Explanation
from simclone.explain.explanations import Explanations
from simclone.explain.findings import Finding, findings
from simclone.explain.judging import Again
from simclone.planning.parts.costs import cost_words
from simclone.records import CloneAnswer, CloneRecord, Placed
from simclone.report.material import Material
from simclone.scenario.load import Given, Scenario
from simclone.scenario.reading.text import decode, read_bytes
from simclone.units import SECOND, format_size, plural
from simclone.wire.request import clone_request
from simclone.wire.response import render_answer

if TYPE_CHECKING:
    import pandas as pd

    from simclone.planning.parts.answer import Answer
    from simclone.report.plots import Plots

LONGEST_S = 9.0e12
MOST_TAKEN_ALONG = 10_000
"""Answers about so many names go into a page to be taken along."""
Source = Given


def load(source: Source) -> Scenario:
    """A scenario from a file's path or from plain data in the file's spelling; raises InvalidInput with every fault."""
    return as_scenario(source)


class Interrupted(KeyboardInterrupt):
    """A run ended by Ctrl-C, or by an observer that raised KeyboardInterrupt; *run* is what there is."""

    def __init__(self, run: Run) -> None:
        self.run = run
        super().__init__(f"interrupted at {run.result.ledger.now_us / SECOND:g} s")


class _Relay(Observer):
    """Tells the observers, keeps how long answers took, and lets an interrupt through between two events only."""

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = tuple(observers)
        self.durations_us = array("q")
        self.interrupted = False

    def answered(self, at_us: int, answer: CloneAnswer) -> None:
        self.durations_us.append(answer.ended_us - answer.started_us)
        try:
            for observer in self._observers:
                observer.answered(at_us, answer)
        except KeyboardInterrupt:
            self.interrupted = True

    def moved(self, at_us: int) -> None:
        try:
            for observer in self._observers:
                observer.moved(at_us)
        except KeyboardInterrupt:
            self.interrupted = True
        if self.interrupted:
            raise KeyboardInterrupt


def run(
    source: Source,
    *,
    seed: int | None = None,
    replication: int = 0,
    observers: Iterable[Observer] = (),
    horizon: float | None = None,
    keep: str | None = None,
) -> Run:
    """Run a scenario to its end; *seed*, *horizon* (seconds) and *keep* override the file's.

    *observers* watch and change nothing; when one raises KeyboardInterrupt, `Interrupted` carries the run so far.
    """
    for values, what in ((seed, "seed"), (replication, "replication")):
        if values is not None and (isinstance(values, bool) or not isinstance(values, int) or values < 0):
            raise InvalidInput([Fault(what, f"{values!r} is no {what}", "a whole number of at least 0")])
    scenario = overridden(load(source), horizon, keep)
    ctx = open_context(scenario, seed=seed, replication=replication)
    opened = ctx.fork() if scenario.vms else None
    requests, refused = requests_of(scenario)
    relay = _Relay(observers)
    simulation = simulation_of(scenario, ctx, requests, actions=actions_of(scenario, ctx), observers=(relay,))
    try:
        simulation.run()
    except KeyboardInterrupt:
        if not relay.interrupted:
            raise
    result = with_refused(scenario, simulation, refused, relay.interrupted)
    relay.durations_us.extend([0] * (result.totals.requests - len(relay.durations_us)))
    built = Run(scenario, result, replication, relay.interrupted, relay.durations_us, opened=opened)
    if relay.interrupted:
        raise Interrupted(built) from None
    if os.environ.get("SIMCLONE_AUDIT") and result.complete:
        raise_violations(built.audit())
    return built


def change(source: Source, changes: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> Scenario:
    """A scenario with changes (or one) made, as ``whatif:`` blocks write them; raises InvalidInput with every fault."""
    return change_scenario(load(source), [changes] if isinstance(changes, Mapping) else changes)


def reopen(directory: str | Path) -> Run:
    """The run of a run directory, made again from the scenario it holds; raises InvalidInput.

    Decisions follow from the scenario and the seed, so it is the same run; its fingerprint is compared.
    """
    folder = Path(directory)
    manifest, data = (json.loads(decode(*read_bytes(folder / name))) for name in ("manifest.json", "scenario.json"))
    scenario = scenario_from(data, str(manifest["scenarioPath"]), str(manifest["scenarioSha256"]))
    horizon = float(manifest["simulatedSeconds"]) if manifest["interrupted"] else None
    again = run(scenario, seed=manifest["seed"], replication=manifest["replication"], horizon=horizon or None)
    if not manifest["interrupted"] and again.fingerprint != manifest["fingerprint"]:
        text = f"it was made by simclone {manifest['simclone']} and comes out otherwise with this one"
        raise InvalidInput([Fault(str(directory), text, "the version that made it")])
    return again


def overridden(scenario: Scenario, horizon: float | None, keep: str | None) -> Scenario:
    """The scenario with another horizon and another choice of rows to keep."""
    values = {"horizon": horizon, "keep": keep}
    changes = {key: value for key, value in values.items() if value is not None}
    if not changes:
        return scenario
    if horizon is not None and not 0 < horizon <= LONGEST_S:
        raise InvalidInput([Fault("horizon", f"{horizon} is out of range", f"seconds above 0, at most {LONGEST_S:g}")])
    if keep is not None and keep not in KEEPS:
        raise InvalidInput([Fault("keep", f"{keep!r} is unknown", ", ".join(KEEPS))])
    doc = scenario.doc.model_copy(update={"run": scenario.run.model_copy(update=changes)})
    return replace(scenario, doc=doc)


def raise_violations(found: list[Violation]) -> None:
    """Raise InvariantViolation naming the first few."""
    if found:
        raise InvariantViolation("; ".join(f"event {item.serial} ({item.rule}): {item.text}" for item in found[:5]))


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run. Frames have stable columns; sizes are bytes, CPU is vCPUs."""

    scenario: Scenario
    result: RunResult = field(repr=False)
    replication: int = 0
    interrupted: bool = False
    durations_us: Sequence[int] | None = field(default=None, repr=False)
    again: Again | None = field(default=None, repr=False)
    opened: Context | None = field(default=None, repr=False)

    @property
    def seed(self) -> int:
        """The seed that was used."""
        return self.result.ledger.cloud.chance.seed

    def __repr__(self) -> str:
        totals = self.result.totals
        return f"<Run {self.scenario.name}: {totals.requests} requests, {totals.placed}/{totals.asked} clones>"

    @property
    def _clones(self) -> list[CloneRecord]:
        return [clone for answer in self.result.answers for clone in answer.clones]

    @cached_property
    def responses(self) -> list[dict[str, Any]]:
        """The API's answers, one per request in order of time."""
        return self.render()

    def render(self, style: str = "server") -> list[dict[str, Any]]:
        """The answers in a style: ``server`` as sent, ``doc`` as on the API page."""
        with collected_rarely():
            return [render_answer(self.result.ledger.cloud, answer, style) for answer in self.result.answers]

    @property
    def answers(self) -> tuple[CloneAnswer, ...]:
        """The answers as records."""
        return self.result.answers

    @cached_property
    def clones(self) -> pd.DataFrame:
        """One row per name asked: request, name, ok, host, state, code, root_code, reason, details, times."""
        from simclone.frames import clones_frame

        return clones_frame(self.result)

    @cached_property
    def decisions(self) -> pd.DataFrame:
        """One row per host decision: request, subject, purpose, strategy, host, page, tried, reason."""
        from simclone.frames import decisions_frame

        return decisions_frame(self.result)

    @cached_property
    def hosts(self) -> pd.DataFrame:
        """One row per host with figures before and after the requests."""
        from simclone.frames import hosts_frame

        return hosts_frame(self.result)

    @cached_property
    def storage(self) -> pd.DataFrame:
        """One row per primary storage with capacity before and after."""
        from simclone.frames import storage_frame

        return storage_frame(self.result)

    @cached_property
    def events(self) -> pd.DataFrame:
        """One row per change of the ledger."""
        from simclone.frames import events_frame

        return events_frame(self.result)

    @cached_property
    def series(self) -> pd.DataFrame:
        """One row per sample: at_s, vms, cpu_vcpus, memory_bytes, waiting; empty when nothing was sampled."""
        from simclone.frames import series_frame

        return series_frame(self.result)

    @cached_property
    def places(self) -> pd.DataFrame:
        """One row per sample and zone, cluster or host (``run.series``): VMs, held and available, measured use."""
        from simclone.frames import places_frame

        return places_frame(self.result)

    @cached_property
    def storage_series(self) -> pd.DataFrame:
        """One row per sample and primary storage: held, available and physical bytes, volumes."""
        from simclone.frames import storage_series_frame

        return storage_series_frame(self.result)

    @cached_property
    def queues(self) -> pd.DataFrame:
        """One row per sample and kind of queue: waiting, busy, entered, waited_s."""
        from simclone.frames import queues_frame

        return queues_frame(self.result)

    def statistics(self) -> Statistics:
        """Success, waits, answer times, use over time, fragmentation and affinity compliance as one record."""
        return statistics_of(self.result, self.durations_us)

    def reasons(self) -> dict[str, int]:
        """Failed clones by reason; whole calls that failed count all their names."""
        return dict(self.result.totals.reasons)

    def summary(self) -> str:
        """A paragraph: how many clones were placed, why the others were not, what it costs where prices are given."""
        totals = self.result.totals
        requested, requests = plural(totals.asked, "clone"), plural(totals.requests, "request")
        text = f"{self.scenario.name}: {totals.placed} of {requested} placed by {requests}."
        if self.reasons():
            text += f" Not placed: {_counted(self.reasons())}."
        if totals.rule_violations:
            text += f" Placed against a rule, in a race of the allocator: {_counted(totals.rule_violations)}."
        return text + cost_words(self.scenario)

    def to_frame(self) -> pd.DataFrame:
        """The clones frame."""
        return self.clones

    def to_json(self) -> str:
        """The answers as one JSON document."""
        return json.dumps(self.responses, ensure_ascii=False)

    def _repr_html_(self) -> str:
        frame: str = self.clones.to_html(index=False)
        return f"<p>{self.summary()}</p>{frame}"

    @cached_property
    def _stories(self) -> Explanations:
        return Explanations(
            self.scenario,
            self.result,
            seed=self.seed,
            replication=self.replication,
            again=self.again,
            opened=self.opened,
        )

    def clone(self, name: str, request: str | None = None) -> CloneRecord:
        """The record of a clone by name; raises UnknownName."""
        return self._stories.record(name, request)

    def explain_request(self, request: str, *, fix: bool = False) -> Explanation:
        """Why a call was refused as a whole; the funnel is that of its dry run, if it came so far."""
        return self._stories.of_call(request, fix=fix)

    def explain(self, name: str, *, request: str | None = None, fix: bool = False) -> Explanation:
        """Why a clone is where it is, or is not: funnel, error chain, verdict, and the table of hosts at its decision.

        With *fix* single changes are tried that would let it be placed. Table and fixes are made by running the
        scenario again up to that decision; decisions follow from state and identity.
        """
        return self._stories.of_clone(name, request, fix=fix)

    def verdicts(self, *, fix: bool = False) -> pd.DataFrame:
        """One row per reason of failure: clones, reason, verdict, first, what, fix; judged on its first failure.

        Whole calls that failed count all their names. *fix* stands empty unless it is asked for.
        """
        return self._stories.verdicts(fix=fix)

    def warm_up(self) -> float:
        """Seconds of the sampled series that look like start-up (MSER-5 over the VMs running); 0 without a series."""
        from simclone.planning.replication.intervals import warm_up_of

        series = self.series
        samples = warm_up_of(series["vms"].tolist())
        return float(series["at_s"].iloc[samples]) if samples else 0.0

    def save(self, directory: str | Path, *, force: bool = False, tables: str = "csv") -> Path:
        """Write the run directory, its *tables* as csv, parquet or sqlite; a non-empty one is refused without *force*.

        Returns its path.
        """
        from simclone.frames import save_run

        return save_run(self, Path(directory), force=force, tables=tables)

    def _material(self, answers: Sequence[Answer] = (), command: str = "") -> Material:
        """What pages and pictures are made from."""
        few = self.result.totals.asked <= MOST_TAKEN_ALONG
        return Material(
            scenario=self.scenario,
            result=self.result,
            statistics=self.statistics(),
            fingerprint=self.fingerprint,
            seed=self.seed,
            replication=self.replication,
            hosts=self.hosts,
            storage=self.storage,
            series=self.series,
            places=self.places,
            verdicts=self.verdicts(fix=True),
            story=self._stories.first_failure(),
            findings=self.findings(),
            clones_csv=self.clones.to_csv(index=False) if few else "",
            responses_json=self.to_json() if few else "",
            answers=tuple(answers),
            command=command,
            start_up_s=self.warm_up(),
        )

    def report(
        self, path: str | Path, *, answers: Sequence[Answer] = (), force: bool = False, command: str = ""
    ) -> Path:
        """Write the page: one file that needs nothing from outside, the same bytes for the same run.

        *answers* are planning results, each gets a section. An existing file is refused without *force*. Needs the
        extra ``report``. Raises InvalidInput.
        """
        from simclone.report.page import page_of, refuse_without_library
        from simclone.scenario.writing import write_new

        refuse_without_library()
        return write_new(path, page_of(self._material(answers, command)), force=force)

    @property
    def plot(self) -> Plots:
        """Pictures for notebooks: ``run.plot.hosts()``, ``run.plot.failures()``, … Needs the extra ``report``."""
        from simclone.report.plots import Plots

        return Plots(self._material())

    def decision_log(self) -> str:
        """One JSON line per decision; stable keys, integers."""
        return "".join(f"{line}\n" for line in decision_lines(self.result.ledger.cloud, self.result.decisions))

    @cached_property
    def fingerprint(self) -> str:
        """32 hex digits: equal for equal decisions, answers and final figures, on every machine."""
        return fingerprint(self.result.ledger.cloud, self.result.decisions, self.result.answers)

    def findings(self) -> list[Finding]:
        """What a reader should know besides the answers: over-commitment, drift, leftovers."""
        return findings(self.result)

    def audit(self) -> list[Violation]:
        """What an independent replay of the records finds wrong; empty when every rule held at every event."""
        if not self.result.complete:
            raise InvalidInput([Fault("run.keep", "rows were dropped on request", "all")])
        return replay(self.result.records(), self.result.events)

    def check(self) -> CaseResult:
        """Compare with the scenario's ``expect``."""
        facts = {}
        ctx = Context(self.result.ledger)
        for answer in self.result.answers:
            target = self.scenario.expect.get(answer.request.name, {})
            facts[answer.request.name] = {**answer_facts(ctx, answer), **self._stories.facts(answer, target)}
        failures = []
        for step, (name, target) in enumerate(self.scenario.expect.items(), 1):
            wrong = differences(target, facts[name])
            failures += [Failure(step, name, *item) for item in wrong]
        return CaseResult(self.scenario.name, "scenario", FAILED if failures else PASSED, tuple(failures))


def _counted(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{count} for {name}" for name, count in reasons.items())


class Cloud:
    """A live cloud to send requests to, one after the other; made by `open_cloud`."""

    def __init__(self, scenario: Scenario, ctx: Context) -> None:
        self.scenario = scenario
        self._ctx = ctx
        ctx.instant = True

    def __repr__(self) -> str:
        cloud = self._ctx.cloud
        return f"<Cloud {self.scenario.name}: {cloud.fleet.row_count} hosts, {cloud.vms.row_count} VM rows>"

    def clone_vm_instance(
        self, vm: str, body: Mapping[str, Any], *, account: str | None = None, style: str = "server"
    ) -> dict[str, Any]:
        """Serve one request now; *body* as on the API page, the answer in the API's shape."""
        ordinal = self._ctx.next_ordinal("api")
        request, error = clone_request(body, vm, account=account, ordinal=ordinal)
        answer = clone_now(self._ctx, request) if error is None else CloneAnswer(request, error)
        return render_answer(self._ctx.cloud, answer, style)

    @property
    def free(self) -> dict[str, str]:
        """Free vCPUs and memory per host, for people."""
        fleet = self._ctx.cloud.fleet
        return {
            name: f"{fleet.available_cpu[host]} vCPU, {format_size(fleet.available_memory[host])}"
            for host, name in enumerate(fleet.names)
        }


def open_cloud(source: Source, *, seed: int | None = None) -> Cloud:
    """The cloud of a scenario at t = 0, its requests left alone, ready to be asked."""
    scenario = load(source)
    return Cloud(scenario, open_context(scenario, seed=seed))


def check_path(path: str | Path) -> CaseResult:
    """Run a case, or a scenario with ``expect``, and compare."""
    result = load_file(path)
    if isinstance(result, Scenario):
        return run(result).check()
    steps: Sequence[Mapping[str, Any]] = [step.given() for step in result.steps]
    return run_steps(result.build(), steps, name=result.name, topic=result.doc.topic or "")


__all__ = [
    "Cloud",
    "Interrupted",
    "Observer",
    "Placed",
    "Run",
    "Statistics",
    "change",
    "check_path",
    "load",
    "open_cloud",
    "reopen",
    "run",
]
