"""A clone's story with what the cloud looked like when it was decided: table of hosts, verdict, what would help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from simclone.allocator.host.request import HostRequest
from simclone.engine.context import Watch
from simclone.engine.run_loop import RunLoop
from simclone.explain.blocking import Obstacle, blocking_set
from simclone.explain.explanation import Explanation
from simclone.explain.fixes import Confirm, Fixes, fixes_of
from simclone.explain.hosts import HostVerdict, Ranked, host_table, runners_up
from simclone.explain.later import fits_later, missed_by_pages
from simclone.explain.reruns import Question, Tries, confirmed, each_kind, rerun_fixes, rerun_pair
from simclone.explain.verdict import CAPACITY, Verdict, verdict_of
from simclone.model.cloud import Cloud
from simclone.scenario.document.prices import PricesDoc

Again = Callable[[int, Watch], RunLoop]
"""Makes a run once more up to a decision, showing every host request to a watcher; where it stopped."""


@dataclass(slots=True)
class _Seen:
    """What was seen at the last of the story's decisions."""

    request: HostRequest | None = None
    hosts: tuple[HostVerdict, ...] = ()
    ranked: tuple[Ranked, ...] = ()
    verdict: Verdict | None = None
    fixes: Fixes = field(default_factory=Fixes)
    blocking: tuple[Obstacle, ...] = ()


def judge(story: Explanation, *, again: Again, question: Question, prices: PricesDoc, fix: bool) -> Explanation:
    """The story with table and verdict, and with fixes if they are asked for and it failed."""
    failed, tries = story.host is None, Tries(question)
    known = _Seen(verdict=verdict_of(story.reason, None, None, ()) if failed else None)
    if story.decisions:
        _look(story, known, again, prices, confirmed(tries) if fix and failed else None)
    result = replace(story, hosts=known.hosts, ranked=known.ranked, verdict=known.verdict, blocking=known.blocking)
    if not (failed and fix):
        return result
    fixes = each_kind(known.fixes, rerun_fixes(tries, story.reason, prices))
    if not fixes.found and not tries.few:
        fixes = each_kind(fixes, rerun_pair(Tries(question), story.reason, known.fixes.others, prices))
    return replace(result, fixes=fixes.found, tried=fixes.tried, pairs=fixes.pairs)


def _look(story: Explanation, seen: _Seen, again: Again, prices: PricesDoc, confirm: Confirm | None) -> None:
    """Fill *seen* by running again up to the story's last decision, and on where it might fit later.

    Fixes are looked for when something can *confirm* them.
    """
    own, failed = {decision.serial for decision in story.decisions}, story.host is None

    def watch(number: int, request: HostRequest, cloud: Cloud) -> None:
        if number not in own:
            return
        seen.request, seen.hosts = request, tuple(host_table(cloud, request))
        if not failed:
            seen.ranked = tuple(runners_up(cloud, request))
            return
        verdict = verdict_of(story.reason, request, cloud, seen.hosts)
        seen.verdict = missed_by_pages(request, cloud, verdict)
        if confirm is not None:
            seen.fixes, seen.blocking = fixes_of(request, cloud, prices, confirm), blocking_set(request, cloud)

    simulation = again(story.decisions[-1].serial, watch)
    if failed and seen.request is not None and seen.verdict is not None and story.reason in CAPACITY:
        seen.verdict = fits_later(seen.request, simulation, seen.verdict)
