"""A simulation in the hand: step through it, stop it, ask for clones in it, branch off a copy that goes another way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite
from typing import Any

from simclone.api import LONGEST_S, Run, Source, load, overridden
from simclone.changes.load import with_incidents
from simclone.changes.schedule import actions_of
from simclone.engine.context import Watch
from simclone.engine.opening import open_context
from simclone.engine.prepare import requests_of, simulation_of, with_refused
from simclone.engine.run_loop import Observer, RunLoop
from simclone.errors import Fault, InvalidInput
from simclone.scenario.load import Scenario
from simclone.units import SECOND, java_round
from simclone.wire.request import clone_request, refuse_body

SOURCE = "driver"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request put in by hand, after so many events."""

    after: int
    vm: str
    body: Mapping[str, Any]
    account: str | None


class Simulation:
    """A scenario that runs when it is told to. Times are seconds from the scenario's start.

    The same source, seed and calls give the same run to the last byte; *observers* watch and change nothing.
    """

    def __init__(
        self,
        source: Source,
        *,
        seed: int | None = None,
        replication: int = 0,
        observers: Iterable[Observer] = (),
        horizon: float | None = None,
        keep: str | None = None,
    ) -> None:
        self.scenario: Scenario = overridden(load(source), horizon, keep)
        self._seed, self._replication = seed, replication
        self._ctx = open_context(self.scenario, seed=seed, replication=replication)
        requests, self._refused = requests_of(self.scenario)
        actions = actions_of(self.scenario, self._ctx)
        self._engine = simulation_of(self.scenario, self._ctx, requests, actions=actions, observers=tuple(observers))
        self._asked: list[_Asked] = []

    def __repr__(self) -> str:
        ahead = self.peek()
        then = "over" if ahead is None else f"next event at {ahead:g} s"
        return f"<Simulation {self.scenario.name} at {self.now:g} s, {then}>"

    @property
    def now(self) -> float:
        """The time."""
        return self._ctx.ledger.now_us / SECOND

    def peek(self) -> float | None:
        """The time of the next event; None when the run is over."""
        at_us = self._engine.peek()
        return None if at_us is None else at_us / SECOND

    def step(self) -> bool:
        """Let one event happen; False when there is none left."""
        return self._engine.step()

    def run(self, until: float | None = None) -> Simulation:
        """Go on up to and including *until*, or to the end; returns itself."""
        until_us = None if until is None else self._microseconds(until)
        self._engine.run(until_us)
        return self

    def pause_at(self, at: float) -> Simulation:
        """Go on to a time and stop there; InvalidInput for a time that has passed."""
        if self._microseconds(at) < self._ctx.ledger.now_us:
            raise InvalidInput([Fault("at", f"{at:g} s has passed", f"at least {self.now:g}")])
        return self.run(at)

    def ask(self, vm: str, body: Mapping[str, Any], *, account: str | None = None) -> str:
        """Send a clone request now, *body* as on the API page; the name its answer will have in `result`.

        A body that is none raises InvalidInput with the API's words.
        """
        ordinal = self._ctx.next_ordinal(SOURCE)
        now_us = self._ctx.ledger.now_us
        request, error = clone_request(body, vm, source=SOURCE, ordinal=ordinal, account=account, at_us=now_us)
        if error is not None:
            raise refuse_body(error)
        self._asked.append(_Asked(self._engine.steps, vm, body, account))
        self._engine.submit(request, None)
        return request.name

    def fork_at(self, at: float | None = None, *, incidents: Sequence[Mapping[str, Any]] = ()) -> Simulation:
        """An independent simulation of the same run at a time (now, if none is given), made by running it again.

        Everything asked up to then is asked again. *incidents*, as a file writes them, happen in the copy only; one
        that would happen before *at* raises InvalidInput.
        """
        when = self.now if at is None else at
        when_us = self._microseconds(when)
        early = [
            row for row, incident in enumerate(incidents) if incident.get("at") is not None and incident["at"] < when
        ]
        if early:
            faults = [Fault(f"incidents[{row}].at", "is before the fork", f"at least {when:g}") for row in early]
            raise InvalidInput(faults)
        source = with_incidents(self.scenario, incidents) if incidents else self.scenario
        twin = Simulation(source, seed=self._seed, replication=self._replication)
        for item in self._asked:
            while twin._engine.steps < item.after and (twin._engine.peek() or 0) <= when_us and twin.step():
                pass
            if twin._engine.steps < item.after:
                break
            twin.ask(item.vm, item.body, account=item.account)
        return twin.run(when)

    def _microseconds(self, seconds: float) -> int:
        if not isfinite(seconds) or not 0 <= seconds <= LONGEST_S:
            raise InvalidInput([Fault("time", f"{seconds} is no time", f"seconds from 0 to {LONGEST_S:g}")])
        return java_round(seconds * SECOND)

    def result(self) -> Run:
        """The run so far; the simulation can go on afterwards."""
        end = self._engine.peek() is None
        result = with_refused(self.scenario, self._engine, self._refused, not end)
        standing = replace(result, ledger=result.ledger.fork())
        return Run(self.scenario, standing, self._replication, not end, again=partial(self._again, len(self._asked)))

    def _again(self, asked: int, serial: int, watch: Watch) -> RunLoop:
        """Make the run once more, up to a decision, with what had been asked by hand."""
        twin = Simulation(self.scenario, seed=self._seed, replication=self._replication)
        twin._ctx.watch = watch
        others = iter(self._asked[:asked])
        ahead = next(others, None)
        while twin._ctx.noted <= serial:
            while ahead is not None and ahead.after == twin._engine.steps:
                twin.ask(ahead.vm, ahead.body, account=ahead.account)
                ahead = next(others, None)
            if not twin.step():
                break
        return twin._engine


__all__ = ["Simulation"]
