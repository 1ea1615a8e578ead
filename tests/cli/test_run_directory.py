"""A run directory is whole or not there."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import simclone as package
from simclone import api, frames
from simclone.errors import NotARunDirectory, RunDirectoryExists

Call = Callable[..., tuple[int, str, str]]
TABLES = ("clones", "decisions", "events", "hosts", "storage")
FILES = {"manifest.json", "responses.json", *(f"{name}.csv" for name in TABLES)}


def entries(folder: Path) -> list[str]:
    """Everything in a folder by name, hidden things too."""
    return sorted(one.name for one in folder.iterdir())


def bytes_of(folder: Path) -> dict[str, bytes]:
    """The files of a folder."""
    return {one.name: one.read_bytes() for one in folder.iterdir()}


def rows(path: Path) -> list[dict[str, str]]:
    """A table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_what_a_run_directory_holds(simclone: Call, tiny: Path, tmp_path: Path) -> None:
    """Manifest, answers and five tables, all of the same run."""
    target = tmp_path / "runs" / "one"
    code, _, _ = simclone("run", tiny, "--seed", "3", "--out", target)
    assert code == 0
    assert set(entries(target)) >= FILES
    assert entries(target.parent) == ["one"]
    manifest = json.loads((target / "manifest.json").read_text("utf-8"))
    assert manifest["schemaVersion"] == 1
    assert (manifest["scenario"], manifest["seed"], manifest["simclone"]) == ("tiny", 3, package.__version__)
    assert manifest["scenarioSha256"] == hashlib.sha256(tiny.read_bytes()).hexdigest()
    assert manifest["argv"] == ["run", str(tiny), "--seed", "3", "--out", str(target)]
    run = api.run(tiny, seed=3)
    assert json.loads((target / "responses.json").read_text("utf-8")) == run.responses
    for name in TABLES:
        frame = getattr(run, name)
        table = rows(target / f"{name}.csv")
        assert len(table) == len(frame)
        assert list(table[0]) == list(frame.columns)
    assert [one["ok"] for one in rows(target / "clones.csv")] == ["True", "True", "True", "False"]


def test_a_run_directory_can_be_read_by_others(tiny: Path, tmp_path: Path) -> None:
    """The directory has ordinary permissions, not those of a temporary one."""
    target = api.run(tiny).save(tmp_path / "out")
    assert target.stat().st_mode & 0o777 == 0o755


def test_the_same_run_gives_the_same_files(tiny: Path, tmp_path: Path) -> None:
    """No clock and no chance of its own: two directories of one run are equal."""
    one, other = (api.run(tiny).save(tmp_path / name) for name in ("one", "other"))
    assert bytes_of(one) == bytes_of(other)


def test_an_empty_directory_may_be_filled(tiny: Path, tmp_path: Path) -> None:
    """A directory that holds nothing is no run that could be lost."""
    target = tmp_path / "out"
    target.mkdir()
    api.run(tiny).save(target)
    assert set(entries(target)) >= FILES


def test_a_full_directory_is_refused(tiny: Path, tmp_path: Path) -> None:
    """Without *force* nothing is written over."""
    target = tmp_path / "out"
    target.mkdir()
    (target / "letter.txt").write_text("dear", "utf-8")
    with pytest.raises(RunDirectoryExists, match="--force") as caught:
        api.run(tiny).save(target)
    assert caught.value.path == str(target)
    assert entries(target) == ["letter.txt"]


def _break(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Let the *at*-th table be the one after which the disk is full."""
    write: Callable[..., None] = frames._write_csv
    count = 0

    def full(*words: Any) -> None:
        nonlocal count
        count += 1
        if count == at:
            raise OSError(28, "No space left on device", "table")
        write(*words)

    monkeypatch.setattr(frames, "_write_csv", full)


@pytest.mark.parametrize("at", [1, 3, 5])
def test_a_failure_leaves_no_directory(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """An exception while writing leaves neither a directory nor its draft."""
    run = api.run(tiny)
    _break(monkeypatch, at)
    folder = tmp_path / "runs"
    with pytest.raises(OSError, match="No space left"):
        run.save(folder / "out")
    assert entries(folder) == []


@pytest.mark.parametrize("at", [1, 3, 5])
def test_a_failure_keeps_the_old_directory(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """An exception while replacing leaves the old run as it was."""
    folder = tmp_path / "runs"
    api.run(tiny).save(folder / "out")
    before = bytes_of(folder / "out")
    _break(monkeypatch, at)
    with pytest.raises(OSError, match="No space left"):
        api.run(tiny, seed=9).save(folder / "out", force=True)
    assert entries(folder) == ["out"]
    assert bytes_of(folder / "out") == before


def test_a_failure_on_the_command_line(here: Call, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is exit code 2 and leaves nothing behind."""
    _break(monkeypatch, 2)
    code, out, err = here("run", tiny, "--out", tmp_path / "runs" / "out")
    assert (code, out, err) == (2, "", "table: No space left on device\n")
    assert entries(tmp_path / "runs") == []


def test_a_failing_rename_keeps_the_old_directory(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the new directory cannot be put in place, the old one stands where it stood."""
    folder = tmp_path / "runs"
    api.run(tiny).save(folder / "out")
    before = bytes_of(folder / "out")
    rename = os.replace

    def refusing(source: Any, target: Any) -> None:
        if Path(target) == folder / "out" and "-old" not in str(source):
            raise OSError(13, "Permission denied")
        rename(source, target)

    monkeypatch.setattr(os, "replace", refusing)
    with pytest.raises(OSError, match="Permission denied"):
        api.run(tiny, seed=9).save(folder / "out", force=True)
    assert bytes_of(folder / "out") == before


def test_force_replaces_a_run_directory_only(tiny: Path, tmp_path: Path) -> None:
    """--force is for an existing run directory; a folder of letters is none."""
    target = tmp_path / "home"
    target.mkdir()
    (target / "letter.txt").write_text("dear", "utf-8")
    with pytest.raises(NotARunDirectory):
        api.run(tiny).save(target, force=True)
    assert entries(target) == ["letter.txt"]


def test_a_link_to_a_run_directory_can_be_replaced(tiny: Path, tmp_path: Path) -> None:
    """--force through a symbolic link writes the run and leaves no litter."""
    api.run(tiny).save(tmp_path / "runs" / "real")
    link = tmp_path / "runs" / "latest"
    link.symlink_to("real")
    api.run(tiny, seed=9).save(link, force=True)
    assert entries(link.parent) == ["latest", "real"]
    assert json.loads((link / "manifest.json").read_text("utf-8"))["seed"] == 9


def test_the_current_directory_can_be_filled(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--out .` in an empty directory writes there."""
    run = api.run(tiny)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    run.save(".")
    assert set(entries(tmp_path / "empty")) >= FILES
