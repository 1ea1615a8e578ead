"""Verdicts and fixes: written as a person would say them, and every fix really helps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import simclone
from simclone.changes.register import known_kinds
from simclone.cli import cli
from simclone.explain.reruns import Question, succeeds
from simclone.scenario.checking.changes import prices_of
from simclone.units import GIB, SECOND
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
    assert len(FAILING) >= 28
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
    found = story(crowded())
    assert found.tried + found.pairs < 50  # of four hosts: the search does not try all moves there are
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
    prices = prices_of(known_kinds())
    assert all(prices.of(kind) > 0 for kind in known_kinds().prices)
    grown = next(one for one in story(crowded()).fixes if one.kind == "growHost")
    assert grown.cost == prices.of("growHost") + 1
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


def question(run: Any, told: Any) -> Question:
    """The question a story answers."""
    return Question(run.scenario, told.request, None if told.name == told.request else told.name, run.seed)


@pytest.mark.parametrize("name", sorted(FAILING))
def test_every_fix_made_in_the_file_lets_it_succeed(name: str) -> None:
    """Not in a trial only: a new run of the changed scenario makes the clone, and without the change it does not."""
    run = simclone.run(FAILING[name])
    told = story(FAILING[name])
    assert not succeeds(question(run, told), ())
    for fix in told.fixes:
        assert succeeds(question(run, told), fix.changes), fix


def needs_two() -> Doc:
    """The only host is disabled, and the account may run nothing more besides."""
    source = vm("v", state="Stopped", account="u", lastHost="h1", primaryStorage="nfs")
    doc = world(hosts=[{**hosts(1)[0], "state": "Disabled"}], vms=[source], requests=[request(0, "a")])
    doc["accounts"] = [{"name": "u", "quota": {"vm.num": 0}}]
    return doc


def test_where_nothing_single_helps_the_cheapest_pair_is_told() -> None:
    """A host that may be used and a limit that lets it: either alone changes nothing."""
    told = story(needs_two())
    assert [one.kind for one in told.fixes] == ["enableHost+raiseQuota"]
    assert told.pairs > 0
    assert "these two together do" in told.summary()
    run = simclone.run(needs_two())
    both = told.fixes[0].changes
    assert succeeds(question(run, told), both)
    assert not any(succeeds(question(run, told), [one]) for one in both)


def test_two_changes_of_the_file_are_found_where_each_alone_meets_the_next_obstacle() -> None:
    """Raised, the limit lets the clone meet the disabled storage; and it is raised no higher than needed."""
    source = vm("v", state="Stopped", account="u", lastHost="h1", primaryStorage="nfs")
    doc = world(hosts=hosts(1), vms=[source], requests=[request(0, "a")])
    doc["accounts"] = [{"name": "u", "quota": {"vm.num": 0}}]
    doc["primaryStorages"] = [{**doc["primaryStorages"][0], "state": "Disabled"}]
    told = story(doc)
    assert {told.fixes[0].kind} == {"raiseQuota+enableStorage"}
    assert "raise vm.num to 1 " in told.fixes[0].text + " "
    assert succeeds(question(simclone.run(doc), told), told.fixes[0].changes)


def test_two_limits_that_are_hit_at_once_are_both_told() -> None:
    """Either alone changes nothing; each is raised no more than it takes."""
    source = vm("v", state="Stopped", account="u", lastHost="h1", primaryStorage="nfs")
    doc = world(hosts=hosts(1), vms=[source], requests=[{**request(0, "a", "b", "c"), "account": "u"}])
    doc["accounts"] = [{"name": "u", "quota": {"vm.cpuNum": 2, "vm.memorySize": 2 * GIB}}]
    told = story(doc)
    assert [one.kind for one in told.fixes] == ["raiseQuota+raiseQuota"]
    assert "raise vm.cpuNum to 3" in told.fixes[0].text
    assert "raise vm.memorySize to 3 GiB" in told.fixes[0].text


def test_an_image_without_a_store_for_clones_is_told_what_to_do() -> None:
    """An Sftp store takes no image of a clone: another store; an image kept on one that is away: a copy."""
    doc = world(requests=[request(0, "a", "b", full=True)])
    doc["backupStorages"] = [{"name": "sftp", "type": "SftpBackupStorage"}]
    told = story(doc)
    assert [one.kind for one in told.fixes] == ["addBackupStorage"]
    assert simclone.run(simclone.change(simclone.load(doc), told.fixes[0].changes)).reasons() == {}


def test_what_cannot_be_helped_says_so() -> None:
    """Changes were tried, none of them helps."""
    told = story(SCENARIOS / "bad-request.yaml")
    assert told.fixes == ()
    assert "Nothing that was tried fixes it" in told.summary()


def test_prices_order_the_answer() -> None:
    """A scenario's own prices go before the shipped ones; an unknown kind is a fault."""
    doc = simclone.load(SCENARIOS / "cpu.yaml").doc.model_dump(by_alias=True, exclude_unset=True, mode="json")
    assert story(doc).fixes[0].kind == "raiseRatio"
    assert story({**doc, "prices": {"addHost": 1}}).fixes[0].kind == "addHost"
    with pytest.raises(simclone.InvalidInput, match=r"prices\.adHost"):
        simclone.load({**doc, "prices": {"adHost": 1}})


def test_a_failure_that_passes_by_is_transient() -> None:
    """The host is full for an hour; the same clone would be placed after it."""
    doc = world(hosts=hosts(1, cpu=1), vms=[vm("v", state="Stopped")], run={"horizon": 9000})
    doc["workload"] = [
        {"name": "one", "vm": "v", "arrivals": {"every": 1000}, "lifetime": 3600},
    ]
    told = story(doc)
    assert told.verdict.kind == "transient"
    assert 0 < told.verdict.figures["fits_after_us"] <= 3600 * SECOND
    del doc["workload"][0]["lifetime"]
    assert story(doc).verdict.kind == "shortage"


def test_a_host_missed_by_pages_is_a_matter_of_order() -> None:
    """One host to a page: the first page's cluster cannot be fed by the image's store, and the search ends there."""
    doc = world(config={"hostAllocator.paginationLimit": 1}, requests=[request(0, "a")])
    doc["clusters"] = [{"name": "c1"}, {"name": "c2"}]
    for row, one in enumerate(doc["hosts"]):
        one["cluster"] = f"c{row + 1}"
    nfs = doc["primaryStorages"][0]
    other = {"name": "ebs", "type": "AliyunEBS", "totalCapacity": "10T", "attachedClusters": ["c1"]}
    doc["primaryStorages"] = [{**nfs, "attachedClusters": ["c2"]}, other]
    doc["vms"] = [vm("v", state="Stopped", lastHost="h2", primaryStorage="nfs")]
    told = story(doc)
    assert (told.reason, told.verdict.kind) == ("image.storageType", "order")
    doc["globalConfig"]["hostAllocator.usePagination"] = False
    assert simclone.run(doc).reasons() == {}


def test_a_winner_is_told_beside_the_runners_up() -> None:
    """The sort keys that decided, and where chance did."""
    doc = world(hosts=hosts(3), vms=[vm("v", state="Stopped"), running("r", "h2")], requests=[request(0, "a", "b")])
    run = simclone.run(doc)
    first, second = run.explain("a"), run.explain("b")
    assert [one.place for one in first.ranked] == [1, 1, 2]
    assert first.ranked[-1].host == "h2"
    assert "chance decided" in first.summary()
    assert second.host in {"h1", "h3"} - {first.host}
    assert second.ranked[0].host == second.host
    assert "next best is" in second.summary()


def test_unfit_and_full_are_told_apart() -> None:
    """Of three hosts one is disabled and two are full."""
    doc = world(hosts=[*hosts(2, cpu=1), {**hosts(3)[2], "state": "Disabled"}], requests=[request(0, "a", "b", "c")])
    told = story(doc)
    rows = {row["flow"]: row for row in told.funnel if row["refused"]}
    assert [(row["full"], row["unfit"]) for row in rows.values()] == [(0, 1), (2, 0)]
    for row in told.funnel:
        assert row["full"] + row["unfit"] == sum(row["refused"].values())


def test_a_fix_is_applied_and_never_over_a_file(tmp_path: Path) -> None:
    """The written scenario is a scenario of its own in which the clone is made; a file that is there stays."""
    out = tmp_path / "fixed.yaml"
    done = CliRunner().invoke(cli, ["explain", str(SCENARIOS / "quota.yaml"), "--apply", str(out)])
    assert done.exit_code == 0
    assert "succeeds" in done.output
    assert simclone.run(out).reasons() == {}
    before = out.read_bytes()
    again = CliRunner().invoke(cli, ["explain", str(SCENARIOS / "cpu.yaml"), "--apply", str(out)])
    assert isinstance(again.exception, simclone.InvalidInput)
    assert out.read_bytes() == before
    other = tmp_path / "grown.yaml"
    args = ["explain", str(SCENARIOS / "cpu.yaml"), "--apply", str(other), "--kind", "addHost"]
    assert CliRunner().invoke(cli, args).exit_code == 0
    assert len(simclone.load(other).doc.hosts) == 3
    args[3] = str(tmp_path / "painted.yaml")
    assert CliRunner().invoke(cli, [*args[:-1], "paint"]).exit_code == 2


def test_a_fix_that_serves_others_first_does_not_claim_success(tmp_path: Path) -> None:
    """The last of many failed clones: room for one more goes to the one before it."""
    doc = world(hosts=hosts(1, cpu=1), requests=[request(0, "a", "b", "c")])
    source = tmp_path / "many.yaml"
    source.write_text(json.dumps(doc), "utf-8")
    args = ["explain", str(source), "--clone", "c", "--apply", str(tmp_path / "o.yaml"), "--kind", "raiseRatio"]
    done = CliRunner().invoke(cli, args)
    assert done.exit_code == 1
    assert "still fails" in done.output


def test_a_run_directory_explains_itself(tmp_path: Path) -> None:
    """The same story as the run's own; a directory of another outcome is refused."""
    run = simclone.run(SCENARIOS / "cpu.yaml", seed=5)
    folder = run.save(tmp_path / "run")
    again = simclone.reopen(folder)
    assert again.fingerprint == run.fingerprint
    assert again.explain("web-4").summary() == run.explain("web-4").summary()
    shown = CliRunner().invoke(cli, ["explain", str(folder), "--clone", "web-4", "--host", "host-2"])
    assert shown.exit_code == 0
    assert "host-1" not in shown.output.split("Hosts (")[1].split("What")[0].split("web-4 failed")[0]
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "fingerprint": "0" * 32}), "utf-8")
    with pytest.raises(simclone.InvalidInput, match="comes out otherwise"):
        simclone.reopen(folder)


def test_a_name_that_is_not_there_is_told_beside_those_that_are() -> None:
    """The nearest one where there is one, else the first few."""
    doc = world(requests=[request(0, *(f"clone-{n}" for n in range(12)))])
    run = simclone.run(doc)
    with pytest.raises(simclone.UnknownName, match=r"'clonr-11'; did you mean clone-11\?"):
        run.explain("clonr-11")
    with pytest.raises(simclone.UnknownName, match=r"'web'; there is clone-0, .*, clone-7 and 4 more"):
        run.explain("web")


def test_the_package_names_what_it_offers() -> None:
    """For those who ask a shell to complete: the public names and nothing else, and all of them are there."""
    assert dir(simclone) == sorted(simclone.__all__)
    assert all(hasattr(simclone, name) for name in dir(simclone))
    wrong: Any = 3
    with pytest.raises(TypeError, match="a scenario is a file's path or its data as a mapping, not int"):
        simclone.run(wrong)
