"""Blocking sets and fixes on generated clouds: minimal, sufficient, and without a trace in the books."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import simclone
from simclone.allocator.host import chain
from simclone.explain.blocking import blocking_set, possible_without
from simclone.explain.fixes import fixes_of
from simclone.explain.hosts import host_table
from simclone.explain.reruns import Question, outcome_with, succeeds
from simclone.explain.verdict import verdict_of
from simclone.placement.host import strategy_of
from simclone.records import Unplaced
from tests.clouds import apply, clouds, differing, dump, examples, opened, operations, requests
from tests.planning.small import small_clouds


@given(st.data())
@settings(max_examples=examples(120))
def test_a_blocking_set_blocks_and_none_of_it_can_be_left_out(data: Any) -> None:
    """With the set there is no host; without any one of its obstacles there is; a request that fits has none."""
    ctx = opened(data.draw(clouds()))
    for serial, op in enumerate(data.draw(operations())):
        apply(ctx, op, serial)
    for turn in range(6):
        request = data.draw(requests(ctx.cloud, turn))
        refused = isinstance(chain.run(strategy_of(request, ctx.cloud), request.dry(), ctx.cloud), Unplaced)
        found = blocking_set(request, ctx.cloud)
        assert bool(found) is refused or (refused and not possible_without(request, ctx.cloud, ()))
        if found:
            assert not possible_without(request, ctx.cloud, found)
        for one in found:
            assert possible_without(request, ctx.cloud, [other for other in found if other != one])


@given(st.data())
@settings(max_examples=examples(80))
def test_looking_for_reasons_leaves_the_books_as_they_were(data: Any) -> None:
    """Table, verdict and fixes write nothing that stays; the decision after them is the one before them."""
    ctx = opened(data.draw(clouds()))
    for serial, op in enumerate(data.draw(operations())):
        apply(ctx, op, serial)
    request = data.draw(requests(ctx.cloud))
    before, strategy = dump(ctx.ledger), strategy_of(request, ctx.cloud)
    first = chain.run(strategy, request.dry(), ctx.cloud)
    reason = first.error.root_reason if isinstance(first, Unplaced) else ""
    fixes = fixes_of(request, ctx.cloud).found
    verdict_of(reason, request, ctx.cloud, host_table(ctx.cloud, request))
    assert not differing(before, dump(ctx.ledger))
    assert not (fixes and not reason)
    again = chain.run(strategy, request.dry(), ctx.cloud)
    assert type(first) is type(again)
    assert not isinstance(first, Unplaced) or first == again


@given(st.data())
@settings(max_examples=examples(120))
def test_every_fix_that_is_told_makes_the_request_succeed(data: Any) -> None:
    """Made in the file and run anew: the first clone that failed is there, or one more than before is."""
    doc = data.draw(st.one_of(clouds(), small_clouds()))
    source = data.draw(st.sampled_from(doc["vms"]))["name"]
    names = [f"n{number}" for number in range(data.draw(st.integers(1, 4)))]
    doc["requests"] = [{"name": "ask", "vm": source, "cloneVmInstance": {"names": names}}]
    run = simclone.run(doc)
    (answer,) = run.answers
    failed = [clone.name for clone in answer.clones if clone.error is not None]
    if answer.error is not None:
        told, clone = run.explain_request("ask", fix=True), None
    elif failed:
        told, clone = run.explain(failed[0], fix=True), failed[0]
    else:
        return
    asked = Question(run.scenario, "ask", clone, run.seed)
    assert not succeeds(asked, ())
    for fix in told.fixes or ():
        seen = outcome_with(asked, fix.changes)
        assert seen.reason == "" or seen.made > answer.succeeded, fix.text
