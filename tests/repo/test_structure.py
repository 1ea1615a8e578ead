"""The structure of the package: circles of imports, class names, lengths of functions, the place of unit tests, clocks.

Lists of exceptions hold what is otherwise today. They may only shrink: a new case fails, and so does one that is gone.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.repo.portrait import (
    REPO,
    duplicate_classes,
    function_lengths,
    read_modules,
    run_time_imports,
    sibling_cycles,
)

KNOWN_CYCLES: dict[str, list[list[str]]] = {}
"""Packages whose modules and subpackages import each other in circles. Nothing may be added; what is mended goes."""

KNOWN_TYPE_CYCLES: dict[str, list[list[str]]] = {}
"""Packages with circles that type-only imports close. Nothing may be added; what is mended goes."""

KNOWN_DUPLICATES = frozenset({"Cloud"})
"""Public class names defined in more than one module. Nothing may be added; what is mended goes."""


NOT_MIRRORED: dict[str, str] = {}
"""Test files under tests/unit whose path names no module or package, each with its subject. What gets a home goes."""

LONGEST_FUNCTION = 51


def cycles(folder: Path, type_only: bool = False) -> dict[str, list[list[str]]]:
    """Circles of run-time imports by package, with *type_only* of all imports."""
    return sibling_cycles(run_time_imports(read_modules(folder), type_only))


def plant(folder: Path, **files: str) -> Path:
    """A package of the files named, ``/`` written as ``__``."""
    for name, text in files.items():
        path = folder / "simclone" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        for parent in path.relative_to(folder).parents:
            if parent != Path():
                (folder / parent / "__init__.py").touch()
    return folder


def test_siblings_do_not_import_in_a_circle() -> None:
    """In each package the modules and subpackages form no circle but the listed ones, and each listed one exists."""
    assert cycles(REPO) == KNOWN_CYCLES


def test_type_only_imports_close_no_circle() -> None:
    """Nor do they when imports for types count, but for the listed ones."""
    assert cycles(REPO, type_only=True) == KNOWN_CYCLES | KNOWN_TYPE_CYCLES


def test_a_circle_of_types_is_found(tmp_path: Path) -> None:
    """It is one of types only: at run time there is none."""
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from simclone.a import x"
    folder = plant(tmp_path, a="from simclone.b import y", b=text)
    assert cycles(folder) == {}
    assert cycles(folder, type_only=True) == {"simclone": [["a", "b"]]}


def test_a_public_class_name_is_defined_once() -> None:
    """No two modules define public classes of one name but the listed ones, and each listed name is double."""
    assert set(duplicate_classes(read_modules(REPO))) == KNOWN_DUPLICATES


def unmirrored(folder: Path) -> set[str]:
    """Files of tests/unit that name no module: ``a/test_b.py`` is for ``simclone/a/b.py`` or the package ``a/b``."""
    unit, package = folder / "tests" / "unit", folder / "simclone"
    names = (path.relative_to(unit) for path in unit.rglob("test_*.py"))
    return {
        name.as_posix()
        for name in names
        for home in [package / name.parent / name.stem.removeprefix("test_")]
        if not home.with_suffix(".py").is_file() and not (home / "__init__.py").is_file()
    }


def test_unit_tests_mirror_the_package() -> None:
    """The path of a unit test names what it tests, but for the listed files, and each listed one exists."""
    assert unmirrored(REPO) == set(NOT_MIRRORED)
    assert all(NOT_MIRRORED.values())


def test_a_unit_test_of_nothing_is_found(tmp_path: Path) -> None:
    """A file named after no module, and one that stands in the wrong folder; modules and packages are homes."""
    folder = plant(tmp_path, p__q="", p__r__s="", t="")
    for name in (
        "p/test_q.py",
        "p/test_r.py",
        "p/r/test_s.py",
        "test_p.py",
        "test_t.py",
        "test_q.py",
        "p/test_repairs.py",
    ):
        path = folder / "tests" / "unit" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert unmirrored(folder) == {"test_q.py", "p/test_repairs.py"}


def long_functions(folder: Path) -> list[tuple[int, str]]:
    """Functions over the limit: their lines and names."""
    lengths = [item for module in read_modules(folder) for item in function_lengths(module)]
    return sorted(item for item in lengths if item[0] > LONGEST_FUNCTION)


def test_functions_are_short() -> None:
    """No function is longer than the limit."""
    assert long_functions(REPO) == []


def test_a_long_function_is_found(tmp_path: Path) -> None:
    """One line over the limit is too long, the limit itself is not, and a method is a function."""
    body = "    x = 1\n" * (LONGEST_FUNCTION - 1)
    inner = "class A:\n    async def g(self):\n" + "        x = 1\n" * LONGEST_FUNCTION
    folder = plant(tmp_path, a=f"def fits():\n{body}", b=f"def f():\n{body}    x = 1\n", c=inner)
    assert long_functions(folder) == [(LONGEST_FUNCTION + 1, "simclone.b.f"), (LONGEST_FUNCTION + 1, "simclone.c.g")]


CLOCKS = frozenset({"perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns", "process_time", "time_ns", "time"})
"""What tells the time of the machine, as ``time.…`` or imported from ``time``."""


def clock_readings(folder: Path) -> list[str]:
    """Test files that read a clock, with the line."""
    readings = []
    for path in sorted((folder / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            imported = (
                isinstance(node, ast.ImportFrom) and node.module == "time" and {a.name for a in node.names} & CLOCKS
            )
            used = isinstance(node, ast.Attribute) and ast.unparse(node.value) == "time" and node.attr in CLOCKS
            if imported or used:
                readings.append(f"{path.relative_to(folder).as_posix()}:{node.lineno}")
    return readings


def test_no_test_reads_a_clock() -> None:
    """What takes long on a busy machine is no fault: tests count work, tests/benchmarks measures."""
    assert clock_readings(REPO) == []


@pytest.mark.parametrize("text", ["from time import sleep, perf_counter", "import time\n\nbegun = time.monotonic()"])
def test_a_clock_is_found(tmp_path: Path, text: str) -> None:
    """Imported by name, or read through the module."""
    (tmp_path / "tests" / "unit").mkdir(parents=True)
    (tmp_path / "tests" / "unit" / "test_planted.py").write_text(text, "utf-8")
    assert clock_readings(tmp_path) == [f"tests/unit/test_planted.py:{text.count(chr(10)) + 1}"]


@pytest.mark.parametrize(
    ("files", "circles"),
    [
        ({"a": "from simclone import b", "b": "import simclone.a"}, {"simclone": [["a", "b"]]}),
        ({"a": "from simclone.b import x", "b": "def f():\n    from simclone.a import y"}, {"simclone": [["a", "b"]]}),
        (
            {"a": "from simclone.b import x", "b": "from simclone import c", "c": "from . import a"},
            {"simclone": [["a", "b", "c"]]},
        ),
        (
            {"p__q": "from simclone.p import r", "p__r": "from simclone.p.q import x"},
            {"simclone.p": [["q", "r"]]},
        ),
        (  # no module leads back to itself, but the packages lead to each other
            {"p__low": "", "p__high": "from simclone.q import mid", "q__mid": "from simclone.p.low import x"},
            {"simclone": [["p", "q"]]},
        ),
        (
            {"a": "try:\n    from simclone import b\nfinally:\n    pass", "b": "from .a import x"},
            {"simclone": [["a", "b"]]},
        ),
    ],
)
def test_a_planted_circle_is_found(tmp_path: Path, files: dict[str, str], circles: dict[str, list[list[str]]]) -> None:
    """Direct, inside a function, through a third, in a subpackage, between packages, inside a statement."""
    assert cycles(plant(tmp_path, **files)) == circles


@pytest.mark.parametrize(
    "files",
    [
        {"a": "from simclone import b", "b": "from simclone import c", "c": ""},
        {
            "a": "from simclone.b import x",
            "b": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import simclone.a",
        },
        {"p____init__": "from simclone.p import q", "p__q": "from simclone.p import r", "p__r": ""},
    ],
)
def test_what_is_no_circle_is_none(tmp_path: Path, files: dict[str, str]) -> None:
    """A chain, an import for types only, a package's table of contents."""
    assert cycles(plant(tmp_path, **files)) == {}


def test_a_planted_double_class_is_found(tmp_path: Path) -> None:
    """Public classes at the top of two modules; private ones, inner ones and the facts of flows may share a name."""
    text = "class Host: ...\nclass _Inner: ...\nclass Facts: ...\nclass {0}:\n    class Part: ...\n"
    folder = plant(tmp_path, a=text.format("A"), p__b=text.format("B"))
    assert duplicate_classes(read_modules(folder)) == {"Host": ["simclone.a", "simclone.p.b"]}
