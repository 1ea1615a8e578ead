"""What a benchmark says, and one line of it for the record."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from simclone.bench.beside import beside
from simclone.bench.cloud import opened
from simclone.bench.placement import BenchOutcome, run_placement
from simclone.bench.simulation import run_simulation
from simclone.bench.stream import actions, folded
from simclone.version import __version__

SWEEP_RUNS = 20


def placement(
    hosts: int,
    vms: int,
    regime: str,
    policy: str,
    *,
    ties: str = "lowestUuid",
    paging: bool = False,
    uneven: bool = False,
    compare: bool = False,
) -> dict[str, Any]:
    """Decisions, holds and ends back to back; programs beside it know identical hosts in one page only."""
    result = run_placement(hosts, vms, regime, policy, ties=ties, paging=paging, uneven=uneven)
    said = _said(result, "placements_per_s", vms)
    if compare:
        order, flavours = actions(vms, hosts, regime)
        said["beside"] = beside(hosts, order, flavours, policy)
    return said


def simulation(hosts: int, vms: int, policy: str) -> dict[str, Any]:
    """The timed stream on the clock, from nothing to the last departure."""
    return _said(run_simulation(hosts, vms, policy), "vms_per_s", vms)


def load(hosts: int) -> dict[str, Any]:
    """Hosts by columns into a cloud; the hash is over their uuids."""
    begun = perf_counter()
    ctx = opened(hosts)
    seconds = perf_counter() - begun
    total = 0
    for uuid in ctx.cloud.fleet.uuids:
        total = folded(total, int(uuid, 16))
    return {
        "hash": f"{total:016x}",
        "hosts_per_s": round(hosts / seconds),
        "seconds": round(seconds, 4),
        "peak_rss_bytes": peak_rss_bytes(),
    }


def sweep(hosts: int, vms: int, regime: str, policy: str) -> dict[str, Any]:
    """Many small runs, as sweeps make them: each builds its cloud."""
    begun = perf_counter()
    total = placed = 0
    for _ in range(SWEEP_RUNS):
        result = run_placement(hosts, vms, regime, policy)
        total, placed = folded(total, int(result.hash, 16)), placed + result.placed
    seconds = perf_counter() - begun
    refused = SWEEP_RUNS * vms - placed
    outcome = BenchOutcome(f"{total:016x}", placed, refused, seconds)
    return {**_said(outcome, "vms_per_s", SWEEP_RUNS * vms), "runs": SWEEP_RUNS}


def _said(found: BenchOutcome, rate: str, vms: int) -> dict[str, Any]:
    return {
        "hash": found.hash,
        rate: round(vms / found.seconds),
        "seconds": round(found.seconds, 4),
        "peak_rss_bytes": peak_rss_bytes(),
        "placed": found.placed,
        "refused": found.refused,
    }


def peak_rss_bytes() -> int:
    """The most memory this process has had."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most) if sys.platform == "darwin" else int(most) * 1024


def record(file: Path, what: dict[str, Any], said: dict[str, Any]) -> None:
    """Put a line on a file: the version, what was run, its hash, and the ratios to the programs beside it."""
    rate = said.get("placements_per_s") or said.get("vms_per_s") or said.get("hosts_per_s")
    ratios = {name: round(rate / item["placements_per_s"], 2) for name, item in said.get("beside", {}).items()}
    line = {"simclone": __version__, **what, "hash": said["hash"], "ratios": ratios}
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")
