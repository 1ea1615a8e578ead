"""Two things at once: ends, failures, maintenance and starts that meet half-way; the audit finds nothing after them."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from simclone.engine.calendar import ENDS
from simclone.engine.run_loop import RunLoop
from simclone.units import SECOND
from tests.time.worlds import (
    HA,
    Doc,
    at,
    cloud,
    fail,
    host_of,
    hosts,
    request,
    running,
    simulation,
    state,
    stream,
    used,
    vm,
    world,
)

MAINTAIN: Doc = {"at": 10, "host": "h1", "event": "maintain"}


def during(made: RunLoop, seconds: float, name: str) -> RunLoop:
    """The same run, with the end of a VM's life at *seconds*."""
    row = made.ctx.cloud.find("vm", name)
    made.driver.at(round(seconds * SECOND), ENDS, partial(made._end, row))
    return made


def nothing_left(made: RunLoop) -> None:
    """After 100 s no host holds anything."""
    at(made, 100)
    assert (used(made, "h1"), used(made, "h2")) == (0, 0)
    assert made.tally.now == [0, 0, 0]


def test_the_end_of_a_vm_while_maintenance_moves_another() -> None:
    """A VM that ends before its turn to be moved is not moved and not stopped."""
    doc = cloud(running("a"), running("b"), incidents=[MAINTAIN], timing={"migrate": 10}, run={"timing": "model"})
    made = during(simulation(doc), 15, "b")
    at(made, 50)
    assert (used(made, "h1"), used(made, "h2")) == (0, 1)
    assert made.ctx.cloud.fleet.state[0] == 3


def test_the_end_of_a_vm_while_it_is_moved() -> None:
    """A VM that ends during its migration leaves both hosts free."""
    doc = cloud(running("a"), incidents=[MAINTAIN], timing={"migrate": 10}, run={"timing": "model"})
    nothing_left(during(simulation(doc), 15, "a"))


def test_the_end_of_a_vm_while_it_is_restarted_elsewhere() -> None:
    """A VM that ends during its HA start leaves both hosts free."""
    doc = cloud(running("a", **HA), incidents=[fail()], timing={"startOnHypervisor": 10}, run={"timing": "model"})
    nothing_left(during(simulation(doc), 15, "a"))


def test_the_end_of_a_vm_while_its_restart_is_allocated() -> None:
    """A VM that ends while its HA start waits for the allocator is not started any more."""
    doc = cloud(running("a", **HA), incidents=[fail()], timing={"allocateHost": 10}, run={"timing": "model"})
    nothing_left(during(simulation(doc), 15, "a"))


def test_a_host_that_fails_while_a_vm_is_moved_away_from_it() -> None:
    """The source of a migration dies half-way: one VM is left, with one hold."""
    incidents = [MAINTAIN, fail(15)]
    made = simulation(cloud(running("a", **HA), incidents=incidents, timing={"migrate": 10}, run={"timing": "model"}))
    at(made, 100)
    assert used(made, "h1") + used(made, "h2") == 1


def test_a_host_that_fails_while_it_starts_a_clone() -> None:
    """A clone that was being started on a host that died is not Running there."""
    doc = world(
        hosts=hosts(1), requests=[request(0, "a")], incidents=[fail(15)], run={"timing": "model"}, timing=SLOW_START
    )
    made = simulation(doc)
    at(made, 100)
    assert made.result().totals.placed == 0 or state(made, "a") != "Running"


def test_a_start_whose_host_was_lost_says_so_and_is_undone() -> None:
    """rules/vm-life.md#host-lost: HOST.1010 is the cause, the row is gone, and the host holds nothing."""
    doc = world(
        hosts=hosts(1), requests=[request(0, "a")], incidents=[fail(15)], run={"timing": "model"}, timing=SLOW_START
    )
    made = simulation(doc)
    at(made, 100)
    (clone,) = made.result().answers[0].clones
    assert clone.error is not None
    assert (clone.error.code, clone.error.root_code, clone.error.root_reason) == ("VM.1001", "HOST.1010", "host.lost")
    assert used(made, "h1") == 0


def test_a_host_that_goes_into_maintenance_while_it_starts_a_clone() -> None:
    """A clone that was being started there runs and holds its host, or does neither."""
    doc = world(
        hosts=hosts(1),
        requests=[request(0, "a")],
        incidents=[{"at": 15, "host": "h1", "event": "maintain"}],
        run={"timing": "model"},
        timing=SLOW_START,
    )
    made = simulation(doc)
    at(made, 100)
    runs = made.result().totals.placed == 1 and state(made, "a") == "Running"
    assert used(made, "h1") == int(runs)


SLOW_START: Doc = {"startOnHypervisor": 30}


def test_a_host_that_fails_while_it_goes_into_maintenance_and_is_repaired() -> None:
    """Failure and repair in the middle of a maintenance: one hold for each VM that runs, none for the others."""
    incidents = [MAINTAIN, fail(15, repairAfter=3)]
    vms = [running("a"), running("b"), running("c", **HA)]
    made = simulation(cloud(*vms, incidents=incidents, timing={"migrate": 10}, run={"timing": "model"}))
    at(made, 100)
    assert used(made, "h1") + used(made, "h2") == sum(state(made, name) == "Running" for name in "abc")


def test_a_repair_while_the_vm_starts_elsewhere_leaves_one_vm() -> None:
    """The dead host comes back while the VM is being started on the other: it runs there, and only there."""
    incidents = [fail(repairAfter=5)]
    timing = {"startOnHypervisor": 10}
    made = simulation(cloud(running("a", **HA), incidents=incidents, timing=timing, run={"timing": "model"}))
    at(made, 16)
    at(made, 30)
    assert (state(made, "a"), host_of(made, "a")) == ("Running", "h2")
    assert (used(made, "h1"), used(made, "h2")) == (0, 1)


def test_a_vm_whose_new_host_fails_too_is_not_running_there() -> None:
    """Both hosts die while it is being started: it is nowhere Running, and runs when one is back."""
    incidents = [fail(), fail(15, "h2"), {"at": 100, "host": "h2", "event": "repair"}]
    timing = {"startOnHypervisor": 10}
    made = simulation(cloud(running("a", **HA), incidents=incidents, timing=timing, run={"timing": "model"}))
    at(made, 50)
    assert state(made, "a") != "Running"
    at(made, 200)


def test_a_host_that_fails_during_a_migration_to_it_leaves_the_vm_where_it_was() -> None:
    """The target dies half-way: the VM is not Running on a dead host."""
    incidents = [{"at": 10, "host": "h1", "event": "maintain"}, fail(15, "h2")]
    made = simulation(cloud(running("a"), incidents=incidents, timing={"migrate": 10}, run={"timing": "model"}))
    at(made, 50)
    assert (state(made, "a"), host_of(made, "a")) != ("Running", "h2")


def busy(incidents: list[Doc], **run: Any) -> RunLoop:
    """Clones of a source with HA come and go on six small hosts for 3000 s; run in six parts, audited after each."""
    doc = world(
        {"vm.deletionPolicy": "Delay", "vm.expungePeriod": 500},
        vms=[vm("v", state="Stopped", **HA)],
        hosts=hosts(6, cpu=5),
        workload=[stream({"poisson": {"perHour": 360}}, lifetime={"exponential": {"mean": 300}}, batch=2)],
        incidents=incidents,
        run={"horizon": 3000, "seed": 2, **run},
    )
    made = simulation(doc)
    for moment in range(500, 3001, 500):
        at(made, moment)
    return made


BREAKING = {"hosts": "all", "every": {"exponential": {"mean": 700}}, "event": "fail", "repairAfter": 40}
SERVICE = {"host": "h2", "every": 400, "event": "maintain", "repairAfter": 60}


@pytest.mark.parametrize("timing", ["instant", "zstack"])
@pytest.mark.parametrize("incidents", [[BREAKING], [SERVICE], [BREAKING, SERVICE]], ids=["fail", "maintain", "both"])
def test_a_busy_cloud_of_failing_hosts_keeps_its_books(incidents: list[Doc], timing: str) -> None:
    """Hosts fail or go into maintenance again and again under clones that come and go: the audit is clean."""
    made = busy(incidents, timing=timing)
    if BREAKING in incidents:
        assert any(one.request == "ha" for one in made.result().decisions)
    assert made.result().totals.ended > 200
