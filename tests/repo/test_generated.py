"""Files derived from the code are as the code has them."""

from __future__ import annotations

import subprocess
import sys

import pytest

import simclone
from tests.repo import generate


def test_generated_files_are_fresh() -> None:
    """`python -m tests.repo.generate` would change nothing; a process of its own, for tests here register things."""
    command = [sys.executable, "-m", "tests.repo.generate", "--check"]
    done = subprocess.run(command, cwd=generate.REPO, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_stale_file_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name."""
    monkeypatch.setitem(generate.GENERATED, generate.STUB_FILE, lambda: "something else")
    assert generate.STUB_FILE.name in generate.stale()


def test_the_stub_names_what_the_package_has() -> None:
    """Every name of the stub can be had, and `dir` lists it."""
    lines = generate.STUB_FILE.read_text("utf-8").splitlines()
    names = [line.rpartition(" as ")[2] for line in lines if " as " in line]
    assert sorted(names) == dir(simclone) == sorted(simclone.__all__)
    assert all(getattr(simclone, name) is not None for name in names)
