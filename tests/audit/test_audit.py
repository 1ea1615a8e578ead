"""The auditor accepts honest records and rejects every altered one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import simclone
from simclone.api import Run
from simclone.audit import replay
from simclone.records import Event

REPO = Path(__file__).resolve().parents[2]
SCENARIOS = sorted((REPO / "scenarios").glob("*.yaml"))
Tamper = Callable[[dict[str, Any], list[Event]], None]


def recorded(name: str) -> tuple[dict[str, Any], list[Event]]:
    """The records and events of a shipped scenario."""
    run = simclone.run(REPO / "scenarios" / f"{name}.yaml")
    return copy.deepcopy(run.result.records()), list(run.result.events)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_honest_records_pass(path: Path) -> None:
    """Every shipped scenario's records replay without a violation."""
    assert simclone.run(path).audit() == []


def first(events: list[Event], kind: str, target: str, *, after: int = 0) -> int:
    """The place of the first event of a kind on a kind of target."""
    return next(n for n, one in enumerate(events) if n >= after and one.kind == kind and one.target.startswith(target))


def changed(event: Event, **values: int) -> Event:
    """The event with some amounts altered."""
    return replace(event, amounts=tuple((name, values.get(name, value)) for name, value in event.amounts))


def more(event: Event, name: str, extra: int = 1) -> Event:
    """The event with one amount raised."""
    return changed(event, **{name: dict(event.amounts)[name] + extra})


def alter(kind: str, target: str, name: str) -> Tamper:
    """Raise one amount of the first event of a kind by one."""

    def tamper(_: dict[str, Any], events: list[Event]) -> None:
        place = first(events, kind, target)
        events[place] = more(events[place], name)

    return tamper


def drop(kind: str, target: str) -> Tamper:
    """Leave the first event of a kind out and number the rest anew, as a careful forger would."""

    def tamper(_: dict[str, Any], events: list[Event]) -> None:
        del events[first(events, kind, target)]
        events[:] = [replace(one, serial=number) for number, one in enumerate(events)]

    return tamper


def redirect(kind: str, target: str, other: str) -> Tamper:
    """Let the first event of a kind happen elsewhere."""

    def tamper(_: dict[str, Any], events: list[Event]) -> None:
        place = first(events, kind, target)
        events[place] = replace(events[place], target=other)

    return tamper


def in_records(*path: str | int, by: int = 1) -> Tamper:
    """Raise one number of the records."""

    def tamper(records: dict[str, Any], _: list[Event]) -> None:
        place: Any = records
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] += by

    return tamper


def swap_host(records: dict[str, Any], _: list[Event]) -> None:
    """Answer with a host the clone never had."""
    clone = next(one for answer in records["answers"] for one in answer["clones"] if one["ok"])
    clone["host"] = (clone["host"] + 1) % len(records["opening"]["hosts"])


def claim_success(records: dict[str, Any], _: list[Event]) -> None:
    """Answer that a failed clone succeeded."""
    clone = next(one for answer in records["answers"] for one in answer["clones"] if not one["ok"])
    clone.update(ok=True, host=0)


def same_address_twice(_: dict[str, Any], events: list[Event]) -> None:
    """Hand out one address to two cards."""
    one = first(events, "hold", "l3/")
    two = first(events, "hold", "l3/", after=one + 1)
    events[two] = changed(events[two], ip=dict(events[one].amounts)["ip"])


def unnamed_drift(_: dict[str, Any], events: list[Event]) -> None:
    """Slip in a drift that balances but has no cause."""
    place = first(events, "hold", "host/")
    amounts = dict(events[place].amounts) | {"cpu": 0, "memory": 0}
    events.insert(place, Event(0, 0, "drift", "", events[place].target, tuple(amounts.items()), ""))
    events[:] = [replace(one, serial=number) for number, one in enumerate(events)]


def disabled_host(records: dict[str, Any], _: list[Event]) -> None:
    """Say that every host was Disabled from the start."""
    for host in records["opening"]["hosts"]:
        host["state"] = 1


def lower_limit(records: dict[str, Any], _: list[Event]) -> None:
    """Say that the account had a smaller limit."""
    for account in records["opening"]["accounts"]:
        account["vm.num"] = 1


def narrow_range(records: dict[str, Any], _: list[Event]) -> None:
    """Say that the range was somewhere else."""
    records["opening"]["networks"][0]["ranges"] = [[1, 2]]


TAMPERS: dict[str, tuple[str, Tamper]] = {
    "host hold, vCPUs": ("quickstart", alter("hold", "host/", "cpu")),
    "host hold, memory": ("quickstart", alter("hold", "host/", "memory")),
    "host hold, recorded memory": ("quickstart", alter("hold", "host/", "available_memory")),
    "host hold elsewhere": ("quickstart", redirect("hold", "host/", "host/0")),
    "host hold missing": ("quickstart", drop("hold", "host/")),
    "host end, memory": ("image-cache", alter("end", "host/", "memory")),
    "host end missing": ("image-cache", drop("end", "host/")),
    "space hold, bytes": ("quickstart", alter("hold", "storage/", "bytes")),
    "space hold, recorded": ("quickstart", alter("hold", "storage/", "available")),
    "space hold missing": ("quickstart", drop("hold", "storage/")),
    "space end missing": ("ip-exhausted", drop("end", "storage/")),
    "local share": ("local-storage", alter("hold", "storage/", "host")),
    "address outside": ("quickstart", narrow_range),
    "address twice": ("quickstart", same_address_twice),
    "address hold missing": ("quickstart", drop("hold", "l3/")),
    "VM state": ("quickstart", alter("vm", "account/", "state")),
    "VM missing": ("quickstart", drop("vm", "account/")),
    "membership missing": ("affinity-hard", drop("set", "group/")),
    "rule more strict": ("affinity-hard", redirect("hold", "host/", "host/2")),
    "device count": ("pci-devices", alter("device", "host/", "count")),
    "device hold missing": ("pci-devices", drop("device", "host/")),
    "drift without cause": ("quickstart", unnamed_drift),
    "host state": ("quickstart", disabled_host),
    "quota": ("quota-midway", lower_limit),
    "number of clones": ("quickstart", in_records("answers", 0, "cloned")),
    "answered host": ("affinity-hard", swap_host),
    "answered success": ("quickstart", claim_success),
    "closing vCPUs": ("quickstart", in_records("closing", "hosts", 0, "available_cpu")),
    "closing storage": ("quickstart", in_records("closing", "storages", 0, "available")),
    "opening memory": ("quickstart", in_records("opening", "hosts", 0, "total_memory", by=-1)),
}


@pytest.mark.parametrize("name", TAMPERS)
def test_an_altered_record_is_found(name: str) -> None:
    """Altering one record of any kind makes the audit fail."""
    scenario, tamper = TAMPERS[name]
    records, events = recorded(scenario)
    assert replay(records, events) == []
    tamper(records, events)
    assert replay(records, events)


def racks(policy: str, over: str, **first_rack: Any) -> dict[str, Any]:
    """Six clones in a group on two hosts each of racks r0 and r1, those of r0 as *first_rack* says."""
    hosts = [
        {"name": f"h{n}", "cpuNum": 16, "totalPhysicalMemory": "64GiB", "labels": {"rack": f"r{n // 2}"}}
        for n in range(4)
    ]
    for host in hosts[:2]:
        host.update(first_rack)
    return {
        "hosts": hosts,
        "primaryStorages": [{"name": "nfs", "type": "NFS", "totalCapacity": "10TiB"}],
        "backupStorages": [{"name": "b"}],
        "images": [{"name": "i", "size": "1GiB", "actualSize": 0}],
        "instanceOfferings": [{"name": "o", "cpuNum": 1, "memorySize": "2GiB"}],
        "l3Networks": [{"name": "l3", "dhcp": False}],
        "affinityGroups": [{"name": "g", "policy": policy, "over": over}],
        "vms": [{"name": "v", "instanceOffering": "o", "image": "i", "l3Networks": ["l3"], "state": "Stopped"}],
        "requests": [
            {
                "name": "r",
                "vm": "v",
                "cloneVmInstance": {"names": [f"c{n}" for n in range(6)]},
                "systemTags": ["affinityGroupUuid::g"],
            }
        ],
    }


def broken_by(document: dict[str, Any], policy: str, over: str) -> int:
    """How many placements the auditor says break a rule, when the records say the group has that one."""
    run = simclone.run(document)
    assert run.answers[0].succeeded == 6
    records, events = copy.deepcopy(run.result.records()), list(run.result.events)
    records["opening"]["groups"][0].update(policy=policy, over=over)
    return sum(f"({policy})" in one.text for one in replay(records, events))


@pytest.mark.parametrize(
    ("made", "said", "broken"),
    [
        (("antiSoft", "host"), ("antiHard", "host"), 2),
        (("antiSoft", "host"), ("antiHard", "rack"), 4),
        (("antiSoft", "host"), ("antiHard", "cluster"), 5),
        (("affinitySoft", "host"), ("affinityHard", "rack"), 0),
        (("affinitySoft", "rack"), ("affinityHard", "rack"), 0),
        (("antiSoft", "rack"), ("affinityHard", "rack"), 1),
        (("affinitySoft", "rack"), ("spreadHard", "rack"), 5),
        (("spreadSoft", "rack"), ("spreadHard", "rack"), 0),
    ],
    ids=lambda one: " over ".join(one) if isinstance(one, tuple) else str(one),
)
def test_rules_over_domains_are_judged_again(made: tuple[str, str], said: tuple[str, str], broken: int) -> None:
    """Placements made by one rule, judged by another: each that breaks the other one is found."""
    assert broken_by(racks(*made), *said) == broken


@pytest.mark.parametrize(
    ("first_rack", "broken"),
    [({"totalPhysicalMemory": "2GiB"}, 0), ({"totalPhysicalMemory": "5GiB"}, 5), ({"state": "Disabled"}, 0)],
)
def test_the_auditor_counts_racks_that_could_hold_the_vm(first_rack: dict[str, Any], broken: int) -> None:
    """All stand on rack r1; that is lopsided unless rack r0 has no host large enough, or none that is up."""
    document = racks("affinitySoft", "rack", **first_rack)
    document["vms"][0] |= {"state": "Running", "host": "h2", "affinityGroup": "g"}
    assert broken_by(document, "spreadHard", "rack") in ({5, 6} if broken else {0})


def test_a_missing_event_is_found_by_its_number() -> None:
    """An event left out without renumbering is named."""
    records, events = recorded("quickstart")
    del events[3]
    assert any(one.rule == "order" for one in replay(records, events))


def placed(memory: str, host_memory: str) -> Run:
    """A cloud whose file places one VM on its only host."""
    return simclone.run(
        {
            "hosts": [{"name": "h", "cpuNum": 4, "totalPhysicalMemory": host_memory}],
            "primaryStorages": [{"name": "nfs", "type": "NFS", "totalCapacity": "10GiB"}],
            "backupStorages": [{"name": "is", "type": "ImageStoreBackupStorage"}],
            "images": [{"name": "i", "size": "20GiB", "actualSize": 0}],
            "l2Networks": [{"name": "l2"}],
            "l3Networks": [{"name": "l3", "l2Network": "l2", "ipRanges": [{"start": "10.0.0.1", "end": "10.0.0.9"}]}],
            "instanceOfferings": [{"name": "o", "cpuNum": 1, "memorySize": memory}],
            "vms": [
                {
                    "name": "v",
                    "instanceOffering": "o",
                    "image": "i",
                    "l3Networks": ["l3"],
                    "host": "h",
                    "primaryStorage": "nfs",
                }
            ],
        }
    )


def test_over_commitment_at_the_start_is_a_finding() -> None:
    """A placed VM larger than what is left is taken as it is, reported, and is no violation."""
    run = placed("16GiB", "16GiB")
    assert {(one.kind, one.where) for one in run.findings()} == {("overCommitted", "h"), ("overCommitted", "nfs")}
    assert run.audit() == []


def test_over_commitment_of_one_hosts_disks_is_a_finding_too() -> None:
    """On local storage: the storage has room in all, the VM's host has not."""
    doc = simclone.load(REPO / "scenarios" / "local-storage.yaml").doc
    data = doc.model_dump(by_alias=True, exclude_unset=True, mode="json")
    data["primaryStorages"][0]["localHosts"][0]["totalCapacity"] = "30GiB"
    run = simclone.run(data)
    told = [(one.where, one.text) for one in run.findings() if one.kind == "overCommitted"]
    assert told == [("local-1", "holds 10 GiB more than its disks on host-1 have")]
    assert run.audit() == []


def test_a_start_with_room_has_no_finding() -> None:
    """A placed VM that fits the host is not reported there."""
    assert [one.where for one in placed("4GiB", "16GiB").findings()] == ["nfs"]
