"""Hosts in a CSV file: what is wrong is named with line and column, and the work grows with their number."""

from __future__ import annotations

import gzip
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simclone.changes.load import load_scenario
from simclone.errors import InvalidInput
from simclone.scenario.load import Scenario

HEAD = "name,cluster,cpuNum,totalPhysicalMemory"
SCENARIO = "clusters: [{name: c}]\nhosts: {csv: hosts.csv}\n"


def _load(folder: Path, table: str | bytes, more: str = "") -> Scenario:
    (folder / "hosts.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
    (folder / "s.yaml").write_text(SCENARIO + more)
    return load_scenario(folder / "s.yaml")


@contextmanager
def counted_calls() -> Iterator[Counter[str]]:
    """Counts the calls of functions, Python's and built-in ones, made inside the block."""
    calls: Counter[str] = Counter()
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, argument: calls.update((event,)))
    try:
        yield calls
    finally:
        sys.setprofile(before)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("", [f"hosts.csv:1:1: the file is empty (expected a header line with {HEAD.replace(',', ', ')})"]),
        (
            "name,cluster,cpuNum\n",
            [
                "hosts.csv:1:1: totalPhysicalMemory: column 'totalPhysicalMemory' is missing among name,cluster,cpuNum"
                f" (expected the columns {HEAD},uuid,state,status,hypervisorType,architecture)"
            ],
        ),
        (
            f"{HEAD},stat,name\n",
            [
                "hosts.csv:1:41: stat: unknown column 'stat' (expected 'state')",
                "hosts.csv:1:46: name: column 'name' twice (expected each column once)",
            ],
        ),
        (f"{HEAD}\nh1,c,1,".encode() + b"\xff\n", ["hosts.csv:2:8: byte 0xff is not UTF-8 (expected UTF-8 text)"]),
        (f'{HEAD}\n"h1,c,1,1G\n', ['hosts.csv:2:1: a quoted field does not end (expected a closing ")']),
        (f"{HEAD},lable:rack\n", ["hosts.csv:1:41: lable:rack: unknown column 'lable:rack' (expected 'label:rack')"]),
        (f'{HEAD}\nh1,c,1,"1G"B\n', ["hosts.csv:2:12: text behind a quoted field (expected a comma)"]),
        (
            f"\ufeff{HEAD},label:rack\r\nh1,c,1,1G,r\r\nh1,d,x,1Q,\r\nh2,c\r\n,c,0,,\r\n",
            [
                "s.yaml:3:40: hostGroups.0.hosts.2: unknown host 'zz' (expected h1)",
                "hosts.csv:3:1: hosts.1.name: 'h1' is taken by hosts.0.name",
                "hosts.csv:3:4: hosts.1.cluster: unknown cluster 'd' (expected c)",
                "hosts.csv:3:6: hosts.1.cpuNum: 'x' (expected a whole number)",
                "hosts.csv:3:8: hosts.1.totalPhysicalMemory: '1Q' is not a size"
                " (expected a size in bytes or with a unit, such as 256GiB)",
                "hosts.csv:4:1: 2 fields (expected 5 fields)",
                "hosts.csv:5:1: hosts.2.name: is missing",
                "hosts.csv:5:4: hosts.2.cpuNum: 0 (expected more than 0)",
                "hosts.csv:5:6: hosts.2.totalPhysicalMemory: is missing",
            ],
        ),
    ],
)
def test_faults_of_a_table(tmp_path: Path, table: str | bytes, expected: list[str]) -> None:
    """Faults of the table stand at their cells; names that could not be read cause no further faults."""
    with pytest.raises(InvalidInput) as caught:
        _load(tmp_path, table, "hostGroups: [{name: g, hosts: [h1, h2, zz]}]\n" if "label" in str(table) else "")
    found = [str(fault).removeprefix(f"{tmp_path}/") for fault in caught.value.faults]
    assert found == expected


def test_optional_columns(tmp_path: Path) -> None:
    """States, uuids and labels arrive, quoted fields and blank lines are read."""
    uuid = "0" * 31 + "1"
    table = f'{HEAD},uuid,state,status,label:rack\n"h1",c,4,8GiB,{uuid},Disabled,Connecting,r1\n\nh2,c,4,8GiB,,,,\n'
    fleet = _load(tmp_path, table).build().cloud.fleet
    assert fleet.names == ["h1", "h2"]
    assert fleet.labels == [{"rack": "r1"}, {}]
    assert (fleet.uuids[0], fleet.state[0], fleet.status[0]) == (uuid, 1, 1)


def test_a_quoted_field_may_hold_commas_quotes_and_lines(tmp_path: Path) -> None:
    """What spreadsheets quote is read as it was typed, and faults behind it keep their line and column."""
    table = f'{HEAD},label:note\n"h1",c,1,1G,"two\nlines, ""quoted"""\n"h""2",c,2,1G,\n'
    fleet = _load(tmp_path, table).build().cloud.fleet
    assert fleet.names == ["h1", 'h"2']
    assert fleet.labels == [{"note": 'two\nlines, "quoted"'}, {}]
    with pytest.raises(InvalidInput) as caught:
        _load(tmp_path, table.replace(",c,2,", ",c,0,").replace(",c,1,1G", ",c,1,1Q"))
    assert [(fault.line, fault.column, fault.path) for fault in caught.value.faults] == [
        (2, 10, "hosts.0.totalPhysicalMemory"),
        (4, 10, "hosts.1.cpuNum"),
    ]


def test_line_ends_of_every_kind_and_gzip(tmp_path: Path) -> None:
    """Carriage returns alone or with line feeds, and a packed file, are the same hosts."""
    table = f"{HEAD}\nh1,c,4,8GiB\nh2,c,4,8GiB\n".encode()
    for raw in (table, table.replace(b"\n", b"\r\n"), table.replace(b"\n", b"\r"), gzip.compress(table)):
        assert _load(tmp_path, raw).build().cloud.fleet.names == ["h1", "h2"]


def test_the_table_is_part_of_the_hash(tmp_path: Path) -> None:
    """Another host is another scenario."""
    first = _load(tmp_path, f"{HEAD}\nh1,c,4,8GiB\n").sha256
    assert first != _load(tmp_path, f"{HEAD}\nh1,c,4,9GiB\n").sha256


def test_ten_thousand_hosts(tmp_path: Path) -> None:
    """A big fleet loads and builds with so much work a host as a small one: about 80 calls each, counted."""
    work: dict[int, int] = {}
    for count in (1_000, 10_000):
        rows = "".join(f"h{number},c,64,256GiB\n" for number in range(count))
        with counted_calls() as calls:
            cloud = _load(tmp_path, f"{HEAD}\n{rows}").build().cloud
        work[count] = calls["call"] + calls["c_call"]
    assert cloud.fleet.names[:2] == ["h0", "h1"]
    assert cloud.fleet.row_count == 10_000
    assert work[10_000] < 11 * work[1_000]
    assert work[10_000] < 200 * 10_000
