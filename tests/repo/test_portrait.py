"""The numbers of the portrait that may only fall, and what each of them counts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repo.portrait import GENERIC_NAMES, LIMITS, RECORD, REPO, Portrait, draw, grown, record, table

CLEAN = {
    "model/columns.py": '"""Tables."""\n\n\nclass Columns:\n    """A table."""\n\n    def get(self, name, row): ...\n',
    "model/fleet.py": (
        '"""Hosts."""\n\nfrom simclone.model.columns import Columns\n\n\n'
        'class Fleet(Columns):\n    """All hosts."""\n\n    FIELDS = ("cpu", "memory")\n'
    ),
    "sum.py": (
        '"""Sums."""\n\n\ndef total(amounts):\n    """The sum."""\n    # from the first on\n'
        "    result = 0\n    for amount in amounts:\n        result += amount\n    return result\n"
    ),
}


def tree(folder: Path, **files: str) -> Path:
    """A small package without a fault, and more files by name (``/`` written as ``__``, without ``.py``)."""
    named = CLEAN | {f"{name.replace('__', '/')}.py": text for name, text in files.items()}
    for name, text in named.items():
        path = folder / "simclone" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        for package in {path.parent, folder / "simclone"}:
            (package / "__init__.py").touch()
    return folder


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    """The portrait of this repository."""
    return draw(REPO)


def test_no_number_is_above_its_limit(portrait: Portrait) -> None:
    """Generic names, string columns, `Any`, doubled class names and the import chain have not grown."""
    limits = json.loads(RECORD.read_text("utf-8"))
    assert set(limits) == set(LIMITS)
    assert grown(portrait, limits) == []


def test_the_portrait_sees_the_package(portrait: Portrait) -> None:
    """Nothing is counted as none because it was not met."""
    assert portrait.files > 100
    assert portrait.functions > 1000
    assert 1 < portrait.function_lines_median <= portrait.function_lines_p90 <= portrait.function_lines_max
    assert 0.05 < portrait.docstring_share < 0.5
    assert portrait.import_depth == len(set(portrait.longest_import_chain)) > 10
    assert "simclone.units" in portrait.longest_import_chain or "simclone.errors" in portrait.longest_import_chain


def test_a_clean_tree_has_clean_numbers(tmp_path: Path) -> None:
    """What is not there is not counted."""
    small = draw(tree(tmp_path))
    assert small.limits() == {
        "generic_name_share": 0,
        "string_columns": 0,
        "any_count": 0,
        "duplicate_classes": 0,
        "import_depth": 2,
    }
    assert small.import_cycles == {}
    assert small.comment_share == round(1 / small.lines, 4)
    assert (small.files, small.function_lines_max, small.longest_function_name) == (5, 7, "simclone.sum.total")


PLANTED = [
    ("generic_name_share", "def f(hosts):\n    found = hosts[0]\n    return found\n"),
    ("generic_name_share", "def f(hosts):\n    for one in hosts:\n        print(one)\n"),
    ("generic_name_share", "def f(path):\n    with open(path) as made:\n        return made\n"),
    ("generic_name_share", "def f(hosts):\n    if (kept := hosts[0]) is None:\n        return kept\n"),
    ("generic_name_share", "class A:\n    def f(self):\n        (seen, a), *rest = self\n"),
    ("string_columns", 'def f(fleet, row):\n    return fleet.get("cpu", row)\n'),
    ("string_columns", 'def f(fleet):\n    return fleet.array("memory")\n'),
    ("string_columns", 'def f(fleet, row):\n    return fleet.cells("cpu")[row]\n'),
    ("string_columns", 'def f(fleet, row):\n    return fleet._cells["cpu"][row]\n'),
    ("string_columns", 'def f(fleet, row):\n    fleet.put("cpu", row, 1)\n'),
    ("string_columns", 'def f(fleet, kind):\n    return fleet.array(f"held_{kind}")\n'),
    ("string_columns", 'def f(fleet, flag):\n    return fleet.array("cpu" if flag else "memory")\n'),
    ("any_count", "from typing import Any\n\n\ndef f(x: Any): ...\n"),
    ("any_count", "from typing import Any\n\nDoc = dict[str, Any]\n"),
    ("any_count", "import typing\n\n\ndef f() -> list[typing.Any]: ...\n"),
    ("duplicate_classes", "class Fleet: ...\n"),
    ("import_depth", "from simclone.model import fleet\n"),
    ("import_depth", "def f():\n    from simclone.model.fleet import Fleet\n"),
    ("import_depth", "from .model.fleet import Fleet\n"),
]


@pytest.mark.parametrize(("number", "text"), PLANTED)
def test_a_planted_violation_is_counted(tmp_path: Path, number: str, text: str) -> None:
    """Each way to make a number grow makes that number grow, and no other."""
    before = draw(tree(tmp_path)).limits()
    after = draw(tree(tmp_path, planted=text))
    assert [fault.partition(" ")[0] for fault in grown(after, before)] == [number]


INNOCENT = [
    "def f(hosts):\n    return [one for one in hosts]\n",
    "found = 1\n",
    'def f(doc):\n    return doc.get("cpu", 0), doc.get("cpu"), doc.get("cpu", {})\n',
    'def f(doc, row):\n    return doc.get("size", row)\n',
    "class _Fleet: ...\n",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from simclone.model.fleet import Fleet\n",
]


@pytest.mark.parametrize("text", INNOCENT)
def test_what_looks_alike_is_not_counted(tmp_path: Path, text: str) -> None:
    """Comprehension targets, module constants, dictionary look-ups, private classes, type-only imports."""
    before = draw(tree(tmp_path)).limits()
    assert grown(draw(tree(tmp_path, planted=text)), before) == []


def test_columns_may_be_declared_in_the_class_body(tmp_path: Path) -> None:
    """Where columns are attributes, their names are still known, so that going back to strings is noticed."""
    typed = "from simclone.model.columns import Columns\n\n\nclass Vms(Columns):\n    pages = object()\n"
    folder = tree(tmp_path, model__vms=typed, use='def f(vms, row):\n    return vms.get("pages", row)\n')
    assert draw(folder).string_columns == 1


def test_every_generic_name_is_counted(tmp_path: Path) -> None:
    """The list is what is searched for."""
    text = "def f():\n" + "".join(f"    {name} = 1\n" for name in sorted(GENERIC_NAMES))
    portrait = draw(tree(tmp_path, planted=text))
    count = len(GENERIC_NAMES)
    assert portrait.generic_name_share == round(count / (count + 2), 4)  # and the two names of the clean tree


def test_recording_never_raises_a_limit(tmp_path: Path) -> None:
    """Lower numbers are written; one that has grown is named, and nothing is written."""
    path = tmp_path / "portrait.json"
    more, less = Portrait(any_count=5, import_depth=3), Portrait(any_count=4, import_depth=3)
    assert record(more, path) == []
    assert record(less, path) == []
    assert json.loads(path.read_text("utf-8"))["any_count"] == 4
    assert record(more, path) == ["any_count is 5, the limit is 4"]
    assert json.loads(path.read_text("utf-8"))["any_count"] == 4


def test_the_table_is_aligned(portrait: Portrait) -> None:
    """Every number of the table ends in one column."""
    lines = table(portrait).splitlines()
    ends = {match.end(1) for match in map(re.compile(r" *\S.*? {2,}([\d.,%]+)(?: |$)").match, lines) if match}
    assert len(lines) == 16
    assert len(ends) == 1


def test_the_script_prints_one_document(tmp_path: Path) -> None:
    """``--json`` is one JSON document about the tree that was named."""
    words = [sys.executable, str(RECORD.with_suffix(".py")), str(tree(tmp_path)), "--json"]
    run = subprocess.run(words, capture_output=True, encoding="utf-8", timeout=60, check=True)
    assert json.loads(run.stdout)["files"] == 5
