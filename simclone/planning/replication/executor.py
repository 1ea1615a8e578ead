"""Many runs: in this process, in processes of their own, or on a Dask cluster; the same answer from each.

What is finished is kept: on disk with a resume directory, in the result after Ctrl-C. A worker that dies loses nothing,
its blocks are worked off again.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simclone.errors import Fault, InvalidInput, SimcloneError
from simclone.planning.arguments import check_fields
from simclone.planning.replication.outcomes import RunBlock, RunOutcome, outcomes_from, work_off

Rows = list[dict[str, Any]]
ATTEMPTS = 3
"""So often a block is begun when workers die on it."""
CONNECT_S = 10


@dataclass(frozen=True, slots=True)
class Execution:
    """How runs are made: *jobs* processes (1: this one), or the Dask *cluster* at an address.

    Finished blocks go to and come from the *resume* directory; *progress* is told blocks done and all.
    """

    jobs: int = 1
    cluster: str | None = None
    resume: str | None = None
    progress: Callable[[int, int], None] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        check_fields(self)
        if self.jobs < 1:
            raise InvalidInput([Fault("jobs", f"{self.jobs} is no number of processes", "at least 1")])


class Halted(KeyboardInterrupt):
    """Ctrl-C during many runs; *finished* are the blocks that were done."""

    def __init__(self, finished: Mapping[str, Rows]) -> None:
        self.finished = finished
        super().__init__(f"{len(finished)} blocks were finished")


class WorkerLost(SimcloneError):
    """Workers died on the same block again and again, or the scheduler of the cluster did."""


def run_blocks(blocks: Sequence[RunBlock], how: Execution | None = None) -> dict[str, Rows]:
    """Outcomes by block key; raises `Halted` on Ctrl-C with what is finished, InvalidInput, WorkerLost."""
    how = how or Execution()
    unique = {block.key: block for block in blocks}
    store = _Store(how.resume)
    finished = {key: rows for key, block in unique.items() if (rows := store.read(block)) is not None}
    remaining = {key: block for key, block in unique.items() if key not in finished}
    _tell(how, len(finished), len(unique))
    try:
        for key, rows in _worked_off(remaining, how):
            finished[key] = rows
            store.write(key, rows)
            _tell(how, len(finished), len(unique))
    except KeyboardInterrupt:
        raise Halted(finished) from None
    return finished


def outcomes_of(blocks: Sequence[RunBlock], done: Mapping[str, Rows]) -> list[RunOutcome]:
    """The outcomes of one scenario's blocks, by replication; those of unfinished blocks are missing."""
    return outcomes_from([row for block in blocks for row in done.get(block.key, ())])


def _tell(how: Execution, done: int, every: int) -> None:
    if how.progress is not None:
        how.progress(done, every)


def _worked_off(blocks: Mapping[str, RunBlock], how: Execution) -> Iterator[tuple[str, Rows]]:
    if how.cluster is not None:
        return _on_cluster(blocks, how.cluster)
    if how.jobs == 1 or len(blocks) < 2:
        return ((key, work_off(block)) for key, block in blocks.items())
    return _in_processes(blocks, how.jobs)


def _keyed(key: str, block: RunBlock) -> tuple[str, Rows]:
    return key, work_off(block)


def _in_processes(blocks: Mapping[str, RunBlock], jobs: int) -> Iterator[tuple[str, Rows]]:
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    remaining = dict(blocks)
    for _ in range(ATTEMPTS):
        parallel = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="2*n_jobs")
        try:
            for key, rows in parallel(delayed(_keyed)(key, block) for key, block in tuple(remaining.items())):
                del remaining[key]
                yield key, rows
        except TerminatedWorkerError:
            continue
        return
    raise WorkerLost(f"worker processes died {ATTEMPTS} times; {len(remaining)} blocks are not done")


def _on_cluster(blocks: Mapping[str, RunBlock], address: str) -> Iterator[tuple[str, Rows]]:
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError:
        fault = Fault("cluster", "Dask is not installed", "pip install 'simclone[cluster]'")
        raise InvalidInput([fault]) from None
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        fault = Fault("cluster", f"nobody answers at {address!r}: {error}", "HOST:PORT of a Dask scheduler")
        raise InvalidInput([fault]) from None
    with client:
        futures = [client.submit(_keyed, key, block, key=key, retries=ATTEMPTS) for key, block in blocks.items()]
        try:
            for future, result in as_completed(futures, loop=client.loop, with_results=True):
                if future.cancelled():
                    raise WorkerLost(f"the scheduler at {address} went away before all runs were made")
                future.release()
                yield result
        except KilledWorker as error:
            raise WorkerLost(str(error)) from None


class _Store:
    """Finished blocks on disk, a file each, put in place whole."""

    def __init__(self, folder: str | None) -> None:
        self._folder = None if folder is None else Path(folder)
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)

    def read(self, block: RunBlock) -> Rows | None:
        """The rows of a block, if they are there, readable and whole."""
        if self._folder is None:
            return None
        try:
            rows: Rows = json.loads((self._folder / f"{block.key}.json").read_text("utf-8"))
            numbers = [item.replication for item in outcomes_from(rows)]
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return rows if numbers == list(range(block.first, block.last)) else None

    def write(self, key: str, rows: Rows) -> None:
        """Keep the rows of a block."""
        if self._folder is None:
            return
        handle, draft = tempfile.mkstemp(dir=self._folder, prefix=".block-")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(rows, stream)
        os.replace(draft, self._folder / f"{key}.json")
