"""Recorded batches on recorded hosts: some clones fail, and the answers add up to the ledger."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import simclone
from simclone.api import Run
from simclone.model.vms import NONE
from simclone.scenario.traces import ROOT_SIZE, trace_scenario

REPO = Path(__file__).resolve().parents[3]
SHIPPED = REPO / "scenarios" / "data"
SHARED = REPO.parent / "shared" / "traces"


def recount(run: Run) -> None:
    """Count from the answers alone what every host, storage and network must hold, and compare with the ledger."""
    cloud = run.result.ledger.cloud
    uuids = {uuid: row for row, uuid in enumerate(cloud.fleet.uuids)}
    cpu, memory, placed, addresses = Counter(), Counter(), Counter(), 0
    for response in run.responses:
        for element in response.get("result", {}).get("inventories", ()):
            if "error" in element:
                continue
            vm = element["inventory"]
            host = uuids[vm["hostUuid"]]
            cpu[host] += vm["cpuNum"]
            memory[host] += vm["memorySize"]
            placed[host] += 1
            addresses += sum("ip" in nic for nic in vm["vmNics"])
    fleet = cloud.fleet
    sources = [row for row, name in enumerate(cloud.vms.names) if name.startswith("source-")]
    assert all(cloud.vms.host[row] == NONE for row in sources)
    for host in range(fleet.row_count):
        assert fleet.vm_count[host] == placed[host]
        assert fleet.total_cpu[host] - fleet.available_cpu[host] == cpu[host]
        assert fleet.total_memory[host] - fleet.available_memory[host] == memory[host]
    assert len(cloud.pools[0].used) == addresses + len(sources)
    volumes = sum(one.volume_count for one in cloud.storages)
    assert volumes == placed.total() + len(sources)
    used = sum(one.total - one.available for one in cloud.storages)
    caches = sum(space.amount for space in run.result.ledger.space.holds.values() if space.exact)
    assert used == ROOT_SIZE * volumes + caches
    assert not np.any(fleet.array(fleet.drift_memory))


def failing_share(run: Run) -> float:
    """The share of names that got no clone."""
    asked = sum(len(answer.request.names) for answer in run.answers)
    return 1 - sum(answer.succeeded for answer in run.answers) / asked


def test_a_day_of_batches_on_real_hosts_adds_up() -> None:
    """On the shipped day between 5 % and 50 % of the clones fail, for three reasons, and the books agree."""
    document = trace_scenario(
        SHIPPED / "openb-hosts-2023" / "openb_node_list_all_node.csv",
        SHIPPED / "azure-vm-2017-day",
        batches=600,
        every_host=35,
        addresses=1640,
        tenants=8,
        tenant_vms=320,
    )
    run = simclone.run(document)
    assert len(run.answers) == 600
    assert 0.05 < failing_share(run) < 0.5
    assert len(run.reasons()) >= 3
    recount(run)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared traces are not beside this clone")
def test_eighteen_hundred_batches_on_a_cut_fleet_add_up() -> None:
    """1,800 consecutive Azure batches on every fifteenth of the 1,523 hosts: three reasons, equal books."""
    document = trace_scenario(
        SHARED / "alibaba-openb-2023" / "openb_node_list_all_node.csv",
        SHARED / "azure-vm-2017-window",
        batches=1800,
        every_host=15,
        addresses=4200,
        tenants=8,
        tenant_vms=560,
    )
    run = simclone.run(document)
    assert len(document["hosts"]) == 102
    assert 0.05 < failing_share(run) < 0.5
    assert set(run.reasons()) == {"quota.vm.num", "ip.exhausted", "host.cpu"}
    recount(run)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared traces are not beside this clone")
def test_all_real_hosts_take_a_thousand_batches() -> None:
    """The whole fleet of 1,523 hosts takes the first 1,000 batches without a failure."""
    document = trace_scenario(
        SHARED / "alibaba-openb-2023" / "openb_node_list_all_node.csv",
        SHARED / "azure-vm-2017-window",
        batches=1000,
    )
    run = simclone.run(document)
    assert len(document["hosts"]) == 1523
    assert failing_share(run) == 0.0
    recount(run)
