"""`simclone strategies`, `settings`, `reasons`: what a file may say and what an answer may hold."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simclone.allocator.host.strategies import TABLES
from simclone.cli import docs
from simclone.model.settings import DEFINITIONS, FIDELITY
from simclone.vocabulary import REASONS

Call = Callable[..., tuple[int, str, str]]
Rows = dict[str, dict[str, str]]

OWN = "strategies: {roomy: {score: {freeCpu: 1}}}\nrun: {profile: open}\n"


def listed(call: Call, name: str, *words: str | Path) -> Rows:
    """What a list says as JSON, by its first column."""
    code, out, err = call(name, *words, "--json")
    assert (code, err) == (0, "")
    document: dict[str, list[dict[str, str]]] = json.loads(out)
    assert list(document) == [name]
    return {next(iter(row.values())): row for row in document[name]}


@pytest.mark.parametrize("name", ["strategies", "settings", "reasons"])
def test_a_table_says_what_the_document_says(here: Call, name: str) -> None:
    """Each row stands in the table, under the same columns."""
    rows = list(listed(here, name).values())
    code, out, err = here(name)
    assert (code, err) == (0, "")
    flat = "".join(out.split())
    assert all(column.replace(" ", "") in flat for column in rows[0])
    assert all(next(iter(row.values()))[:20] in out for row in rows)


@pytest.mark.parametrize("profile", ["cloud", "open"])
def test_strategies_of_a_profile(here: Call, profile: str) -> None:
    """Every built-in one with its chain; cloud where no profile is named."""
    rows = listed(here, "strategies", "--profile", profile)
    assert {name: (row["origin"], row["filters"], row["sorters"]) for name, row in rows.items()} == {
        name: ("built in", *(", ".join(flow.name for flow in part) for part in (chain.filters, chain.sorters)))
        for name, chain in TABLES[profile].items()
    }
    assert (listed(here, "strategies") == rows) == (profile == "cloud")


def test_strategies_of_a_scenario(here: Call, tiny: Path) -> None:
    """Those of its profile, and its own with their origin."""
    tiny.write_text(tiny.read_text("utf-8") + OWN, "utf-8")
    rows = listed(here, "strategies", tiny)
    assert list(rows) == [*TABLES["open"], "roomy"]
    assert rows["roomy"]["origin"] == "this file"
    assert rows["roomy"]["sorters"] == "simclone.WeightedScore, simclone.LowestRank"
    assert rows["roomy"]["filters"] == rows["LeastVmPreferredHostAllocatorStrategy"]["filters"]


def test_strategies_of_an_installed_package_name_it(python: Any, tiny: Path) -> None:
    """Name and version of the distribution, with a scenario and without."""
    for words in ([], [str(tiny)], ["--profile", "open"]):
        done = python("-m", "simclone", "strategies", *words, "--json")
        assert done.returncode == 0, done.stderr
        rows = {row["strategy"]: row for row in json.loads(done.stdout)["strategies"]}
        assert rows["acme.LastName"]["origin"] == "acme-cloud 2.5"
        assert rows["acme.LastName"]["sorters"] == "acme.LastName"
        assert rows["simclone.FirstFit"]["origin"] == "built in"


def test_settings_have_a_meaning_of_one_sentence(here: Call) -> None:
    """Each of the register, with kind, defaults, bounds and origin."""
    rows = listed(here, "settings")
    assert list(rows) == [*DEFINITIONS, *FIDELITY]
    for row in rows.values():
        assert row["meaning"].endswith(".")
        assert row["meaning"].count(". ") == 0
        assert row["meaning"][0].isupper() or row["meaning"].startswith("vCPUs")
    assert len({row["meaning"] for row in rows.values()}) == len(rows)
    ratio = rows["host.cpu.overProvisioning.ratio"]
    assert (ratio["kind"], ratio["default"], ratio["values"]) == ("int", "10", "at least 1, at most 1000")
    assert rows["kvm.reservedCpu"]["origin"] == "platform, decides nothing"
    assert rows["doubleReturn"]["origin"] == "fidelity"


def test_reasons_have_codes_and_a_rule_that_can_be_read(here: Call) -> None:
    """Each of the register; its rule is a section that `simclone docs` shows.

    Asked of a process of its own: flows that other tests define bring reasons without a rule page.
    """
    assert set(listed(here, "reasons")) == {code for code in REASONS if code and not code.startswith("fault.")}
    command = [sys.executable, "-m", "simclone", "reasons", "--json"]
    printed = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=120).stdout
    rows = {row["reason"]: row for row in json.loads(printed)["reasons"]}
    pages = docs.read_pages()
    for row in rows.values():
        page, _, anchor = row["rule"].removesuffix("/").partition("#")
        assert docs.section(pages[page.removesuffix(".md")], anchor).startswith("##"), row
    assert (rows["host.memory"]["means"], rows["host.memory"]["refuses"]) == ("too little", "one clone")
    assert rows["host.memory"]["API code"] == "HOST_ALLOCATION.1000, SYS.1006"
    assert rows["request.notFound"]["API code"] == "SYS.1003"
    assert {code for code, row in rows.items() if row["API code"] == "none"} == {"host.notLast", "storage.lost"}


@pytest.mark.parametrize(
    ("name", "words", "chosen"),
    [
        ("settings", ["vm.numa"], ["vm.numa"]),
        ("settings", ["kvm.host", "doubleReturn"], ["kvm.host.syncLevel", "doubleReturn"]),
        ("reasons", ["ip", "host.cpu"], ["host.cpu", "ip.exhausted", "ip.free", "ip.noRange", "ip.static"]),
        ("reasons", ["designated.zone"], ["designated.zone"]),
    ],
)
def test_names_choose_rows(here: Call, name: str, words: list[str], chosen: list[str]) -> None:
    """A whole name, or the first words of several."""
    assert list(listed(here, name, *words)) == chosen


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["settings", "vm.num"], "no setting 'vm.num'; the nearest is 'vm.numa'; they begin with host, mevoco, kvm,"),
        (["settings", "k"], "no setting 'k'"),
        (["reasons", "ip.fre"], "no reason 'ip.fre'; the nearest is 'ip.free'; they begin with affinity,"),
        (["reasons", "ip", ""], "no reason ''"),
        (["strategies", "--profile", "closed"], "'closed' is not one of 'cloud', 'open'"),
        (["strategies", "scenarios/quickstart.yaml", "--profile", "open"], "SCENARIO says its profile"),
        (["strategies", "no-such.yaml"], "no-such.yaml: No such file or directory"),
        (["docs", "rules/state"], "no page 'rules/state'; the nearest is 'rules/states'; there is glossary, how-a-"),
        (["docs", "rules/states#vms"], "has no section 'vms'; the nearest is 'vm'; there is effect, disabled-cluster,"),
        (["docs", "glossary", "why"], "unexpected extra argument (why)"),
        (["docs", "--json"], "No such option"),
    ],
)
def test_wrong_words_are_bad_usage(here: Call, words: list[str], said: str) -> None:
    """2, with a sentence that says what there is."""
    code, out, err = here(*words)
    assert (code, out) == (2, "")
    assert said in err


def test_a_faulty_scenario_has_no_strategies(here: Call, faulty: Path) -> None:
    """Its faults are told, with their places."""
    code, out, err = here("strategies", faulty)
    assert (code, out) == (2, "")
    assert "2 faults" in err
