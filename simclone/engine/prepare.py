"""A scenario's simulation at t = 0: its requests, streams, faults and the actions it is given scheduled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from simclone.engine.actions import Action
from simclone.engine.context import Context
from simclone.engine.injected_faults import Faults, StepFault
from simclone.engine.results.result import RunResult
from simclone.engine.results.utilisation import Meters
from simclone.engine.run_loop import Observer, Options, RunLoop, failure_reasons
from simclone.engine.timing import timing_of
from simclone.records import CloneAnswer, CloneRequest
from simclone.scenario.document.workload import stream_specs
from simclone.scenario.load import Scenario
from simclone.units import SECOND, java_round
from simclone.wire.request import clone_request
from simclone.workload.streams import merged

FOREVER = 1 << 62


def requests_of(scenario: Scenario) -> tuple[list[CloneRequest], dict[str, CloneAnswer]]:
    """Requests in the engine's terms; those whose body is none are answered at once with the API's error."""
    good: list[CloneRequest] = []
    refused: dict[str, CloneAnswer] = {}
    for ordinal, doc in enumerate(scenario.requests):
        name = doc.name or f"request-{ordinal + 1}"
        at_us = java_round(doc.at * SECOND)
        body: dict[str, Any] = {"cloneVmInstance": doc.clone_vm_instance}
        body.update({"systemTags": doc.system_tags, "userTags": doc.user_tags})
        request, error = clone_request(
            body, doc.vm, name=name, account=doc.account, at_us=at_us, source="requests", ordinal=ordinal
        )
        if error is None:
            good.append(request)
        else:
            refused[name] = CloneAnswer(request, error, (), at_us, at_us)
    return good, refused


def simulation_of(
    scenario: Scenario,
    ctx: Context,
    requests: Sequence[CloneRequest],
    *,
    actions: Iterable[Action],
    observers: Iterable[Observer] = (),
) -> RunLoop:
    """A scenario's simulation at t = 0: its requests and streams scheduled, and *actions* (those of its incidents)."""
    doc, folder = scenario.doc, Path(scenario.path).parent
    horizon = None if doc.run.horizon is None else java_round(doc.run.horizon * SECOND)
    options = Options(
        timing=timing_of(scenario),
        horizon_us=horizon,
        warm_up_us=java_round(doc.run.warm_up * SECOND),
        sample_us=None if doc.run.sample is None else java_round(doc.run.sample * SECOND),
        series=tuple(doc.run.series),
        keep=doc.run.keep,
    )
    specs = stream_specs(doc.workload, doc.run.start, folder)
    chance = ctx.cloud.chance
    drawn = merged(specs, chance.seed, chance.replication, FOREVER if horizon is None else horizon)
    if doc.faults:
        ctx.faults = Faults(
            tuple(
                StepFault(fault.name or f"fault-{row + 1}", fault.step, fault.probability, fault.count, fault.code)
                for row, fault in enumerate(doc.faults)
            )
        )
    meters = None
    if any(vm.utilisation is not None for vm in scenario.vms):
        meters = Meters(ctx, folder, java_round(doc.run.utilisation_window * SECOND))
    simulation = RunLoop(ctx, requests=requests, arrivals=drawn, options=options, observers=observers)
    for action in actions:
        simulation.driver.at(action.at_us, action.kind, action.act, simulation.driver)
    if meters is not None:
        simulation.background(lambda: meters.window_us, meters.measure)
    return simulation


def with_refused(
    scenario: Scenario, simulation: RunLoop, refused: Mapping[str, CloneAnswer], interrupted: bool
) -> RunResult:
    """The result with the calls whose body was none, one clone asked by each, as far as time came to them."""
    result, options = simulation.result(), simulation.options
    end = result.ledger.now_us if interrupted else options.horizon_us
    late = [entry for entry in refused.values() if end is None or entry.started_us <= end]
    if not late:
        return result
    reasons = dict(result.totals.reasons)
    for item in late:
        for reason, count in failure_reasons(item).items():
            reasons[reason] = reasons.get(reason, 0) + count
    ranked = dict(sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0])))
    requests, requested = result.totals.requests + len(late), result.totals.asked + len(late)
    totals = replace(result.totals, requests=requests, asked=requested, reasons=ranked)
    answers = [*result.answers, *(late if options.keep != "summary" else ())]
    order = {element.name or "": at for at, element in enumerate(scenario.requests)}
    answers.sort(key=lambda one: (one.started_us, order.get(one.request.name, 0)))
    return replace(result, answers=tuple(answers), totals=totals)
