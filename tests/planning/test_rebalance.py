"""Moves that make room or repair a rule."""

from __future__ import annotations

import pytest

import simclone
from simclone.errors import InvalidInput
from simclone.units import GIB
from tests.time.worlds import Doc, hosts, request, running, vm, world

KINDS = [{"name": name, "cpuNum": cpu, "memorySize": GIB} for name, cpu in (("unit", 1), ("wide", 3), ("vast", 9))]


def split(*vms: Doc, cpu: int = 4, many: int = 2) -> Doc:
    """Hosts of 4 vCPUs with VMs on them; the source is stopped and stands first."""
    source = vm("v", state="Stopped", lastHost="h1", primaryStorage="nfs")
    return world(hosts=hosts(many, cpu=cpu), instanceOfferings=KINDS, vms=[source, *vms])


def moved(doc: Doc, *moves: tuple[str, str]) -> Doc:
    """The scenario after moves (VM, host)."""
    where = dict(moves)
    return {**doc, "vms": [{**one, "host": where[one["name"]]} if one["name"] in where else one for one in doc["vms"]]}


def placed(doc: Doc, offering: str) -> int:
    """Whether a clone of that size is made (1) or not (0)."""
    source = {**doc["vms"][0], "name": "source", "instanceOffering": offering}
    more = {"vms": [*doc["vms"], source], "requests": [request(0, "n", source="source")]}
    return simclone.run({**doc, **more}).result.totals.placed


def test_what_fits_needs_no_move() -> None:
    """An empty cloud takes it."""
    found = simclone.rebalance(split(), offering="wide")
    assert (found.fits, found.makes_room, found.moves) == (True, True, ())


def test_one_move_makes_room() -> None:
    """Two free vCPUs on each host and a VM of three: moving one unit makes a third, and the clone is then made."""
    doc = split(running("a", "h1"), running("b", "h1"), running("c", "h2"), running("d", "h2"))
    assert placed(doc, "wide") == 0
    found = simclone.rebalance(doc, offering="wide")
    assert (found.fits, found.makes_room, len(found.moves)) == (False, True, 1)
    (move,) = found.moves
    assert placed(moved(doc, (move.vm, move.target)), "wide") == 1
    assert found.figures() == {"moves": 1, "makes_room": 1, "broken": 0}


def test_the_fewest_moves_are_told() -> None:
    """One host is emptied by one large VM, the other only by three small ones."""
    large = running("large", "h2", instanceOffering="wide")
    small = [running(f"s{n}", "h1") for n in range(3)]
    doc = split(*small, large, many=3)
    doc["vms"].append(running("full", "h3", instanceOffering="unit"))
    doc["hosts"][2]["cpuNum"] = 4
    doc["instanceOfferings"] = [*KINDS, {**KINDS[1], "name": "all", "cpuNum": 4}]
    found = simclone.rebalance(doc, offering="all")
    assert [one.vm for one in found.moves] == ["full"]


def test_the_source_moves_in_its_own_size() -> None:
    """The running source of 1 vCPU is what must go, to where 1 vCPU is free; asked are clones of 3."""
    doc = split(running("y", "h2", instanceOffering="wide"))
    doc["vms"][0] = running("v", "h1")
    doc["hosts"][0]["cpuNum"] = 3
    found = simclone.rebalance(doc, vm="v", offering="wide")
    assert [(one.vm, one.target) for one in found.moves] == [("v", "h2")]


def test_where_no_moves_help_it_says_so() -> None:
    """Nine vCPUs are on no host."""
    found = simclone.rebalance(split(), offering="vast")
    assert (found.fits, found.makes_room, found.moves) == (False, False, ())
    assert "no moves were found" in found.summary()


def grouped(many: int) -> Doc:
    """Two members of an anti-affinity group on h1 of *many* hosts."""
    members = [running(name, "h1", affinityGroup="apart") for name in ("a", "b")]
    doc = split(*members, many=many)
    return {**doc, "affinityGroups": [{"name": "apart", "policy": "antiHard"}], "run": {"profile": "cloud"}}


def test_two_members_on_a_host_are_parted() -> None:
    """The later of the two goes to the other host; afterwards nothing is to be repaired."""
    doc = grouped(2)
    found = simclone.rebalance(doc)
    assert [(one.vm, one.source, one.target, one.why) for one in found.moves] == [("b", "h1", "h2", "group apart")]
    assert (found.repaired, found.broken) == (1, 0)
    again = simclone.rebalance(moved(doc, ("b", "h2")))
    assert (again.moves, again.repaired, again.broken) == ((), 0, 0)


def test_two_members_in_a_rack_are_parted() -> None:
    """On two hosts of one rack they break a rule over racks; the later one goes to the other rack."""
    members = [running(name, host, affinityGroup="apart") for name, host in (("a", "h1"), ("b", "h2"))]
    doc = split(*members, many=3)
    for host, rack in zip(doc["hosts"], "aab", strict=True):
        host["labels"] = {"rack": rack}
    doc["affinityGroups"] = [{"name": "apart", "policy": "antiHard", "over": "rack"}]
    found = simclone.rebalance({**doc, "run": {"profile": "cloud"}})
    assert [(one.vm, one.source, one.target) for one in found.moves] == [("b", "h2", "h3")]
    assert (found.repaired, found.broken) == (1, 0)


def test_members_that_cannot_be_parted_are_counted() -> None:
    """One host only: the rule stays broken."""
    found = simclone.rebalance(grouped(1))
    assert (found.repaired, found.broken, found.moves) == (0, 1, ())


def test_an_unknown_offering_is_a_fault() -> None:
    """It says which there are."""
    with pytest.raises(InvalidInput, match=r"offering: 'x' is unknown \(expected unit, wide, vast\)"):
        simclone.rebalance(split(), offering="x")
