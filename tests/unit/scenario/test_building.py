"""What a document leaves out is derived, and what is built balances."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from simclone.chance import place_uuid
from simclone.changes.load import load, load_case, load_scenario, scenario_of, scenario_schema
from simclone.scenario.building.cloud import build
from simclone.scenario.document.base import Doc, camel
from simclone.scenario.document.case import CaseDoc, StepDoc
from simclone.scenario.document.scenario import ScenarioDoc
from simclone.scenario.load import Case, Scenario
from simclone.scenario.schema import case_schema
from simclone.units import GIB, TIB

HERE = Path(__file__).resolve().parents[3]
SHARED = HERE.parent / "shared" / "conformance"
CASES = sorted(SHARED.glob("*/*.json"))

SMALL = """
name: small
globalConfig: {host.cpu.overProvisioning.ratio: 4, mevoco.overProvisioning.memory: 2}
resourceConfig: [{resourceType: host, resource: h02, key: kvm.reservedMemory, value: 2GiB}]
hosts:
- {name: "h{n:02}", count: 2, cpuNum: 8, totalPhysicalMemory: 64GiB, labels: {rack: r1}}
- {name: last, uuid: "00000000000000000000000000000000", cpuNum: 8, totalPhysicalMemory: 64GiB, availableCpu: 30,
   availableMemory: 60GiB}
primaryStorages:
- {name: nfs, type: NFS, totalCapacity: 1TiB, availableCapacity: 1000GiB}
- {name: local, type: LocalStorage, localHosts: [{host: "h{n:02}", count: 2, totalCapacity: 1T, availableCapacity: 1G}]}
- name: ceph
  type: Ceph
  osdGroups: [{name: ssd, totalPhysicalCapacity: 2TiB, availableCapacity: 1TiB}]
  pools: [{name: root, type: Root, osdGroup: ssd}]
backupStorages: [{name: store}]
images: [{name: image, size: 20GiB, actualSize: 2GiB}]
l3Networks:
- {name: l3, ipRanges: [{start: 10.0.0.2, end: 10.0.0.9}], usedIps: [10.0.0.3]}
instanceOfferings: [{name: o, cpuNum: 1, memorySize: 1GiB}]
accounts: [{name: user, quota: {vm.num: 3}}]
hostGroups: [{name: hg, hosts: [h01, last]}]
affinityGroups: [{name: g, policy: spreadHard, over: rack, hostRule: {policy: antiSoft, hostGroup: hg}}]
strategies: {mine: {score: {freeCpu: 2, vmCount: -1}}}
vms:
- {name: "web-{n}", count: 2, instanceOffering: o, image: image, l3Networks: [l3]}
- {name: db, cpuNum: 2, memorySize: 2G, image: image, l3Networks: [l3], host: h01, primaryStorage: nfs,
   ips: {l3: 10.0.0.9}}
requests:
- {vm: web-2, cloneVmInstance: {names: [a, b], full: false}, at: 1.5}
- {name: again, vm: a, cloneVmInstance: {names: [c]}}
run: {seed: 7, start: 2020-01-02T03:04:05+01:00, tieBreak: lowestUuid}
expect: {request-1: {numberOfClonedVm: {ge: 1}, reasons: {host.memory: 1}}}
"""


@pytest.fixture
def small(tmp_path: Path) -> Scenario:
    """The small scenario, loaded."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return load_scenario(path)


def test_hosts_stand_by_uuid(small: Scenario) -> None:
    """Given uuids are kept, others follow declaration order; figures follow the settings at the nearest level."""
    fleet = small.build().cloud.fleet
    assert fleet.names == ["last", "h01", "h02"]
    assert fleet.uuids[1] == place_uuid("host", "h01", 0)
    assert fleet.array(fleet.total_cpu).tolist() == [32, 32, 32]
    assert fleet.array(fleet.reserved_memory).tolist() == [GIB, GIB, 2 * GIB]
    assert fleet.memory_ratio(0) == 2.0
    assert fleet.labels == [{}, {"rack": "r1"}, {"rack": "r1"}]


def test_start_states_are_drift(small: Scenario) -> None:
    """What is free at the start without a holder is drift, so that the books balance."""
    ledger = small.build()
    ledger.check()
    cloud = ledger.cloud
    assert (cloud.fleet.drift_cpu[0], cloud.fleet.drift_memory[0]) == (-2, -4 * GIB)
    nfs, local, ceph = cloud.storages
    assert (nfs.total, nfs.available, nfs.held, nfs.drift) == (TIB, 1000 * GIB, 0, -24 * GIB)
    assert (local.total, local.available) == (2 * TIB, 2 * GIB)
    assert local.shares is not None
    assert local.shares.array(local.shares.present).tolist() == [0, 1, 1]
    assert local.shares.array(local.shares.drift).tolist() == [0, GIB - TIB, GIB - TIB]
    assert (ceph.total, ceph.osd_groups[0].drift, ceph.pools[0].osd_group) == (2 * TIB, -TIB, 0)


def test_what_may_be_left_out(small: Scenario) -> None:
    """One zone, one cluster and one L2 are there when nobody names them, and everything is attached."""
    cloud = small.build().cloud
    assert (cloud.zones[0].name, cloud.clusters[0].name, cloud.l2s[0].name) == ("zone", "cluster", "l2")
    assert [one.clusters for one in cloud.storages] == [{0}, {0}, {0}]
    assert (cloud.l2_clusters, cloud.backups[0].zones, cloud.backups[0].available) == ([{0}], {0}, None)
    assert (cloud.images[0].backup_storages, cloud.image_space) == ((0,), {0: (0,)})
    assert cloud.pools[0].used == {0x0A000003: -1}
    assert (cloud.limit(0, "vm.num"), cloud.limit(0, "vm.cpuNum")) == (3, 80)
    rule = cloud.groups[0].host_rule
    assert rule is not None
    assert cloud.host_groups[rule.group].hosts == {0, 1}


def test_the_loaded_scenario(small: Scenario) -> None:
    """VMs are single, requests are named, expectations are as written, and every build is fresh."""
    assert [one.name for one in small.vms] == ["web-1", "web-2", "db"]
    assert small.vm_uuids[2] == place_uuid("vm", "db", 2)
    assert [one.name for one in small.requests] == ["request-1", "again"]
    assert small.requests[0].clone_vm_instance == {"names": ["a", "b"], "full": False}
    assert small.expect == {"request-1": {"numberOfClonedVm": {"ge": 1}, "reasons": {"host.memory": 1}}}
    assert small.strategies["mine"].score == {"freeCpu": 2.0, "vmCount": -1.0}
    first, second = small.build(), small.build(seed=8, replication=3)
    assert first.cloud.start == datetime(2020, 1, 2, 2, 4, 5)
    assert (first.cloud.chance.seed, first.cloud.chance.ties_lowest, second.cloud.chance.seed) == (7, True, 8)
    first.cloud.settings.values["vm.numa"] = True
    first.cloud.storages[0].clusters.clear()
    assert second.cloud.settings.values["vm.numa"] is False
    assert small.build().cloud.storages[0].clusters == {0}


def test_yaml_json_and_data_are_one(tmp_path: Path, small: Scenario) -> None:
    """The same document gives the same records, whatever it is written in."""
    data = YAML(typ="safe", pure=True).load(SMALL.replace("2020-01-02T03:04:05+01:00", "'2020-01-02T03:04:05+01:00'"))
    path = tmp_path / "small.json"
    path.write_text("\ufeff" + json.dumps(data, indent="\t"))
    assert load_scenario(path).doc == small.doc == scenario_of(data).doc
    jsonschema.Draft202012Validator(scenario_schema()).validate(data)


def test_keys_are_spelled_mechanically() -> None:
    """Every field of every document is the camelCase of its Python name."""
    todo: list[type[Doc]] = list(Doc.__subclasses__())
    seen: set[type[Doc]] = set()
    while todo:
        model = todo.pop()
        seen.add(model)
        todo.extend(model.__subclasses__())
        assert {name: field.alias for name, field in model.model_fields.items()} == {
            name: camel(name) for name in model.model_fields
        }
    assert {ScenarioDoc, CaseDoc, StepDoc} <= seen


def test_a_file_with_steps_is_a_case(tmp_path: Path) -> None:
    """`load` tells cases from scenarios; an operation nobody knows is kept."""
    path = tmp_path / "case.yaml"
    path.write_text("id: c\nsteps: [{op: fly, for: create, spec: {high: true}}]\n")
    case = load(path)
    assert isinstance(case, Case)
    assert (case.steps[0].op, case.steps[0].for_, case.run.profile) == ("fly", "create", "open")
    assert build(case.doc).cloud.settings.profile == "open"


def test_shipped_scenarios_fit_the_schema() -> None:
    """Every scenario file in the repository loads and validates against its JSON Schema."""
    validator = jsonschema.Draft202012Validator(scenario_schema())
    validator.check_schema(scenario_schema())
    for path in sorted((HERE / "scenarios").glob("*.yaml")):
        load(path)
        text = path.read_text(encoding="utf-8")
        if "\nsteps:" not in text:
            validator.validate(json.loads(json.dumps(YAML(typ="safe", pure=True).load(text), default=str)))


@pytest.mark.shared
@pytest.mark.skipif(not CASES, reason="no conformance cases beside the clone")
def test_every_conformance_case_builds() -> None:
    """All shared cases load, validate against the schema, build and balance."""
    validator = jsonschema.Draft202012Validator(case_schema())
    found = [path for path in CASES if path.parent.name in ("allocator", "clone")]
    assert len(found) == 167
    for path in found:
        validator.validate(json.loads(path.read_text()))
        case = load_case(path)
        ledger = case.build()
        ledger.check()
        assert ledger.cloud.settings.profile == case.doc.profile
        assert ledger.cloud.fleet.names == [host.name for host in case.doc.hosts]
