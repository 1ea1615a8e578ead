"""Run the stages of a start in time: wait, do, and when one fails undo them all."""

from __future__ import annotations

from collections.abc import Sequence

from simclone.engine.context import Context
from simclone.engine.waits import Work, Workflow
from simclone.placement.start_stages import Start, StartStage
from simclone.records import ErrorCode


def run_stages(ctx: Context, stages: Sequence[StartStage], start: Start, request: str) -> Workflow[ErrorCode | None]:
    """Go through *stages* in order; the error of the first that fails, after all were undone.

    Host decisions are noted for *request*. Where nothing takes time and nobody looks, no step is yielded.
    """
    for stage in stages:
        error = None
        if stage.step and ctx.slow:
            error = yield from _wait(ctx, stage, start)
        decided = len(start.decisions)
        error = error or stage.do(start)
        if len(start.decisions) > decided:
            _note(ctx, start, request)
        if error is not None:
            for failed in reversed(stages):
                failed.undo(start)
            return error
    return None


def _wait(ctx: Context, stage: StartStage, start: Start) -> Workflow[ErrorCode | None]:
    """The step before a stage; where allocations go on side by side its filters see the cloud as their turn begins."""
    queue, size = stage.queue(start)
    parallel = ctx.timed and ctx.cloud.settings.flag("hostAllocator.hostAllocator.concurrent")
    look = start.look if parallel and stage.step == "allocateHost" else None
    work = Work(stage.step, queue, size, start.vm, look)
    if stage.exempt:
        yield work
        return None
    return (yield from ctx.step(work))


def _note(ctx: Context, start: Start, request: str) -> None:
    if start.placed_beside_others:
        ctx.count_violations(start.violations)
    name = ctx.cloud.vms.names[start.vm]
    for requested, decision in start.decisions:
        ctx.note(request, name, "host", requested.strategy, decision)
