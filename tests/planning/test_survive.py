"""What survives: the cases against hosts that fail in a real run, the ladder against every set of hosts."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings

import simclone
from simclone.errors import InvalidInput
from tests.clouds import examples
from tests.planning.small import running, small_clouds
from tests.time.worlds import HA, Doc, finished, host_of, hosts, request, simulation, state, vm, world

ON_FAILURE = {"systemTags": ["ha::OnHostFailure"]}


def with_ha(doc: Doc) -> Doc:
    """The cloud with high availability for every VM that runs."""
    return {**doc, "vms": [one if one["name"] == "v" else {**one, **ON_FAILURE} for one in doc["vms"]]}


def losing(doc: Doc, names: tuple[str, ...], **more: Any) -> Doc:
    """The cloud in which these hosts fail together at 10 s."""
    fleet = [{**one, "labels": {"lost": str(one["name"] in names)}} for one in doc["hosts"]]
    incident = {"at": 10, "label": {"lost": "True"}, "event": "fail", "together": True}
    return {**doc, "hosts": fleet, "incidents": [incident] if names else [], **more}


def after(doc: Doc, names: tuple[str, ...]) -> tuple[dict[str, str | None], set[str]]:
    """In a real run: the new hosts of VMs that restarted elsewhere, and the VMs that stay down."""
    made = simulation(losing(doc, names)).pause_at(20_000_000)
    hit = [one["name"] for one in doc["vms"] if one.get("host") in names]
    down = {name for name in hit if state(made, name) != "Running"}
    return {name: host_of(made, name) for name in hit if name not in down}, down


@given(small_clouds())
@settings(max_examples=examples(200))
def test_every_lost_host_pair_and_cluster_is_that_loss_in_a_run(doc: Doc) -> None:
    """The same VMs restart on the same hosts, the same stay down, for everything that can be lost."""
    doc = with_ha(doc)
    holding = {one.get("host") for one in doc["vms"]}
    usable = [one["name"] for one in doc["hosts"] if one["state"] == "Enabled" or one["name"] in holding]
    for case in simclone.survive(doc, each=("host", "pair", "cluster"), ha_only=True).cases:
        if case.kind == "cluster":
            assert case.loss.hosts == tuple(
                one["name"] for one in doc["hosts"] if one["cluster"] == case.name and one["name"] in usable
            )
        restarted, down = after(doc, case.loss.hosts)
        assert dict(case.loss.restarted) == restarted
        assert {name for name, _ in case.loss.lost} == down
        assert case.safe is (not down)


def room_after(doc: Doc, names: tuple[str, ...]) -> int:
    """Clones a real run still makes once these hosts are lost; none when a VM stays down."""
    if after(doc, names)[1]:
        return 0
    many = [request(20, *(f"n{n}" for n in range(60)))]
    return finished(losing(doc, names, requests=many)).totals.placed


@given(small_clouds(most_hosts=4, most_vms=4))
@settings(max_examples=examples(60))
def test_a_rung_is_the_least_of_all_sets(doc: Doc) -> None:
    """The worst case of so many hosts lost is the fewest clones after any set of so many, each lost in a real run."""
    doc = with_ha(doc)
    holding = {vm["host"] for vm in doc["vms"] if "host" in vm}
    usable = [host["name"] for host in doc["hosts"] if host["state"] == "Enabled" or host["name"] in holding]
    ladder = simclone.survive(doc, each=(), ladder=2, vm="v").ladder
    assert [one.k for one in ladder] == list(range(min(2, len(usable) - 1) + 1))
    for rung in ladder:
        rooms = {names: room_after(doc, names) for names in combinations(usable, rung.k)}
        assert rung.worst.total == min(rooms.values())
        assert rooms[rung.worst.hosts] == rung.worst.total
        assert rung.worst.every
        assert rung.worst.tried == len(rooms)
        held = sum("host" in one for one in doc["vms"])
        assert rung.ceiling == (0 if rung.worst.unplaced else held + rung.worst.total)


def racks() -> Doc:
    """Three hosts of 2 vCPUs in two racks, one VM on each."""
    fleet = hosts(3, cpu=2)
    for one, rack in zip(fleet, "aab", strict=True):
        one["labels"] = {"rack": rack}
    return world(hosts=fleet, vms=[vm("v", state="Stopped"), *(running(f"r{n}", f"h{n}") for n in (1, 2, 3))])


def test_a_rack_is_lost_whole() -> None:
    """Rack a takes two VMs with it of which one finds the last free vCPU; rack b's finds one too."""
    found = simclone.survive(racks(), each=(), label="rack")
    assert [(one.kind, one.name, len(one.loss.restarted), len(one.loss.lost)) for one in found.cases] == [
        ("rack", "a", 1, 1),
        ("rack", "b", 1, 0),
    ]
    assert found.cases[0].loss.reasons == {"host.cpu": 1}
    assert found.figures() == {"unsafe": 1, "lost": 1}


def test_vms_without_ha_stay_down() -> None:
    """Only those with high availability restart, if asked that way."""
    doc = racks()
    doc["vms"][1] |= HA
    found = simclone.survive(doc, each=("host",), ha_only=True)
    assert [dict(one.loss.lost) for one in found.cases] == [
        {},
        {"r2": "no high availability"},
        {"r3": "no high availability"},
    ]


def test_a_lost_storage_takes_every_vm_on_it() -> None:
    """Their data is nowhere else."""
    (case,) = simclone.survive(racks(), each=("storage",)).cases
    assert (case.name, [name for name, _ in case.loss.lost]) == ("nfs", ["r1", "r2", "r3"])


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"each": ("moon",)}, "each: 'moon' is unknown"),
        ({"ladder": 4}, "ladder: 4 is no number of hosts (expected 0 to 3)"),
        ({"label": "row"}, "label: no host has 'row' (expected rack)"),
        ({"ladder": 1, "offering": "x"}, "offering: 'x' is unknown"),
    ],
)
def test_a_wrong_question_says_where(given_: dict[str, Any], words: str) -> None:
    """Every fault names its place and what would be right."""
    with pytest.raises(InvalidInput) as caught:
        simclone.survive(racks(), **given_)
    assert words in str(caught.value)


def test_former_keywords_still_work_and_say_their_names_of_now() -> None:
    """`kinds` and `everyone` are `each` and `ha_only`."""
    with pytest.warns(DeprecationWarning, match="kinds is called each"):
        former = simclone.survive(racks(), kinds=("host",))
    with pytest.warns(DeprecationWarning, match="everyone is called ha_only"):
        assert simclone.survive(racks(), each=("host",), everyone=True) == former
    assert simclone.survive(racks(), each=("host",)) == former
