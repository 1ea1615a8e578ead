"""The standard workload: its stream, its reference hashes, its command, and programs beside it that decide alike."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from simclone.bench.beside import beside
from simclone.bench.placement import run_placement
from simclone.bench.simulation import run_simulation
from simclone.bench.stream import FLAVOURS, HOST_CORES, HOST_GIB, actions, folded, requests
from simclone.cli import cli

REPO = Path(__file__).resolve().parents[2]
SHARED = REPO.parent / "shared" / "bench" / "expected.csv"
Row = tuple[int, int, str, str, int, str]


def reference(hosts: int, vms: int, regime: str, policy: str) -> tuple[str, int]:
    """Slow and plain: every host looked at for every request."""
    order, flavours = actions(vms, hosts, regime)
    cores, gib, count = [HOST_CORES] * hosts, [HOST_GIB] * hosts, [0] * hosts
    where: dict[int, int] = {}
    total = 0
    keys = {
        "fewest": lambda host: (count[host], host),
        "worst": lambda host: (-cores[host], host),
        "best": lambda host: (cores[host], host),
        "first": lambda host: host,
    }
    for act in order:
        number = act if act >= 0 else -act - 1
        c, g, _ = FLAVOURS[flavours[number]]
        host = where.pop(number, -1) if act < 0 else -1
        sign = -1
        if act >= 0:
            fits = [one for one in range(hosts) if cores[one] >= c and gib[one] >= g]
            host, sign = min(fits, key=keys[policy], default=-1), 1
            total = folded(total, host)
            if host >= 0:
                where[act] = host
        if host >= 0:
            cores[host], gib[host], count[host] = cores[host] - sign * c, gib[host] - sign * g, count[host] + sign
    return f"{total:016x}", total


def decided(hosts: int, vms: int, regime: str, policy: str) -> tuple[str, int]:
    """Hash and placed VMs of the bench."""
    found = run_simulation(hosts, vms, policy) if regime == "timed" else run_placement(hosts, vms, regime, policy)
    assert found.placed + found.refused == vms
    return found.hash, found.placed


SHIPPED: list[Row] = [
    (100, 10_000, "churn", "best", 10_000, "5528587e515ad5af"),
    (100, 10_000, "churn", "fewest", 10_000, "45607569d94bdb28"),
    (100, 10_000, "churn", "first", 10_000, "a1caeeb58005c18e"),
    (100, 10_000, "churn", "worst", 10_000, "b8971cae0805cef5"),
    (100, 10_000, "fill", "best", 2400, "b8118669691ce937"),
    (100, 10_000, "fill", "fewest", 2403, "8dd527e20abbb9c3"),
    (100, 10_000, "fill", "first", 2400, "b8118669691ce937"),
    (100, 10_000, "fill", "worst", 2513, "bb700cbdbbcb4cc8"),
    (100, 10_000, "timed", "best", 10_000, "25a87744daee0b4f"),
    (100, 10_000, "timed", "fewest", 10_000, "de2f3cbd52bd5c0d"),
    (100, 10_000, "timed", "first", 10_000, "065cc73ba0d70b8b"),
    (100, 10_000, "timed", "worst", 10_000, "88e111c6c7c62dc0"),
]


@pytest.mark.parametrize("row", SHIPPED, ids=lambda row: f"{row[2]}-{row[3]}")
def test_the_reference_hashes_come_out(row: Row) -> None:
    """Twelve of the published hashes, through the whole chain."""
    *what, placed, wanted = row
    assert decided(*what) == (wanted, placed)  # type: ignore[arg-type]


def expected() -> list[Row]:
    """The published table."""
    if not SHARED.exists():
        return []
    with SHARED.open() as lines:
        return [
            (int(one["hosts"]), int(one["vms"]), one["regime"], one["policy"], int(one["placed"]), one["hash"])
            for one in csv.DictReader(lines)
        ]


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="bench/expected.csv is not beside the clone")
@pytest.mark.parametrize("hosts", [100, 1000, 10_000, 100_000])
def test_every_published_hash_comes_out(hosts: int) -> None:
    """All of up to 300,000 requests; a million for the two cases that matter most at 100,000 hosts."""
    rows = [row for row in expected() if row[0] == hosts and (row[1] <= 300_000 or row[2:4] == ("churn", "first"))]
    assert rows
    for *what, placed, wanted in rows:
        assert decided(*what) == (wanted, placed), what  # type: ignore[arg-type]


@pytest.mark.parametrize("policy", ["fewest", "worst", "best", "first"])
@pytest.mark.parametrize("regime", ["fill", "churn", "timed"])
def test_a_plain_program_decides_alike(regime: str, policy: str) -> None:
    """Seven hosts, filled and emptied: the bench, a plain loop, the numpy scan and the heap agree."""
    hosts, vms = 7, 900
    wanted = reference(hosts, vms, regime, policy)[0]
    assert decided(hosts, vms, regime, policy)[0] == wanted
    order, flavours = actions(vms, hosts, regime)
    assert {one["hash"] for one in beside(hosts, order, flavours, policy).values()} == {wanted}


def test_flavours_do_not_depend_on_the_regime() -> None:
    """Every third draw is used up in all regimes."""
    assert len({tuple(actions(500, 10, regime)[1]) for regime in ("fill", "churn", "timed")}) == 1
    assert next(iter(requests(1, 10)))[1] == 1


def test_the_command_prints_one_object_in_order(tmp_path: Path) -> None:
    """Hash, rate, seconds, memory first; the record gets a line with ratios."""
    file = tmp_path / "record.jsonl"
    words = ["bench", "placement", "--hosts", "100", "--vms", "1000", "--json", "--record", str(file)]
    for _ in range(2):
        done = CliRunner().invoke(cli, words)
        assert done.exit_code == 0, done.output
    said = json.loads(done.output)
    assert list(said)[:4] == ["hash", "placements_per_s", "seconds", "peak_rss_bytes"]
    assert said["hash"] == "d928c81aaf939744"
    assert set(said["beside"]) == {"numpy_scan", "heap"}
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["hash"] for line in lines] == [said["hash"]] * 2
    assert set(lines[0]["ratios"]) == {"numpy_scan", "heap"}


@pytest.mark.parametrize(
    ("kind", "rate"), [("simulation", "vms_per_s"), ("sweep", "vms_per_s"), ("load", "hosts_per_s")]
)
def test_the_other_kinds_print_their_rates(kind: str, rate: str) -> None:
    """Each with its rate second, and the same hash every time."""
    words = ["bench", kind, "--hosts", "50", "--vms", "200", "--json"]
    said = [json.loads(CliRunner().invoke(cli, words).output) for _ in range(2)]
    assert list(said[0])[1] == rate
    assert said[0]["hash"] == said[1]["hash"]


def test_pages_and_draws_change_decisions_but_not_what_fits() -> None:
    """At the default tie break and in pages the same VMs are placed on a cloud that has room."""
    plain = run_placement(50, 400, "churn", "fewest")
    for more in ({"ties": "shuffle"}, {"paging": True}):
        found = run_placement(50, 400, "churn", "fewest", **more)  # type: ignore[arg-type]
        assert found.placed == plain.placed == 400
    assert run_placement(50, 400, "churn", "fewest", ties="shuffle").hash != plain.hash


@pytest.mark.parametrize("words", [["placement", "--hosts", "0"], ["nothing"], ["placement", "--policy", "luck"]])
def test_wrong_words_are_usage_errors(words: list[str]) -> None:
    """2, and no traceback."""
    assert CliRunner().invoke(cli, ["bench", *words]).exit_code == 2
