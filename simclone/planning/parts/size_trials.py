"""Numbers of new hosts tried: the scenario with them, its runs, and whether they are enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed

from simclone.changes.whatif import change_scenario
from simclone.engine.context import Context
from simclone.errors import InvalidInput, UnplacedVms
from simclone.model.vms import NONE
from simclone.planning.parts.clone_calls import cloud_at
from simclone.planning.parts.host_loss import lose, sets_of, trial
from simclone.planning.parts.host_model import Model, places_of
from simclone.planning.parts.unrelated import CALLS, HOMELESS, apart, unrelated_reasons
from simclone.planning.replication.outcomes import RunOutcome
from simclone.planning.replication.plan import ReplicationPlan, Runs, interval_of, reasons_of, replicate
from simclone.scenario.load import Scenario


@dataclass(frozen=True, slots=True)
class Trial:
    """One number of hosts tried: *ratio* of names placed and the lower end of its interval, *reasons* of the others.

    Where everything must succeed and the first run already fails, they are of that run. *apart* are names refused for
    what hosts have nothing to do with; they are not in *ratio*. *lost* are VMs by reason that would find no host when
    the hosts *loss* were lost at the end of a run, *bound_to_host* those that no number of hosts could restart.
    """

    counts: tuple[int, ...]
    ok: bool
    ratio: float
    low: float
    reasons: Mapping[str, int] = field(default_factory=dict)
    warning: str = ""
    apart: Mapping[str, int] = field(default_factory=dict)
    lost: Mapping[str, int] = field(default_factory=dict)
    loss: tuple[str, ...] = ()
    bound_to_host: tuple[str, ...] = ()

    @property
    def all_reasons(self) -> dict[str, int]:
        """Why it is not enough: refused names, and VMs that would be lost."""
        return {**self.reasons, **{f"{code} after a loss": count for code, count in self.lost.items()}}


@dataclass(frozen=True, slots=True)
class Losses:
    """What is lost when hosts fail at the end of a run: VMs by reason, the hosts, VMs bound to one of them."""

    lost: Mapping[str, int] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    bound_to_host: tuple[str, ...] = ()


class Trials:
    """Runs with so many hosts more, each number once; with any *survive* hosts lost at their end all must restart."""

    def __init__(
        self,
        scenario: Scenario,
        models: Sequence[Model],
        target: float | None,
        plan: ReplicationPlan,
        gone: Sequence[str] = (),
        survive: int = 0,
    ) -> None:
        self.scenario, self.models, self.target, self.plan, self.gone = scenario, models, target, plan, gone
        self.survive = survive
        self.made: dict[tuple[int, ...], Trial] = {}
        self._places = [places_of(scenario, model, gone) for model in models]

    def __call__(self, *counts: int) -> Trial:
        if counts not in self.made:
            self.made[counts] = self._run(counts)
        return self.made[counts]

    def grown(self, counts: Sequence[int]) -> Scenario:
        """The scenario with so many hosts of each model, and without those that go; raises InvalidInput."""
        parts = zip(self.models, counts, self._places, strict=True)
        changes = [change for model, count, places in parts for change in model.changes(count, places)]
        changes += [{"removeHosts": list(self.gone)}] if self.gone else []
        return change_scenario(self.scenario, changes) if changes else self.scenario

    def _run(self, counts: tuple[int, ...]) -> Trial:
        try:
            scenario = self.grown(counts)
        except UnplacedVms as error:
            return Trial(counts, False, 0.0, 0.0, {HOMELESS: len(error.faults)})
        except InvalidInput as error:
            if sum(counts) or not self.gone:
                raise
            return Trial(counts, False, 0.0, 0.0, {HOMELESS: len(error.faults)})
        try:
            runs, interrupted = self._made(scenario)
        except InvalidInput as error:
            if not sum(counts) and not self.gone and not isinstance(error, UnplacedVms):
                raise
            return Trial(counts, False, 0.0, 0.0, {HOMELESS: len(error.faults)})
        if interrupted:
            raise KeyboardInterrupt
        return self._judged(counts, scenario, runs[""])

    def _judged(self, counts: tuple[int, ...], scenario: Scenario, runs: Sequence[RunOutcome]) -> Trial:
        every = reasons_of(runs)
        aside = unrelated_reasons(every, CALLS)
        judged = apart(runs, aside)
        result = interval_of(judged, "success_ratio", self.plan.confidence)
        low = result.estimate if len(judged) == 1 else result.low
        complete = all(run.placed == run.asked for run in judged)
        enough = complete if self.target is None else low >= self.target
        losses = self._losses(scenario, len(runs)) if enough and self.survive else Losses()
        return Trial(
            counts,
            enough and not losses.lost,
            result.estimate,
            low,
            reasons_of(judged),
            result.warning if self.target else "",
            {code: every[code] for code in every if code in aside},
            losses.lost,
            losses.hosts,
            losses.bound_to_host,
        )

    def _made(self, scenario: Scenario) -> tuple[Runs, bool]:
        """The runs; where everything must succeed the first alone if it does not."""
        if self.target is None and self.plan.replications > 1:
            runs, interrupted = replicate({"": scenario}, changed(self.plan, replications=1, half_width=None))
            judged = apart(runs[""], unrelated_reasons(reasons_of(runs[""]), CALLS)) if runs[""] else []
            if interrupted or any(run.placed < run.asked for run in judged):
                return runs, interrupted
        return replicate({"": scenario}, self.plan)

    def _losses(self, scenario: Scenario, runs: int) -> Losses:
        """The first set of hosts whose loss at the end of a run leaves a VM without a host."""
        stuck: dict[str, None] = {}
        for replication in range(runs):
            ctx = cloud_at(scenario, seed=self.plan.seed, replication=replication, at="end")
            local = local_vms(ctx)
            for rows in sets_of(ctx, self.survive)[0]:
                with trial(ctx) as twin:
                    loss = lose(twin, rows)
                stuck.update((name, None) for name, _ in loss.lost if name in local)
                codes = [code for name, code in loss.lost if name not in local]
                if codes:
                    return Losses({code: codes.count(code) for code in codes}, loss.hosts, tuple(stuck))
        return Losses({}, (), tuple(stuck))


def local_vms(ctx: Context) -> set[str]:
    """Names of VMs with a volume on the local storage of a host: they cannot start without it."""
    cloud = ctx.cloud
    table = cloud.vms
    local = {row for row, storage in enumerate(cloud.storages) if storage.per_host}
    if not local:
        return set()
    volumes = cloud.volumes
    owners = (
        volumes.vm[row] for row in range(volumes.row_count) if volumes.alive[row] and volumes.storage[row] in local
    )
    return {table.names[vm] for vm in owners if vm != NONE}


__all__ = ["Losses", "Trial", "Trials", "local_vms"]
