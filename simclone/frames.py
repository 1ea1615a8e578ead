"""Tidy frames of a finished run, and the run directory."""

from __future__ import annotations

import csv
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from simclone.engine.result import RunResult
from simclone.errors import NotARunDirectory, RunDirectoryExists
from simclone.model.inventory import HOST_STATES, STATUSES
from simclone.model.vms import NONE
from simclone.records import CloneAnswer, Placed
from simclone.scenario.load import Scenario
from simclone.version import __version__

CLONE_COLUMNS = ("request", "position", "name", "ok", "host", "state", "code", "root_code", "reason", "details")
DECISION_COLUMNS = ("serial", "at_s", "request", "subject", "purpose", "strategy", "host", "page", "tried", "reason")
EVENT_COLUMNS = ("serial", "at_s", "kind", "subject", "target", "amounts", "cause")
SCHEMA_VERSION = 1


def _clone_rows(result: RunResult) -> Iterable[tuple[Any, ...]]:
    names = result.ledger.cloud.fleet.names
    for answer in result.answers:
        if answer.error is not None:
            yield from _refused_rows(answer)
        for one in answer.clones:
            host = "" if one.host == NONE else names[one.host]
            if one.error is None and one.snapshot is not None:
                yield (one.request, one.position, one.name, True, host, one.snapshot.state, "", "", "", "")
            elif one.error is not None:
                error = one.error
                codes = (error.code or "", error.root_code, error.root_reason, error.root.details or "")
                yield (one.request, one.position, one.name, False, "", "", *codes)


def _refused_rows(answer: CloneAnswer) -> Iterable[tuple[Any, ...]]:
    error = answer.error
    assert error is not None
    codes = (error.code or "", error.root_code, error.root_reason, error.root.details or "")
    for position, name in enumerate(answer.request.names):
        yield (answer.request.name, position, name, False, "", "", *codes)


def clones_frame(result: RunResult) -> pd.DataFrame:
    """One row per name asked, also of calls that failed as a whole."""
    return pd.DataFrame(list(_clone_rows(result)), columns=list(CLONE_COLUMNS))


def _decision_rows(result: RunResult) -> Iterable[tuple[Any, ...]]:
    names = result.ledger.cloud.fleet.names
    for one in result.decisions:
        made = one.decision
        host = names[made.host] if isinstance(made, Placed) else ""
        page = made.page if isinstance(made, Placed) else -1
        reason = "" if isinstance(made, Placed) else made.error.root_reason
        yield (
            one.serial,
            one.at_us / 1_000_000,
            one.request,
            one.subject,
            one.purpose,
            one.strategy,
            host,
            page,
            len(made.tried),
            reason,
        )


def decisions_frame(result: RunResult) -> pd.DataFrame:
    """One row per host decision, dry runs included."""
    return pd.DataFrame(list(_decision_rows(result)), columns=list(DECISION_COLUMNS))


def hosts_frame(result: RunResult) -> pd.DataFrame:
    """One row per host, figures before and after the requests."""
    cloud = result.ledger.cloud
    fleet = cloud.fleet
    count = fleet.size
    columns: dict[str, Any] = {
        "host": list(fleet.names),
        "cluster": [cloud.clusters[row].name for row in fleet.array("cluster").tolist()],
        "state": [HOST_STATES[code] for code in fleet.array("state").tolist()],
        "status": [STATUSES[code] for code in fleet.array("status").tolist()],
        "total_cpu_vcpus": fleet.array("total_cpu").copy(),
        "total_memory_bytes": fleet.array("total_memory").copy(),
        "reserved_memory_bytes": fleet.array("reserved_memory").copy(),
    }
    for name, unit in (("available_cpu", "vcpus"), ("available_memory", "bytes"), ("vm_count", "vms")):
        before = result.before[name]
        columns[f"{name}_before_{unit}"] = [*before.tolist(), *([0] * (count - len(before)))]
        columns[f"{name}_after_{unit}"] = fleet.array(name).copy()
    return pd.DataFrame(columns)


def storage_frame(result: RunResult) -> pd.DataFrame:
    """One row per primary storage."""
    rows = [
        (
            one.name,
            one.type,
            one.total,
            result.storage_before[at],
            one.available,
            one.total_physical,
            one.available_physical,
            one.volume_count,
            len(one.caches),
        )
        for at, one in enumerate(result.ledger.cloud.storages)
    ]
    names = (
        "storage",
        "type",
        "total_bytes",
        "available_before_bytes",
        "available_after_bytes",
        "total_physical_bytes",
        "available_physical_bytes",
        "volumes",
        "cached_images",
    )
    return pd.DataFrame(rows, columns=list(names))


def _event_rows(result: RunResult) -> Iterable[tuple[Any, ...]]:
    for one in result.events:
        amounts = ";".join(f"{name}={amount}" for name, amount in one.amounts)
        yield (one.serial, one.at_us / 1_000_000, one.kind, one.subject, one.target, amounts, one.cause)


def events_frame(result: RunResult) -> pd.DataFrame:
    """One row per change of the ledger."""
    return pd.DataFrame(list(_event_rows(result)), columns=list(EVENT_COLUMNS))


class Saved(Protocol):
    """What of a run is written."""

    @property
    def scenario(self) -> Scenario:
        """The scenario that was run."""

    @property
    def result(self) -> RunResult:
        """Its records."""

    @property
    def seed(self) -> int:
        """The seed used."""

    @property
    def fingerprint(self) -> str:
        """Its fingerprint."""

    @property
    def responses(self) -> list[dict[str, Any]]:
        """The API's answers."""


def refuse_directory(directory: Path, force: bool) -> None:
    """Raise when *directory* must not be written: not empty without *force*, or no run directory with it."""
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return
    if not force:
        raise RunDirectoryExists(str(directory))
    if not (directory / "manifest.json").is_file():
        raise NotARunDirectory(str(directory))


def save_run(run: Saved, directory: Path, *, force: bool = False) -> Path:
    """Write a run directory whole or not at all: to a temporary name beside it, then renamed.

    Raises RunDirectoryExists or NotARunDirectory rather than overwrite what a user made.
    """
    directory = directory.resolve()
    refuse_directory(directory, force)
    directory.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        _write_run(run, draft)
        draft.chmod(0o755)
        _exchange(draft, directory)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return directory


def _exchange(draft: Path, directory: Path) -> None:
    """Put *draft* in place; what was there goes only after that has worked."""
    if not directory.exists():
        os.replace(draft, directory)
        return
    old = draft.with_name(draft.name + "-old")
    os.replace(directory, old)
    try:
        os.replace(draft, directory)
    except OSError:
        os.replace(old, directory)
        raise
    shutil.rmtree(old)


def _write_run(run: Saved, folder: Path) -> None:
    (folder / "records.json").write_text(json.dumps(run.result.records()), "utf-8")
    (folder / "responses.json").write_text(json.dumps(run.responses, indent=1, ensure_ascii=False), "utf-8")
    for name, frame in (
        ("clones", clones_frame(run.result)),
        ("decisions", decisions_frame(run.result)),
        ("hosts", hosts_frame(run.result)),
        ("storage", storage_frame(run.result)),
        ("events", events_frame(run.result)),
    ):
        _write_csv(folder / f"{name}.csv", list(frame.columns), frame.itertuples(index=False))
    manifest = {
        "schemaVersion": SCHEMA_VERSION,
        "scenario": run.scenario.name,
        "scenarioSha256": run.scenario.sha256,
        "seed": run.seed,
        "fingerprint": run.fingerprint,
        "simclone": __version__,
        "python": platform.python_version(),
        "argv": sys.argv[1:],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(columns)
        writer.writerows(rows)
