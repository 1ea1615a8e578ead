"""The plain table of VMs: read, written, cut by `simclone trace`, and its faults."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from simclone.cli.trace import command
from simclone.errors import InvalidInput
from simclone.traces.batches import batched
from simclone.traces.plain import write_lines
from simclone.traces.rows import Batch, VmRow
from simclone.units import GIB, SECOND
from simclone.workload import open_trace

DAY = Path(__file__).resolve().parents[3] / "scenarios" / "data" / "azure-vm-2017-day"
HEAD = "arrival_s,end_s,vcpu,memory_gib,count"
START_S = 1_886_400


def table(folder: Path, *lines: str, head: str = HEAD) -> Path:
    """A file with these lines."""
    path = folder / "plain.csv"
    path.write_text("\n".join((head, *lines)) + "\n")
    return path


def test_a_plain_table_is_read(tmp_path: Path) -> None:
    """Seconds, vCPU and GiB are exact, an empty end is none, a count is that many VMs."""
    path = table(tmp_path, "0,,2,4,1", "0.000001,7.5,0.25,0.75,2")
    like = (1, 7_500_000, 250, 3 * GIB // 4, 0, None)
    assert list(open_trace(path)) == [
        VmRow(0, None, 2000, 4 * GIB, 0, None, "vm-1"),
        VmRow(*like, "vm-2-1"),
        VmRow(*like, "vm-2-2"),
    ]


def test_a_packed_plain_table_is_read(tmp_path: Path) -> None:
    """Gzip, a byte order mark and CRLF make no difference."""
    path = tmp_path / "plain.csv.gz"
    path.write_bytes(gzip.compress(f"\ufeff{HEAD}\r\n3,4,1,1,1\r\n".encode()))
    assert list(open_trace(path)) == [VmRow(3 * SECOND, 4 * SECOND, 1000, GIB, 0, None, "vm-1")]


def test_more_columns_are_optional(tmp_path: Path) -> None:
    """GPUs, groups and names may stand behind the others."""
    path = table(tmp_path, "3,4,1,1,1,2,7,a", "3,4,1,1,2,0,,b", head=f"{HEAD},gpus,group,name")
    found = list(open_trace(path))
    assert [(row.gpus, row.group, row.name) for row in found] == [(2, 7, "a"), (0, None, "b-1"), (0, None, "b-2")]
    only = table(tmp_path, "3,4,1,1,1,a", head=f"{HEAD},name")
    assert [row.name for row in open_trace(only)] == ["a"]


FAULTS = [
    ("5,,1,1,1\n4,,1,1,1", ":3:1: arrival_s: earlier than a row before it (expected rows sorted by arrival)"),
    ("5,4,1,1,1", ":2:3: end_s: ends before it arrives (expected empty, or seconds from the start"),
    ("-1,4,1,1,1", ":2:1: arrival_s: before the start of the trace"),
    ("x,4,1,1,1", ":2:1: arrival_s: 'x' is not a number of seconds"),
    ("1,4,1.0005,1,1", ":2:5: vcpu: '1.0005' is finer than 1/1000 vCPU"),
    ("1,4,1e3,1,1", ":2:5: vcpu: '1e3' is not a number of vCPU"),
    ("1,4,,1,1", ":2:5: vcpu: '' is not a number of vCPU"),
    ("1,4,1,-2,1", ":2:7: memory_gib: '-2' is not a number of GiB"),
    ("1,4,1,4GiB,1", ":2:7: memory_gib: '4GiB' is not a number of GiB"),
    ("1,4,1,0.3,1", ":2:7: memory_gib: '0.3GiB' is not a whole number of bytes"),
    ("1,4,1,1,0", ":2:9: count: '0' is out of range"),
    ("1,4,1,1", ":2:1: 4 fields (expected 5 fields)"),
]


@pytest.mark.parametrize(("lines", "said"), FAULTS, ids=[one[0][:12] for one in FAULTS])
def test_faults_of_a_plain_table_have_their_places(tmp_path: Path, lines: str, said: str) -> None:
    """Every mistake is named with line and column."""
    with pytest.raises(InvalidInput) as caught:
        list(open_trace(table(tmp_path, lines)))
    assert str(caught.value).startswith(f"{tmp_path / 'plain.csv'}{said}")


def test_faults_of_the_head_of_a_plain_table(tmp_path: Path) -> None:
    """An unknown, missing or misplaced column is named."""
    for head, said in (
        ("arrival_s,end_s,vcpus,memory_gib,count", "unknown column 'vcpus' (expected 'vcpu')"),
        ("arrival_s,end_s,vcpu,memory_gib", "column 'count' is missing"),
        (f"{HEAD},name,gpus", "the columns are in another order"),
    ):
        with pytest.raises(InvalidInput) as caught:
            list(open_trace(table(tmp_path, head=head)))
        assert said in str(caught.value)


batches = st.lists(
    st.builds(
        lambda gap, lives, cpu, memory, gpus: (gap, Batch(0, cpu, memory, gpus, len(lives), tuple(lives), None)),
        st.integers(1, 10**12),
        st.lists(st.none() | st.integers(0, 10**12), min_size=1, max_size=5),
        st.integers(0, 10**6),
        st.integers(0, 1 << 45),
        st.integers(0, 8),
    ),
    max_size=8,
)


@given(batches)
def test_writing_and_reading_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[int, Batch]]
) -> None:
    """Every amount survives exactly, to the microsecond, the thousandth of a vCPU and the byte."""
    at, found = 0, []
    for number, (gap, batch) in enumerate(made):
        at += gap
        ends = tuple(None if life is None else at + life for life in batch.ends_us)
        found.append(
            Batch(
                at, batch.cpu_milli, batch.memory_bytes, batch.gpus, batch.count, ends, number if number % 2 else None
            )
        )
    path = tmp_path_factory.mktemp("plain") / "t.csv"
    path.write_text("\n".join(write_lines(found)) + "\n")
    assert list(batched(open_trace(path))) == found


# ---------------------------------------------------------------- simclone trace


def trace(*words: str) -> Result:
    """The command with these words."""
    return CliRunner().invoke(command, list(words))


def whole(path: Path) -> list[Batch]:
    """The batches of a trace."""
    return list(batched(open_trace(path)))


def early(until_s: int, from_s: int = 0) -> list[Batch]:
    """The batches of a window of the shipped day."""
    return [one for one in whole(DAY) if from_s <= one.arrival_us / SECOND < until_s]


def test_a_whole_trace_is_the_same_afterwards(tmp_path: Path) -> None:
    """Written and read again, the shipped day has the same batches, and no other file is left."""
    out = tmp_path / "day.csv"
    assert trace(str(DAY), str(out)).exit_code == 0
    assert whole(out) == whole(DAY)
    assert [one.name for one in tmp_path.iterdir()] == ["day.csv"]


def test_cuts_follow_each_other(tmp_path: Path) -> None:
    """Two windows one after the other are the smaller one, and what is thinned is a part of it."""
    long, part, thin = (tmp_path / name for name in ("long.csv", "part.csv", "thin.csv"))
    first, last = START_S + 3600, START_S + 7200
    trace(str(DAY), str(long), "--to", str(last))
    trace(str(long), str(part), "--from", str(first))
    assert whole(part) == early(last, first)
    trace(str(DAY), str(thin), "--from", str(first), "--to", str(last), "--thin", "0.5")
    assert 0 < len(whole(thin)) < len(whole(part))
    assert set(whole(thin)) <= set(whole(part))


def test_moving_and_scaling_go_back(tmp_path: Path) -> None:
    """Shifted there and back, stretched and pressed, the trace is as before."""
    there, back, slow, half = (tmp_path / f"{name}.csv" for name in ("there", "back", "slow", "half"))
    until = START_S + 1800
    trace(str(DAY), str(there), "--to", str(until), "--shift", str(-START_S))
    assert whole(there)[0].arrival_us == 0
    trace(str(there), str(back), "--shift", str(START_S))
    assert whole(back) == early(until)
    trace(str(there), str(slow), "--scale", "2")
    assert whole(slow)[-1].arrival_us == 2 * whole(there)[-1].arrival_us
    trace(str(slow), str(half), "--scale", "0.5")
    assert whole(half) == whole(there)


def test_renamed_vms_have_lines_of_their_own(tmp_path: Path) -> None:
    """A pattern numbers the VMs from 1."""
    source, out = table(tmp_path, "0,,2,4,3", "1,5,1,1,1"), tmp_path / "out.csv"
    assert trace(str(source), str(out), "--rename", "web-{n}").exit_code == 0
    assert [row.name for row in open_trace(out)] == ["web-1", "web-2", "web-3", "web-4"]
    assert whole(out) == whole(source)


def test_standard_output_and_an_existing_file(tmp_path: Path) -> None:
    """`-` prints the table; an existing file is kept without --force."""
    source = table(tmp_path, "0,,2,4,3")
    assert trace(str(source), "-").stdout == f"{HEAD},gpus,group\n0,,2,4,3,0,\n"
    refused = trace(str(source), str(source))
    assert (refused.exit_code, "exists; choose another name or pass --force" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    "words",
    [("--thin", "0"), ("--scale", "-1"), ("--from", "-5"), ("--to", "0"), ("--to", "nan"), ("--rename", "web")],
    ids=" ".join,
)
def test_wrong_figures_are_bad_usage(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Exit code 2, a sentence, and nothing is written."""
    out = tmp_path / "out.csv"
    done = trace(str(table(tmp_path, "0,,2,4,3")), str(out), *words)
    assert done.exit_code == 2
    assert not out.exists()


def test_a_faulty_trace_leaves_nothing_behind(tmp_path: Path) -> None:
    """A fault in the middle is InvalidInput, and no half table stays."""
    source, out = table(tmp_path, "5,,1,1,1", "4,,1,1,1"), tmp_path / "out.csv"
    done = trace(str(source), str(out))
    assert isinstance(done.exception, InvalidInput)
    assert [one.name for one in tmp_path.iterdir()] == [source.name]
