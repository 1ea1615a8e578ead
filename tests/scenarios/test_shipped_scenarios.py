"""The scenario files keep what they say: their expectations, the reason they name and the fix that helps."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from simclone import api
from simclone.changes.load import scenario_schema
from simclone.check.run import PASSED
from simclone.wire.schema import answer_schema

FOLDER = Path(__file__).resolve().parents[2] / "scenarios"
FILES = sorted(FOLDER.glob("*.yaml"))
SEEDS = range(10)
COMMENT = re.compile(r"# (Reason|Fix|No fix)(?:: (.*))?")

every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def remarks(file: Path, kind: str) -> list[str]:
    """What the lines ``# <kind>: …`` of the comment at the top say."""
    found = [COMMENT.fullmatch(line) for line in top(file)]
    return [one[2] or "" for one in found if one and one[1] == kind]


def top(file: Path) -> list[str]:
    """The comment a file begins with, line by line."""
    lines = file.read_text().splitlines()
    end = next(at for at, line in enumerate(lines) if not line.startswith("#"))
    return lines[:end]


def value_of(text: str) -> Any:
    """A piece of YAML as plain data."""
    return YAML(typ="safe", pure=True).load(text)


def document(file: Path) -> Any:
    """The file as plain data."""
    return value_of(file.read_text())


def put(node: Any, path: str, value: Any) -> None:
    """Write *value* at a dotted path; a key may hold dots itself, so the longest one that is there is taken."""
    parts = path.split(".")
    while isinstance(node, dict) and ".".join(parts) not in node:
        ends = [end for end in range(len(parts) - 1, 0, -1) if ".".join(parts[:end]) in node]
        assert ends, f"nothing of the name {path}"
        node, parts = node[".".join(parts[: ends[0]])], parts[ends[0] :]
        if isinstance(node, list) and len(parts) > 1:
            node, parts = node[int(parts[0])], parts[1:]
    node[int(parts[0]) if isinstance(node, list) else ".".join(parts)] = value


def fixed(file: Path) -> Any:
    """The file's data with its ``# Fix:`` lines applied, and without what it expected before."""
    data = document(file)
    for line in remarks(file, "Fix"):
        path, _, text = line.partition(" = ")
        put(data, path, value_of(text))
    return {key: value for key, value in data.items() if key != "expect"}


@cache
def run_of(file: Path, seed: int) -> api.Run:
    """The file's run under a seed."""
    return api.run(file, seed=seed)


def outcome(run: api.Run) -> Any:
    """Everything of a run that chance must not touch: codes and reasons of calls and of each name."""
    return [
        (
            answer.request.name,
            answer.error and (answer.error.code, answer.error.root_code, answer.error.root_reason),
            [(one.name, one.error and (one.error.code, one.error.root_reason)) for one in answer.clones],
        )
        for answer in run.answers
    ]


@every_file
def test_expectations_hold_for_every_seed(file: Path) -> None:
    """Each file says what it expects of its requests, and that comes true with any seed."""
    first = run_of(file, 0)
    assert set(first.scenario.expect) == {request.name for request in first.scenario.requests}
    for seed in SEEDS:
        run = run_of(file, seed)
        result = run.check()
        assert (result.verdict, result.failures) == (PASSED, ())
        assert outcome(run) == outcome(first)


@every_file
def test_the_fix_makes_every_clone_succeed(file: Path) -> None:
    """The one change the comment names takes the only obstacle away."""
    if remarks(file, "No fix"):
        pytest.skip("malformed requests; the cloud cannot help")
    assert bool(remarks(file, "Fix")) == bool(run_of(file, 0).reasons())
    data = fixed(file)
    for seed in SEEDS:
        run = api.run(data, seed=seed)
        assert run.reasons() == {}
        assert [len(one.clones) for one in run.answers] == [len(one.request.names) for one in run.answers]


@every_file
def test_the_reason_found_is_the_one_named(file: Path) -> None:
    """The comment names the reasons, and no clone or call fails for another."""
    named = {reason for line in remarks(file, "Reason") for reason in line.split(", ")}
    assert set(run_of(file, 0).reasons()) == named


@every_file
def test_expected_reasons_cover_every_failed_clone(file: Path) -> None:
    """Where single clones fail, the file expects how many fail for which reason."""
    run = run_of(file, 0)
    for answer in run.answers:
        failed = len(answer.clones) - answer.succeeded
        wanted = run.scenario.expect[answer.request.name].get("reasons", {})
        assert sum(wanted.values()) == failed


@every_file
def test_answers_validate_in_both_styles(file: Path) -> None:
    """Every answer has the shape of the API page, as the server sends it and as the page prints it."""
    checker = jsonschema.Draft202012Validator(answer_schema())
    run = run_of(file, 0)
    for style in ("server", "doc"):
        for answer in run.render(style):
            checker.validate(answer)


@every_file
def test_books_balance_and_the_file_meets_the_schema(file: Path) -> None:
    """What is held and what is recorded agree at the end, and the published schema accepts the file."""
    run_of(file, 0).result.ledger.check()
    jsonschema.Draft202012Validator(scenario_schema()).validate(document(file))


@every_file
def test_the_comment_at_the_top_is_short(file: Path) -> None:
    """Two to five lines of explanation come before the machine-readable ones."""
    told = [line for line in top(file) if not COMMENT.fullmatch(line)]
    assert 2 <= len(told) <= 5


def test_a_fix_finds_keys_that_hold_dots() -> None:
    """Paths reach settings and quotas, whose names are dotted, and entries of lists."""
    data = {"accounts": [{"quota": {"vm.num": 3}}], "globalConfig": {"kvm.reservedMemory": 0}, "hosts": [[1, 2]]}
    put(data, "accounts.0.quota.vm.num", 4)
    put(data, "globalConfig.kvm.reservedMemory", 1)
    put(data, "hosts.0", [])
    assert data == {"accounts": [{"quota": {"vm.num": 4}}], "globalConfig": {"kvm.reservedMemory": 1}, "hosts": [[]]}
