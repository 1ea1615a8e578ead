"""Options of ``simclone run``: formats, horizon, rows kept, conditions, interruption, progress."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from simclone import api, store
from simclone.cli import progress
from simclone.engine.run_loop import Observer
from simclone.errors import InvalidInput

Call = Callable[..., tuple[int, str, str]]
TABLES = {"clones", "decisions", "hosts", "storage", "events", "series", "places", "storage_series", "queues"}
JSON = {"manifest.json", "records.json", "responses.json", "statistics.json", "scenario.json"}
STREAM = """
workload: [{name: flow, vm: web, arrivals: {every: 60}, lifetime: 90}]
timing: {startOnHypervisor: 5}
run: {timing: model, horizon: 86400, sample: 3600}
"""


@pytest.fixture
def flow(tiny: Path) -> Path:
    """The tiny cloud with a clone a minute for a day instead of its one request."""
    path = tiny.with_name("flow.yaml")
    path.write_text(tiny.read_text("utf-8").partition("requests:")[0] + STREAM, "utf-8")
    return path


def document(folder: Path, name: str) -> dict[str, object]:
    """A JSON file of a run directory."""
    found: dict[str, object] = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return found


# --- formats ---------------------------------------------------------------------------------------------------------


def test_csv(here: Call, tiny: Path, tmp_path: Path) -> None:
    """CSV is what is written when nothing is said; statistics and series are there."""
    assert here("run", tiny, "--out", tmp_path / "out")[0] == 0
    assert {one.name for one in (tmp_path / "out").iterdir()} == JSON | {f"{name}.csv" for name in TABLES}
    assert document(tmp_path / "out", "statistics") == api.run(tiny).statistics().to_dict()
    assert (tmp_path / "out" / "series.csv").read_text("utf-8") == "at_s,vms,cpu_vcpus,memory_bytes,waiting\n"
    assert here("audit", tmp_path / "out")[0] == 0


def test_sqlite(here: Call, flow: Path, tmp_path: Path) -> None:
    """All tables in one file, as long and as wide as the frames; audited like any."""
    target = tmp_path / "out"
    assert here("run", flow, "--horizon", "600", "--out", target, "--format", "sqlite")[0] == 0
    assert {one.name for one in target.iterdir()} == JSON | {"run.sqlite"}
    run = api.run(flow, horizon=600)
    with closing(sqlite3.connect(target / "run.sqlite")) as base:
        assert {name for (name,) in base.execute("SELECT name FROM sqlite_master")} == TABLES
        for name in TABLES:
            rows = base.execute(f"SELECT * FROM {name}").fetchall()
            frame = getattr(run, name).astype(object)
            assert rows == list(frame.where(frame.notna(), None).itertuples(index=False, name=None))
    code, out, _ = here("audit", target)
    assert (code, out) == (0, f"{len(run.result.events)} events, 0 violations\n")


def test_parquet(here: Call, flow: Path, tmp_path: Path) -> None:
    """One file a table, also of empty ones; audited like any."""
    duckdb = pytest.importorskip("duckdb", reason="Parquet needs the extra store")
    target = tmp_path / "it's out"
    assert here("run", flow, "--horizon", "600", "--out", target, "--format", "parquet")[0] == 0
    assert {one.name for one in target.iterdir()} == JSON | {f"{name}.parquet" for name in TABLES}
    run = api.run(flow, horizon=600)
    with duckdb.connect() as base:
        for name in TABLES:
            rows = base.execute("SELECT * FROM read_parquet(?)", [str(target / f"{name}.parquet")]).fetchall()
            frame = getattr(run, name).astype(object)
            assert rows == list(frame.where(frame.notna(), None).itertuples(index=False, name=None))
    code, out, _ = here("audit", target)
    assert (code, out) == (0, f"{len(run.result.events)} events, 0 violations\n")


@pytest.mark.parametrize("kind", ["csv", "parquet", "sqlite"])
def test_an_altered_table_is_found(here: Call, tiny: Path, tmp_path: Path, kind: str) -> None:
    """The audit reads the table that is there: without one of its events it does not agree."""
    target = tmp_path / "out"
    if kind == "parquet":
        pytest.importorskip("duckdb", reason="Parquet needs the extra store")
    run = api.run(tiny)
    events = (*run.result.events[:3], *run.result.events[4:])
    replace(run, result=replace(run.result, events=events)).save(target, tables=kind)
    assert here("audit", target)[0] == 1


@pytest.mark.parametrize("name", ["events.parquet", "run.sqlite", "events.csv"])
def test_a_broken_table_is_named(here: Call, tiny: Path, tmp_path: Path, name: str) -> None:
    """2: a file that holds no events is said, without a traceback."""
    if name == "events.parquet":
        pytest.importorskip("duckdb", reason="Parquet needs the extra store")
    target = api.run(tiny).save(tmp_path / "out")
    (target / "events.csv").unlink()
    (target / name).write_bytes(b"no table at all, only words, but long enough to be taken for a file\n1\n")
    code, out, err = here("audit", target)
    assert (code, out) == (2, "")
    assert name in err


def test_parquet_without_duckdb(here: Call, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """2: bad usage that names the extra, before anything runs; the same from Python, and when reading."""
    monkeypatch.setattr(store, "find_spec", lambda _: None)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    code, out, err = here("run", tiny, "--out", tmp_path / "out", "--format", "parquet")
    assert (code, out) == (2, "")
    assert "Usage: simclone run" in err
    assert "simclone[store]" in err
    assert not (tmp_path / "out").exists()
    run = api.run(tiny)
    with pytest.raises(InvalidInput, match=r"simclone\[store\]"):
        run.save(tmp_path / "out", tables="parquet")
    target = run.save(tmp_path / "out")
    (target / "events.csv").rename(target / "events.parquet")
    code, _, err = here("audit", target)
    assert code == 2
    assert "simclone[store]" in err


def test_a_format_needs_a_directory(here: Call, tiny: Path) -> None:
    """2: --format without --out would do nothing."""
    code, out, err = here("run", tiny, "--format", "sqlite")
    assert (code, out) == (2, "")
    assert "--out" in err


def test_an_unknown_format_from_python(tiny: Path, tmp_path: Path) -> None:
    """A format nobody knows leaves nothing behind."""
    with pytest.raises(InvalidInput, match="csv, parquet, sqlite"):
        api.run(tiny).save(tmp_path / "out", tables="xls")
    assert not (tmp_path / "out").exists()


# --- horizon and rows ------------------------------------------------------------------------------------------------


def test_the_horizon_overrides_the_file(here: Call, flow: Path, tmp_path: Path) -> None:
    """Time ends where the option says; requests after that are not asked."""
    assert here("run", flow, "--horizon", "600.5", "--out", tmp_path / "out")[0] == 0
    manifest = document(tmp_path / "out", "manifest")
    assert (manifest["simulatedSeconds"], manifest["interrupted"]) == (600.5, False)
    assert document(tmp_path / "out", "statistics")["span_s"] == 600.5


@pytest.mark.parametrize("horizon", ["0", "-1", "nan", "inf", "1e13"])
def test_a_horizon_that_is_none(here: Call, tiny: Path, horizon: str) -> None:
    """2: the horizon is a time to come."""
    code, out, err = here("run", tiny, "--horizon", horizon)
    assert (code, out) == (2, "")
    assert "horizon" in err


@pytest.mark.parametrize("keep", ["failures", "summary"])
def test_rows_can_be_dropped(here: Call, tiny: Path, tmp_path: Path, keep: str) -> None:
    """The words stay those of the whole run; the audit says that it cannot judge what is not there."""
    code, out, _ = here("run", tiny, "--keep", keep, "--out", tmp_path / "out")
    assert code == 0
    assert "3 of 4 clones placed by 1 request. Not placed: 1 for host.memory." in out
    assert document(tmp_path / "out", "manifest")["complete"] is False
    assert len(json.loads((tmp_path / "out" / "responses.json").read_text("utf-8"))) == (keep == "failures")
    code, _, err = here("audit", tmp_path / "out")
    assert code == 2
    assert "--keep all" in err


def test_unknown_rows_from_python(tiny: Path) -> None:
    """What to keep is one of three words."""
    with pytest.raises(InvalidInput, match="all, failures, summary"):
        api.run(tiny, keep="some")


# --- conditions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        (["success_ratio<0.99"], ["success_ratio is 0.75: < 0.99"]),
        (["success_ratio<0.75", "placed>=4", "affinity_compliance_ratio<1"], []),
        (["success_ratio == 0.75", "placed<=3"], ["success_ratio is 0.75: == 0.75", "placed is 3: <= 3"]),
        (["reasons.host.memory>0", "reasons.ip.exhausted>0"], ["reasons.host.memory is 1: > 0"]),
        (["stranded_memory_ratio.o>0.5", "asked>3"], ["asked is 4: > 3"]),
    ],
    ids=lambda one: " ".join(one),
)
def test_conditions(here: Call, tiny: Path, conditions: list[str], said: list[str]) -> None:
    """1 with one line per condition that is met, 0 without; a figure over nothing meets none."""
    words = [word for one in conditions for word in ("--fail-if", one)]
    code, out, err = here("run", tiny, *words, "--json")
    assert (code, err.splitlines()) == (int(bool(said)), said)
    json.loads(out)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("success<1", "'success' is no figure; there is asked, placed,"),
        ("success_ratio", "is no condition"),
        ("success_ratio!=1", "is no condition"),
        ("success_ratio<many", "'many' is no number"),
        ("reasons>1", "reasons.NAME"),
        ("placed.first>1", "has no 'first'"),
    ],
)
def test_conditions_that_are_none(here: Call, tiny: Path, condition: str, said: str) -> None:
    """2: a condition that cannot be judged is refused before anything runs."""
    code, out, err = here("run", tiny, "--fail-if", condition)
    assert (code, out) == (2, "")
    assert said in err


# --- interruption ----------------------------------------------------------------------------------------------------


class Breaker(Observer):
    """Raises KeyboardInterrupt at its *at*-th call, of *what* it is told."""

    def __init__(self, at: int, what: str) -> None:
        self._left, self._what = at, what

    def _count(self, what: str) -> None:
        self._left -= what == self._what
        if not self._left:
            raise KeyboardInterrupt

    def answered(self, at_us: int, answer: object) -> None:
        """Count an answer."""
        self._count("answered")

    def moved(self, at_us: int) -> None:
        """Count an event."""
        self._count("moved")


@pytest.mark.parametrize(("at", "what"), [(1, "moved"), (2, "moved"), (37, "moved"), (1, "answered"), (9, "answered")])
def test_an_interrupted_run_is_whole(flow: Path, tmp_path: Path, here: Call, at: int, what: str) -> None:
    """What there is can be saved and audited, and is the beginning of the run that goes on."""
    with pytest.raises(api.Interrupted, match="interrupted at") as caught:
        api.run(flow, observers=[Breaker(at, what)])
    run = caught.value.run
    assert isinstance(caught.value, KeyboardInterrupt)
    assert run.interrupted
    assert run.audit() == []
    assert run.answers == api.run(flow).answers[: len(run.answers)]
    if what == "answered":
        assert len(run.answers) == at
    target = run.save(tmp_path / "out")
    manifest = document(target, "manifest")
    assert (manifest["interrupted"], manifest["simulatedSeconds"]) == (True, run.result.ledger.now_us / 1e6)
    assert here("audit", target)[0] == 0


def test_observers_change_nothing(flow: Path) -> None:
    """A run that is watched has the fingerprint of one that is not."""
    assert api.run(flow, observers=[Observer(), Breaker(-1, "moved")]).fingerprint == api.run(flow).fingerprint


def test_an_interrupt_inside_an_event_is_passed_on(flow: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the books may be half written there is nothing to save."""

    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("simclone.engine.run_loop.RunLoop.step", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        api.run(flow)
    assert type(caught.value) is KeyboardInterrupt


@pytest.mark.parametrize("words", [[], ["--json"]], ids=["table", "json"])
def test_an_interrupted_command(
    here: Call, flow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """130: the directory is written, what there is is printed, and the time is said on stderr."""

    @contextmanager
    def watching(_: float | None) -> Iterator[list[Observer]]:
        yield [Breaker(3, "answered")]

    monkeypatch.setattr(progress, "watching", watching)
    target = tmp_path / "runs" / "out"
    code, out, err = here("run", flow, "--out", target, "--fail-if", "success_ratio>=0", *words)
    assert code == 130
    assert len(json.loads(out)) == 3 if words else "3 of 3 clones placed by 3 requests" in out
    assert err.splitlines()[-1] == "interrupted at 125 s of simulated time"
    assert document(target, "manifest")["interrupted"] is True
    assert [one.name for one in target.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("place", ["table", "swap"])
def test_an_interrupt_while_writing(flow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Ctrl-C while a directory is written or put in place leaves the old one, and nothing beside it."""
    folder = tmp_path / "runs"
    run = api.run(flow, horizon=600)
    run.save(folder / "out")
    before = {one.name: one.read_bytes() for one in (folder / "out").iterdir()}
    rename = os.replace
    calls = 0

    def interrupted(*paths: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == 2 or place == "table":
            raise KeyboardInterrupt
        rename(*paths)

    monkeypatch.setattr(*((store.os, "replace") if place == "swap" else (store.sqlite3, "connect")), interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.save(folder / "out", force=True, tables="sqlite")
    assert [one.name for one in folder.iterdir()] == ["out"]
    assert {one.name: one.read_bytes() for one in (folder / "out").iterdir()} == before


def test_the_first_ctrl_c_waits_for_the_event_and_the_handler_is_given_back() -> None:
    """While a run is watched the first signal only asks; afterwards it is what it was."""
    before = signal.getsignal(signal.SIGINT)
    with progress.watching(None) as (stop, *_):
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            stop.moved(0)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


# --- progress --------------------------------------------------------------------------------------------------------


def test_no_progress_in_a_pipe(simclone: Call, flow: Path) -> None:
    """What is piped gets no line of progress on either stream."""
    code, out, err = simclone("run", flow, "--horizon", "3600")
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    assert "simulated" not in out


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
def test_progress_and_ctrl_c_on_a_terminal(flow: Path, tmp_path: Path) -> None:
    """On a terminal time and figures are shown, and Ctrl-C leaves a whole directory and code 130."""
    import pty

    ours, theirs = pty.openpty()
    words = ["run", str(flow), "--horizon", "1e10", "--keep", "summary", "--out", str(tmp_path / "out")]
    env = {key: one for key, one in os.environ.items() if not key.startswith("SIMCLONE_")} | {"TERM": "xterm"}
    running = subprocess.Popen(
        [sys.executable, "-m", "simclone", *words], stdout=subprocess.DEVNULL, stderr=theirs, env=env
    )
    os.close(theirs)
    seen = b""
    with closing(open(ours, "rb", buffering=0)) as screen, contextlib.suppress(OSError):
        while chunk := screen.read(4096):
            if b" clones, " in seen + chunk and b" clones, " not in seen:
                running.send_signal(signal.SIGINT)
            seen += chunk
    assert running.wait(timeout=60) == 130
    assert b"simulated" in seen
    assert b"failures" in seen
    assert b"interrupted at" in seen
    manifest = document(tmp_path / "out", "manifest")
    assert manifest["interrupted"] is True
