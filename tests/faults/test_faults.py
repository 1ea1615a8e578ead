"""Faults injected into every step: what was held comes back, and the auditor agrees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import simclone
from simclone.scenario.checking.incidents import FAULTY

REPO = Path(__file__).resolve().parents[2]
STARTS = ("allocateHost", "allocateAddress", "cacheImage", "startOnHypervisor")
PREPARATIONS = ("takeSnapshot", "commitImage")


def cloud(**more: Any) -> dict[str, Any]:
    """Three hosts with room for every clone, the source with a data disk."""
    document: dict[str, Any] = YAML(typ="safe").load(
        (REPO / "scenarios" / "full-clone-with-data-volumes.yaml").read_text("utf-8")
    )
    del document["expect"]
    return {**document, **more}


def holdings(run: simclone.Run) -> tuple[int, int, int, int]:
    """VMs on hosts, addresses, volumes alive, memory taken."""
    made = run.result.ledger.cloud
    return (
        int(made.fleet.array(made.fleet.vm_count).sum()),
        sum(len(pool.used) for pool in made.pools),
        int(made.volumes.array(made.volumes.alive).sum()),
        int((made.fleet.array(made.fleet.total_memory) - made.fleet.array(made.fleet.available_memory)).sum()),
    )


def without_requests() -> tuple[int, int, int, int]:
    """What is held when nobody asks for anything."""
    return holdings(simclone.run(cloud(requests=[])))


@pytest.mark.parametrize("step", STARTS)
def test_a_fault_in_a_start_leaves_nothing(step: str) -> None:
    """Every clone fails in one step of its start: hosts, addresses and volumes are as before."""
    run = simclone.run(cloud(faults=[{"step": step}]))
    answer = run.answers[0]
    assert answer.error is None
    assert answer.succeeded == 0
    assert set(run.reasons()) == {f"fault.{step}"}
    assert holdings(run) == without_requests()
    assert run.audit() == []


@pytest.mark.parametrize("step", STARTS)
def test_a_fault_that_strikes_once_fails_one_name(step: str) -> None:
    """A count of one fails one clone and lets the others through."""
    run = simclone.run(cloud(faults=[{"step": step, "count": 1}]))
    answer = run.answers[0]
    assert answer.succeeded == len(answer.request.names) - 1
    assert run.reasons() == {f"fault.{step}": 1}
    assert run.audit() == []


@pytest.mark.parametrize("step", PREPARATIONS)
def test_a_fault_in_the_preparation_fails_the_call(step: str) -> None:
    """Snapshot and image faults fail the call before any clone has a row; no VM, address or volume is left."""
    run = simclone.run(cloud(faults=[{"step": step}]))
    assert run.answers[0].error is not None
    assert holdings(run) == without_requests()
    snapshots = int(run.result.ledger.cloud.snapshots.array(run.result.ledger.cloud.snapshots.alive).sum())
    assert (snapshots > 0) == (step == "commitImage")
    assert run.audit() == []


def test_a_fault_in_a_data_volume_fails_the_call_and_keeps_the_vms() -> None:
    """A data volume that cannot be made fails the whole call, yet the clones stay (rules/clone-call.md#steps)."""
    run = simclone.run(cloud(faults=[{"step": "createDataVolume", "count": 1}]))
    assert run.answers[0].error is not None
    asked = sum(len(answer.request.names) for answer in run.answers)
    assert holdings(run)[0] == without_requests()[0] + asked
    assert run.audit() == []


def test_a_probability_strikes_some() -> None:
    """With probability one half some of many clones fail, the same ones for the same seed."""
    names = [f"c{n}" for n in range(40)]
    document = cloud(faults=[{"step": "startOnHypervisor", "probability": 0.5}])
    document["requests"] = [{"vm": document["requests"][0]["vm"], "cloneVmInstance": {"names": names}}]
    first, again = simclone.run(document), simclone.run(document)
    struck = first.reasons().get("fault.startOnHypervisor", 0)
    assert 5 < struck < 35
    assert first.fingerprint == again.fingerprint


def test_every_step_that_can_be_struck_is_tested() -> None:
    """No step of the list is forgotten here."""
    assert {*STARTS, *PREPARATIONS, "createDataVolume"} == set(FAULTY)


@pytest.mark.parametrize("when", [0.05, 0.3, 0.5, 0.9, 1.3, 2.0, 3.0])
def test_a_host_that_dies_during_a_call_takes_its_starts_along(when: float) -> None:
    """Whatever step a call is in when every host dies, nothing runs on a dead host that was not running before."""
    timing = {
        "takeSnapshot": 0.2,
        "commitImage": 0.2,
        "allocateHost": 0.1,
        "cacheImage": 0.3,
        "startOnHypervisor": 1.0,
        "createDataVolume": 0.4,
    }
    run = simclone.run(
        cloud(timing=timing, incidents=[{"at": when, "hosts": "all", "event": "fail"}], run={"timing": "model"})
    )
    made = run.result.ledger.cloud
    states = {made.vms.state_name(row) for row in range(made.vms.row_count) if made.vms.alive[row]}
    assert "Running" not in states
    assert run.audit() == []
