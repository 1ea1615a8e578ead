"""Which hosts may go: against running the scenario without every set of them."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simclone
from simclone.errors import InvalidInput
from tests.clouds import examples
from tests.planning.small import running, small_clouds
from tests.time.worlds import HA, Doc, finished, hosts, request, simulation, state, vm, world

ONE = simclone.ReplicationPlan(replications=1)


def without(doc: Doc, gone: tuple[str, ...]) -> Doc:
    """The cloud without some hosts; VMs that stood there are left to the allocator."""
    lost = {"host": None, "lastHost": None}
    vms = [{key: value for key, value in one.items() if not (key in lost and value in gone)} for one in doc["vms"]]
    return {**doc, "hosts": [one for one in doc["hosts"] if one["name"] not in gone], "vms": vms}


def enough(doc: Doc) -> bool:
    """Whether all VMs of the file and all names find a host."""
    try:
        totals = finished(doc).totals
    except InvalidInput:
        return False
    return totals.placed == totals.asked


@given(small_clouds(most_hosts=6, most_vms=4), st.integers(0, 4))
@settings(max_examples=examples(200))
def test_the_most_hosts_that_may_go_of_all_sets(doc: Doc, names: int) -> None:
    """No larger set of hosts could go, the told one can, and where the whole fleet is too small it is said."""
    doc["requests"] = [request(0, *(f"n{n}" for n in range(names)))] if names else []
    fleet = [one["name"] for one in doc["hosts"]]
    found = simclone.shrink(doc, plan=ONE)
    assert found.possible is enough(doc)
    if not found.possible:
        assert found.removed == ()
        return
    best = next(
        size
        for size in range(len(fleet) - 1, -1, -1)
        if any(enough(without(doc, gone)) for gone in combinations(fleet, size))
    )
    assert len(found.removed) == best
    assert enough(without(doc, found.removed))
    assert found.exact
    assert found.figures() == {"removed": best, "needed": len(fleet) - best}


def survives(doc: Doc, size: int) -> bool:
    """Whether every VM of the file runs after whatever *size* hosts are lost together, each set in a real run."""
    fleet = [one["name"] for one in doc["hosts"]]
    for names in combinations(fleet, min(size, len(fleet))):
        lost = [{**one, "labels": {"lost": str(one["name"] in names)}} for one in doc["hosts"]]
        incident = {"at": 10, "label": {"lost": "True"}, "event": "fail", "together": True}
        made = simulation({**doc, "hosts": lost, "incidents": [incident]}).pause_at(20_000_000)
        if any(state(made, one["name"]) != "Running" for one in doc["vms"] if one["name"] != "v"):
            return False
    return True


def busy(many: int, *where: str, cpu: int = 4) -> Doc:
    """Hosts of 4 vCPUs and a unit VM with high availability on each of *where*."""
    vms = [running(f"r{n}", host, **HA) for n, host in enumerate(where)]
    return world(hosts=hosts(many, cpu=cpu), vms=[vm("v", state="Stopped"), *vms])


@pytest.mark.parametrize("spare", [1, 2, 3])
def test_spare_hosts_are_kept_for_losses(spare: int) -> None:
    """Three VMs fit on one host; that so many hosts may be lost besides, as many more are needed."""
    doc = busy(4, "h1", "h2", "h3")
    found = simclone.shrink(doc, spare=spare, plan=ONE)
    if spare + 1 > len(doc["hosts"]):
        assert not found.possible
        return
    assert len(doc["hosts"]) - len(found.removed) == spare + 1
    assert survives(without(doc, found.removed), spare)


def test_more_spare_hosts_than_there_are_is_not_possible() -> None:
    """Losing all hosts is survived by no VM."""
    found = simclone.shrink(busy(2, "h1"), spare=2, plan=ONE)
    assert (found.possible, found.removed) == (False, ())
    assert "not even all 2 hosts hold everything with 2 lost besides" in found.summary()


def test_large_fleets_lose_their_idle_hosts() -> None:
    """Twelve hosts, two VMs: everything fits on one, and the answer says that not every set was tried."""
    found = simclone.shrink(busy(12, "h4", "h9"), plan=ONE)
    assert len(found.removed) == 11
    assert not found.exact
    assert found.tried < 2**12
    assert enough(without(busy(12, "h4", "h9"), found.removed))


def test_a_negative_spare_is_a_fault() -> None:
    """It names the parameter."""
    with pytest.raises(InvalidInput, match=r"spare: -1 is no number of hosts"):
        simclone.shrink(busy(2), spare=-1)


def test_a_fault_of_the_file_is_no_answer() -> None:
    """A request for a VM that is not there is raised, not taken for a fleet that is too small."""
    doc: Any = {**busy(2), "requests": [request(0, "a", source="nobody")]}
    with pytest.raises(InvalidInput, match="nobody"):
        simclone.shrink(doc, plan=ONE)
