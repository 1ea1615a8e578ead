"""Many runs give the same whoever makes them; what is finished stays finished."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import simclone
from simclone.errors import Fault, InvalidInput
from simclone.planning.replication import executor as execution
from simclone.planning.replication.executor import Execution, Halted, WorkerLost, outcomes_of, run_blocks
from simclone.planning.replication.outcomes import RunBlock, RunOutcome, blocks_of, work_off
from simclone.planning.replication.plan import ReplicationPlan, replicate
from tests.time.worlds import Doc, stream, vm, world

Rows = list[dict[str, Any]]


def busy(hours: float = 4) -> Doc:
    """Units that come at random to eight vCPUs and stay for an hour or so; one in ten finds no place."""
    lives = {"exponential": {"mean": 3600}}
    arrivals = {"poisson": {"perHour": 8}}
    return world(workload=[stream(arrivals, lifetime=lives)], run={"horizon": hours * 3600, "seed": 3})


def blocks(many: int = 12, size: int = 2, **more: Any) -> list[RunBlock]:
    """Replications in small blocks."""
    return blocks_of(simclone.load(busy(**more)), many, size=size)


def plain(some: Sequence[RunBlock], how: Execution | None = None) -> list[RunOutcome]:
    """The outcomes of the blocks, worked off one way or another."""
    return outcomes_of(some, run_blocks(some, how))


@pytest.fixture(scope="module")
def alone() -> list[RunOutcome]:
    """The outcomes as this process makes them."""
    return plain(blocks())


def test_blocks_do_not_depend_on_their_size(alone: list[RunOutcome]) -> None:
    """Twelve replications by two, by five or at once are the same twelve, and no two of them are alike."""
    assert [one.replication for one in alone] == list(range(12))
    assert plain(blocks(size=5)) == plain(blocks(size=12)) == alone
    assert len({json.dumps(one.figures, sort_keys=True) for one in alone}) == 12
    assert any(one.placed < one.asked for one in alone)


def test_processes_give_the_same_to_the_last_digit(alone: list[RunOutcome]) -> None:
    """Two worker processes."""
    told: list[tuple[int, int]] = []
    found = plain(blocks(), Execution(jobs=2, progress=lambda done, every: told.append((done, every))))
    assert found == alone
    assert told == [(done, 6) for done in range(7)]


def test_faults_come_out_of_processes_whole() -> None:
    """A cloud whose VMs find no host is the same fault from a worker process as from this one."""
    doc = busy()
    doc["vms"].append({**doc["vms"][0], "name": "w", "state": "Running", "cpuNum": 99, "memorySize": "1GiB"})
    doc["vms"][1].pop("instanceOffering")
    some = blocks_of(simclone.load(doc), 4, size=2)
    said = []
    for jobs in (1, 2):
        with pytest.raises(InvalidInput) as caught:
            run_blocks(some, Execution(jobs=jobs))
        said.append(caught.value.faults)
    assert said[0] == said[1]
    assert isinstance(said[0][0], Fault)


PLUGIN = """\
import os, signal
from simclone.planning.replication import executor as execution
from simclone.planning.replication import outcomes
def dying(key, block):
    try:
        os.close(os.open({flag!r}, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return key, outcomes.work_off(block)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def dying(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module for worker processes whose first caller kills itself; the flag tells whether one did."""
    flag, module = folder / "died", "simclone_test_dying"
    (folder / f"{module}.py").write_text(PLUGIN.format(flag=str(flag)), "utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    monkeypatch.setattr(execution, "_keyed", __import__(module).dying)
    return flag


def test_a_process_that_is_killed_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: list[RunOutcome]
) -> None:
    """Its block is worked off by another; the outcomes are those of an undisturbed run."""
    flag = dying(tmp_path, monkeypatch)
    assert plain(blocks(), Execution(jobs=2)) == alone
    assert flag.exists()


# ---------------------------------------------------------------- a directory to resume from


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """First replications of the blocks that are really worked off, in order."""
    seen: list[int] = []

    def work(block: RunBlock) -> Rows:
        seen.append(block.first)
        return work_off(block)

    monkeypatch.setattr(execution, "work_off", work)
    return seen


def interrupted(folder: Path, after: int, some: Sequence[RunBlock]) -> Halted:
    """Ctrl-C once so many blocks are done."""

    def tell(done: int, _: int) -> None:
        if done == after:
            raise KeyboardInterrupt

    with pytest.raises(Halted) as caught:
        run_blocks(some, Execution(resume=str(folder), progress=tell))
    return caught.value


def test_a_second_run_does_the_rest(tmp_path: Path, worked: list[int], alone: list[RunOutcome]) -> None:
    """Four of six blocks are done before Ctrl-C; the second run makes the other two, a third none."""
    halted = interrupted(tmp_path / "kept", 4, blocks())
    assert outcomes_of(blocks(), halted.finished) == alone[:8]
    assert worked == [0, 2, 4, 6]
    how = Execution(resume=str(tmp_path / "kept"))
    assert plain(blocks(), how) == alone
    assert worked == [0, 2, 4, 6, 8, 10]
    assert plain(blocks(), how) == alone
    assert len(worked) == 6


def test_another_seed_or_file_is_not_taken_from_the_directory(tmp_path: Path, worked: list[int]) -> None:
    """What is kept is kept for this very question."""
    how = Execution(resume=str(tmp_path))
    scenario = simclone.load(busy())
    run_blocks(blocks_of(scenario, 2, size=2), how)
    run_blocks(blocks_of(scenario, 2, seed=9, size=2), how)
    run_blocks(blocks_of(simclone.load(busy(hours=5)), 2, size=2), how)
    assert worked == [0, 0, 0]
    run_blocks(blocks_of(scenario, 2, seed=3, size=2), how)
    assert len(worked) == 3


@pytest.mark.parametrize(
    "text",
    ["", "[{", "null", "[]", "{}", "7", '[{"replication": 0}]', "[1, 2]", "cut"],
    ids=lambda text: text or "empty",
)
def test_a_corrupt_block_is_worked_off_again(
    tmp_path: Path, worked: list[int], alone: list[RunOutcome], text: str
) -> None:
    """Whatever the file holds, if it is not the block's outcomes they are made anew, and kept."""
    how = Execution(resume=str(tmp_path))
    run_blocks(blocks(), how)
    file = tmp_path / f"{blocks()[1].key}.json"
    whole = file.read_text("utf-8")
    file.write_text(json.dumps(json.loads(whole)[:1]) if text == "cut" else text, "utf-8")
    del worked[:]
    assert plain(blocks(), how) == alone
    assert worked == [2]
    assert file.read_text("utf-8") == whole
    assert not list(tmp_path.glob(".block-*"))


def test_ctrl_c_in_a_comparison_keeps_pairs(tmp_path: Path) -> None:
    """Of two variants one is ahead when it ends: only replications that both finished count."""

    def tell(done: int, _: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    scenario = simclone.load(busy())
    variants = simclone.change_variants(scenario, {"a": [], "b": [{"set": {"hosts.h1.cpuNum": 9}}]})
    plan = simclone.ReplicationPlan(replications=16, executor=Execution(resume=str(tmp_path), progress=tell))
    found = simclone.compare(scenario, variants, plan=plan)
    assert found.interrupted
    assert found.replications == 8
    assert {one.figure.n for one in found.variants} == {8}
    whole = simclone.compare(scenario, variants, plan=simclone.ReplicationPlan(replications=8))
    assert [one.figure for one in whole.variants] == [one.figure for one in found.variants]


@pytest.mark.parametrize("jobs", [0, -2])
def test_no_processes_are_a_fault(jobs: int) -> None:
    """At least one is needed."""
    with pytest.raises(InvalidInput, match="jobs"):
        Execution(jobs=jobs)


# ---------------------------------------------------------------- a Dask cluster on this machine


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of a scheduler, and the processes (its own first, then the workers'); all are killed at the end."""
    address = f"tcp://127.0.0.1:{free_port()}"
    dask = [sys.executable, "-m", "dask"]
    begun: list[subprocess.Popen[bytes]] = []

    def begin(*words: str) -> None:
        with (folder / f"log-{len(begun)}").open("wb") as log:
            begun.append(subprocess.Popen([*dask, *words], stdout=log, stderr=log, cwd=folder, start_new_session=True))

    try:
        begin("scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2], "--no-dashboard", "--no-show")
        for _ in range(workers):
            begin("worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1")
        from distributed import Client

        with Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)
        yield address, begun
    finally:
        for one in begun:
            one.kill()
        for one in begun:
            one.wait()


@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_gives_the_same_to_the_last_digit(tmp_path: Path, alone: list[RunOutcome]) -> None:
    """Two workers in processes of their own, over TCP; and a comparison from the facade."""
    with cluster(tmp_path) as (address, _):
        assert plain(blocks(), Execution(cluster=address)) == alone
        plan = simclone.ReplicationPlan(replications=12, executor=Execution(cluster=address))
        found = simclone.runway(busy(), plan=plan)
        assert found == simclone.runway(busy(), plan=simclone.ReplicationPlan(replications=12))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_dask_worker_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    """It is killed once the first blocks are done; the other worker makes what it had."""
    with cluster(tmp_path) as (address, processes):

        def tell(done: int, _: int) -> None:
            if done == 3:
                processes[1].kill()
                processes[1].wait()

        some = blocks(24, 2, hours=20)
        assert plain(some, Execution(cluster=address, progress=tell)) == plain(some)
        assert processes[1].poll() is not None
        assert processes[2].poll() is None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_is_killed_is_said_and_what_is_done_is_kept(tmp_path: Path) -> None:
    """No scheduler, no more runs: an error that says so; the finished blocks are in the directory."""
    kept = tmp_path / "kept"
    with cluster(tmp_path) as (address, processes):

        def tell(done: int, _: int) -> None:
            if done == 3:
                processes[0].kill()

        how = Execution(cluster=address, resume=str(kept), progress=tell)
        with pytest.raises(WorkerLost, match="went away"):
            run_blocks(blocks(24, 2, hours=20), how)
    assert 3 <= len(list(kept.glob("*.json"))) < 12


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_nobody_at_the_address_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the address, after the time to connect is over."""
    monkeypatch.setattr(execution, "CONNECT_S", 1)
    with pytest.raises(InvalidInput, match="cluster: nobody answers at 'tcp://127"):
        run_blocks(blocks(), Execution(cluster=f"tcp://127.0.0.1:{free_port()}"))


def test_what_was_finished_with_another_trace_is_not_taken_up(tmp_path: Path) -> None:
    """The scenario is the same to the letter; the file it names is not."""
    trace = tmp_path / "vms.csv"
    doc = world(
        instanceOfferings=[{"name": "source-1-vcpu-1-gib", "cpuNum": 1, "memorySize": "1GiB"}],
        vms=[vm("source-1-vcpu-1-gib", state="Stopped", instanceOffering="source-1-vcpu-1-gib")],
        workload=[{"name": "trace", "trace": {"path": str(trace)}}],
    )
    found = []
    for many in (4, 40):
        trace.write_text(f"arrival_s,end_s,vcpu,memory_gib,count\n0,,1,1,{many}\n", "utf-8")
        runs, _ = replicate(
            {"": simclone.load(doc)}, ReplicationPlan(1, executor=Execution(resume=str(tmp_path / "kept")))
        )
        found.append(runs[""][0].success_ratio)
    assert found == [1.0, 0.2]


def test_single_keywords_make_the_same_plan() -> None:
    """Questions take the command line's words; a plan besides is refused, and so is an unknown word."""
    doc = world(requests=[], vms=[vm("v", state="Stopped", lastHost="h1", primaryStorage="nfs")])
    plan = simclone.ReplicationPlan(replications=2, seed=3)
    assert simclone.shrink(doc, replications=2, seed=3) == simclone.shrink(doc, plan=plan)
    with pytest.raises(TypeError, match="say the same twice"):
        simclone.shrink(doc, plan=plan, seed=3)
    with pytest.raises(TypeError, match="unknown keyword 'replicas'; runs take replications, "):
        simclone.shrink(doc, replicas=3)  # type: ignore[call-arg]
    with pytest.warns(DeprecationWarning, match="Plan is called ReplicationPlan"):
        assert simclone.Plan(2, 3) == plan
