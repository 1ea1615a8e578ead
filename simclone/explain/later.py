"""Whether a request that was refused would be placed at another time of the same run, or without pages."""

from __future__ import annotations

from simclone.allocator.host.request import HostRequest
from simclone.engine.context import Context
from simclone.engine.operations.settings import update_global_config
from simclone.engine.run_loop import RunLoop
from simclone.explain.verdict import Verdict
from simclone.model.cloud import Cloud
from simclone.model.ledger.ledger import Ledger
from simclone.placement.host import finds_host
from simclone.units import SECOND

MOST_EVENTS, CLOSELY, EVERY = 20_000, 200, 20
"""So many events of the rest of the run are looked through; the request is asked again after each of the first, then
after every so many."""
PAGES = "hostAllocator.usePagination"


def missed_by_pages(request: HostRequest, cloud: Cloud, verdict: Verdict) -> Verdict:
    """*Order* where a host is found once pages are off: the search ended on a page before it; else *verdict*."""
    if not cloud.settings.flag(PAGES) or finds_host(request, cloud):
        return verdict
    ledger = Ledger(cloud)
    with ledger.trial():
        update_global_config(Context(ledger), PAGES, False)
        result = finds_host(request, cloud)
    if not result:
        return verdict
    text = "with all hosts on one page it finds a host: the search by pages ended before"
    return Verdict("order", text, verdict.figures)


def fits_later(request: HostRequest, simulation: RunLoop, verdict: Verdict) -> Verdict:
    """*Transient* where the same run has room later, in the events that were looked through; else *verdict*."""
    simulation.ctx.watch = None
    cloud, start = simulation.ctx.cloud, simulation.ctx.ledger.now_us
    for event in range(MOST_EVENTS):
        if not simulation.step():
            break
        looked = event < CLOSELY or event % EVERY == 0
        if looked and simulation.ctx.ledger.now_us > start and finds_host(request, cloud):
            after = simulation.ctx.ledger.now_us - start
            text = f"{verdict.text}; {after / SECOND:g} s later in the same run it would be placed"
            return Verdict("transient", text, {**verdict.figures, "fits_after_us": after})
    return verdict
