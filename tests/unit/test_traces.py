"""Recorded workloads: readers of three published formats, their faults, and the figures of the data itself."""

from __future__ import annotations

import gzip
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from simclone.errors import Fault, InvalidInput
from simclone.traces import azure, huawei, openb
from simclone.traces.batches import batched
from simclone.traces.lines import LONGEST_LINE, MOST_FAULTS
from simclone.traces.rows import Batch, HostRow, VmRow
from simclone.units import GIB, MIB, SECOND
from simclone.workload import open_trace

ROOT = Path(__file__).resolve().parents[2]
DAY = ROOT / "scenarios" / "data" / "azure-vm-2017-day"
HOSTS = ROOT / "scenarios" / "data" / "openb-hosts-2023" / "openb_node_list_all_node.csv"
TRACES = ROOT.parent / "shared" / "traces"

HUAWEI_HEAD = "vmid,cpu,mem,at,lt\n"
POD_HEAD = (
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
)
HOST_HEAD = "sn,cpu_milli,memory_mib,gpu,model\n"


# ---------------------------------------------------------------- small files


def written(directory: Path, content: str | bytes, name: str = "trace.csv") -> Path:
    """A file with *content*."""
    path = directory / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


WINDOW = {
    "v1.dev.txt": "1800000 m,|,a,b,a,|\n1800300 b,|\n",
    "v1.dev.c2100000.txt": "1800000 U0,|,U2,C4,U3,|\n1800300 C4,|\n",
    "flav_map.txt": "1,0.75 a\n1,1.75 b\n8,14 m\n",
    "v1.interval_map.txt": "".join(f"{s * 300} {min(s, 3 + (s > 5))}\n" for s in range(1001)),
}
"""A window of two slots; its bins are 0 s, 300 s, 600 s, 900 to 1,500 s, and 1,800 to 300,000 s."""


def window(directory: Path, **changed: str | bytes | None) -> Path:
    """A directory with the small window, files *changed* by the first letters of their names; None leaves one out."""
    keys = {"flavours": "v1.dev.txt", "durations": "v1.dev.c2100000.txt"}
    keys |= {"letters": "flav_map.txt", "intervals": "v1.interval_map.txt"}
    files: dict[str, str | bytes | None] = {**WINDOW}
    files |= {keys[key]: content for key, content in changed.items()}
    for name, content in files.items():
        if content is not None:
            written(directory, content, name)
    return directory


def faults_of(rows: Iterator[object]) -> tuple[Fault, ...]:
    """The faults that reading *rows* to the end raises."""
    with pytest.raises(InvalidInput) as caught:
        for _ in rows:
            pass
    return caught.value.faults


def places(faults: Iterable[Fault]) -> list[tuple[int, int, str]]:
    """Line, column and path of each fault."""
    return [(fault.line, fault.column, fault.path) for fault in faults]


def test_huawei_rows_are_exact(tmp_path: Path) -> None:
    """A Huawei row becomes microseconds, 1/1000 vCPU and bytes without passing through floats."""
    path = written(tmp_path, HUAWEI_HEAD + "0,4,16,0.0,194.0\n7,1,2,0.0,0.1\n8,1,2,2678081.000001,1\n")
    assert list(huawei.read_vms(path)) == [
        VmRow(0, 194 * SECOND, 4000, 16 * GIB, 0, None, "0"),
        VmRow(0, 100_000, 1000, 2 * GIB, 0, None, "7"),
        VmRow(2_678_081_000_001, 2_678_082_000_001, 1000, 2 * GIB, 0, None, "8"),
    ]


def test_openb_pods_are_exact(tmp_path: Path) -> None:
    """A pod lives from creation to deletion, a share of a GPU counts as one device, no deletion is no end."""
    path = written(
        tmp_path,
        POD_HEAD + "p0,3152,0,1,460,,LS,Running,5,9,5\np1,1,1,0,0,T4|P100,BE,Pending,5,5,\n"
        "p2,1,1,8,1000,,BE,Running,6,,7\n",
    )
    assert list(openb.read_pods(path)) == [
        VmRow(5 * SECOND, 9 * SECOND, 3152, 0, 1, None, "p0"),
        VmRow(5 * SECOND, 5 * SECOND, 1, MIB, 0, None, "p1"),
        VmRow(6 * SECOND, None, 1, MIB, 8, None, "p2"),
    ]


def test_openb_hosts_are_exact(tmp_path: Path) -> None:
    """A host row keeps its name, capacity in 1/1000 vCPU and bytes, and its GPUs."""
    path = written(tmp_path, HOST_HEAD + "h0,32000,262144,0,\nh1,96000,786432,8,V100M32\n")
    assert list(openb.read_hosts(path)) == [
        HostRow("h0", 32_000, 256 * GIB, 0, ""),
        HostRow("h1", 96_000, 768 * GIB, 8, "V100M32"),
    ]


def test_azure_window_follows_the_lifetime_rule(tmp_path: Path) -> None:
    """A U VM lives for the middle of its bin, 150 s in bin 0; a C VM has no end; batches are numbered."""
    at = 1_800_000 * SECOND
    small, fair = 3 * GIB // 4, 7 * GIB // 4
    assert list(azure.read_vms(window(tmp_path))) == [
        VmRow(at, at + 150 * SECOND, 8000, 14 * GIB, 0, 0, "vm-1800000-0"),
        VmRow(at, at + 600 * SECOND, 1000, small, 0, 1, "vm-1800000-1"),
        VmRow(at, None, 1000, fair, 0, 1, "vm-1800000-2"),
        VmRow(at, at + 1200 * SECOND, 1000, small, 0, 1, "vm-1800000-3"),
        VmRow(at + 300 * SECOND, None, 1000, fair, 0, 2, "vm-1800300-0"),
    ]


def test_azure_lines_may_end_with_a_comma(tmp_path: Path) -> None:
    """A comma after the last batch of a slot makes no difference."""
    plain = list(azure.read_vms(window(tmp_path)))
    commas = {"flavours": "v1.dev.txt", "durations": "v1.dev.c2100000.txt"}
    changed = {key: WINDOW[name].replace("|\n", "|,\n") for key, name in commas.items()}
    assert list(azure.read_vms(window(tmp_path, **changed))) == plain


DISGUISES: dict[str, Callable[[bytes], bytes]] = {
    "byte order mark": lambda raw: b"\xef\xbb\xbf" + raw,
    "CRLF": lambda raw: raw.replace(b"\n", b"\r\n"),
    "no last line end": lambda raw: raw.removesuffix(b"\n"),
    "gzip": gzip.compress,
    "all of it": lambda raw: gzip.compress(b"\xef\xbb\xbf" + raw.replace(b"\n", b"\r\n")),
}


@pytest.mark.parametrize("disguise", DISGUISES.values(), ids=DISGUISES)
def test_encodings_of_the_same_text_read_the_same(tmp_path: Path, disguise: Callable[[bytes], bytes]) -> None:
    """A byte order mark, CRLF, a missing last line end and gzip change nothing."""
    table = HUAWEI_HEAD + "0,4,16,0.0,194.0\n1,1,2,2.0,5.0\n"
    plain = list(huawei.read_vms(written(tmp_path, table)))
    assert list(open_trace(written(tmp_path, disguise(table.encode()), "other.csv"))) == plain
    slots = list(open_trace(window(tmp_path)))
    for name, content in WINDOW.items():
        written(tmp_path, disguise(content.encode()), name)
    assert list(open_trace(tmp_path)) == slots


def test_azure_files_may_be_named_gz(tmp_path: Path) -> None:
    """Each file of a window is also found under its name with .gz."""
    plain = list(open_trace(window(tmp_path)))
    for name, content in WINDOW.items():
        (tmp_path / name).unlink()
        written(tmp_path, gzip.compress(content.encode()), name + ".gz")
    assert list(open_trace(tmp_path)) == plain
    assert list(open_trace(tmp_path / "v1.dev.txt.gz")) == plain


def test_a_header_alone_is_a_trace_without_rows(tmp_path: Path) -> None:
    """A table with its header and nothing else yields nothing."""
    assert list(open_trace(written(tmp_path, HUAWEI_HEAD))) == []


# ---------------------------------------------------------------- faults


READERS: dict[str, Callable[[Path], Iterator[VmRow | HostRow]]] = {
    "huawei": huawei.read_vms,
    "pods": openb.read_pods,
    "hosts": openb.read_hosts,
}
HEADS = {"huawei": HUAWEI_HEAD, "pods": POD_HEAD, "hosts": HOST_HEAD}

FILE_FAULTS: dict[str, tuple[bytes, list[tuple[int, int, str]], str]] = {
    "empty": (b"", [(1, 1, "")], "the file is empty"),
    "gzip of nothing": (gzip.compress(b""), [(1, 1, "")], "the file is empty"),
    "broken gzip": (gzip.compress(b"vmid," * 99)[:-9], [(1, 1, "")], "cannot be read further"),
    "not gzip after all": (b"\x1f\x8bnonsense", [(1, 1, "")], "cannot be read further"),
    "damaged gzip": (gzip.compress(b"a" * 999)[:10] + b"\xff" * 20, [(1, 1, "")], "cannot be read further"),
    "not UTF-8 in the header": (b"vmid,cpu\xe9,mem,at,lt\n", [(1, 9, "")], "byte 0xe9 is not UTF-8"),
    "UTF-16": ("vmid".encode("utf-16"), [(1, 1, "")], "is not UTF-8"),
    "no line ends": (b"x" * (LONGEST_LINE + 9), [(1, 1, "")], "the line does not end"),
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(("content", "where", "message"), FILE_FAULTS.values(), ids=FILE_FAULTS)
def test_a_file_that_is_no_text_is_a_fault(
    tmp_path: Path, name: str, content: bytes, where: list[tuple[int, int, str]], message: str
) -> None:
    """An empty, damaged or undecodable file is refused with file, line and column, by every reader."""
    path = written(tmp_path, content)
    for reader in (READERS[name], opened):
        faults = faults_of(reader(path))
        assert places(faults) == where
        assert message in faults[0].message
        assert faults[0].file == str(path)


def opened(path: Path) -> Iterator[VmRow]:
    """As `open_trace`, with what it refuses at once refused on iteration."""
    yield from open_trace(path)


@pytest.mark.parametrize("name", READERS)
def test_a_missing_file_or_a_directory_is_a_fault(tmp_path: Path, name: str) -> None:
    """What cannot be opened is an invalid input, not a traceback from the operating system."""
    for path in (tmp_path / "none.csv", tmp_path):
        (fault,) = faults_of(READERS[name](path))
        assert fault.file == str(path)
        assert "cannot be read" in fault.message


HEADER_FAULTS: dict[str, tuple[str, str, list[tuple[int, int, str]], str]] = {
    "missing": ("huawei", "vmid,cpu,mem,at", [(1, 1, "lt")], "'lt' is missing"),
    "extra": ("huawei", "vmid,cpu,mem,at,lt,disk", [(1, 20, "disk")], "unknown column 'disk'"),
    "renamed": ("huawei", "vmid,cpu,memory,at,lt", [(1, 10, "memory"), (1, 1, "mem")], "unknown column 'memory'"),
    "twice": ("huawei", "vmid,cpu,mem,at,lt,cpu", [(1, 20, "cpu")], "'cpu' twice"),
    "another order": ("huawei", "vmid,mem,cpu,at,lt", [(1, 1, "")], "another order"),
    "spaces": ("hosts", "sn, cpu_milli,memory_mib,gpu,model", [(1, 4, " cpu_milli"), (1, 1, "cpu_milli")], "unknown"),
    "no header": (
        "hosts",
        "h0,3,sn,gpu,model",
        [(1, 1, "h0"), (1, 4, "3"), (1, 1, "cpu_milli"), (1, 1, "memory_mib")],
        "unknown column 'h0'",
    ),
    "capitals": ("pods", POD_HEAD.strip().replace("qos", "QoS"), [(1, 54, "QoS"), (1, 1, "qos")], "'QoS'"),
}


@pytest.mark.parametrize(("name", "header", "where", "message"), HEADER_FAULTS.values(), ids=HEADER_FAULTS)
def test_an_unknown_header_is_refused_before_any_row(
    tmp_path: Path, name: str, header: str, where: list[tuple[int, int, str]], message: str
) -> None:
    """A missing, extra, renamed, doubled or moved column is a fault of line 1 that names the column."""
    rows = READERS[name](written(tmp_path, header + "\n1,2,3\n"))
    faults = faults_of(rows)
    assert message in faults[0].message
    assert places(faults) == where


ROW_FAULTS: dict[str, tuple[str, str, list[tuple[int, int, str]], str]] = {
    "text for a number": ("huawei", "0,four,16,0.0,1.0\n", [(2, 3, "cpu")], "'four' is not a whole number"),
    "fraction of a vCPU": ("huawei", "0,0.5,16,0.0,1.0\n", [(2, 3, "cpu")], "'0.5' is not a whole number"),
    "no vCPU": ("huawei", "0,0,16,0.0,1.0\n", [(2, 3, "cpu")], "out of range"),
    "negative memory": ("huawei", "0,1,-1,0.0,1.0\n", [(2, 5, "mem")], "'-1' is not a whole number"),
    "beyond 64 bits": ("huawei", f"0,1,{9 * 10**18},0.0,1.0\n", [(2, 5, "mem")], "out of range"),
    "thousands of digits": ("huawei", f"0,{'9' * 5000},1,0.0,1.0\n", [(2, 3, "cpu")], "out of range"),
    "digits of another script": ("huawei", "0,٤,1,0.0,1.0\n", [(2, 3, "cpu")], "is not a whole number"),
    "not a number": ("huawei", "0,1,1,nan,1.0\n", [(2, 7, "at")], "'nan' is not a number of seconds"),
    "infinite": ("huawei", "0,1,1,0.0,inf\n", [(2, 11, "lt")], "'inf' is not a number of seconds"),
    "exponent": ("huawei", "0,1,1,1e3,1.0\n", [(2, 7, "at")], "'1e3' is not a number of seconds"),
    "half a number": ("huawei", "0,1,1,5.,.5\n", [(2, 7, "at"), (2, 10, "lt")], "'5.' is not a number"),
    "nanoseconds": ("huawei", "0,1,1,0.0000001,1.0\n", [(2, 7, "at")], "finer than a microsecond"),
    "end of time": ("huawei", f"0,1,1,{10**14}.0,1.0\n", [(2, 7, "at")], "out of range"),
    "empty field": ("huawei", "0,1,,0.0,1.0\n", [(2, 5, "mem")], "'' is not a whole number"),
    "space": ("huawei", "0, 1,1,0.0,1.0\n", [(2, 3, "cpu")], "' 1' is not a whole number"),
    "quotes": ("huawei", '0,"1",1,0.0,1.0\n', [(2, 3, "")], "quoted field"),
    "too few fields": ("huawei", "0,1,1,0.0\n", [(2, 1, "")], "4 fields"),
    "too many fields": ("huawei", "0,1,1,0.0,1.0,\n", [(2, 1, "")], "6 fields"),
    "empty line": ("huawei", "0,1,1,0.0,1.0\n\n1,1,1,0.0,1.0\n", [(3, 1, "")], "1 fields"),
    "before the start": ("huawei", "0,1,1,-1.0,1.0\n", [(2, 7, "at")], "before the start"),
    "end before start": ("huawei", "0,1,1,5.0,-2.5\n", [(2, 11, "lt")], "ends 2.5 s before it arrives"),
    "unsorted": (
        "huawei",
        "0,1,1,5.0,1.0\n1,1,1,4.0,1.0\n2,1,1,5.0,1.0\n3,1,1,4.5,1.0\n",
        [(3, 7, "at"), (5, 7, "at")],
        "earlier than a row before it",
    ),
    "vmid again": ("huawei", "3,1,1,5.0,1.0\n3,1,1,5.0,1.0\n", [(3, 1, "vmid")], "vmid 3 after 3"),
    "pod text": ("pods", "p,x,1,0,0,,LS,Running,0,9,0\n", [(2, 3, "cpu_milli")], "'x' is not a whole number"),
    "pod share": ("pods", "p,1,1,1,1001,,LS,Running,0,9,0\n", [(2, 9, "gpu_milli")], "out of range"),
    "pod without name": ("pods", ",1,1,0,0,,LS,Running,0,9,0\n", [(2, 1, "name")], "the field is empty"),
    "pod end before start": ("pods", "p,1,1,0,0,,LS,Running,9,8,\n", [(2, 25, "deletion_time")], "ends before"),
    "pod scheduled early": ("pods", "p,1,1,0,0,,LS,Running,5,8,4\n", [(2, 27, "scheduled_time")], "outside"),
    "pod scheduled late": ("pods", "p,1,1,0,0,,LS,Running,5,8,9\n", [(2, 27, "scheduled_time")], "outside"),
    "pod half a second": ("pods", "p,1,1,0,0,,LS,Running,0.5,8,5\n", [(2, 23, "creation_time")], "'0.5' is not"),
    "pods unsorted": (
        "pods",
        "p,1,1,0,0,,LS,Running,5,8,5\nq,1,1,0,0,,LS,Running,4,8,5\n",
        [(3, 23, "creation_time")],
        "earlier",
    ),
    "pod again": (
        "pods",
        "p,1,1,0,0,,LS,Running,5,8,5\np,1,1,0,0,,LS,Running,6,8,6\n",
        [(3, 1, "name")],
        "'p' was used before",
    ),
    "host text": ("hosts", "h,x,y,z,\n", [(2, 3, "cpu_milli"), (2, 5, "memory_mib"), (2, 7, "gpu")], "'x' is not"),
    "host without CPU": ("hosts", "h,0,1,0,\n", [(2, 3, "cpu_milli")], "out of range"),
    "host again": ("hosts", "h,1,1,0,\nh,1,1,0,\n", [(3, 1, "sn")], "'h' was used before"),
    "GPUs without a type": ("hosts", "h,1,1,2,\n", [(2, 9, "model")], "2 GPUs of type ''"),
    "a type without GPUs": ("hosts", "h,1,1,0,T4\n", [(2, 9, "model")], "0 GPUs of type 'T4'"),
}


@pytest.mark.parametrize(("name", "body", "where", "message"), ROW_FAULTS.values(), ids=ROW_FAULTS)
def test_a_wrong_row_is_a_fault_with_its_place(
    tmp_path: Path, name: str, body: str, where: list[tuple[int, int, str]], message: str
) -> None:
    """A number that cannot be read, times that go back and ends before starts name line, column and field."""
    faults = faults_of(READERS[name](written(tmp_path, HEADS[name] + body)))
    assert places(faults) == where
    assert message in faults[0].message


def test_a_wrong_byte_is_a_fault_with_its_column(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 in the middle of a table are faults, counted in characters, beside the others."""
    raw = (HOST_HEAD + "hé").encode() + b"\xff,1,1,0,\nh,1,1,0,\nh,x,1,0,\n"
    assert places(faults_of(openb.read_hosts(written(tmp_path, raw)))) == [
        (2, 3, ""),
        (4, 1, "sn"),
        (4, 3, "cpu_milli"),
    ]


def test_a_fault_says_what_was_expected(tmp_path: Path) -> None:
    """A fault reads as file, line, column, field, mistake and what would have been right."""
    path = written(tmp_path, HUAWEI_HEAD + "0,four,16,0.0,1.0\n")
    (fault,) = faults_of(huawei.read_vms(path))
    assert str(fault) == (
        f"{path}:2:3: cpu: 'four' is not a whole number (expected vCPU, a whole number of at least 1)"
    )


def test_faults_stop_at_twenty(tmp_path: Path) -> None:
    """A file that is wrong throughout is given up after twenty faults."""
    faults = faults_of(huawei.read_vms(written(tmp_path, HUAWEI_HEAD + "x,x,x,x,x\n" * 99)))
    assert len(faults) == MOST_FAULTS == 20
    assert faults[-1].line == 5


def names_before_fault(rows: Iterator[VmRow]) -> list[str]:
    """The names of the rows that come before reading fails."""
    names: list[str] = []
    with pytest.raises(InvalidInput):  # noqa: PT012 - the loop is what raises
        for row in rows:
            names.append(row.name)
    return names


def test_rows_before_a_fault_come_and_none_after_it(tmp_path: Path) -> None:
    """Reading streams: rows come as they are read, and end with the first fault (in a window, before its slot)."""
    table = HUAWEI_HEAD + "0,1,1,0.0,1.0\n1,x,1,1.0,1.0\n2,1,1,2.0,1.0\n"
    assert names_before_fault(huawei.read_vms(written(tmp_path, table))) == ["0"]
    slots = {"flavours": "1800000 m,|\n1800300 m,z,|\n1800600 m,|\n"}
    slots["durations"] = "1800000 U1,|\n1800300 U1,U1,|\n1800600 U1,|\n"
    assert names_before_fault(open_trace(window(tmp_path, **slots))) == ["vm-1800000-0"]


DEV, END, LETTERS, INTERVALS = WINDOW
WINDOW_FAULTS: dict[str, tuple[dict[str, str | bytes | None], list[tuple[str, int, int]], str]] = {
    "two files missing": (
        {"flavours": None, "letters": None},
        [("", 0, 0), ("", 0, 0)],
        "no file in it holds flavours by slot",
    ),
    "empty flavours": ({"flavours": ""}, [(DEV, 1, 1)], "the file is empty"),
    "empty durations": ({"durations": ""}, [(END, 1, 1)], "the file is empty"),
    "empty letters": ({"letters": ""}, [(LETTERS, 1, 1)], "the file is empty"),
    "not a slot": ({"flavours": "slot m,|\n1800300 b,|\n"}, [(DEV, 1, 1)], "'slot m,|' is not a slot"),
    "an empty line": ({"flavours": "\n1800300 b,|\n"}, [(DEV, 1, 1)], "'' is not a slot"),
    "unknown letter": ({"flavours": "1800000 m,|,a,z,a,|\n1800300 b,|\n"}, [(DEV, 1, 15)], "unknown flavour 'z'"),
    "two letters": ({"flavours": "1800000 m,|,a,ab,a,|\n1800300 b,|\n"}, [(DEV, 1, 15)], "unknown flavour 'ab'"),
    "not a duration": ({"durations": "1800000 U0,|,U2,X4,U3,|\n1800300 C4,|\n"}, [(END, 1, 17)], "'X4' is not"),
    "no such bin": ({"durations": "1800000 U5,|,U2,C4,U3,|\n1800300 C4,|\n"}, [(END, 1, 9)], "'U5' is not"),
    "a slot of another time": ({"durations": WINDOW[END].replace("1800300", "1800600")}, [(END, 2, 1)], "slot 1800600"),
    "unsorted slots": (
        {"flavours": "1800300 m,|\n1800000 m,|\n", "durations": "1800300 U1,|\n1800000 U1,|\n"},
        [(DEV, 2, 1)],
        "slot 1800000",
    ),
    "a slot twice": (
        {"flavours": "1800300 m,|\n1800300 m,|\n", "durations": "1800300 U1,|\n1800300 U1,|\n"},
        [(DEV, 2, 1)],
        "slot 1800300",
    ),
    "a slot between slots": (
        {"flavours": "1800100 m,|\n", "durations": "1800100 U1,|\n"},
        [(DEV, 1, 1)],
        "slot 1800100",
    ),
    "after the record": ({"flavours": "2100000 m,|\n", "durations": "2100000 U0,|\n"}, [(DEV, 1, 1)], "slot 2100000"),
    "a batch that does not end": ({"flavours": "1800000 m\n", "durations": "1800000 U1\n"}, [(DEV, 1, 11)], "not end"),
    "an empty batch": ({"flavours": "1800000 m,|,|\n", "durations": "1800000 U1,|,|\n"}, [(DEV, 1, 13)], "empty batch"),
    "a batch of nothing": ({"flavours": "1800000 |\n", "durations": "1800000 |\n"}, [(DEV, 1, 9)], "empty batch"),
    "an empty item": ({"flavours": "1800000 m,,|\n", "durations": "1800000 U1,,|\n"}, [(END, 1, 12)], "'' beside ''"),
    "batches that differ": (
        {"flavours": "1800000 m,m,|\n", "durations": "1800000 U1,|,U1,|\n"},
        [(END, 1, 12)],
        "beside",
    ),
    "items that lack": (
        {"flavours": "1800000 m,|,m,|\n", "durations": "1800000 U1,|\n"},
        [(END, 1, 14)],
        "'' beside 'm'",
    ),
    "fewer lines of durations": ({"durations": "1800000 U0,|,U2,C4,U3,|\n"}, [(END, 2, 1)], "the file ends here"),
    "fewer lines of flavours": ({"flavours": "1800000 m,|,a,b,a,|\n"}, [(DEV, 2, 1)], "the file ends here"),
    "running for too short": (
        {"durations": "1800000 C1,|,U2,C4,U3,|\n1800300 C3,|\n"},
        [(END, 1, 9), (END, 2, 9)],
        "C1 is 300 to 300 s",
    ),
    "ended after the record": (
        {"flavours": "2099700 m,|\n", "durations": "2099700 U2,|\n"},
        [(END, 1, 9)],
        "U2 is 600 to 600 s",
    ),
    "bytes": ({"flavours": b"1800000 m,|,a,\xff,a,|\n1800300 b,|\n"}, [(DEV, 1, 15)], "byte 0xff is not UTF-8"),
    "bytes at the end": ({"durations": b"1800000 U0,|,U2,C4,U3,|\n1800300 \xff\n"}, [(END, 2, 9)], "is not UTF-8"),
    "flavour in words": ({"letters": "1,0.75 a\n1;1.75 b\n8,14 m\n"}, [(LETTERS, 2, 1)], "is not a flavour"),
    "flavour twice": ({"letters": "1,0.75 a\n1,1.75 b\n8,14 m\n8,14 a\n"}, [(LETTERS, 4, 6)], "flavour a twice"),
    "flavour of nothing": ({"letters": "0,0.75 a\n1,1.75 b\n8,14 m\n"}, [(LETTERS, 1, 1)], "without vCPU"),
    "flavour of odd bytes": ({"letters": "1,0.3 a\n1,1.75 b\n8,14 m\n"}, [(LETTERS, 1, 3)], "whole number of bytes"),
    "interval in words": ({"intervals": "0 0\n300 one\n"}, [(INTERVALS, 2, 1)], "is not an interval"),
    "interval left out": ({"intervals": "0 0\n600 1\n"}, [(INTERVALS, 2, 1)], "600 s"),
    "bin left out": ({"intervals": "0 0\n300 2\n"}, [(INTERVALS, 2, 5)], "bin 2"),
    "first bin is not 0": ({"intervals": "0 1\n"}, [(INTERVALS, 1, 3)], "bin 1"),
}


@pytest.mark.parametrize(("changed", "where", "message"), WINDOW_FAULTS.values(), ids=WINDOW_FAULTS)
def test_a_wrong_window_is_a_fault_with_its_place(
    tmp_path: Path, changed: dict[str, str | bytes | None], where: list[tuple[str, int, int]], message: str
) -> None:
    """Files of a window that are missing, damaged or do not fit together name file, line and column."""

    def rows() -> Iterator[VmRow]:
        yield from open_trace(window(tmp_path, **changed))

    faults = faults_of(rows())
    assert [(fault.file, fault.line, fault.column) for fault in faults] == [
        (str(tmp_path / name), line, column) for name, line, column in where
    ]
    assert message in faults[0].message


def test_a_window_with_many_faults_stops_at_twenty(tmp_path: Path) -> None:
    """The faults of the files of one window are counted together."""
    changed = {"flavours": "1800000 m,|,a,z,a,|\nx\n" + "y\n" * 40, "durations": WINDOW[END] + "z\n" * 40}
    assert len(faults_of(azure.read_vms(window(tmp_path, **changed)))) == MOST_FAULTS


# ---------------------------------------------------------------- recognition


def test_open_trace_tells_formats_apart(tmp_path: Path) -> None:
    """A trace is known by its header, its first line or its directory, not by its file name."""
    table = written(tmp_path, HUAWEI_HEAD + "0,4,16,0.0,194.0\n", "a.txt")
    pods = written(tmp_path, POD_HEAD + "p,1,1,0,0,,LS,Running,5,9,5\n", "b.txt")
    window(tmp_path)
    assert [row.name for row in open_trace(str(table))] == ["0"]
    assert [row.name for row in open_trace(pods)] == ["p"]
    for path in (tmp_path, tmp_path / DEV, tmp_path / END):
        assert [row.group for row in open_trace(path)] == [0, 1, 1, 1, 2]


UNKNOWN = {
    "a host list": (HOST_HEAD, "a list of hosts has no VMs"),
    "another table": ("a,b,c\n", "no known trace begins with 'a,b,c'"),
    "prose": ("Once upon a time\n", "no known trace begins with"),
    "one file of a window": (WINDOW[DEV], "no file beside it holds durations by slot"),
    "a map": (WINDOW[LETTERS], "no known trace begins with"),
    "an empty file": ("", "the file is empty"),
}


@pytest.mark.parametrize(("content", "message"), UNKNOWN.values(), ids=UNKNOWN)
def test_open_trace_refuses_what_it_does_not_know_at_once(tmp_path: Path, content: str, message: str) -> None:
    """A file of no known format is refused when it is opened, before anything is read from the iterator."""
    with pytest.raises(InvalidInput, match=message):
        open_trace(written(tmp_path, content))


def test_open_trace_refuses_missing_paths_at_once(tmp_path: Path) -> None:
    """A path that is not there, and a directory without a window, are refused when they are opened."""
    with pytest.raises(InvalidInput, match="cannot be read"):
        open_trace(tmp_path / "none")
    with pytest.raises(InvalidInput) as caught:
        open_trace(tmp_path)
    assert len(caught.value.faults) == 4


def test_a_nearly_known_header_gets_the_faults_of_its_format(tmp_path: Path) -> None:
    """A table with a renamed column is not merely unknown: the fault names the column and the right name."""
    faults = faults_of(open_trace(written(tmp_path, "vmid,cpu,memory,at,lt\n")))
    assert places(faults) == [(1, 10, "memory"), (1, 1, "mem")]
    assert faults[0].expected == "'mem'"


# ---------------------------------------------------------------- batches


def vm(at: int, cpu: int = 1, *, end: int | None = None, gpus: int = 0, group: int | None = None) -> VmRow:
    """A small row."""
    return VmRow(at, end, cpu, 1, gpus, group, "")


def test_without_groups_consecutive_like_rows_are_one_batch() -> None:
    """Equal arrival and shape make a batch; another shape, device count or second between ends it."""
    rows = [vm(0, end=5), vm(0, end=3), vm(0, 2), vm(0), vm(1), vm(1, gpus=1)]
    assert list(batched(rows)) == [
        Batch(0, 1, 1, 0, 2, (5, 3), None),
        Batch(0, 2, 1, 0, 1, (None,), None),
        Batch(0, 1, 1, 0, 1, (None,), None),
        Batch(1, 1, 1, 0, 1, (None,), None),
        Batch(1, 1, 1, 1, 1, (None,), None),
    ]


def test_a_mixed_group_is_one_batch_for_each_shape() -> None:
    """A group falls into its shapes in order of first appearance; like groups side by side stay apart."""
    rows = [vm(0, 2, end=9, group=4), vm(0, 1, group=4), vm(0, 2, end=8, group=4), vm(0, 2, group=5)]
    assert list(batched(rows)) == [
        Batch(0, 2, 1, 0, 2, (9, 8), 4),
        Batch(0, 1, 1, 0, 1, (None,), 4),
        Batch(0, 2, 1, 0, 1, (None,), 5),
    ]


def test_batches_come_while_rows_are_read() -> None:
    """Batching holds one group, so it works on a trace that never ends."""

    def endless() -> Iterator[VmRow]:
        at = 0
        while True:
            yield from (vm(at), vm(at))
            at += 1

    batches = batched(endless())
    assert [next(batches).count for _ in range(3)] == [2, 2, 2]


# ---------------------------------------------------------------- figures


@dataclass(frozen=True)
class Level:
    """How much of something was in use: the *mean* over first to last event, the *peak*, and when it was reached."""

    mean: float
    peak: int
    at_s: float


def usage(rows: Iterable[VmRow]) -> tuple[Level, Level, Level, Level]:
    """VMs, 1/1000 vCPU, bytes and GPUs in use by *rows*; ends come before arrivals at equal times."""
    changes: list[tuple[int, int, tuple[int, ...]]] = []
    for row in rows:
        amounts: tuple[int, ...] = (1, row.cpu_milli, row.memory_bytes, row.gpus)
        changes.append((row.arrival_us, 1, amounts))
        if row.end_us is not None:
            changes.append((row.end_us, -1, amounts))
    changes.sort(key=lambda change: change[:2])
    first, last = changes[0][0], changes[-1][0]
    levels, sums, peaks, moments, now = [0] * 4, [0] * 4, [0] * 4, [0] * 4, first
    for at, sign, amounts in changes:
        for i, amount in enumerate(amounts):
            sums[i] += levels[i] * (at - now)
            levels[i] += sign * amount
            if levels[i] > peaks[i]:
                peaks[i], moments[i] = levels[i], at
        now = at
    one, two, three, four = (Level(sums[i] / max(last - first, 1), peaks[i], moments[i] / SECOND) for i in range(4))
    return one, two, three, four


def test_a_lifetime_of_zero_does_not_leak_into_the_peak() -> None:
    """A VM that ends when it arrives is never counted, and one that ends then makes room for one that arrives."""
    lasting, gone, next_one = vm(0, end=5), vm(5, end=5), vm(5, end=9)
    for rows in ([lasting, gone], [lasting, next_one], [lasting, gone, gone, next_one]):
        assert usage(rows)[0].peak == 1
    assert usage([lasting, gone, next_one])[0].mean == 1.0


def quantiles(values: Iterable[float], *percents: float) -> list[float]:
    """Quantiles as numpy gives them, interpolated linearly."""
    return [float(q) for q in np.percentile([*values], percents)]


def lifetimes_s(rows: Iterable[VmRow]) -> list[float]:
    """Lifetimes of the rows that ended, in seconds."""
    return [(row.end_us - row.arrival_us) / SECOND for row in rows if row.end_us is not None]


def arrivals_per_hour(rows: list[VmRow]) -> list[int]:
    """Arrivals in each hour, counted from the first row's."""
    hour = 3600 * SECOND
    first = rows[0].arrival_us // hour
    counted = Counter(row.arrival_us // hour - first for row in rows)
    return [counted[place] for place in range(max(counted) + 1)]


def shapes(rows: Iterable[VmRow | HostRow]) -> dict[tuple[int, float], int]:
    """How many rows there are of each shape, in vCPU and GiB."""
    return dict(Counter((row.cpu_milli // 1000, row.memory_bytes / GIB) for row in rows))


AZURE_FLAVOURS: dict[str, tuple[int, float]] = dict(zip("abcdefghijklmnop", [
    (1, 0.75), (1, 1.75), (1, 2), (16, 112), (2, 14), (2, 16), (2, 3.5), (2, 4),
    (4, 28), (4, 32), (4, 7), (4, 8), (8, 14), (8, 16), (8, 56), (8, 64),
], strict=True))  # fmt: skip


def flavour_counts(**counts: int) -> dict[tuple[int, float], int]:
    """Shapes counted by the letters of the published map."""
    return {AZURE_FLAVOURS[letter]: n for letter, n in counts.items()}


# ---------------------------------------------------------------- shipped data


def test_the_shipped_hosts_add_up() -> None:
    """The shipped node list has the published totals, with and without GPUs."""
    hosts = list(openb.read_hosts(HOSTS))
    plain = [host for host in hosts if not host.gpus]
    assert len(hosts) == 1523
    assert sum(host.cpu_milli for host in hosts) == 125_514_000
    assert sum(host.memory_bytes for host in hosts) == 597_684 * GIB
    assert sum(host.gpus for host in hosts) == 6212
    assert len(plain) == 310
    assert sum(host.cpu_milli for host in plain) == 18_496_000
    assert sum(host.memory_bytes for host in plain) == 105_664 * GIB
    assert shapes(plain) == {
        (32, 256): 129, (96, 512): 59, (96, 384): 30, (32, 128): 23, (64, 512): 22, (104, 512): 20, (32, 64): 10,
        (64, 256): 8, (64, 128): 4, (104, 768): 3, (96, 768): 1, (104, 192): 1,
    }  # fmt: skip
    assert Counter(host.model for host in hosts if host.gpus) == {
        "G2": 549, "T4": 404, "P100": 134, "V100M16": 55, "G3": 39, "V100M32": 30, "A10": 2,
    }  # fmt: skip


def test_the_shipped_day_is_the_text_it_says_it_is() -> None:
    """Counting letters and bars in the text gives the same VMs and batches as the reader."""
    rows = list(open_trace(DAY))
    lines = (DAY / "v1.dev.txt").read_text().splitlines()
    items = [item for line in lines for item in line.split()[1].split(",")]
    letters = Counter(items)
    assert [int(line.split()[0]) for line in lines] == list(range(1_886_400, 1_972_800, 300))
    assert letters.pop("|") == len({row.group for row in rows}) == 16_287
    assert letters.total() == len(rows) == 80_375
    assert flavour_counts(**letters) == shapes(rows)
    assert letters == Counter(
        b=49_602, g=14_467, m=7_701, k=7_153, a=1_220, o=174, i=26, e=16, c=8, d=3, h=2, f=1, l=1, p=1
    )
    assert (DAY / "v1.dev.c2100000.txt").read_text().count("C") == sum(row.end_us is None for row in rows) == 2765


def test_the_shipped_day_has_the_figures_of_its_readme() -> None:
    """Batches, their flavours, and what was in use at once are as the README of the cut says."""
    rows = list(open_trace(DAY))
    groups = Counter(row.group for row in rows)
    flavours = Counter(batch.group for batch in batched(rows))
    vms, cpu, memory, _ = usage(rows)
    assert list(groups) == list(range(16_287))
    assert max(groups.values()) == 436
    assert sum(count == 1 for count in flavours.values()) == 14_991
    assert (vms.peak, vms.at_s) == (13_753, 1_969_800)
    assert (cpu.peak, cpu.at_s) == (28_367_000, 1_969_200)
    assert (memory.peak * 4, memory.at_s) == (218_851 * GIB, 1_969_200)


def test_the_shipped_day_keeps_the_sums_of_its_readme() -> None:
    """Every file of the cut has the SHA-256 sum its README gives."""
    readme = (DAY / "README.md").read_text()
    for name in WINDOW:
        assert f"{hashlib.sha256((DAY / name).read_bytes()).hexdigest()}  {name}\n" in readme


def test_shipped_data_names_its_licence_and_is_free_to_use() -> None:
    """Each data folder carries licence and provenance, and none is of the NonCommercial trace."""
    folders = {path.parent for path in (ROOT / "scenarios" / "data").rglob("*") if path.is_file()}
    assert {DAY, HOSTS.parent} <= folders
    for folder in folders:
        assert (folder / "README.md").is_file()
        assert "NonCommercial" not in (folder / "LICENSE.txt").read_text()
    assert "Attribution 4.0 International" in (DAY / "LICENSE.txt").read_text()
    assert "Apache License" in (HOSTS.parent / "LICENSE.txt").read_text()


# ---------------------------------------------------------------- the whole traces, beside the clone


def shared(*names: str) -> Path:
    """A file or folder of the shared traces; skips where it is missing."""
    path = TRACES.joinpath(*names)
    if not path.exists():
        pytest.skip(f"the shared traces are not beside the clone: {path} is missing")
    return path


@pytest.fixture(scope="module")
def azure_rows() -> list[VmRow]:
    """Every VM of the whole Azure window."""
    return list(open_trace(shared("azure-vm-2017-window")))


@pytest.fixture(scope="module")
def huawei_rows() -> list[VmRow]:
    """Every VM of Huawei-East-1."""
    return list(open_trace(shared("huawei-east-1", "Huawei-East-1-lt.csv")))


@pytest.fixture(scope="module", params=["default", "gpuspec33"])
def pod_rows(request: pytest.FixtureRequest) -> list[VmRow]:
    """Every pod of one openb pod list."""
    return list(open_trace(shared("alibaba-openb-2023", f"openb_pod_list_{request.param}.csv")))


@pytest.mark.shared
def test_azure_vms_are_those_published(azure_rows: list[VmRow]) -> None:
    """The window has the published VMs, slots, flavours and arrivals per hour."""
    slots = sorted({row.arrival_us // SECOND for row in azure_rows})
    assert len(azure_rows) == len({row.name for row in azure_rows}) == 259_159
    assert slots == list(range(1_800_000, 2_100_000, 300))
    assert sum(row.end_us is None for row in azure_rows) == 14_317
    hours = arrivals_per_hour(azure_rows)
    assert (round(sum(hours) / len(hours)), *quantiles(hours, 50, 100)) == (3085, 3116.5, 5170)
    assert shapes(azure_rows) == flavour_counts(
        b=156_437, g=48_008, k=25_700, m=23_315, a=4_108, o=1_427, e=49, i=49, h=22, l=15, c=10, d=9, n=5, f=3,
        j=1, p=1,
    )  # fmt: skip


@pytest.mark.shared
def test_azure_sizes_and_lifetimes_are_those_published(azure_rows: list[VmRow]) -> None:
    """Lifetimes by the rule, vCPU and memory have the published quantiles and means."""
    lives = lifetimes_s(azure_rows)
    assert quantiles(lives, 1, 5, 25, 50, 75, 90, 95, 99) == [150, 300, 900, 1500, 5550, 23550, 45150, 129_750]
    assert (max(lives), round(sum(lives) / len(lives))) == (302_550, 8392)
    assert sum(row.end_us > 2_100_000 * SECOND for row in azure_rows if row.end_us is not None) == 426
    cores = [row.cpu_milli // 1000 for row in azure_rows]
    assert quantiles(cores, 50, 75, 90, 99, 100) == [1, 2, 4, 8, 16]
    assert round(sum(cores) / len(cores), 3) == 2.153
    memory = [row.memory_bytes / GIB for row in azure_rows]
    assert quantiles(memory, 50, 75, 90, 99, 100) == [1.75, 3.5, 7, 14, 112]
    assert round(sum(memory) / len(memory), 3) == 3.992


@pytest.mark.shared
def test_azure_use_peaks_as_published(azure_rows: list[VmRow]) -> None:
    """VMs, vCPU and memory in use have the published means, peaks and moments."""
    vms, cpu, memory, _ = usage(azure_rows)
    assert (vms.peak, vms.at_s, round(vms.mean)) == (20_272, 2_055_000, 11_226)
    assert (cpu.peak, cpu.at_s, round(cpu.mean / 1000)) == (44_122_000, 2_045_400, 25_718)
    assert (memory.peak, memory.at_s, round(memory.mean / GIB)) == (112_828 * GIB, 2_099_100, 55_889)


@pytest.mark.shared
def test_azure_batches_are_those_published(azure_rows: list[VmRow]) -> None:
    """Groups have the published count, sizes and share of one flavour, and splitting them loses no VM."""
    sizes = Counter(row.group for row in azure_rows)
    cores: Counter[int | None] = Counter()
    for row in azure_rows:
        cores[row.group] += row.cpu_milli // 1000
    batches = list(batched(azure_rows))
    flavours = Counter(batch.group for batch in batches)
    assert len(sizes) == len(flavours) == 53_109
    assert round(100 * sum(count == 1 for count in flavours.values()) / 53_109, 1) == 92.0
    assert sum(batch.count for batch in batches) == len(azure_rows)
    assert all(batch.count == len(batch.ends_us) for batch in batches)
    assert quantiles(sizes.values(), 50, 75, 90, 95, 99, 100) == [1, 2, 6, 14, 74, 587]
    assert quantiles(cores.values(), 50, 90, 99, 100) == [2, 16, 201, 1322]
    shares = [sum(n for n in sizes.values() if n >= least) / len(azure_rows) for least in (2, 5)]
    assert [round(100 * share, 1) for share in shares] == [88.1, 73.6]
    slots = Counter(at for at, _ in {(row.arrival_us, row.group) for row in azure_rows})
    assert (min(slots.values()), max(slots.values())) == (18, 109)


@pytest.mark.shared
def test_the_shipped_day_is_a_cut_of_the_whole(azure_rows: list[VmRow]) -> None:
    """The VMs of the cut are those of its slots in the whole: same names, times and sizes, groups renumbered."""
    whole = [row for row in azure_rows if 1_886_400 * SECOND <= row.arrival_us < 1_972_800 * SECOND]
    first = whole[0].group
    assert first is not None
    for cut, row in zip(open_trace(DAY), whole, strict=True):
        assert cut.group is not None
        assert (cut.name, cut.arrival_us, cut.end_us) == (row.name, row.arrival_us, row.end_us)
        assert (cut.cpu_milli, cut.memory_bytes) == (row.cpu_milli, row.memory_bytes)
        assert cut.group + first == row.group


@pytest.mark.shared
def test_huawei_vms_are_those_published(huawei_rows: list[VmRow]) -> None:
    """Huawei-East-1 has the published VMs, shapes, lifetimes and arrivals per hour."""
    assert len(huawei_rows) == 116_313
    assert [row.arrival_us for row in (huawei_rows[0], huawei_rows[-1])] == [0, 2_678_081 * SECOND]
    assert shapes(huawei_rows) == {
        (1, 2): 53_934, (1, 1): 25_447, (2, 4): 14_918, (4, 8): 9_360, (1, 4): 3_339, (2, 8): 2_273, (8, 16): 2_029,
        (4, 16): 1_962, (8, 32): 1_023, (16, 32): 1_002, (12, 24): 638, (64, 128): 252, (32, 64): 131, (24, 48): 3,
        (48, 96): 2,
    }  # fmt: skip
    lives = lifetimes_s(huawei_rows)
    percents = (0, 5, 25, 50, 75, 90, 95, 99, 100)
    assert [round(q) for q in quantiles(lives, *percents)] == [
        1, 29, 194, 2592, 6651, 20_500, 42_202, 489_992, 2_540_293,
    ]  # fmt: skip
    assert round(sum(lives) / len(lives)) == 17_192
    hours = arrivals_per_hour(huawei_rows)
    assert (round(sum(hours) / len(hours)), *quantiles(hours, 50, 100)) == (156, 117, 956)
    gaps = np.diff([row.arrival_us / SECOND for row in huawei_rows])
    assert (round(gaps.mean(), 1), round(gaps.std() / gaps.mean(), 1)) == (23.0, 2.1)
    assert round(100 * float((gaps == 0).mean())) == 45


@pytest.mark.shared
def test_huawei_use_peaks_as_published(huawei_rows: list[VmRow]) -> None:
    """VMs, vCPU and memory in use have the published means, peaks and moments."""
    vms, cpu, memory, _ = usage(huawei_rows)
    assert (vms.peak, round(vms.mean)) == (2432, 747)
    assert (cpu.peak, cpu.at_s, round(cpu.mean / 1000, 1)) == (4_273_000, 1_330_503, 1834.8)
    assert (memory.peak, memory.at_s, round(memory.mean / GIB, 1)) == (8518 * GIB, 1_330_503, 3708.7)


@pytest.mark.shared
def test_huawei_batches_are_those_published(huawei_rows: list[VmRow]) -> None:
    """Runs of equal second and shape reach 46 copies, and two fifths of the VMs come in runs of five or more."""
    counts = [batch.count for batch in batched(huawei_rows)]
    assert (sum(counts), max(counts), len(counts)) == (116_313, 46, 65_381)
    assert round(sum(n for n in counts if n >= 5) / len(huawei_rows), 2) == 0.40


@pytest.mark.shared
def test_openb_pods_are_those_published(pod_rows: list[VmRow]) -> None:
    """Both pod lists have the published pods, sizes and lifetimes, one of which is zero."""
    assert len(pod_rows) == 8152
    assert (pod_rows[0].arrival_us, pod_rows[-1].arrival_us) == (0, 12_901_761 * SECOND)
    assert sum(row.arrival_us <= 9_400_000 * SECOND for row in pod_rows) == 17
    assert Counter(row.gpus for row in pod_rows) == {0: 1088, 1: 6989, 2: 16, 4: 15, 8: 44}
    assert sum(row.memory_bytes == 0 for row in pod_rows) == 1
    assert max(arrivals_per_hour(pod_rows)) == 56
    lives = lifetimes_s(pod_rows)
    assert lives.count(0) == 1
    assert [round(q) for q in quantiles(lives, 5, 25, 50, 75, 90, 95, 99, 100)] == [
        48, 167, 540, 1972, 6573, 16_399, 96_510, 12_537_496,
    ]  # fmt: skip
    assert round(sum(lives) / len(lives)) == 25_839
    assert quantiles((row.cpu_milli for row in pod_rows), 10, 50, 90, 99, 100) == [3152, 11300, 16400, 32000, 120_200]


@pytest.mark.shared
def test_openb_use_peaks_as_published(pod_rows: list[VmRow]) -> None:
    """Pods, vCPU, memory and GPUs in use have the published peaks."""
    vms, cpu, memory, gpus = usage(pod_rows)
    assert (vms.peak, round(vms.mean), gpus.peak) == (56, 16, 71)
    assert (round(cpu.peak / 1000, 1), round(memory.peak / GIB)) == (778.5, 2450)


@pytest.mark.shared
def test_shipped_files_are_byte_for_byte_those_published() -> None:
    """What is shipped whole equals the shared copy, and no line of the cut was altered."""
    window_dir = shared("azure-vm-2017-window")
    assert HOSTS.read_bytes() == shared("alibaba-openb-2023", HOSTS.name).read_bytes()
    for name in (LETTERS, INTERVALS, "LICENSE.txt"):
        assert (DAY / name).read_bytes() == (window_dir / name).read_bytes()
    for name in (DEV, END):
        assert (DAY / name).read_bytes() in (window_dir / name).read_bytes()
