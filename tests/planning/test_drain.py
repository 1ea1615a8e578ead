"""Maintenance: which hosts can be emptied, and waves that follow each other."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simclone
from simclone.errors import InvalidInput
from tests.clouds import examples
from tests.planning.small import running, small_clouds
from tests.time.worlds import Doc, hosts, simulation, vm, world


def loaded(many: int, *where: str, cpu: int = 4) -> Doc:
    """Hosts of so many vCPUs with a unit on each of *where*."""
    vms = [running(f"r{n}", host) for n, host in enumerate(where)]
    source = vm("v", state="Stopped", lastHost="h1", primaryStorage="nfs")
    return world(hosts=hosts(many, cpu=cpu), vms=[source, *vms])


def test_a_rolling_plan_takes_one_host_after_the_other() -> None:
    """Three hosts, each with a VM: every one can go alone, and they do in three waves."""
    found = simclone.drain(loaded(3, "h1", "h2", "h3"))
    assert found.waves == (("h1",), ("h2",), ("h3",))
    assert found.figures() == {"stuck": 0, "waves": 3}
    assert "3 of 3 hosts can be emptied" in found.summary()


def test_waves_are_as_wide_as_asked_and_as_room_allows() -> None:
    """Four idle hosts go two by two; where all four are half full only two find room at a time."""
    assert [len(wave) for wave in simclone.drain(loaded(4), wave=2).waves] == [2, 2]
    assert [len(wave) for wave in simclone.drain(loaded(4), wave=3).waves] == [3, 1]
    full = loaded(4, *(f"h{n}" for n in (1, 1, 2, 2, 3, 3, 4, 4)))
    assert [len(wave) for wave in simclone.drain(full, wave=3).waves] == [2, 2]


def test_a_vm_that_cannot_move_holds_its_host() -> None:
    """Two full hosts: neither can be emptied, no wave is planned, the reason is told."""
    found = simclone.drain(loaded(2, "h1", "h2", cpu=1))
    assert [dict(one.stuck) for one in found.hosts] == [{"r0": "host.cpu"}, {"r1": "host.cpu"}]
    assert found.waves == ()
    assert found.blocked == ("h1", "h2")
    assert found.figures() == {"stuck": 2, "waves": 0}
    assert list(found.to_frame().wave) == [0, 0]


@given(small_clouds(), st.integers(1, 3))
@settings(max_examples=examples(100))
def test_emptying_a_host_is_maintenance_in_a_run(doc: Doc, wave: int) -> None:
    """A host that can be emptied is empty after it goes into maintenance in a run; waves name each usable host once."""
    found = simclone.drain(doc, wave=wave)
    usable = [one["name"] for one in doc["hosts"] if one["state"] == "Enabled"]
    assert [one.host for one in found.hosts] == usable
    assert sorted([*(host for one in found.waves for host in one), *found.blocked]) == sorted(usable)
    assert all(len(one) <= wave for one in found.waves)
    for one in found.hosts:
        here = [each["name"] for each in doc["vms"] if each.get("host") == one.host]
        assert sorted([*dict(one.moved), *dict(one.stuck)]) == sorted(here)
        made = simulation({**doc, "incidents": [{"at": 10, "host": one.host, "event": "maintain"}]})
        made.pause_at(50_000_000)
        vms, fleet = made.ctx.cloud.vms, made.ctx.cloud.fleet
        if not one.stuck:
            now = {name: fleet.names[vms.host[made.ctx.cloud.find("vm", name)]] for name in here}
            assert now == dict(one.moved)
        assert (one.host in {host for each in found.waves for host in each}) or one.stuck or len(usable) > 1


def test_a_wave_of_no_hosts_is_a_fault() -> None:
    """It names the parameter."""
    with pytest.raises(InvalidInput, match="wave: 0 is no number of hosts"):
        simclone.drain(loaded(2), wave=0)


@given(small_clouds(), st.integers(2, 3))
@settings(max_examples=examples(60))
def test_no_vm_moves_to_a_host_of_its_own_wave(doc: Doc, wave: int) -> None:
    """Hosts of a wave are closed together before the first VM moves; the table tells the moves of the plan."""
    found = simclone.drain(doc, wave=wave)
    for part in found.plan:
        away = {one.host for one in part}
        assert not away & {to for one in part for _, to in one.moved}
        assert not any(one.stuck for one in part)
    table = found.to_frame()
    moves = [(vm, to) for part in found.plan for one in part for vm, to in one.moved]
    assert [(row.vm, row.to) for row in table[(table.wave > 0) & (table.vm != "")].itertuples()] == moves
