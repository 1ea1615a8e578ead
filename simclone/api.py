"""The facade: load a scenario, run it, open a cloud, check expectations; ties results to what can be done with them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simclone.allocator.host.request import HostRequest
from simclone.audit import Violation, replay
from simclone.check.compare import differences
from simclone.check.operations import answer_facts
from simclone.check.run import FAILED, PASSED, CaseResult, Failure, run_steps
from simclone.engine.clone.call import clone_now
from simclone.engine.context import Context
from simclone.engine.faults import Faults, StepFault
from simclone.engine.incidents import Incidents
from simclone.engine.log import decision_lines, fingerprint
from simclone.engine.opening import open_context
from simclone.engine.result import RunResult
from simclone.engine.simulation import Options, Simulation, failure_reasons
from simclone.engine.timing import timing_of
from simclone.errors import InvariantViolation, UnknownName
from simclone.explain.findings import Finding, findings
from simclone.explain.hosts import HostVerdict, host_table
from simclone.explain.story import Explanation, explain_clone, explain_refusal
from simclone.model.vms import NONE
from simclone.records import CloneAnswer, CloneRecord, CloneRequest, ErrorCode, Placed
from simclone.scenario.load import Case, Scenario, scenario_of
from simclone.scenario.load import load as load_file
from simclone.scenario.workload_docs import stream_specs
from simclone.units import SECOND, format_size, java_round
from simclone.wire.request import parse
from simclone.wire.response import render_answer
from simclone.workload.streams import merged

if TYPE_CHECKING:
    import pandas as pd

FOREVER = 1 << 62
Source = Scenario | str | Path | Mapping[str, Any]


def load(source: Source) -> Scenario:
    """A scenario from a file's path or from plain data in the file's spelling; raises InvalidInput with every fault."""
    if isinstance(source, Scenario):
        return source
    if isinstance(source, Mapping):
        return scenario_of(source)
    found = load_file(source)
    if isinstance(found, Case):
        raise UnknownName("scenario", f"{source} is a case; use simclone.check_path")
    return found


def _requests(scenario: Scenario) -> tuple[list[CloneRequest], dict[str, CloneAnswer]]:
    """Requests in the engine's terms; those whose body is none are answered at once with the API's error."""
    good: list[CloneRequest] = []
    refused: dict[str, CloneAnswer] = {}
    for ordinal, doc in enumerate(scenario.requests):
        name = doc.name or f"request-{ordinal + 1}"
        at_us = java_round(doc.at * SECOND)
        base = CloneRequest(name, doc.vm, (), account=doc.account, at_us=at_us, source="requests", ordinal=ordinal)
        body: dict[str, Any] = {"cloneVmInstance": doc.clone_vm_instance}
        body.update({"systemTags": doc.system_tags, "userTags": doc.user_tags})
        parsed = parse(body, doc.vm, base=base)
        if isinstance(parsed, ErrorCode):
            refused[name] = CloneAnswer(base, parsed, (), at_us, at_us)
        else:
            good.append(parsed)
    return good, refused


def run(source: Source, *, seed: int | None = None, replication: int = 0) -> Run:
    """Run a scenario to its end; *seed* overrides the file's, the one used is in the result."""
    scenario = load(source)
    ctx = open_context(scenario, seed=seed, replication=replication)
    requests, refused = _requests(scenario)
    result = simulation_of(scenario, ctx, requests).run().result()
    answers = [*result.answers, *refused.values()]
    order = {one.name or "": at for at, one in enumerate(scenario.requests)}
    answers.sort(key=lambda one: (one.started_us, order.get(one.request.name, 0)))
    made = Run(scenario, replace(result, answers=tuple(answers)), replication)
    if os.environ.get("SIMCLONE_AUDIT"):
        raise_violations(made.audit())
    return made


def raise_violations(found: list[Violation]) -> None:
    """Raise InvariantViolation naming the first few."""
    if found:
        raise InvariantViolation("; ".join(f"event {one.serial} ({one.rule}): {one.text}" for one in found[:5]))


def simulation_of(scenario: Scenario, ctx: Context, requests: Sequence[CloneRequest]) -> Simulation:
    """A scenario's simulation at t = 0: its requests, streams and incidents scheduled."""
    doc, folder = scenario.doc, Path(scenario.path).parent
    horizon = None if doc.run.horizon is None else java_round(doc.run.horizon * SECOND)
    options = Options(
        timing=timing_of(scenario),
        horizon_us=horizon,
        warm_up_us=java_round(doc.run.warm_up * SECOND),
        sample_us=None if doc.run.sample is None else java_round(doc.run.sample * SECOND),
        keep=doc.run.keep,
    )
    specs = stream_specs(doc.workload, doc.run.start, folder)
    chance = ctx.cloud.chance
    drawn = merged(specs, chance.seed, chance.replication, FOREVER if horizon is None else horizon)
    if doc.faults:
        ctx.faults = Faults(
            tuple(
                StepFault(one.name or f"fault-{row + 1}", one.step, one.probability, one.count, one.code)
                for row, one in enumerate(doc.faults)
            )
        )
    simulation = Simulation(ctx, requests=requests, arrivals=drawn, options=options)
    Incidents(simulation, doc.incidents, folder)
    return simulation


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run. Frames have stable columns; sizes are bytes, CPU is vCPUs."""

    scenario: Scenario
    result: RunResult = field(repr=False)
    replication: int = 0

    @property
    def seed(self) -> int:
        """The seed that was used."""
        return self.result.ledger.cloud.chance.seed

    def __repr__(self) -> str:
        placed = sum(clone.succeeded for clone in self._clones)
        return f"<Run {self.scenario.name}: {len(self.result.answers)} requests, {placed}/{len(self._clones)} clones>"

    @property
    def _clones(self) -> list[CloneRecord]:
        return [clone for answer in self.result.answers for clone in answer.clones]

    @cached_property
    def responses(self) -> list[dict[str, Any]]:
        """The API's answers, one per request in order of time."""
        return self.render()

    def render(self, style: str = "server") -> list[dict[str, Any]]:
        """The answers in a style: ``server`` as sent, ``doc`` as on the API page."""
        return [render_answer(self.result.ledger.cloud, answer, style) for answer in self.result.answers]

    @property
    def answers(self) -> tuple[CloneAnswer, ...]:
        """The answers as records."""
        return self.result.answers

    @cached_property
    def clones(self) -> pd.DataFrame:
        """One row per name asked: request, name, ok, host, state, code, root_code, reason, details."""
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

    def reasons(self) -> dict[str, int]:
        """Failed clones by reason; whole calls that failed count all their names."""
        if not self.result.complete:
            return dict(self.result.totals.reasons)
        counts: dict[str, int] = {}
        for answer in self.result.answers:
            for reason, count in failure_reasons(answer).items():
                counts[reason] = counts.get(reason, 0) + count
        return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))

    def summary(self) -> str:
        """A paragraph: how many clones were placed, and why the others were not."""
        asked = sum(len(answer.request.names) for answer in self.result.answers)
        placed = sum(answer.succeeded for answer in self.result.answers)
        many = len(self.result.answers)
        if not self.result.complete:
            totals = self.result.totals
            asked, placed, many = totals.asked, totals.placed, totals.requests
        text = f"{self.scenario.name}: {placed} of {asked} clones placed by {many} requests."
        if self.reasons():
            text += " Not placed: " + ", ".join(f"{count} for {name}" for name, count in self.reasons().items()) + "."
        return text

    def to_frame(self) -> pd.DataFrame:
        """The clones frame."""
        return self.clones

    def to_json(self) -> str:
        """The answers as one JSON document."""
        return json.dumps(self.responses, ensure_ascii=False)

    def _repr_html_(self) -> str:
        frame: str = self.clones.to_html(index=False)
        return f"<p>{self.summary()}</p>{frame}"

    def clone(self, name: str, request: str | None = None) -> CloneRecord:
        """The record of a clone by name; raises UnknownName."""
        for clone in self._clones:
            if clone.name == name and request in (None, clone.request):
                return clone
        raise UnknownName("clone", name)

    def explain_request(self, request: str) -> Explanation:
        """Why a call was refused as a whole; the funnel is that of its dry run, if it came so far."""
        for answer in self.result.answers:
            if answer.request.name == request and answer.error is not None:
                story = explain_refusal(answer, self.result.decisions)
                return replace(story, hosts=self._table(story.decisions[-1].serial)) if story.decisions else story
        raise UnknownName("refused request", request)

    def explain(self, name: str, *, request: str | None = None) -> Explanation:
        """Why a clone is where it is, or is not: funnel, error chain, and the table of hosts at its decision.

        The table is made by running the scenario again up to that decision; decisions follow from state and identity.
        """
        clone = self.clone(name, request)
        cloud = self.result.ledger.cloud
        host = None if clone.host == NONE else cloud.fleet.names[clone.host]
        story = explain_clone(clone, self.result.decisions, (), host)
        if not story.decisions:
            return story
        return replace(story, hosts=self._table(story.decisions[-1].serial))

    def _table(self, serial: int) -> tuple[HostVerdict, ...]:
        found: list[HostVerdict] = []
        ctx = open_context(self.scenario, seed=self.seed, replication=self.replication)

        def watch(number: int, request: HostRequest) -> None:
            if number <= serial:
                found[:] = host_table(ctx.cloud, request)

        requests, _ = _requests(self.scenario)
        ctx.watch = watch
        simulation = simulation_of(self.scenario, ctx, requests)
        while ctx.noted <= serial and simulation.step():
            pass
        return tuple(found)

    def save(self, directory: str | Path, *, force: bool = False) -> Path:
        """Write the run directory; an existing non-empty one is refused without *force*. Returns its path."""
        from simclone.frames import save_run

        return save_run(self, Path(directory), force=force)

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
        return replay(self.result.records(), self.result.events)

    def check(self) -> CaseResult:
        """Compare with the scenario's ``expect``."""
        facts = {}
        ctx = Context(self.result.ledger)
        for answer in self.result.answers:
            facts[answer.request.name] = answer_facts(ctx, answer)
        failures = []
        for step, (name, wanted) in enumerate(self.scenario.expect.items(), 1):
            wrong = differences(wanted, facts[name])
            failures += [Failure(step, name, *one) for one in wrong]
        return CaseResult(self.scenario.name, "scenario", FAILED if failures else PASSED, tuple(failures))


class Cloud:
    """A live cloud to send requests to, one after the other; made by `open_cloud`."""

    def __init__(self, scenario: Scenario, ctx: Context) -> None:
        self.scenario = scenario
        self._ctx = ctx

    def __repr__(self) -> str:
        cloud = self._ctx.cloud
        return f"<Cloud {self.scenario.name}: {cloud.fleet.size} hosts, {cloud.vms.size} VM rows>"

    def clone_vm_instance(
        self, vm: str, body: Mapping[str, Any], *, account: str | None = None, style: str = "server"
    ) -> dict[str, Any]:
        """Serve one request now; *body* as on the API page, the answer in the API's shape."""
        ordinal = self._ctx.next_ordinal("api")
        base = CloneRequest(f"api-{ordinal}", vm, (), account=account, ordinal=ordinal)
        parsed = parse(body, vm, base=base)
        answer = CloneAnswer(base, parsed) if isinstance(parsed, ErrorCode) else clone_now(self._ctx, parsed)
        return render_answer(self._ctx.cloud, answer, style)

    @property
    def free(self) -> dict[str, str]:
        """Free vCPUs and memory per host, for people."""
        fleet = self._ctx.cloud.fleet
        return {
            name: f"{fleet.get('available_cpu', host)} vCPU, {format_size(fleet.get('available_memory', host))}"
            for host, name in enumerate(fleet.names)
        }


def open_cloud(source: Source, *, seed: int | None = None) -> Cloud:
    """The cloud of a scenario at t = 0, its requests left alone, ready to be asked."""
    scenario = load(source)
    return Cloud(scenario, open_context(scenario, seed=seed))


def check_path(path: str | Path) -> CaseResult:
    """Run a case, or a scenario with ``expect``, and compare."""
    found = load_file(path)
    if isinstance(found, Scenario):
        return run(found).check()
    steps: Sequence[Mapping[str, Any]] = [step.given() for step in found.steps]
    return run_steps(found.build(), steps, name=found.name, topic=found.doc.topic or "")


__all__ = ["Cloud", "Placed", "Run", "check_path", "load", "open_cloud", "run"]
