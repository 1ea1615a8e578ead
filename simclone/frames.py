"""Tidy frames of a finished run, and the run directory."""

from __future__ import annotations

import csv
import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from simclone.engine.results.plug_ins import plug_ins_of
from simclone.engine.results.result import RunResult
from simclone.engine.results.series import NOT_MEASURED, PLACE_FIELDS, PLACES, QUEUE_FIELDS, STORAGE_FIELDS
from simclone.engine.results.statistics import Statistics
from simclone.model.columns import IntArray
from simclone.model.inventory import HOST_STATES, STATUSES
from simclone.model.vms import NONE
from simclone.records import ErrorCode, Placed
from simclone.scenario.load import Scenario
from simclone.scenario.writing import data_of
from simclone.store import exchange, refuse_directory, refuse_format, write_parquet, write_sqlite
from simclone.units import SECOND
from simclone.version import __version__

CLONE_COLUMNS = (
    *("request", "position", "name", "ok", "host", "state", "code", "root_code", "reason", "details"),
    *("asked_s", "answered_s", "wait_s"),
)
DECISION_COLUMNS = ("serial", "at_s", "request", "subject", "purpose", "strategy", "host", "page", "tried", "reason")
EVENT_COLUMNS = ("serial", "at_s", "kind", "subject", "target", "amounts", "cause")
STORAGE_COLUMNS = (
    *("storage", "type", "total_bytes", "available_before_bytes", "available_after_bytes"),
    *("total_physical_bytes", "available_physical_bytes", "volumes", "cached_images"),
)
SERIES_COLUMNS = ("at_s", "vms", "cpu_vcpus", "memory_bytes", "waiting")
SCHEMA_VERSION = 1


def _clone_rows(result: RunResult) -> Iterable[tuple[Any, ...]]:
    names = result.ledger.cloud.fleet.names
    for answer in result.answers:
        requested, answered = answer.started_us / SECOND, answer.ended_us / SECOND
        if answer.error is not None:
            codes, rows = _codes(answer.error), {item.position: item.vm for item in answer.clones}
            for position, name in enumerate(answer.request.names):
                waited = result.waited_us.get(rows.get(position, NONE), 0) / SECOND
                yield (answer.request.name, position, name, False, "", "", *codes, requested, answered, waited)
            continue
        for clone in answer.clones:
            host = "" if clone.host == NONE else names[clone.host]
            times = (requested, answered, result.waited_us.get(clone.vm, 0) / SECOND)
            if clone.error is None and clone.snapshot is not None:
                yield (
                    clone.request,
                    clone.position,
                    clone.name,
                    True,
                    host,
                    clone.snapshot.state,
                    "",
                    "",
                    "",
                    "",
                    *times,
                )
            elif clone.error is not None:
                yield (clone.request, clone.position, clone.name, False, "", "", *_codes(clone.error), *times)


def _codes(error: ErrorCode) -> tuple[str, str, str, str]:
    return error.code or "", error.root_code, error.root_reason, error.root.details or ""


def clones_frame(result: RunResult) -> pd.DataFrame:
    """One row per name asked, also of calls that failed as a whole."""
    return pd.DataFrame(list(_clone_rows(result)), columns=list(CLONE_COLUMNS))


def _decision_rows(result: RunResult) -> Iterable[tuple[Any, ...]]:
    names = result.ledger.cloud.fleet.names
    for item in result.decisions:
        built = item.decision
        host = names[built.host] if isinstance(built, Placed) else ""
        page = built.page if isinstance(built, Placed) else -1
        reason = "" if isinstance(built, Placed) else built.error.root_reason
        who = (item.serial, item.at_us / SECOND, item.request, item.subject, item.purpose, item.strategy)
        yield (*who, host, page, len(built.tried), reason)


def decisions_frame(result: RunResult) -> pd.DataFrame:
    """One row per host decision, dry runs included."""
    return pd.DataFrame(list(_decision_rows(result)), columns=list(DECISION_COLUMNS))


def hosts_frame(result: RunResult) -> pd.DataFrame:
    """One row per host, figures before and after the requests."""
    cloud = result.ledger.cloud
    fleet = cloud.fleet
    count = fleet.row_count
    columns: dict[str, Any] = {
        "host": list(fleet.names),
        "cluster": [cloud.clusters[row].name for row in fleet.array(fleet.cluster).tolist()],
        "state": [HOST_STATES[code] for code in fleet.array(fleet.state).tolist()],
        "status": [STATUSES[code] for code in fleet.array(fleet.status).tolist()],
        "total_cpu_vcpus": fleet.array(fleet.total_cpu).copy(),
        "total_memory_bytes": fleet.array(fleet.total_memory).copy(),
        "reserved_memory_bytes": fleet.array(fleet.reserved_memory).copy(),
    }
    for name, unit in (("available_cpu", "vcpus"), ("available_memory", "bytes"), ("vm_count", "vms")):
        before = result.before[name]
        columns[f"{name}_before_{unit}"] = [*before.tolist(), *([0] * (count - len(before)))]
        columns[f"{name}_after_{unit}"] = fleet.array(fleet.cells[name]).copy()
    return pd.DataFrame(columns)


def storage_frame(result: RunResult) -> pd.DataFrame:
    """One row per primary storage."""
    rows = [
        (
            storage.name,
            storage.type,
            storage.total,
            result.storage_before[at],
            storage.available,
            storage.total_physical,
            storage.available_physical,
            storage.volume_count,
            len(storage.caches),
        )
        for at, storage in enumerate(result.ledger.cloud.storages)
    ]
    return pd.DataFrame(rows, columns=list(STORAGE_COLUMNS))


def series_frame(result: RunResult) -> pd.DataFrame:
    """One row per sample of what stood at that time, what stood before the first request included."""
    columns = {name: np.array(values, dtype=np.int64) for name, values in result.series.items()}
    matches = [columns.get(name, np.zeros(0, dtype=np.int64)) for name in ("at_us", "vms", "cpu", "memory", "waiting")]
    at_us, waiting = matches[0], matches[4]
    return pd.DataFrame(dict(zip(SERIES_COLUMNS, (at_us / SECOND, *matches[1:4], waiting), strict=True)))


def places_frame(result: RunResult) -> pd.DataFrame:
    """One row per sample and zone, cluster or host; use is NaN where nobody measures it."""
    table, cloud = _columns(result, "places"), result.ledger.cloud
    names = {
        "zones": [zone.name for zone in cloud.zones],
        "clusters": [cluster.name for cluster in cloud.clusters],
        "hosts": cloud.fleet.names,
    }
    kinds = [PLACES[kind] for kind in table["kind"].tolist()]
    columns: dict[str, Any] = {
        "at_s": table["at_us"] / SECOND,
        "kind": [kind[:-1] for kind in kinds],
        "place": [names[kind][row] for kind, row in zip(kinds, table["row"].tolist(), strict=True)],
        "vms": table["vms"],
    }
    for book in ("held", "available"):
        columns |= {f"{book}_cpu_vcpus": table[f"{book}_cpu"], f"{book}_memory_bytes": table[f"{book}_memory"]}
    for name in ("cpu", "memory"):
        use = table[f"{name}_use_ppm"]
        columns[f"{name}_use_ratio"] = np.where(use == NOT_MEASURED, np.nan, use / 1_000_000)
    return pd.DataFrame(columns)


def storage_series_frame(result: RunResult) -> pd.DataFrame:
    """One row per sample and primary storage."""
    table, storages = _columns(result, "storages"), result.ledger.cloud.storages
    return pd.DataFrame(
        {
            "at_s": table["at_us"] / SECOND,
            "storage": [storages[row].name for row in table["row"].tolist()],
            **{f"{name}_bytes": table[name] for name in ("held", "available", "available_physical")},
            "volumes": table["volumes"],
        }
    )


def queues_frame(result: RunResult) -> pd.DataFrame:
    """One row per sample and kind of queue; *entered* and *waited_s* add up from t = 0."""
    table = _columns(result, "queues")
    names = [] if result.places is None else result.places.queue_names
    return pd.DataFrame(
        {
            "at_s": table["at_us"] / SECOND,
            "queue": [names[row] for row in table["queue"].tolist()],
            **{name: table[name] for name in ("waiting", "busy", "entered")},
            "waited_s": table["waited_us"] / SECOND,
        }
    )


def _columns(result: RunResult, name: str) -> dict[str, IntArray]:
    fields = {"places": PLACE_FIELDS, "storages": STORAGE_FIELDS, "queues": QUEUE_FIELDS}[name]
    if result.places is None:
        return {field: np.zeros(0, dtype=np.int64) for field in fields}
    return {field: np.array(values, dtype=np.int64) for field, values in result.places.tables()[name].items()}


def _event_rows(result: RunResult) -> Iterable[tuple[Any, ...]]:
    for event in result.events:
        amounts = ";".join(f"{name}={amount}" for name, amount in event.amounts)
        yield (event.serial, event.at_us / SECOND, event.kind, event.subject, event.target, amounts, event.cause)


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
    def replication(self) -> int:
        """The number of the replication."""

    @property
    def fingerprint(self) -> str:
        """Its fingerprint."""

    @property
    def responses(self) -> list[dict[str, Any]]:
        """The API's answers."""

    @property
    def interrupted(self) -> bool:
        """Whether it was ended before its end."""

    def statistics(self) -> Statistics:
        """What it comes to."""


def save_run(run: Saved, directory: Path, *, force: bool = False, tables: str = "csv") -> Path:
    """Write a run directory whole or not at all: to a temporary name beside it, then renamed.

    Raises RunDirectoryExists or NotARunDirectory rather than overwrite what a user made.
    """
    refuse_format(tables)
    directory = directory.resolve()
    refuse_directory(directory, force)
    directory.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        _write_run(run, draft, tables)
        draft.chmod(0o755)
        exchange(draft, directory)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return directory


def _write_run(run: Saved, folder: Path, tables: str) -> None:
    _write_json(folder / "records.json", run.result.records(), None)
    _write_json(folder / "responses.json", run.responses)
    _write_json(folder / "statistics.json", run.statistics().to_dict())
    _write_tables(run.result, folder, tables)
    _write_json(folder / "scenario.json", data_of(run.scenario))
    manifest = {
        "schemaVersion": SCHEMA_VERSION,
        "scenario": run.scenario.name,
        "scenarioPath": run.scenario.path,
        "scenarioSha256": run.scenario.sha256,
        "seed": run.seed,
        "replication": run.replication,
        "fingerprint": run.fingerprint,
        "interrupted": run.interrupted,
        "simulatedSeconds": run.result.ledger.now_us / SECOND,
        "complete": run.result.complete,
        "tables": tables,
        "simclone": __version__,
        "python": platform.python_version(),
        "argv": sys.argv[1:],
    }
    plug_ins = plug_ins_of(run.scenario, run.result)
    if plug_ins:
        manifest["plugIns"] = [plug_in.to_dict() for plug_in in plug_ins]
    _write_json(folder / "manifest.json", manifest)


def _write_json(path: Path, document: Any, indent: int | None = 1) -> None:
    path.write_text(json.dumps(document, indent=indent, ensure_ascii=indent is None) + "\n", "utf-8")


def _write_tables(result: RunResult, folder: Path, kind: str) -> None:
    makers = {
        "clones": clones_frame,
        "decisions": decisions_frame,
        "hosts": hosts_frame,
        "storage": storage_frame,
        "events": events_frame,
        "series": series_frame,
        "places": places_frame,
        "storage_series": storage_series_frame,
        "queues": queues_frame,
    }
    frames = ((name, maker(result)) for name, maker in makers.items())
    if kind == "parquet":
        write_parquet(folder, frames)
    elif kind == "sqlite":
        write_sqlite(folder / "run.sqlite", frames)
    else:
        for name, frame in frames:
            _write_csv(folder / f"{name}.csv", list(frame.columns), frame.itertuples(index=False))


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(columns)
        writer.writerows(rows)
