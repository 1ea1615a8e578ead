"""The conformance of a flow: its array face and its scalar face tell the same truth, host by host.

Reusable for flows of one's own: hand `check_filter` or `check_sorter` a flow, a request, a cloud and candidates.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from simclone.allocator.host.flow import (
    Candidates,
    FilterFlow,
    HardStop,
    HostColumnView,
    HostRowView,
    Pass,
    Skip,
    SortFlow,
)
from simclone.allocator.host.request import HostRequest
from simclone.model.cloud import Cloud
from simclone.records import ErrorCode

READS = frozenset({"static", "capacity", "count", "state", "affinity", "storage", "utilisation", "lifetime"})


def check_filter(flow: FilterFlow, request: HostRequest, cloud: Cloud, candidates: Candidates) -> bool:
    """Compare both faces of every test and of the whole verdict; True when the flow had something to say."""
    assert flow.name
    facts = flow.facts(request, cloud, candidates)
    if isinstance(facts, HardStop):
        assert isinstance(facts.error, ErrorCode)
        return False
    if isinstance(facts, Skip | Pass):
        return False
    arrays = HostColumnView(cloud.fleet, candidates.index)
    whole = np.ones(len(candidates.index), dtype=np.bool_)
    for test in flow.tests:
        truth = _truths(test.keep(arrays, facts), candidates.index, f"{flow.name}/{test.reason}")
        _same(f"{flow.name}/{test.reason}", cloud, candidates, truth, lambda host, test=test: test.keep(host, facts))
        whole &= truth
    _same(f"{flow.name}.keep", cloud, candidates, whole, lambda host: flow.keep(host, facts))
    kept = _truths(flow.keep(arrays, facts), candidates.index, flow.name) if flow.tests else whole
    assert kept.tolist() == whole.tolist(), f"{flow.name}.keep is not the conjunction of its tests"
    if len(candidates.index) and not whole.any():
        error = flow.refuses(request, cloud, facts, candidates)
        assert all((error.code, error.details, error.reason)), f"{flow.name} refuses without a reason"
    return True


def check_sorter(flow: SortFlow, request: HostRequest, cloud: Cloud, candidates: Candidates) -> bool:
    """Compare both faces of key and preference; a *whole_set* flow must give a permutation of its hosts."""
    assert flow.name
    assert flow.reads <= READS, f"{flow.name} reads {flow.reads - READS}"
    if flow.whole_set:
        hosts = candidates.index.tolist()
        assert sorted(flow.arrange(list(hosts), request, cloud)) == hosts, f"{flow.name} loses or adds hosts"
        return True
    facts = flow.facts(request, cloud, candidates)
    if isinstance(facts, Pass | HardStop):
        return False
    arrays = HostColumnView(cloud.fleet, candidates.index)
    keys = np.broadcast_to(np.asarray(flow.key(arrays, facts)), candidates.index.shape)
    _same(f"{flow.name}.key", cloud, candidates, keys, lambda host: flow.key(host, facts))
    assert (keys >= 0).all(), f"{flow.name} gives a negative key"
    assert not len(keys) or int(keys.max()) < 1 << flow.width, f"{flow.name} needs more than {flow.width} bits"
    stays = _truths(flow.preferred(arrays, facts), candidates.index, flow.name)
    _same(f"{flow.name}.preferred", cloud, candidates, stays, lambda host: flow.preferred(host, facts))
    return True


def candidate_sets(cloud: Cloud) -> Iterable[Candidates]:
    """Everybody as a first flow sees them, everybody later, every second host, and the last one alone."""
    everybody = np.flatnonzero(cloud.fleet.array(cloud.fleet.exists) == 1)
    yield Candidates(cloud, everybody, first=True)
    yield Candidates(cloud, everybody, page=1)
    yield Candidates(cloud, everybody[::2])
    yield Candidates(cloud, everybody[-1:])


def _truths(found: Any, index: Any, what: str) -> Any:
    truth = np.broadcast_to(np.asarray(found), index.shape)
    assert truth.dtype == np.bool_, f"{what} gives {truth.dtype}, not truths"
    return truth


def _same(what: str, cloud: Cloud, candidates: Candidates, column: Any, scalar: Any) -> None:
    for place, host in enumerate(candidates.index.tolist()):
        one = scalar(HostRowView(cloud.fleet, host))
        assert not isinstance(one, np.generic | np.ndarray), f"{what} gives {type(one)} for one host"
        assert one == column[place], f"{what} of host {host}: {one} alone, {column[place]} in the column"
