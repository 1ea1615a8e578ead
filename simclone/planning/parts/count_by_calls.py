"""Filling a cloud call by call: through the whole workflow, nothing left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simclone.engine.context import Context
from simclone.planning.parts.clone_calls import Ask, clone_once, hosts_by_place, with_offering
from simclone.planning.parts.filled import MOST, Filled, Unit
from simclone.records import CloneAnswer

PROBE = 8
"""So many names the first call has whose failure is sought; the next ones have four times as many."""


def count_by_calls(ctx: Context, ask: Ask, unit: Unit) -> Filled:
    """Clone until the first failure, in the unit that is asked for; the cloud, whose source is dressed, stays.

    More than a call may hold goes on in a further call.
    """
    twin, placed = ctx.fork(), 0
    first = twin.cloud.vms.row_count
    while placed < MOST:
        most = ctx.max_names if unit.names is None else unit.names
        count, reason = _longest_call(twin, ask, most) if unit.names is None else (most, "")
        answer = clone_once(twin, ask, [f"more-{placed + turn}" for turn in range(count)]) if count else None
        failed = "" if answer is None else failure_of(answer)
        placed += 0 if answer is None else placed_before_failure(answer)
        if reason or failed:
            break
    else:
        reason = failed = ""
    clusters, zones = hosts_by_place(twin.cloud, range(first, twin.cloud.vms.row_count))
    return Filled(placed, placed, reason or failed, clusters, zones)


def failure_of(answer: CloneAnswer) -> str:
    """The reason of the first name that failed, or of the call; empty when all were placed."""
    if answer.error is not None:
        return answer.error.root_reason
    ranked = sorted(answer.clones, key=lambda clone: clone.position)
    return next((clone.error.root_reason for clone in ranked if clone.error is not None), "")


def placed_before_failure(answer: CloneAnswer) -> int:
    """The names of a call that were placed before the first that failed."""
    if answer.error is not None:
        return 0
    ranked = sorted(answer.clones, key=lambda clone: clone.position)
    return next((at for at, clone in enumerate(ranked) if clone.error is not None), len(ranked))


def _longest_call(ctx: Context, ask: Ask, most: int) -> tuple[int, str]:
    """The most names that one call places whole, up to *most*, and why one more fails; the cloud stays.

    Where names fail behind others, those before the first of them are as many. Where the call is refused as a whole,
    its length is halved in on.
    """
    good, bad, reason, size = 0, most + 1, "", min(PROBE, most)
    while good < most:
        answer = clone_once(ctx.fork(), ask, [f"probe-{turn}" for turn in range(size)])
        if answer.error is None and answer.succeeded == size:
            good = size
        elif answer.error is None:
            return placed_before_failure(answer), failure_of(answer)
        else:
            bad, reason = size, answer.error.root_reason
        if bad - good <= 1:
            break
        size = min(4 * good, most) if bad > most else (good + bad) // 2
    return good, reason if good < most else ""


def whole_batches(ctx: Context, ask: Ask, size: int) -> int:
    """How many calls of *size* names are served whole, one after the other, into this very cloud."""
    result = 0
    while result * size < MOST:
        answer = clone_once(ctx, ask, [f"batch-{result}-{turn}" for turn in range(size)])
        if answer.error is not None or any(clone.error is not None for clone in answer.clones):
            break
        result += 1
    return result


def in_turn(weights: Sequence[int]) -> Iterator[int]:
    """Places of *weights*, each as often as its weight and spread as evenly as can be, without end.

    >>> turn = in_turn([2, 1])
    >>> [next(turn) for _ in range(6)]
    [0, 1, 0, 0, 1, 0]
    """
    total, credit = sum(weights), [0] * len(weights)
    while True:
        credit = [have + weight for have, weight in zip(credit, weights, strict=True)]
        position = max(range(len(weights)), key=lambda at: (credit[at], -at))
        credit[position] -= total
        yield position


def count_in_turn(ctx: Context, asks: Sequence[Ask], weights: Sequence[int]) -> tuple[list[Filled], int]:
    """Clone one of each ask in turn by weight until no kind fits: what each came to, and all before the first failure.

    A kind that fails drops out; the others go on.
    """
    counts, until, reasons = [0] * len(asks), [-1] * len(asks), [""] * len(asks)
    rows: list[list[int]] = [[] for _ in asks]
    first = -1
    original = [ctx.cloud.vms.shape_of(ctx.cloud.find("vm", ask.vm)) for ask in asks]
    for position in in_turn(weights):
        if all(reasons) or sum(counts) >= MOST:
            break
        if reasons[position]:
            continue
        with_offering(ctx, asks[position], original[position])
        answer = clone_once(ctx, asks[position], [f"mix-{position}-{counts[position]}"])
        error = answer.error or answer.clones[0].error
        if error is None:
            counts[position] += 1
            rows[position].append(answer.clones[0].vm)
            continue
        if first < 0:
            first, until = sum(counts), list(counts)
        reasons[position] = error.root_reason
    parts = [
        Filled(count if first < 0 else before, count, reason, *hosts_by_place(ctx.cloud, own))
        for count, before, reason, own in zip(counts, until, reasons, rows, strict=True)
    ]
    return parts, sum(counts) if first < 0 else first
