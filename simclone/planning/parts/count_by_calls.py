"""Filling a cloud call by call: through the whole workflow, nothing left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from simclone.engine.context import Context
from simclone.planning.parts.clone_calls import Ask, clone_once, hosts_by_place, with_offering

CHUNK = 256
MOST = 1_000_000
"""Counting ends here: what nothing limits has no end of its own."""


@dataclass(frozen=True, slots=True)
class Filled:
    """How many clones were placed before the first failure and in all, why the next one fails, and where they went."""

    until_failure: int
    total: int
    reason: str
    clusters: Mapping[str, int]
    zones: Mapping[str, int]


def count_by_calls(ctx: Context, ask: Ask) -> Filled:
    """Clone until nothing is placed any more, into this very cloud, whose source is dressed."""
    first, placed, until, reason, chunk = ctx.cloud.vms.row_count, 0, -1, "", CHUNK
    while placed < MOST:
        answer = clone_once(ctx, ask, [f"more-{placed + turn}" for turn in range(chunk)])
        if answer.error is not None:
            reason = answer.error.root_reason
            if chunk == 1:
                break
            chunk //= 2
            continue
        ranked = sorted(answer.clones, key=lambda one: one.position)
        errors = [item.error.root_reason if item.error is not None else "" for item in ranked]
        failed = next((index_in_list for index_in_list, error in enumerate(errors) if error), -1)
        if failed >= 0:
            until = placed + failed if until < 0 else until
            reason, chunk = errors[failed], max(chunk // 2, 1)
        placed += errors.count("")
        if "" not in errors:
            break
    else:
        reason = ""
    clusters, zones = hosts_by_place(ctx.cloud, range(first, ctx.cloud.vms.row_count))
    return Filled(placed if until < 0 else until, placed, reason, clusters, zones)


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
