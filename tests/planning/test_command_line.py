"""The planning commands: exit codes, one document, tables that come back, and faults with place and expectation."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

import simclone
from simclone.planning.replication import executor as execution
from tests.cli.conftest import Said
from tests.time.worlds import request, running, stream, vm, world

Call = Callable[..., Said]
HOUR = 3600
LIVES = {"exponential": {"mean": HOUR}}


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """Two hosts of 4 vCPUs in one rack, a VM that runs, ten names asked, two what-ifs."""
    more = [
        {"name": "host", "changes": [{"addHosts": {"like": "h1", "name": "h3"}}]},
        {"name": "names", "changes": [{"demand": 2.0}]},
    ]
    doc = world(
        name="plain",
        vms=[vm("v", state="Stopped", lastHost="h1", primaryStorage="nfs"), running("r", "h2")],
        requests=[request(0, *"abcdefghij")],
        whatif=more,
    )
    for one in doc["hosts"]:
        one["labels"] = {"rack": "r1"}
    path = tmp_path / "plain.json"
    path.write_text(json.dumps(doc), "utf-8")
    return path


@pytest.fixture
def growing(tmp_path: Path) -> Path:
    """Eight vCPUs and more units every hour."""
    doc = world(name="growing", workload=[stream({"every": 600}, lifetime=LIVES)], run={"horizon": 6 * HOUR})
    path = tmp_path / "growing.json"
    path.write_text(json.dumps(doc), "utf-8")
    return path


ASKED = [
    ["headroom"],
    ["headroom", "--mix", "unit=1", "--one-by-one"],
    ["headroom", "--batch", "3", "--survive", "1", "--at", "end"],
    ["size", "--model", "like=h1,price=3"],
    ["size", "--model", "like=h1,price=3", "--model", "name=big,cpu=16,memory=512GiB,price=9", "--target", "0.9"],
    ["size", "--model", "like=h1", "--replace", "h1"],
    ["size", "--model", "name=d,cpu=4,memory=64GiB,disk=2TiB,device.A100=2,rack=r9,label.row=x", "--survive", "1"],
    ["shrink", "--replications", "2"],
    ["survive", "--each", "host", "--each", "pair", "--each", "storage", "--label", "rack", "--ladder", "1"],
    ["drain", "--wave", "2"],
    ["rebalance", "--offering", "unit"],
    ["compare"],
    ["compare", "--strategy", "simclone.BestFit", "--strategy", "simclone.FirstFit"],
    ["compare", "--change", "removeHosts: [h1]", "--figure", "placed"],
    ["compare", "--change", "removeHosts: [h1]", "--replications", "1"],
    ["compare", "--change", "removeHosts: [h1]", "--cost", "as it is=7.5", "--cost", "removeHosts: [h1]=3"],
    ["sweep", "--set", "hosts.h1.cpuNum=2,4", "--set", "demand=1,2"],
    ["sweep", "--range", "demand=0.5:2", "--points", "3", "--whole", "demand"],
    ["sensitivity", "--range", "demand=0.5:2"],
    ["slo", "--target", "0.9"],
    ["whatif", "--stack", "host,names"],
    ["whatif", "--change", "demand: 0.5"],
    ["bound", "--strategy", "simclone.BestFit"],
]


@pytest.mark.parametrize("words", ASKED, ids=" ".join)
def test_every_command_answers_in_words_json_and_csv(here: Call, plain: Path, words: list[str]) -> None:
    """0 and nothing on stderr; JSON is one document that names the scenario; the CSV table has the words' rows."""
    command, *rest = words
    code, said, err = here(command, plain, *rest)
    assert (code, err) == (0, "")
    assert said.startswith("plain: ")
    code, out, err = here(command, plain, *rest, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["scenario"] == "plain"
    code, table, err = here(command, plain, *rest, "--csv")
    assert (code, err) == (0, "")
    frame = pd.read_csv(StringIO(table))
    assert len(frame.columns) == len(set(frame.columns)) > 0
    assert frame.to_csv(index=False) == table


def test_csv_holds_what_python_gives(here: Call, plain: Path) -> None:
    """The table on the command line is the frame of the answer."""
    frame = simclone.survive(plain, each=("host", "storage"), ladder=1).to_frame()
    table = here("survive", plain, "--each", "host", "--each", "storage", "--csv").out
    pd.testing.assert_frame_equal(pd.read_csv(StringIO(table), keep_default_na=False), frame)
    found = simclone.headroom(plain)
    assert json.loads(here("headroom", plain, "--json").out) == json.loads(json.dumps(found.to_dict()))


def test_runway_on_the_command_line(here: Call, growing: Path) -> None:
    """With a change, in all three shapes."""
    words = ("runway", growing, "--replications", "3", "--below", "0.9", "--change", "addHosts: {like: h1, count: 3}")
    assert here(*words).code == 0
    assert len(json.loads(here(*words, "--json").out)["ways"]) == 2
    assert len(pd.read_csv(StringIO(here(*words, "--csv").out))) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["headroom", "--fail-if", "total<8"], "total is 7: < 8"),
        (["headroom", "--fail-if", "total.unit<=7", "--json"], "total.unit is 7: <= 7"),
        (["size", "--model", "like=h1", "--fail-if", "hosts>0"], "hosts is 1: > 0"),
        (["survive", "--fail-if", "unsafe>0", "--each", "storage"], "unsafe is 1: > 0"),
        (["compare", "--fail-if", "as it is<1"], "as it is is 0.7: < 1"),
        (["slo", "--target", "0.99", "--fail-if", "factor<1"], "factor is 0."),
        (["bound", "--fail-if", "gap==0"], "gap is 0: == 0"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_a_condition_that_is_met_exits_1(here: Call, plain: Path, words: list[str], said: str) -> None:
    """The answer is printed all the same, and what was met is said on stderr."""
    command, *rest = words
    code, out, err = here(command, plain, *rest)
    assert code == 1
    assert err.startswith(said)
    assert "plain" in out
    if "--json" in rest:
        json.loads(out)


def test_a_condition_that_is_not_met_exits_0(here: Call, plain: Path) -> None:
    """One of several is enough to fail, none is not."""
    assert here("headroom", plain, "--fail-if", "total<7", "--fail-if", "total>7").code == 0
    assert here("headroom", plain, "--fail-if", "total<7", "--fail-if", "total>6").code == 1


FAULTS = [
    (["headroom", "--offering", "x"], "offering: 'x' is unknown (expected unit)"),
    (["headroom", "--vm", "x"], "vm: 'x' is unknown (expected v, r)"),
    (["headroom", "--account", "x"], "account: 'x' is unknown (expected admin, the file has no others)"),
    (["headroom", "--batch", "0"], "batch: 0 is no size (expected at least 1)"),
    (["headroom", "--survive", "-1"], "survive: -1 is no number of hosts (expected at least 0)"),
    (["headroom", "--mix", "unit"], "'unit' is no OFFERING=WEIGHT"),
    (["headroom", "--mix", "unit=many"], "'many' is no weight, a whole number above 0"),
    (["headroom", "--mix", "unit=0"], "mix.unit: 0 is no weight (expected a whole number above 0)"),
    (["headroom", "--mix", "x=1"], "offering: 'x' is unknown (expected unit)"),
    (["headroom", "--fail-if", "beauty<1"], "'beauty' is no figure; there is total.unit"),
    (["headroom", "--fail-if", "total"], "'total' is no condition such as total<10"),
    (["headroom", "--fail-if", "total<few"], "'few' is no number"),
    (["headroom", "--at", "noon"], "Invalid value for '--at'"),
    (["size"], "Missing option '--model'"),
    (["size", "--model", "price=3"], "says no size: like=HOST, or cpu=CORES and memory=SIZE"),
    (["size", "--model", "cpu=4"], "says no size"),
    (["size", "--model", "like=h1,price="], "is no host model such as like=host-1,price=10"),
    (["size", "--model", "like=h1,price=much"], "could not convert string to float: 'much'"),
    (["size", "--model", "cpu=x,memory=1GiB"], "invalid literal"),
    (["size", "--model", "cpu=4,memory=lots"], "lots"),
    (["size", "--model", "like=h1,colour=red"], "colour is unknown; there is cluster, cpu, like, memory, name, price"),
    (["size", "--model", "like=h1,disk=big"], "big"),
    (["size", "--model", "like=h1,device.A100=two"], "invalid literal"),
    (["size", "--model", "like=h1,disks=1TiB"], "disks is unknown; there is cluster, cpu, like"),
    (["size", "--model", "like=h1", "--survive", "-1"], "Invalid value for '--survive'"),
    (["size", "--model", "like=h9"], "addHosts.like: there is no host 'h9'"),
    (["size", "--model", "cpu=0,memory=1GiB"], "cpuNum"),
    (["size", "--model", "like=h1,price=0", "--model", "like=h2,price=1"], "models.like-h1: has no price"),
    (["size", "--model", "like=h1", "--target", "1"], "target: 1 is no share (expected a number between 0 and 1"),
    (["size", "--model", "like=h1", "--target", "0"], "target: 0 is no share"),
    (["size", "--model", "like=h1", "--target", "nan"], "target: nan is no share"),
    (["size", "--model", "like=h1", "--most", "0"], "most: 0 is no number of hosts (expected at least 1)"),
    (["size", "--model", "like=h1", "--model", "like=h2", "--replace", "h1"], "--replace takes one --model"),
    (["size", "--model", "like=h1", "--replace", "h9"], "there is no host 'h9'"),
    (["shrink", "--spare", "-1"], "spare: -1 is no number of hosts"),
    (["survive", "--label", "row"], "label: no host has 'row' (expected rack)"),
    (["survive", "--each", "moon"], "Invalid value for '--each'"),
    (["survive", "--ladder", "9"], "ladder: 9 is no number of hosts (expected 0 to 3)"),
    (["drain", "--wave", "0"], "wave: 0 is no number of hosts"),
    (["rebalance", "--offering", "x"], "offering: 'x' is unknown"),
    (["runway"], "run.horizon: is missing"),
    (["compare", "--figure", "beauty"], "figure: 'beauty' is no figure"),
    (["compare", "--strategy", "x", "--strategy", "y"], "strategies: 'x' is unknown"),
    (["compare", "--strategy", "simclone.BestFit"], "variants: 1 cannot be compared (expected at least 2)"),
    (["compare", "--strategies", "--change", "demand: 2"], "strategies or changes, not both"),
    (["compare", "--change", "removeHosts: [h1]", "--cost", "x=1"], "costs.x: no variant has this name"),
    (["compare", "--change", "demand: 2", "--cost", "as it is=low"], "--cost 'as it is=low': 'low' is no number"),
    (["compare", "--change", "paint"], "'paint' is no change such as"),
    (["compare", "--change", "{"], "'{' cannot be read"),
    (["compare", "--change", "paint: red"], "paint"),
    (["compare", "--replications", "1", "--half-width", "0.1"], "replications: one run has no interval to narrow"),
    (["compare", "--half-width", "0"], "half_width: 0 is no width"),
    (["compare", "--confidence", "1"], "confidence: 1 is no share"),
    (["compare", "--replications", "0"], "replications: 0 is no number of runs"),
    (["compare", "--jobs", "0"], "jobs: 0 is no number of processes"),
    (["compare", "--cluster", "tcp://127.0.0.1:9"], "cluster: nobody answers at 'tcp://127.0.0.1:9'"),
    (["compare", "--cluster", "nonsense"], "cluster: nobody answers at 'nonsense'"),
    (["sweep"], "either --set or --range"),
    (["sweep", "--set", "demand=1", "--range", "demand=1:2"], "either --set or --range"),
    (["sweep", "--set", "demand"], "'demand' is no PATH=V1,V2"),
    (["sweep", "--set", "hosts.h9.cpuNum=1,2"], "there is no 'h9'"),
    (["sweep", "--set", "no.such=1"], "no combination can be run"),
    (["sweep", "--set", "demand=a"], "demand"),
    (["sweep", "--range", "demand=2:1"], "demand: 2 to 1 is no range"),
    (["sweep", "--range", "demand=1"], "'1' is no range LOW:HIGH"),
    (["sweep", "--range", "demand=a:b"], "'a:b' is no range LOW:HIGH"),
    (["sweep", "--range", "demand=1:2", "--points", "1"], "points: 1 is no sample"),
    (["sensitivity", "--range", "hosts.h9.cpuNum=1:2"], "there is no 'h9'"),
    (["slo"], "Missing option '--target'"),
    (["slo", "--target", "1.5"], "target: 1.5 is no share"),
    (["slo", "--target", "0.9", "--tolerance", "0"], "tolerance: 0 is no share"),
    (["whatif", "--stack", "host,x"], "whatif: 'x' is not there (expected host, names)"),
    (["whatif", "--commit", "host"], "--commit and --out go together"),
    (["whatif", "--change", "demand: -1"], "more than 0"),
    (["bound", "--strategy", "x"], "strategies: 'x' is unknown"),
]


@pytest.mark.parametrize(("words", "said"), FAULTS, ids=[" ".join(words) for words, _ in FAULTS])
@pytest.mark.filterwarnings("ignore")
def test_bad_input_exits_2_with_its_place(
    here: Call, plain: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    """What is wrong, where, and what would be right; nothing on stdout, never a traceback."""
    monkeypatch.setattr(execution, "CONNECT_S", 1)
    command, *rest = words
    code, out, err = here(command, plain, *rest)
    assert (code, out) == (2, ""), err
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["whatif", "compare"])
def test_a_file_without_what_ifs_has_none_to_compare(here: Call, growing: Path, command: str) -> None:
    """2, and what is missing."""
    code, out, err = here(command, growing)
    assert (code, out) == (2, "")
    assert "whatif: the scenario has none (expected a whatif: block)" in err


def test_a_workload_has_no_bound(here: Call, growing: Path) -> None:
    """2, and why."""
    assert here("bound", growing).code == 2


def test_committed_what_ifs_are_a_scenario_that_runs(here: Call, plain: Path, tmp_path: Path) -> None:
    """The new file has both changes made; it is never written over one that is there."""
    out = tmp_path / "both.yaml"
    code, said, err = here("whatif", plain, "--commit", "host,names", "--out", out)
    assert code == 0
    assert said.startswith("plain: what if")
    assert err == f"written to {out}\n"
    totals = simclone.run(out).result.totals
    assert (totals.placed, totals.asked) == (11, 20)
    before = out.read_bytes()
    code, _, err = here("whatif", plain, "--commit", "host", "--out", out)
    assert (code, out.read_bytes()) == (2, before)
    assert str(out) in err


def test_committed_changes_are_those_of_the_command_line(here: Call, plain: Path, tmp_path: Path) -> None:
    """All changes given are in the new file."""
    out = tmp_path / "less.yaml"
    assert here("whatif", plain, "--change", "removeHosts: [h2]", "--commit", "all", "--out", out).code == 0
    assert [one.name for one in simclone.load(out).doc.hosts] == ["h1"]


def test_finished_runs_are_used_again(here: Call, plain: Path, tmp_path: Path) -> None:
    """The second command with the same directory answers the same."""
    words = ("compare", plain, "--resume", tmp_path / "kept", "--json")
    first = here(*words)
    files = sorted((tmp_path / "kept").iterdir())
    assert len(files) == 6
    stamps = [one.stat().st_mtime_ns for one in files]
    assert here(*words) == first
    assert [one.stat().st_mtime_ns for one in files] == stamps


def test_a_seed_is_another_chance(here: Call, growing: Path) -> None:
    """The same seed the same answer, another one another."""

    def told(seed: int) -> str:
        return here("runway", growing, "--seed", str(seed), "--replications", "2", "--json").out

    assert told(1) == told(1) != told(2)
