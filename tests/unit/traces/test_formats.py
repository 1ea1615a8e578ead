"""Tables of no known format by a column map, later windows under other names, and formats of other packages."""

from __future__ import annotations

import gzip
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from simclone.changes.load import scenario_of
from simclone.cli.fit import command as fit_command
from simclone.cli.trace import command as trace_command
from simclone.errors import Fault, InvalidInput
from simclone.scenario.reading import hosts_csv
from simclone.traces.batches import batched
from simclone.traces.column_map import ColumnMap
from simclone.traces.formats import FORMATS, formats, open_trace
from simclone.traces.lines import FaultList
from simclone.traces.rows import VmRow
from simclone.traces.table import Column, CsvTable
from simclone.units import GIB, MIB, SECOND

DAY = Path(__file__).resolve().parents[3] / "scenarios" / "data" / "azure-vm-2017-day"
MAP = "start=created_at,end=terminated_at,vcpu=vcpus,memory=memory_mb:MiB"
EXPORT = (
    "id,created_at,terminated_at,vcpus,memory_mb,note\n"
    'a,2024-05-01T10:00:00Z,2024-05-01T11:00:00Z,2,4096,"web, small"\n'
    "b,2024-05-01 12:00:00.25+02:00,,0.5,512,\n"
    "\n"
    "c,2024-05-01T10:00:01,2024-05-02T00:00:00Z,8,16384,\n"
)


def file(folder: Path, text: str | bytes, name: str = "export.csv") -> Path:
    """A file with *text*."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def faults_of(rows: Iterator[VmRow]) -> tuple[Fault, ...]:
    """The faults that reading *rows* to the end raises."""
    with pytest.raises(InvalidInput) as caught:
        list(rows)
    return caught.value.faults


# ---------------------------------------------------------------- column maps


def test_a_table_of_dates_is_read_by_its_map(tmp_path: Path) -> None:
    """The first start is second 0, offsets count, other columns and blank lines do not matter."""
    rows = list(open_trace(file(tmp_path, EXPORT), ColumnMap.parse(MAP)))
    assert rows == [
        VmRow(0, 3600 * SECOND, 2000, 4 * GIB, 0, None, "vm-1"),
        VmRow(250_000, None, 500, 512 * MIB, 0, None, "vm-2"),
        VmRow(SECOND, 14 * 3600 * SECOND, 8000, 16 * GIB, 0, None, "vm-4"),
    ]


def test_every_field_and_unit_of_a_map(tmp_path: Path) -> None:
    """Milliseconds, thousandths, sizes with a unit, lifetimes, copies, words as groups and names."""
    table = "n,t,life,cpu,mem,g,k,who\nx,0,1.5,250,4GiB,1,1,red\ny,2000,,1000,512,0,2,red\nz,2000,0,1,1K,0,1,\n"
    text = "name=n,start=t:ms,lifetime=life,vcpu=cpu:milli,memory=mem,gpus=g,count=k,group=who"
    assert list(open_trace(file(tmp_path, table), ColumnMap.parse(text))) == [
        VmRow(0, 1_500_000, 250, 4 * GIB, 1, 0, "x"),
        VmRow(2 * SECOND, None, 1000, 512, 0, 0, "y-1"),
        VmRow(2 * SECOND, None, 1000, 512, 0, 0, "y-2"),
        VmRow(2 * SECOND, 2 * SECOND, 1, 1024, 0, None, "z"),
    ]


@pytest.mark.parametrize(("unit", "size"), [("MB", MIB), ("MiB", MIB), ("GB", GIB), ("GiB", GIB), ("B", 1)])
def test_units_of_sizes_are_binary(tmp_path: Path, unit: str, size: int) -> None:
    """As in every file of simclone; the last digit must be whole bytes."""
    columns = ColumnMap.parse(f"start=t,vcpu=c,memory=m:{unit}")
    assert [row.memory_bytes for row in open_trace(file(tmp_path, "t,c,m\n0,1,2\n"), columns)] == [2 * size]


@pytest.mark.parametrize(("unit", "scale"), [("", SECOND), (":s", SECOND), (":ms", 1000), (":us", 1)])
def test_units_of_times(tmp_path: Path, unit: str, scale: int) -> None:
    """Seconds are the usual unit; start and end are from the start of the trace."""
    columns = ColumnMap.parse(f"start=t{unit},end=e{unit},vcpu=c,memory=m")
    (row,) = open_trace(file(tmp_path, "t,e,c,m\n5,7,1,2\n"), columns)
    assert (row.arrival_us, row.end_us) == (5 * scale, 7 * scale)


def test_a_published_table_reads_the_same_by_a_map(tmp_path: Path) -> None:
    """The columns of a known format, named in a map, give the same VMs."""
    table = file(tmp_path, "vmid,cpu,mem,at,lt\n0,4,16,0.0,194.0\n1,1,2,2.0,5.5\n")
    columns = ColumnMap.parse("name=vmid,vcpu=cpu,memory=mem:GiB,start=at,lifetime=lt")
    assert list(open_trace(table, columns)) == list(open_trace(table))


MAP_FAULTS = [
    ("start", "'start' is no part of a map; expected field=column or field=column:unit"),
    ("start=", "'start=' is no part of a map; expected field=column"),
    ("start=a,start=b", "the map names start twice"),
    ("strat=a", "the map names 'strat'; expected start"),
    ("disk=a", "the map names 'disk'; expected one of start, end, lifetime, vcpu, memory, gpus, count, group, name"),
    ("start=a", "the map does not name vcpu and memory; expected start, vcpu, memory at least"),
    ("start=a:h,vcpu=c,memory=m", "unknown unit 'h' of start; expected one of s, ms, us"),
    ("start=a,vcpu=c,memory=m:MBit", "unknown unit 'MBit' of memory; expected one of B, KB, KiB, MB, MiB, GB"),
    ("start=a,vcpu=c,memory=m,name=n:x", "unknown unit 'x' of name; expected no unit"),
    ("start=:ms,vcpu=c,memory=m", "the map names no column for start; expected start=column:ms"),
    ("start=a,end=b,lifetime=d,vcpu=c,memory=m", "the map names both end and lifetime; expected one of the two"),
    ("start=a,vcpu=a,memory=m", "the map names the column 'a' twice"),
]


@pytest.mark.parametrize(("text", "message"), MAP_FAULTS, ids=[text for text, _ in MAP_FAULTS])
def test_a_wrong_map_is_a_sentence(text: str, message: str) -> None:
    """Each mistake says what was expected."""
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        ColumnMap.parse(text)


def test_a_map_of_other_columns_names_those_there_are(tmp_path: Path) -> None:
    """A mapped column that the table lacks is a fault with the columns of both."""
    columns = ColumnMap.parse("start=created,vcpu=vcpus,memory=memory_mb:MiB")
    path = file(tmp_path, EXPORT)
    (fault,) = faults_of(open_trace(path, columns))
    assert str(fault) == (
        f"{path}:1:1: created: column 'created' is missing among id,created_at,terminated_at,vcpus,memory_mb,note"
        " (expected the columns created,vcpus,memory_mb)"
    )


HEAD = "id,created_at,terminated_at,vcpus,memory_mb\n"
ROW_FAULTS = [
    ("a,tomorrow,,1,1\n", 2, 3, "created_at", "'tomorrow' is not a number of seconds"),
    ("a,2024-13-01,,1,1\n", 2, 3, "created_at", "'2024-13-01' is not a date"),
    ("a,2024-05-01,,1,1\nb,5,,1,1\n", 3, 3, "created_at", "'5' is not a date, as the first row has"),
    ("a,5,2024-05-01,1,1\n", 2, 5, "terminated_at", "'2024-05-01' is a date, but the first row has a number"),
    ("a,-5,,1,1\n", 2, 3, "created_at", "before the start of the trace"),
    ("a,5,4,1,1\n", 2, 5, "terminated_at", "ends before it arrives"),
    ("a,2024-05-02,,1,1\nb,2024-05-01,,1,1\n", 3, 3, "created_at", "before the start of the trace"),
    ("a,5,,1,1\nb,4,,1,1\n", 3, 3, "created_at", "earlier than a row before it"),
    ("a,5,,one,1\n", 2, 6, "vcpus", "'one' is not a number of vCPU"),
    ('"a, b",5,,1,-1\n', 2, 13, "memory_mb", "'-1' is not a number of MiB"),
    ("a,5,,1,1GiB\n", 2, 8, "memory_mb", "'1GiB' is not a number of MiB"),
    ("a,5,,1\n", 2, 1, "", "4 fields"),
]


@pytest.mark.parametrize(("rows", "line", "column", "path", "message"), ROW_FAULTS, ids=[row[0] for row in ROW_FAULTS])
def test_a_wrong_row_of_a_mapped_table_has_its_position(
    tmp_path: Path, rows: str, line: int, column: int, path: str, message: str
) -> None:
    """Faults name line, column and the column's own name."""
    fault = faults_of(open_trace(file(tmp_path, HEAD + rows), ColumnMap.parse(MAP)))[0]
    assert (fault.line, fault.column, fault.path) == (line, column, path)
    assert message in fault.message


def trace(*words: str) -> Result:
    """`simclone trace` with these words."""
    return CliRunner().invoke(trace_command, list(words))


def test_the_commands_take_a_map(tmp_path: Path) -> None:
    """`trace` writes a mapped table as a plain one, `fit` fits it; a wrong map is bad usage with a sentence."""
    source, out = file(tmp_path, EXPORT), tmp_path / "plain.csv"
    assert trace(str(source), str(out), "--map", MAP).exit_code == 0
    columns = ColumnMap.parse(MAP)
    assert list(batched(open_trace(out))) == list(batched(open_trace(source, columns)))
    fitted = CliRunner().invoke(fit_command, [str(source), "--map", MAP])
    assert (fitted.exit_code, "source-2-vcpu-4-gib" in fitted.stdout) == (0, True)
    wrong = trace(str(source), "-", "--map", "start=created_at")
    assert wrong.exit_code == 2
    assert "--map: the map does not name vcpu and memory" in wrong.stderr
    refused = trace(str(source), "-")
    assert isinstance(refused.exception, InvalidInput)
    assert "or another table with a column map" in str(refused.exception)


def scenario(path: Path, **trace: object) -> dict[str, object]:
    """A scenario that replays the trace at *path*."""
    source = {"name": "v", "cpuNum": 1, "memorySize": "1GiB", "state": "Stopped"}
    return {"vms": [source], "workload": [{"name": "t", "trace": {"path": str(path), "vmFor": "v", **trace}}]}


def test_a_scenario_says_the_map_in_its_trace_block(tmp_path: Path) -> None:
    """A wrong map, and a table without the mapped columns, are faults of the trace block."""
    pairs = {"start": "created_at", "vcpu": "vcpus", "memory": "memory_mb:MiB"}
    path = file(tmp_path, EXPORT)

    def faults(**block: object) -> list[str]:
        with pytest.raises(InvalidInput) as caught:
            scenario_of(scenario(path, **block))
        return [f"{fault.path}: {fault.message}" for fault in caught.value.faults if "workload" in fault.path]

    assert faults(map=pairs) == []
    wrong = faults(map={"start": "created_at"})
    assert wrong == [
        "workload.0.trace.map: the map does not name vcpu and memory; expected start, vcpu, memory at least"
    ]
    (lacking,) = faults(map={**pairs, "start": "created"})
    assert lacking.startswith("workload.0.trace.path: ")
    assert "column 'created' is missing among id,created_at" in lacking
    assert faults(map={"start": 5}) == ["workload.0.trace.map.start: 5"]


# ---------------------------------------------------------------- windows under other names


def later_window(folder: Path, shift_s: int, names: dict[str, str]) -> Path:
    """The shipped day *shift_s* seconds later, its files under other names."""
    folder.mkdir(exist_ok=True)
    for name, other in names.items():
        text = (DAY / name).read_text()
        if "c2100000" in name or name == "v1.dev.txt":
            pairs = (line.split(" ", 1) for line in text.splitlines()[:40])
            text = "".join(f"{int(slot) + shift_s} {items}\n" for slot, items in pairs)
        file(folder, gzip.compress(text.encode()) if other.endswith(".gz") else text, other)
    return folder


MAPS = {"flav_map.txt": "flav_map.txt", "v1.interval_map.txt": "v1.interval_map.txt"}
TEST_WINDOW = {"v1.dev.txt": "v1.test.txt", "v1.dev.c2100000.txt": "v1.test.c2400000.txt"}
NAMELESS = {"v1.dev.txt": "b.dat", "v1.dev.c2100000.txt": "a.dat", "flav_map.txt": "c", "v1.interval_map.txt": "d.gz"}


def first_slots() -> list[VmRow]:
    """The VMs of the first 40 slots of the shipped day."""
    return [row for row in open_trace(DAY) if row.arrival_us < (1_886_400 + 40 * 300) * SECOND]


@pytest.mark.parametrize("names", [TEST_WINDOW | MAPS, NAMELESS], ids=["v1.test", "nameless"])
def test_a_later_window_reads_like_the_first(tmp_path: Path, names: dict[str, str]) -> None:
    """A window that starts later, under other names, has the same VMs at other times, by directory and by file."""
    folder = later_window(tmp_path / "w", 300_000, names)
    rows = list(open_trace(folder))
    expected = [
        (row.arrival_us + 300_000 * SECOND, row.cpu_milli, row.memory_bytes, row.group, row.end_us is None)
        for row in first_slots()
    ]
    assert [
        (row.arrival_us, row.cpu_milli, row.memory_bytes, row.group, row.end_us is None) for row in rows
    ] == expected
    assert len(rows) > 1000
    for name in ("v1.dev.txt", "v1.dev.c2100000.txt"):
        assert list(open_trace(folder / names[name])) == rows


def test_windows_side_by_side_are_told_apart_by_their_slots(tmp_path: Path) -> None:
    """With two windows in a directory, one of its files says which; the directory alone is a fault that names both."""
    later_window(tmp_path, 300_000, TEST_WINDOW | MAPS)
    later_window(tmp_path, 0, {name: name for name in TEST_WINDOW})
    assert list(open_trace(tmp_path / "v1.dev.txt")) == first_slots()
    assert next(open_trace(tmp_path / "v1.test.txt")).arrival_us == (1_886_400 + 300_000) * SECOND
    with pytest.raises(InvalidInput, match=r"several files hold flavours by slot: v1\.dev\.txt, v1\.test\.txt"):
        open_trace(tmp_path)


def test_running_vms_must_agree_when_the_record_ended(tmp_path: Path) -> None:
    """Where no name says when the record ended, VMs still running say it; one that contradicts them is a fault."""
    bins = "".join(f"{number * 300} {number}\n" for number in range(8))
    for name, text in (("f", "600 m,m,|\n900 m,|\n"), ("l", "8,14 m\n"), ("b", bins)):
        file(tmp_path, text, name)
    path = file(tmp_path, "600 C3,U1,|\n900 C2,|\n", "d")
    assert [row.end_us for row in open_trace(tmp_path)] == [None, 900 * SECOND, None]
    file(tmp_path, "600 C3,U1,|\n900 C5,|\n", "d")
    (fault,) = faults_of(open_trace(tmp_path))
    assert str(fault) == f"{path}:2:5: C5 is 1500 to 1500 s (expected the bin of 600 s)"
    file(tmp_path, "600 C3,U4,|\n900 C2,|\n", "d")
    (fault,) = faults_of(open_trace(tmp_path))
    assert str(fault) == f"{path}:1:8: U4 is 1200 to 1200 s (expected at most 900 s)"


# ---------------------------------------------------------------- one reader


WRONG = 'name,cluster,cpuNum,totalPhysicalMemory\n\nh1,c,1\n"h2",c,1,1G\n\xff,c,1,1G\n'.encode("latin-1")


def test_traces_and_hosts_share_the_faults_of_tables(tmp_path: Path) -> None:
    """The same bytes have the same faults, in the same words and positions, as hosts and as a mapped trace."""
    path = file(tmp_path, WRONG)
    hosts = hosts_csv.read_hosts(tmp_path, path.name)
    columns = ColumnMap.parse("start=cpuNum,vcpu=cpuNum2,memory=totalPhysicalMemory")
    table = CsvTable([Column(name) for name in ("name", "cluster", "cpuNum", "totalPhysicalMemory")], by_hand=True)
    faults = FaultList(path)
    records = list(table.records(path, faults))
    assert hosts.faults == faults.faults
    assert [(fault.line, fault.column, fault.message) for fault in hosts.faults] == [
        (3, 1, "3 fields"),
        (5, 1, "byte 0xff is not UTF-8"),
    ]
    assert [record.texts[0] for record in records if record.complete] == [host["name"] for host in hosts.rows] == ["h2"]
    headers = b"name,cluster,cpuNum\n"
    with pytest.raises(InvalidInput) as caught:
        hosts_csv.read_hosts(tmp_path, file(tmp_path, headers).name)
    (as_host,) = caught.value.faults
    as_trace = faults_of(open_trace(path, columns))
    assert {(fault.line, fault.column) for fault in (as_host, *as_trace)} == {(1, 1)}
    assert as_host.message == "column 'totalPhysicalMemory' is missing among name,cluster,cpuNum"
    assert as_host.message in [fault.message for fault in as_trace]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_with_a_sentence(tmp_path: Path) -> None:
    """A trace is read more than once, which a pipe or a device does not allow."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path(os.devnull)):
        with pytest.raises(InvalidInput, match="is a pipe or a device, which can be read only once"):
            open_trace(path)


# ---------------------------------------------------------------- the register


PLUGIN = """
from simclone.traces.rows import VmRow
from simclone.traces.trace_format import TraceFormat
from pathlib import Path

FORMAT = TraceFormat("a list of seconds", lambda path, line: float(line == "seconds"), lambda path: iter(
    VmRow(int(line) * 1_000_000, None, 1000, 1, 0, None, line) for line in Path(path).read_text().split()[1:]))
WRONG = 5
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with an entry point that is written into the file returned."""
    file(tmp_path, PLUGIN, "seconds_format.py")
    (tmp_path / "seconds_format-1.0.dist-info").mkdir()
    file(
        tmp_path, "Metadata-Version: 2.1\nName: seconds-format\nVersion: 1.0\n", "seconds_format-1.0.dist-info/METADATA"
    )
    monkeypatch.syspath_prepend(tmp_path)
    formats.cache_clear()
    yield tmp_path / "seconds_format-1.0.dist-info" / "entry_points.txt"
    formats.cache_clear()
    sys.modules.pop("seconds_format", None)


def test_a_format_of_another_package_is_used(tmp_path: Path, plugin: Path) -> None:
    """An installed format stands behind the built-in ones and recognises its own files."""
    plugin.write_text("[simclone.traces]\nseconds = seconds_format:FORMAT\n")
    assert list(formats()) == [*FORMATS, "seconds"]
    assert [row.name for row in open_trace(file(tmp_path, "seconds\n5\n7\n", "s.txt"))] == ["5", "7"]


@pytest.mark.parametrize(
    ("line", "message"),
    [("odd = seconds_format:WRONG", "is not a trace format"), ("plain = seconds_format:FORMAT", "this name is taken")],
)
def test_a_wrong_format_of_another_package_is_a_fault(plugin: Path, line: str, message: str) -> None:
    """What is no format, or takes a name, is named."""
    plugin.write_text(f"[simclone.traces]\n{line}\n")
    with pytest.raises(InvalidInput, match=message):
        formats()
