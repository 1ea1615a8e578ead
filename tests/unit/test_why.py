"""Verdicts and fixes: written as a person would say them, and every fix really helps."""

from __future__ import annotations

import json
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from click.testing import CliRunner

import simclone
from simclone.cli import cli
from simclone.explain.fixes import COSTS
from simclone.units import GIB
from tests.time.worlds import Doc, hosts, request, running, vm, world

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"


def story(source: Any) -> Any:
    """The first failure of a run, with fixes."""
    run = simclone.run(source)
    for answer in run.answers:
        if answer.error is not None:
            return run.explain_request(answer.request.name, fix=True)
        for clone in answer.clones:
            if clone.error is not None:
                return run.explain(clone.name, request=answer.request.name, fix=True)
    raise AssertionError("nothing failed")


FAILING = {
    path.stem: simclone.load(path)
    for path in sorted(SCENARIOS.glob("*.yaml"))
    if any({"verdict", "topFix"} & set(wanted) for wanted in simclone.load(path).expect.values())
}


@pytest.mark.parametrize("name", sorted(FAILING))
def test_the_shipped_failures_are_judged_as_their_files_say(name: str) -> None:
    """Kind of verdict and the cheapest fix of each failure scenario, written as a person would say them."""
    checked = simclone.run(FAILING[name]).check()
    assert checked.verdict == "passed", checked
    found = story(FAILING[name])
    assert "Verdict: " + found.verdict.kind in found.summary()
    assert [one.cost for one in found.fixes or ()] == sorted(one.cost for one in found.fixes or ())


def test_many_failures_are_judged() -> None:
    """Every kind of verdict but order stands in some file."""
    kinds = {wanted.get("verdict") for one in FAILING.values() for wanted in one.expect.values()} - {None}
    assert len(FAILING) >= 16
    assert kinds == {"shortage", "fragmentation", "policy", "request"}


def test_a_wrong_verdict_fails_the_check() -> None:
    """The words of a file are compared, not only read."""
    one = FAILING["cpu"]
    doc = one.doc.model_dump(by_alias=True, exclude_unset=True, mode="json")
    doc["expect"]["batch"] |= {"verdict": "policy", "topFix": "moveVm"}
    checked = simclone.run(doc).check()
    assert {failure.path for failure in checked.failures} == {"verdict", "topFix"}


def crowded(*vms: Doc, free: int = 1) -> Doc:
    """Four hosts of 8 GiB with so many GiB free each, and a request for a VM of 2 GiB; no over-provisioning."""
    fill = [
        running(f"fill{n}", f"h{n}", cpuNum=1, memorySize=(8 - free) * GIB, instanceOffering=None) for n in range(1, 5)
    ]
    return world(
        hosts=[{**one, "totalPhysicalMemory": 8 * GIB} for one in hosts(4, cpu=16)],
        vms=[vm("v", state="Stopped", memorySize=2 * GIB), *(vms or fill)],
        requests=[request(0, "a")],
    )


def test_room_in_sum_but_no_hole_is_fragmentation() -> None:
    """The shape of BtrPlace's issue 307: 1 GiB free on each of four hosts, a VM of 2 GiB; no single move helps."""
    begun = perf_counter()
    found = story(crowded())
    assert perf_counter() - begun < 60
    assert found.verdict.kind == "fragmentation"
    figures = found.verdict.figures
    assert figures["free_memory_bytes"] == 4 * GIB
    assert figures["largest_hole_memory_bytes"] == GIB
    assert "moveVm" not in {one.kind for one in found.fixes}


def test_where_one_move_makes_a_hole_it_is_found() -> None:
    """One host's load is a VM of 1 GiB and one of 6: moving the small one to a neighbour opens 2 GiB."""
    fill = [running(f"fill{n}", f"h{n}", cpuNum=1, memorySize=7 * GIB, instanceOffering=None) for n in range(1, 4)]
    split = [
        running("small", "h4", cpuNum=1, memorySize=GIB, instanceOffering=None),
        running("large", "h4", cpuNum=1, memorySize=6 * GIB, instanceOffering=None),
    ]
    found = story(crowded(*fill, *split))
    moves = [one for one in found.fixes if one.kind == "moveVm"]
    assert [one.target for one in moves] == ["small"]
    assert moves[0].text.startswith("move VM small from h4 to ")


def test_a_full_cloud_is_short_not_fragmented() -> None:
    """Nothing free in sum: more memory for a host, or another host."""
    found = story(crowded(free=0))
    assert found.verdict.kind == "shortage"
    assert {"growHost", "addHost"} <= {one.kind for one in found.fixes}


def test_looking_for_fixes_changes_nothing() -> None:
    """The run explained is the run as it was, to the last decision; and so are its books."""
    run = simclone.run(SCENARIOS / "affinity-hard.yaml")
    before = run.fingerprint
    names = [clone.name for answer in run.answers for clone in answer.clones if clone.error is not None]
    told = [run.explain(name, fix=True) for name in names]
    assert run.fingerprint == before == simclone.run(SCENARIOS / "affinity-hard.yaml").fingerprint
    assert [one.hosts for one in told] == [run.explain(name).hosts for name in names]
    assert run.explain(names[0]).fixes is None
    run.result.ledger.check()


def test_grown_as_told_the_clone_succeeds() -> None:
    """Each told change, made in the file: the same clone is placed."""
    doc = crowded()
    by_kind = {one.kind: one for one in story(doc).fixes}
    grown = by_kind["growHost"]
    bigger = [
        {**one, "totalPhysicalMemory": 8 * GIB + (grown.amount if one["name"] == grown.target else 0)}
        for one in doc["hosts"]
    ]
    more = [*doc["hosts"], {**doc["hosts"][0], "name": "new"}]
    for changed in (bigger, more):
        assert simclone.run({**doc, "hosts": changed}).result.totals.placed == 1
    ratio = by_kind["raiseRatio"]
    value = float(ratio.text.split(" to ")[1].split(" ")[0])
    config = {**doc["globalConfig"], ratio.target: value}
    assert simclone.run({**doc, "globalConfig": config}).result.totals.placed == 1


def test_every_kind_has_a_cost() -> None:
    """Costs order the answer; growing costs what it grows by on top."""
    assert all(cost > 0 for cost in COSTS.values())
    grown = next(one for one in story(crowded()).fixes if one.kind == "growHost")
    assert grown.cost == COSTS["growHost"] + 1
    assert grown.amount == GIB


def test_all_failures_in_one_table() -> None:
    """A row per reason with its verdict and the text of its cheapest fix; nothing for a run without failures."""
    frame = simclone.run(SCENARIOS / "affinity-hard.yaml").verdicts(fix=True)
    assert frame.clones.tolist() == [2]
    assert frame.verdict.tolist() == ["policy"]
    assert frame.fix.tolist() == ["make group group-1 antiSoft instead of antiHard"]
    bad = simclone.run(SCENARIOS / "bad-request.yaml")
    assert bad.verdicts().clones.sum() == sum(bad.reasons().values())
    assert simclone.run(SCENARIOS / "soft-affinity.yaml").verdicts().empty


def test_the_command_shows_all_failures_and_refuses_half_questions() -> None:
    """--failed stands by itself; its table and its JSON say the same."""
    path = str(SCENARIOS / "cpu.yaml")
    shown = CliRunner().invoke(cli, ["explain", path, "--failed", "--fix"])
    assert shown.exit_code == 0
    assert "shortage" in shown.output
    said = json.loads(CliRunner().invoke(cli, ["explain", path, "--failed", "--json"]).output)
    assert [one["reason"] for one in said["failures"]] == ["host.cpu"]
    assert CliRunner().invoke(cli, ["explain", path, "--failed", "--clone", "web-4"]).exit_code == 2


def test_a_story_has_a_page_for_notebooks() -> None:
    """Words are escaped and the funnel stands below them."""
    page = story(SCENARIOS / "cpu.yaml")._repr_html_()
    assert "Verdict: shortage" in page
    assert "<table>" in page
    assert "HostCapacityAllocatorFlow" in page
