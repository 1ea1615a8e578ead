"""Fixtures: the command line as a process of its own, and inside this one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.cli import acme

REPO = Path(__file__).resolve().parents[2]


class Said(NamedTuple):
    """What a run of the command left behind."""

    code: int
    out: str
    err: str


def environment() -> dict[str, str]:
    """This environment without what steers simclone and rich."""
    unwanted = ("FORCE_COLOR", "NO_COLOR", "COLUMNS", "PYTHONWARNINGS")
    return {key: one for key, one in os.environ.items() if not key.startswith("SIMCLONE_") and key not in unwanted}


@pytest.fixture
def simclone() -> Callable[..., Said]:
    """Run ``python -m simclone`` as a process; further options as for `subprocess.run`."""

    def call(*words: str | Path, **options: Any) -> Said:
        options = {"cwd": REPO, "env": environment(), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.run(
            [sys.executable, "-m", "simclone", *map(str, words)], encoding="utf-8", timeout=120, **options
        )
        return Said(done.returncode, done.stdout or "", done.stderr or "")

    return call


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Call `simclone.cli.main` in this process, so that what it calls can be replaced."""
    from simclone.cli import main

    for key in list(os.environ):
        if key.startswith("SIMCLONE_") or key == "FORCE_COLOR":
            monkeypatch.delenv(key)
    monkeypatch.chdir(REPO)

    def call(*words: str | Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["simclone", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        code = left.value.code
        assert isinstance(code, int)
        return Said(code, out, err)

    return call


BODY = """\
name: tiny
hosts: [{name: h1, cpuNum: 4, totalPhysicalMemory: 9GiB}, {name: h2, cpuNum: 4, totalPhysicalMemory: 9GiB}]
primaryStorages: [{name: nfs, type: NFS, totalCapacity: 1TiB}]
backupStorages: [{name: store}]
images: [{name: image, size: 10GiB, actualSize: 1GiB, backupStorages: [store]}]
instanceOfferings: [{name: o, cpuNum: 1, memorySize: 4GiB}]
vms: [{name: web, instanceOffering: o, image: image, host: h1}]
requests: [{name: ask, vm: web, cloneVmInstance: {names: [a, b, c, d]}}]
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A scenario of two hosts in which three of four clones fit, without expectations."""
    path = tmp_path / "tiny.yaml"
    path.write_text(BODY, "utf-8")
    return path


@pytest.fixture
def right(tiny: Path) -> Path:
    """The scenario with an expectation that holds."""
    path = tiny.with_name("right.yaml")
    path.write_text(BODY + "expect: {ask: {numberOfClonedVm: 3, batch: PARTIAL}}\n", "utf-8")
    return path


@pytest.fixture
def wrong(tiny: Path) -> Path:
    """The scenario with one expectation that holds and two that do not."""
    path = tiny.with_name("wrong.yaml")
    path.write_text(BODY + "expect: {ask: {results: 4, numberOfClonedVm: 4, batch: SUCCESS}}\n", "utf-8")
    return path


@pytest.fixture
def faulty(tiny: Path) -> Path:
    """The scenario with two faults, in lines 2 and 7."""
    path = tiny.with_name("faulty.yaml")
    body = BODY.replace("name: h2, cpuNum: 4", "name: h2, cpuNum: x").replace("image: image, host", "image: im, host")
    path.write_text(body, "utf-8")
    return path


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder for the path with a distribution that brings a plug-in of each kind."""
    folder = tmp_path / "site"
    acme.install(folder)
    return folder


@pytest.fixture
def python(site: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python with that distribution installed."""

    def ran(*words: str | Path) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join((str(site), str(REPO)))
        command = [sys.executable, *map(str, words)]
        return subprocess.run(
            command, capture_output=True, encoding="utf-8", timeout=300, env={**environment(), "PYTHONPATH": path}
        )

    return ran
