"""A run directory on disk: put in place whole, its tables as Parquet (with DuckDB) or in one SQLite file."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from simclone.errors import Fault, InvalidInput, NotARunDirectory, RunDirectoryExists

FORMATS = ("csv", "parquet", "sqlite")
NEEDS_STORE = "Parquet needs DuckDB: pip install 'simclone[store]'"
Tables = Iterable[tuple[str, pd.DataFrame]]


def refuse_directory(directory: Path, force: bool) -> None:
    """Raise when *directory* must not be written: not empty without *force*, or no run directory with it."""
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return
    if not force:
        raise RunDirectoryExists(str(directory))
    if not (directory / "manifest.json").is_file():
        raise NotARunDirectory(str(directory))


def exchange(draft: Path, directory: Path) -> None:
    """Put *draft* in place; what was there goes only after that has worked."""
    if not directory.exists():
        os.replace(draft, directory)
        return
    old = draft.with_name(draft.name + "-old")
    try:
        os.replace(directory, old)
        os.replace(draft, directory)
    finally:
        if not directory.exists():
            os.replace(old, directory)
        elif old.exists():
            shutil.rmtree(old)


def refuse_format(kind: str) -> None:
    """Raise InvalidInput when a format is unknown or what it needs is not installed."""
    if kind not in FORMATS:
        raise InvalidInput([Fault("format", f"{kind!r} is unknown", ", ".join(FORMATS))])
    if kind == "parquet" and find_spec("duckdb") is None:
        raise InvalidInput([Fault("format", NEEDS_STORE, "csv or sqlite without it")])


def write_parquet(folder: Path, tables: Tables) -> None:
    """One file ``<table>.parquet`` per table."""
    import duckdb

    with duckdb.connect() as base:
        for name, frame in tables:
            base.register("given", frame)
            columns = ", ".join(
                f'CAST("{column}" AS {_type(frame, column, "VARCHAR")}) AS "{column}"' for column in frame.columns
            )
            target = str(folder / f"{name}.parquet").replace("'", "''")
            base.execute(f"COPY (SELECT {columns} FROM given) TO '{target}' (FORMAT parquet)")
            base.unregister("given")


def write_sqlite(path: Path, tables: Tables) -> None:
    """All tables in one file."""
    with closing(sqlite3.connect(path)) as base, base:
        for name, frame in tables:
            columns = ", ".join(f'"{column}" {_type(frame, column, "TEXT")}' for column in frame.columns)
            base.execute(f'CREATE TABLE "{name}" ({columns})')
            positions = ", ".join("?" * len(frame.columns))
            base.executemany(f'INSERT INTO "{name}" VALUES ({positions})', frame.itertuples(index=False, name=None))


def _type(frame: pd.DataFrame, column: str, text: str) -> str:
    kind = frame[column].dtype.kind
    return {"b": "BOOLEAN", "i": "BIGINT", "u": "BIGINT", "f": "DOUBLE"}.get(kind, text)
