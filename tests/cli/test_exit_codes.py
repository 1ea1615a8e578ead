"""Exit codes, and which words go where."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simclone import api
from simclone.errors import InvariantViolation

Call = Callable[..., tuple[int, str, str]]
QUICKSTART = "scenarios/quickstart.yaml"


def test_failing_clones_are_no_failure(simclone: Call, tiny: Path) -> None:
    """0: a run in which clones fail is a successful run."""
    code, out, err = simclone("run", tiny)
    assert (code, err) == (0, "")
    assert "3 of 4 clones placed" in out


def test_expectations_that_hold(simclone: Call, right: Path) -> None:
    """0: every declared check holds."""
    assert simclone("check", right, QUICKSTART) == (0, "2 passed, 0 failed, 0 unsupported\n", "")


def test_an_expectation_that_fails(simclone: Call, wrong: Path) -> None:
    """1: done, and a declared check failed."""
    assert simclone("check", wrong)[0] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Usage:"),
        (["run"], "Missing argument 'SCENARIO'"),
        (["check"], "Missing argument"),
        (["validate"], "Missing argument"),
        (["run", "a.yaml", "b.yaml"], "unexpected extra argument"),
        (["run", QUICKSTART, "--sed", "1"], "No such option"),
        (["run", QUICKSTART, "--seed", "-1"], "Invalid value for '--seed'"),
        (["run", QUICKSTART, "--seed", "x"], "Invalid value for '--seed'"),
        (["run", QUICKSTART, "--style", "xml"], "Invalid value for '--style'"),
        (["schema", "topology"], "Invalid value"),
        (["explain", QUICKSTART, "--clone", "vm9"], "unknown clone: 'vm9'"),
        (["check", "nothing"], "does not exist"),
        (["rnu", QUICKSTART], "No such command 'rnu'. Did you mean 'run'?"),
        (["chekc", QUICKSTART], "Did you mean 'check'?"),
    ],
    ids=lambda one: " ".join(one) or "nothing" if isinstance(one, list) else "",
)
def test_bad_usage(simclone: Call, words: list[str], said: str) -> None:
    """2: bad usage, said on stderr, with a suggestion where a name is near."""
    code, out, err = simclone(*words)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_no_suggestion_for_a_far_name(simclone: Call) -> None:
    """Nothing is suggested for a command that resembles none."""
    code, _, err = simclone("zzzzzz")
    assert code == 2
    assert "No such command 'zzzzzz'." in err
    assert "Did you mean" not in err


@pytest.mark.parametrize("command", ["run", "explain", "check", "validate"])
def test_invalid_input(simclone: Call, faulty: Path, command: str) -> None:
    """2: every fault is said at once, with file, line and column, and counted."""
    code, out, err = simclone(command, faulty)
    assert (code, out) == (2, "")
    places = [line.partition(": ")[0] for line in err.splitlines()[:-1]]
    assert places == [f"{faulty}:2:70", f"{faulty}:7:40"]
    assert "cpuNum" in err.splitlines()[0]
    assert err.splitlines()[-1] == "2 faults"


@pytest.mark.parametrize("command", ["run", "explain", "validate"])
@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        ("empty.yaml", b"", "empty"),
        ("binary.yaml", b"name: \xff\xfe\n", "not UTF-8"),
        ("broken.json", b'{"name": }', "broken.json:1:10"),
        ("list.yaml", b"- 1\n", "not a mapping"),
        ("twice.yaml", b"name: a\nname: b\n", "twice.yaml:2:1"),
    ],
)
def test_files_that_are_none(simclone: Call, tmp_path: Path, command: str, name: str, raw: bytes, said: str) -> None:
    """2: what cannot be read as a document is named, without a traceback."""
    (tmp_path / name).write_bytes(raw)
    code, out, err = simclone(command, tmp_path / name)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["run", "explain", "validate"])
def test_a_directory_instead_of_a_file(simclone: Call, tmp_path: Path, command: str) -> None:
    """2: a directory is no scenario."""
    code, out, err = simclone(command, tmp_path)
    assert (code, out) == (2, "")
    assert f"{tmp_path}: Is a directory" in err


def test_a_folder_without_cases(simclone: Call, tmp_path: Path) -> None:
    """2: checking nothing is no success."""
    code, out, err = simclone("check", tmp_path)
    assert (code, out) == (2, "")
    assert "no case or scenario found" in err


@pytest.mark.parametrize("command", ["run", "explain", "validate"])
def test_an_unreadable_file(simclone: Call, tmp_path: Path, command: str) -> None:
    """2: a file that cannot be opened is named with the system's reason."""
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    code, out, err = simclone(command, loop)
    assert (code, out) == (2, "")
    assert err.startswith(f"{loop}: ")
    assert "Traceback" not in err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file(simclone: Call, tiny: Path) -> None:
    """2: a file without permission is named."""
    tiny.chmod(0)
    code, out, err = simclone("run", tiny)
    assert (code, out) == (2, "")
    assert f"{tiny}: Permission denied" in err


def test_an_existing_run_directory(simclone: Call, tiny: Path, tmp_path: Path) -> None:
    """2: what stands in the output directory is not overwritten unless asked to."""
    target = tmp_path / "out"
    assert simclone("run", tiny, "--out", target)[0] == 0
    before = (target / "manifest.json").read_bytes()
    code, out, err = simclone("run", tiny, "--seed", "5", "--out", target)
    assert (code, out) == (2, "")
    assert "--force" in err
    assert (target / "manifest.json").read_bytes() == before
    assert simclone("run", tiny, "--seed", "5", "--out", target, "--force")[0] == 0
    assert json.loads((target / "manifest.json").read_text("utf-8"))["seed"] == 5


def test_a_file_as_run_directory(simclone: Call, tiny: Path) -> None:
    """2: the output directory cannot be a file."""
    code, _, err = simclone("run", tiny, "--out", tiny)
    assert code == 2
    assert "is a file" in err


def _raising(error: BaseException) -> Callable[..., Any]:
    def call(*_: object, **__: object) -> None:
        raise error

    return call


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            InvariantViolation("host h1 holds -1"),
            3,
            "simclone broke a rule of its own, which is a bug: host h1 holds -1",
        ),
        (ZeroDivisionError("division by zero"), 3, "this is a bug in simclone (ZeroDivisionError: division by zero)"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(28, "No space left on device", "out.csv"), 2, "out.csv: No space left on device"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, BaseException) else "",
)
def test_what_a_command_raises(
    here: Call, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    """3 for a bug in simclone, 130 when interrupted, 2 for what the system refuses; said in one line on stderr."""
    monkeypatch.setattr(api, "run", _raising(error))
    left, out, err = here("run", QUICKSTART)
    assert (left, out) == (code, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_a_bug_can_be_seen(here: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIMCLONE_DEBUG lets an unexpected exception through, with its traceback."""
    monkeypatch.setattr(api, "run", _raising(ZeroDivisionError("here")))
    monkeypatch.setenv("SIMCLONE_DEBUG", "1")
    with pytest.raises(ZeroDivisionError, match="here"):
        here("run", QUICKSTART)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def _heeds_interrupts() -> None:
    """A command in the background of a shell ignores SIGINT, and so do its children unless told otherwise."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupt_from_outside(tmp_path: Path) -> None:
    """130: SIGINT while a scenario is read leaves one word and no traceback."""
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    running = subprocess.Popen(
        [sys.executable, "-m", "simclone", "run", str(pipe)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heeds_interrupts,
    )
    with running:
        end = os.open(pipe, os.O_WRONLY)  # returns when the command has opened the other end
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
        os.close(end)
    assert (running.returncode, out) == (130, "")
    assert err.split() == ["interrupted"]


# --- what goes to stdout ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["run", "{tiny}", "--json"], 0),
        (["run", "{tiny}", "--json", "--style", "doc"], 0),
        (["run", "{tiny}", "--json", "--out", "{folder}/out"], 0),
        (["explain", "{tiny}", "--json"], 0),
        (["check", "{right}", "--json"], 0),
        (["check", "{wrong}", "{right}", "--json"], 1),
        (["validate", "{tiny}", "--json"], 0),
        (["validate", "{faulty}", "{tiny}", "--json"], 2),
        (["schema"], 0),
        (["schema", "case"], 0),
        (["schema", "answer"], 0),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_json_is_one_document(
    simclone: Call, tmp_path: Path, tiny: Path, right: Path, wrong: Path, faulty: Path, words: list[str], code: int
) -> None:
    """--json prints exactly one JSON document and nothing else on stdout."""
    names = {"tiny": tiny, "right": right, "wrong": wrong, "faulty": faulty, "folder": tmp_path}
    left, out, err = simclone(*(word.format(**names) for word in words))
    assert left == code, err
    json.loads(out)
    assert out.endswith("\n")
    assert out.startswith(("{\n", "[\n"))


@pytest.mark.parametrize("command", ["run", "explain", "check"])
def test_with_json_the_words_go_to_stderr(simclone: Call, faulty: Path, command: str) -> None:
    """A failure with --json leaves stdout empty, its words are on stderr."""
    code, out, err = simclone(command, faulty, "--json")
    assert (code, out) == (2, "")
    assert "2 faults" in err


def test_the_notice_of_a_written_directory_is_no_output(simclone: Call, tiny: Path, tmp_path: Path) -> None:
    """Where the run directory was written is said on stderr."""
    _, out, err = simclone("run", tiny, "--out", tmp_path / "out")
    assert err == f"written to {tmp_path / 'out'}\n"
    assert "written to" not in out


def test_json_answers_are_those_of_the_run(simclone: Call, tiny: Path) -> None:
    """The document of `run --json` is the list of the API's answers."""
    document = json.loads(simclone("run", tiny, "--json")[1])
    assert document == api.run(tiny).responses


def test_faults_as_json(simclone: Call, faulty: Path) -> None:
    """`validate --json` gives each fault with its place."""
    document = json.loads(simclone("validate", faulty, "--json")[1])
    assert document["valid"] is False
    assert [(one["file"], one["line"], one["column"]) for one in document["faults"]] == [
        (str(faulty), 2, 70),
        (str(faulty), 7, 40),
    ]


def test_no_colours_in_a_pipe(simclone: Call, tiny: Path) -> None:
    """What is piped holds no control sequences."""
    assert "\x1b" not in simclone("run", tiny)[1]


def test_a_scenario_from_stdin(simclone: Call, tiny: Path) -> None:
    """`-` is standard input, with the same answers."""
    text = tiny.read_text("utf-8")
    assert simclone("run", "-", "--json", input=text)[:2] == simclone("run", tiny, "--json")[:2]
    assert simclone("validate", "-", input=text) == (0, "-: valid\n", "")
    code, _, err = simclone("run", "-", input="hosts: [{}]\n")
    assert code == 2
    assert "<stdin>:1:" in err


def test_a_seed_changes_the_draws(simclone: Call, tiny: Path) -> None:
    """--seed overrides the file's seed; the same seed gives the same bytes."""
    one, again, other = (simclone("run", tiny, "--json", "--seed", seed)[1] for seed in ("1", "1", "2"))
    assert one == again
    assert one != other


def test_a_seed_from_the_environment(simclone: Call, tiny: Path) -> None:
    """Options can be given as SIMCLONE_ variables."""
    env = {**os.environ, "SIMCLONE_RUN_SEED": "2"}
    assert simclone("run", tiny, "--json", env=env)[1] == simclone("run", tiny, "--json", "--seed", "2")[1]


PIPED = [
    ["run", QUICKSTART],
    ["run", QUICKSTART, "--json"],
    ["check", QUICKSTART],
    ["check", QUICKSTART, "--json"],
    ["--help"],
]


@pytest.mark.parametrize("words", PIPED, ids=" ".join)
def test_a_closed_pipe_is_quiet(simclone: Call, words: list[str]) -> None:
    """A reader that went away is no reason for a traceback."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        _, _, err = simclone(*words, stdout=writer)
    finally:
        os.close(writer)
    assert err == ""


@pytest.mark.parametrize("words", PIPED, ids=" ".join)
def test_a_closed_pipe_is_no_failed_check(simclone: Call, words: list[str]) -> None:
    """0: `simclone … | head` has done what it was asked to."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        code, _, _ = simclone(*words, stdout=writer)
    finally:
        os.close(writer)
    assert code == 0


# --- check -----------------------------------------------------------------------------------------------------------


def test_a_failing_expectation_is_one_line(simclone: Call, wrong: Path) -> None:
    """One line per failing expectation with file, step, path and both values; the counts come last."""
    _, out, err = simclone("check", wrong)
    assert out.splitlines() == [
        f"{wrong}: step 1 ask: numberOfClonedVm: expected 4, got 3",
        f"{wrong}: step 1 ask: batch: expected 'SUCCESS', got 'PARTIAL'",
        "0 passed, 1 failed, 0 unsupported",
    ]
    assert err == ""


def test_an_unsupported_operation_is_named(simclone: Call, tmp_path: Path, right: Path) -> None:
    """A case with an operation nobody implements is counted apart, by name, and never as passed."""
    case = tmp_path / "case.json"
    case.write_text(
        json.dumps({"id": "case", "steps": [{"op": "teleport", "spec": {}, "expect": {"ok": True}}]}), "utf-8"
    )
    code, out, _ = simclone("check", case, right)
    assert code == 0
    assert out.splitlines() == [f"{case}: unsupported operation teleport", "1 passed, 0 failed, 1 unsupported"]
    document = json.loads(simclone("check", case, "--json")[1])
    assert (document["passed"], document["unsupported"]) == (0, 1)
    assert document["results"][0]["unsupported"] == ["teleport"]


def test_verdicts_as_json(simclone: Call, wrong: Path, right: Path) -> None:
    """The verdicts as a document say the same as the lines."""
    document = json.loads(simclone("check", wrong, right, "--json")[1])
    assert [document[key] for key in ("passed", "failed", "unsupported")] == [1, 1, 0]
    first, second = document["results"]
    assert (first["file"], first["verdict"], second["verdict"]) == (str(wrong), "failed", "passed")
    assert first["failures"][0] == {
        "step": 1,
        "op": "ask",
        "path": "numberOfClonedVm",
        "expected": 4,
        "got": "3",
    }


def test_folders_are_searched(simclone: Call, tmp_path: Path, right: Path) -> None:
    """A folder stands for the cases and scenarios below it; schemas are none."""
    folder = tmp_path / "folder" / "below"
    folder.mkdir(parents=True)
    for name in ("a.yaml", "b.yml"):
        (folder / name).write_bytes(right.read_bytes())
    (folder / "case.schema.json").write_text("{}", "utf-8")
    (folder / "notes.txt").write_text("nothing", "utf-8")
    assert simclone("check", tmp_path / "folder") == (0, "2 passed, 0 failed, 0 unsupported\n", "")


def test_counts_by_topic(simclone: Call, right: Path, wrong: Path) -> None:
    """--by-topic adds a table, and the last line stays the counts."""
    code, out, _ = simclone("check", right, wrong, "--by-topic")
    assert code == 1
    assert "By topic" in out
    assert out.splitlines()[-1] == "1 passed, 1 failed, 0 unsupported"
