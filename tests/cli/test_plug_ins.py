"""Plug-ins in use: the manifest of a run names them, and processes that make runs have the same ones."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import BODY, REPO

Python = Callable[..., subprocess.CompletedProcess[str]]


def plug_ins(folder: Path) -> list[list[str]]:
    """Group and name of each plug-in of a manifest, all of the one distribution."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    rows: list[dict[str, Any]] = manifest.get("plugIns", [])
    assert all((row["distribution"], row["version"]) == ("acme-cloud", "2.5") for row in rows)
    return [[row["group"].removeprefix("simclone."), row["name"]] for row in rows]


def saved(python: Python, folder: Path, text: str, *words: str) -> list[list[str]]:
    """The plug-ins that the manifest of a run of a scenario names."""
    (folder / "doc.yaml").write_text(text, "utf-8")
    done = python("-m", "simclone", "run", folder / "doc.yaml", "--out", folder / "out", *words)
    assert done.returncode == 0, done.stderr
    return plug_ins(folder / "out")


DRAWN = "workload: [{name: w, vm: web, arrivals: {poisson: {perHour: 4}}, lifetime: {fromTrace: t.txt}}]"
MAP = "{start: seconds, vcpu: cores, memory: 'memory:GiB'}"
USES = {
    "nothing": ("name: o,", "name: o,", []),
    "strategy": (
        "name: o,",
        "name: o, allocatorStrategy: acme.LastName,",
        [["flows", "flows"], ["strategies", "acme.LastName"]],
    ),
    "storage": ("type: NFS", "type: AcmeBlock", [["storage_types", "AcmeBlock"]]),
    "change": (
        "requests:",
        "incidents: [{at: 5, event: losePower, host: h1}]\nrequests:",
        [["changes", "losePower"]],
    ),
    "trace": (
        "requests:",
        "workload: [{name: w, trace: {path: t.txt, vmFor: web}}]\nrequests:",
        [["traces", "seconds"]],
    ),
    "law": ("requests:", f"{DRAWN}\nrun: {{horizon: 100}}\nrequests:", [["traces", "seconds"]]),
    "map": (
        "requests:",
        f"workload: [{{name: w, trace: {{path: t.csv, vmFor: web, map: {MAP}}}}}]\nrequests:",
        [],
    ),
}


@pytest.mark.parametrize("words", [(), ("--keep", "summary")], ids=["whole", "summary"])
@pytest.mark.parametrize("use", USES)
def test_the_manifest_names_the_plug_ins_in_use(
    python: Python, tmp_path: Path, use: str, words: tuple[str, ...]
) -> None:
    """Each kind where the run used it, and none that is only installed."""
    (tmp_path / "t.txt").write_text("seconds\n5\n7\n", "utf-8")
    (tmp_path / "t.csv").write_text("seconds,cores,memory\n5,1,4\n", "utf-8")
    old, new, used = USES[use]
    assert BODY.count(old) == 1
    assert saved(python, tmp_path, BODY.replace(old, new), *words) == used


def test_a_run_that_a_question_keeps_names_the_question(python: Python, tmp_path: Path, tiny: Path) -> None:
    """From the root of the package, and nothing once it has answered."""
    code = (
        "import sys, simclone\n"
        "simclone.kept(sys.argv[1], out=sys.argv[2])\n"
        "simclone.run(sys.argv[1]).save(sys.argv[3])\n"
    )
    done = python("-c", code, tiny, tmp_path / "asked", tmp_path / "plain")
    assert done.returncode == 0, done.stderr
    assert plug_ins(tmp_path / "asked") == [["questions", "kept"]]
    assert "plugIns" not in json.loads((tmp_path / "plain" / "manifest.json").read_text("utf-8"))


WORKERS = """
import json, sys
sys.path.insert(0, sys.argv[1])
import simclone
names = ["acme.LastName", "simclone.FirstFit"]
answer = simclone.compare(sys.argv[2], strategies=names, replications=9, jobs=int(sys.argv[3]))
print(json.dumps(answer.to_dict()))
"""


def test_worker_processes_have_the_same_plug_ins(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two spawned processes load the distribution from their parent's path, and give the answer one process gives."""
    text = BODY.replace("type: NFS", "type: AcmeBlock")
    text = text.replace("requests:", f"{DRAWN}\nrun: {{horizon: 7200}}\nrequests:")
    (tmp_path / "t.txt").write_text("seconds\n5\n7\n", "utf-8")
    (tmp_path / "doc.yaml").write_text(text, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    answers, processes = [], []
    for jobs in (1, 2):
        seen = tmp_path / f"seen-{jobs}"
        seen.mkdir()
        monkeypatch.setenv("ACME_SEEN", str(seen))
        command = [sys.executable, "-c", WORKERS, str(site), str(tmp_path / "doc.yaml"), str(jobs)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=300)
        assert done.returncode == 0, done.stderr
        answers.append(json.loads(done.stdout))
        processes.append(len(list(seen.iterdir())))
    assert answers[0] == answers[1]
    assert processes[0] == 1
    assert processes[1] > 1
