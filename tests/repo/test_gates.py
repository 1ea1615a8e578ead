"""The repository's own gates, each with a planted violation it must catch."""

from __future__ import annotations

import ast
import inspect
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

import simclone

REPO = Path(__file__).resolve().parents[2]
LINTER = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"

LONGEST = 500
LONG_FILES: dict[str, str] = {}
"""Files that may be longer than LONGEST lines, each with its reason."""

MACHINE_PATHS = ("/" + "work/", "/" + "root/", ".lib" + "rary")
"""Traces of the machine a file was written on; put together here, so that this file holds none."""


def run(*words: str, folder: Path = REPO) -> tuple[int, str]:
    """Exit code and output of a Python tool run in *folder*."""
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=300
    )
    return done.returncode, done.stdout + done.stderr


def linted(folder: Path) -> tuple[int, str]:
    """Exit code and output of import-linter."""
    return run("-c", LINTER, "--no-cache", folder=folder)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of package and settings to plant violations in."""
    shutil.copytree(REPO / "simclone", tmp_path / "simclone", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPO / "pyproject.toml", tmp_path)
    return tmp_path


def plant(folder: Path, name: str, text: str) -> None:
    """Write a file, with the packages above it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    for parent in path.relative_to(folder).parents:
        if parent.parts[:1] == ("simclone",) and not (folder / parent / "__init__.py").exists():
            (folder / parent / "__init__.py").write_text('"""Planted."""\n', "utf-8")


# --- ruff and mypy ---------------------------------------------------------------------------------------------------


def test_ruff_finds_nothing() -> None:
    """`ruff check` is clean."""
    code, said = run("-m", "ruff", "check", ".")
    assert code == 0, said


def test_ruff_format_changes_nothing() -> None:
    """Every file is formatted."""
    code, said = run("-m", "ruff", "format", "--check", ".")
    assert code == 0, said


def test_mypy_strict_finds_nothing() -> None:
    """The package is strictly typed."""
    code, said = run("-m", "mypy")
    assert code == 0, said


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('"""Planted."""\n\nimport os\n', "F401"),
        ('"""Planted."""\n\n\ndef f(x=[]):\n    return x\n', "B006"),
        ('"""Planted."""\n\ntry:\n    pass\nexcept:\n    pass\n', "E722"),
    ],
)
def test_ruff_catches_a_planted_violation(copy: Path, text: str, rule: str) -> None:
    """Ruff's rules are switched on."""
    plant(copy, "simclone/units_planted.py", text)
    code, said = run("-m", "ruff", "check", "--no-cache", "--output-format", "concise", ".", folder=copy)
    assert code == 1
    assert re.search(rf"units_planted\.py:\d+:\d+: {rule}", said), said


def test_ruff_format_catches_a_planted_violation(copy: Path) -> None:
    """An unformatted file is named."""
    plant(copy, "simclone/units_planted.py", "x = { 'a':1 }\n")
    code, said = run("-m", "ruff", "format", "--check", "--no-cache", ".", folder=copy)
    assert code == 1
    assert "units_planted.py" in said


def test_mypy_catches_planted_violations(tmp_path: Path) -> None:
    """Strict means strict: untyped definitions, bare generics, unreachable code and wrong types are errors.

    The settings are this repository's, the package is one planted module, so nothing else has to be checked first.
    """
    text = (
        "def untyped(x): return x\n"
        "def bare() -> list: return []\n"
        "def wrong() -> int: return 'one'\n"
        "def late(x: int) -> int:\n    if isinstance(x, str): return 1\n    return 2\n"
    )
    shutil.copy(REPO / "pyproject.toml", tmp_path)
    plant(tmp_path, "simclone/planted.py", text)
    code, output = run("-m", "mypy", "--cache-dir", str(tmp_path / "cache"), folder=tmp_path)
    assert code == 1
    rules = set(re.findall(r"planted\.py:\d+: error: .*\[([a-z-]+)\]", output))
    assert rules >= {"no-untyped-def", "type-arg", "return-value", "unreachable"}, output


# --- import-linter ---------------------------------------------------------------------------------------------------


def contracts() -> dict[str, str]:
    """The names of the contracts in pyproject.toml by id."""
    settings = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    return {one["id"]: one["name"] for one in settings["contracts"]}


def test_imports_point_down() -> None:
    """Every import-linter contract is kept."""
    code, said = linted(REPO)
    assert code == 0, said
    assert "0 broken" in said


def test_type_only_imports_count() -> None:
    """The contracts look at imports under TYPE_CHECKING too, and there is a planted violation for each contract."""
    settings = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    assert settings["exclude_type_checking_imports"] is False
    assert set(contracts()) == {"rooms", "simpy", "root", "audit"}


TYPE_ONLY = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("allocator", "from simclone.engine.context import Context", "simclone.allocator -> simclone.engine"),
        ("model", "from simclone.scenario.load import load", "simclone.model -> simclone.scenario"),
        ("model", f"{TYPE_ONLY}from simclone.wire.request import parse", "simclone.model -> simclone.wire"),
        ("explain", "from simclone.check.run import run_steps", "simclone.explain -> simclone.check"),
        ("check", "from simclone.explain.explanation import Explanation", "simclone.check -> simclone.explain"),
        ("engine", "def f() -> None:\n    from simclone import api", "simclone.engine -> simclone.api"),
        ("wire", "from simclone.allocator.rules import addresses", "simclone.wire -> simclone.allocator"),
        ("scenario", "from simclone.cli.output import table", "simclone.scenario -> simclone.cli"),
        ("workload", "from simclone.placement.host import dry_run", "simclone.workload -> simclone.placement"),
    ],
    ids=lambda one: one if "->" in one else "",
)
def test_an_import_upward_is_caught(copy: Path, name: str, text: str, wrong: str) -> None:
    """An import of a room above or beside, type-only or inside a function, breaks the contract of the rooms."""
    plant(copy, f"simclone/{name}/planted.py", f'"""Planted."""\n\n{text}\n')
    code, said = linted(copy)
    low, high = wrong.split(" -> ")
    assert code == 1
    assert f"{contracts()['rooms']} BROKEN" in said
    assert f"{low} is not allowed to import {high}:" in said
    assert f"- {low}.planted -> {high}" in said


def test_a_room_nobody_named_is_caught(copy: Path) -> None:
    """A new room must be given its place among the others."""
    plant(copy, "simclone/helper.py", '"""Planted."""\n')
    code, said = linted(copy)
    assert code == 1
    assert f"{contracts()['rooms']} BROKEN" in said
    assert "- simclone.helper\n" in said


@pytest.mark.parametrize(
    "name", ["placement/planted.py", "check/planted.py", "model/planted.py", "planning/planted.py"]
)
def test_simpy_outside_the_engine_is_caught(copy: Path, name: str) -> None:
    """SimPy is known in the engine and nowhere else."""
    plant(copy, f"simclone/{name}", '"""Planted."""\n\nimport simpy\n')
    code, said = linted(copy)
    assert code == 1
    assert f"{contracts()['simpy']} BROKEN" in said
    assert "planted -> simpy" in said


def test_simpy_in_the_engine_is_allowed(copy: Path) -> None:
    """The engine and the rooms within it may import SimPy."""
    plant(copy, "simclone/engine/planted.py", '"""Planted."""\n\nimport simpy\n')
    plant(copy, "simclone/engine/incidents/planted.py", '"""Planted."""\n\nimport simpy\n')
    _, said = linted(copy)
    assert f"{contracts()['simpy']} KEPT" in said


@pytest.mark.parametrize("text", ["import simclone", "from simclone import __version__"])
@pytest.mark.parametrize("name", ["units_of", "cli/planted", "engine/clone/planted"])
def test_an_import_of_the_root_is_caught(copy: Path, name: str, text: str) -> None:
    """Inside the package the defining module is imported, never the root."""
    plant(copy, f"simclone/{name}.py", f'"""Planted."""\n\n{text}\n')
    code, said = linted(copy)
    assert code == 1
    assert f"{contracts()['root']} BROKEN" in said
    assert f"simclone.{name.replace('/', '.')} -> simclone (l.3)" in said


def test_an_audit_of_records_is_allowed(copy: Path) -> None:
    """The audit may import records, units, errors and its own modules."""
    good = (
        "from simclone.audit import planted_rules\nfrom simclone import errors, records\nfrom simclone.units import GIB"
    )
    plant(copy, "simclone/audit/planted.py", f'"""Planted."""\n\n{good}\n')
    plant(copy, "simclone/audit/planted_rules.py", '"""Planted."""\n\nfrom simclone.records import Placed\n')
    _, said = linted(copy)
    assert f"{contracts()['audit']} KEPT" in said, said


@pytest.mark.parametrize(
    "text",
    [
        "from simclone.allocator.rules import quota",
        "from simclone.model.cloud import Cloud",
        f"{TYPE_ONLY}from simclone.model.ledger.ledger import Ledger",
        "from simclone.chance import place_uuid",
        "import simclone",
    ],
)
def test_an_audit_that_looks_elsewhere_is_caught(copy: Path, text: str) -> None:
    """An audit that calls the rules it re-checks is no audit."""
    plant(copy, "simclone/audit/planted.py", f'"""Planted."""\n\n{text}\n')
    code, said = linted(copy)
    assert code == 1
    assert f"{contracts()['audit']} BROKEN" in said, said


# --- sizes, paths, words ---------------------------------------------------------------------------------------------


def too_long(folder: Path) -> dict[str, int]:
    """Python files of the package over the limit, with their number of lines."""
    sizes = {
        path.relative_to(folder).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in sorted((folder / "simclone").rglob("*.py"))
    }
    return {name: lines for name, lines in sizes.items() if lines > LONGEST}


def test_files_are_short() -> None:
    """No file is longer than the limit, except those listed with a reason, and the list holds nothing else."""
    assert set(too_long(REPO)) == set(LONG_FILES)
    assert all(LONG_FILES.values())


def test_a_long_file_is_caught(tmp_path: Path) -> None:
    """One line over the limit is too long, the limit itself is not."""
    plant(tmp_path, "simclone/long.py", "x = 1\n" * (LONGEST + 1))
    plant(tmp_path, "simclone/fits.py", "x = 1\n" * LONGEST)
    assert too_long(tmp_path) == {"simclone/long.py": LONGEST + 1}


def repository_files(folder: Path) -> list[Path]:
    """What git holds or would add; without git, everything that is no cache."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, timeout=60)
    except OSError:
        done = None
    if done is not None and done.returncode == 0:
        found = [folder / name for name in done.stdout.decode("utf-8").split("\0") if name]
    else:
        hidden = ("__pycache__", ".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache")
        found = [one for one in folder.rglob("*") if not set(one.relative_to(folder).parts) & set(hidden)]
    return sorted(one for one in found if one.is_file())


def machine_paths(files: Iterable[Path]) -> list[str]:
    """Files and the machine's paths in them."""
    return [
        f"{path}: {trace}" for path in files for trace in MACHINE_PATHS if trace.encode("utf-8") in path.read_bytes()
    ]


def test_no_file_names_the_machine() -> None:
    """No file of the repository holds a path of the machine it was written on."""
    files = repository_files(REPO)
    assert Path(__file__).resolve() in files
    assert machine_paths(files) == []


@pytest.mark.parametrize("trace", MACHINE_PATHS)
def test_a_machine_path_is_caught(tmp_path: Path, trace: str) -> None:
    """Each of the forbidden strings is found, also in a file that is not text."""
    (tmp_path / "note.bin").write_bytes(b"\xff\x00 see " + trace.encode() + b"x")
    (tmp_path / "fine.txt").write_text("see the README", "utf-8")
    assert machine_paths(repository_files(tmp_path)) == [f"{tmp_path / 'note.bin'}: {trace}"]


def undocumented_modules(folder: Path) -> list[str]:
    """Modules without a docstring."""
    return [
        path.relative_to(folder).as_posix()
        for path in sorted((folder / "simclone").rglob("*.py"))
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]


def undocumented_tests(folder: Path) -> list[str]:
    """Test functions without a docstring."""
    return [
        f"{path.relative_to(folder).as_posix()}:{node.lineno} {node.name}"
        for path in sorted((folder / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]


def test_every_module_says_what_it_is_for() -> None:
    """Every module of the package has a docstring."""
    assert undocumented_modules(REPO) == []


def test_every_test_says_what_it_shows() -> None:
    """Every test function has a docstring."""
    assert undocumented_tests(REPO) == []


def test_missing_docstrings_are_caught(tmp_path: Path) -> None:
    """A silent module and silent tests, in a class or not, are named."""
    plant(tmp_path, "simclone/silent.py", "x = 1\n")
    plant(tmp_path, "tests/test_silent.py", "def test_a(): pass\nclass TestB:\n    def test_b(self): pass\n")
    assert undocumented_modules(tmp_path) == ["simclone/silent.py"]
    assert undocumented_tests(tmp_path) == ["tests/test_silent.py:1 test_a", "tests/test_silent.py:3 test_b"]


PUBLIC = [name for name in simclone.__all__ if name != "__version__"]


def described(thing: object) -> bool:
    """Whether a class or function has a docstring of its own, not an inherited or a generated one."""
    text = thing.__dict__.get("__doc__") if isinstance(thing, type) else inspect.getdoc(thing)
    return bool(text) and not re.match(r"\w+\(", text)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_exists_and_is_documented(name: str) -> None:
    """Every name in the table of contents leads to something with a docstring, and so do its public methods."""
    thing = getattr(simclone, name)
    assert described(thing)
    own = vars(thing).items() if isinstance(thing, type) else ()
    methods = [value for key, value in own if not key.startswith("_") and (callable(value) or hasattr(value, "fget"))]
    assert [one for one in methods if not inspect.getdoc(one)] == []


def test_the_table_of_contents_is_whole() -> None:
    """`__all__` is sorted, without repetition, and every name comes from the module that is said to hold it."""
    assert list(simclone.__all__) == sorted(set(simclone.__all__))
    assert set(PUBLIC) == set(simclone._homes())
    assert re.fullmatch(r"\d+\.\d+\.\d+", simclone.__version__)


STAYS = """
import importlib, pkgutil, sys
import simclone
from simclone import api

def homes():
    return {name: getattr(importlib.import_module(home), name) for name, home in simclone._homes().items()}

names = list(simclone._homes())
if sys.argv[1] == "reversed":
    names.reverse()
before = {name: getattr(simclone, name) for name in names}
for module in pkgutil.walk_packages(simclone.__path__, "simclone."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
after = {name: getattr(simclone, name) for name in names}
wrong = [name for name, thing in homes().items() if before[name] is not thing or after[name] is not thing]
assert names and not wrong, wrong
"""


@pytest.mark.parametrize("order", ["listed", "reversed"])
def test_a_public_name_stays_what_it_is(order: str) -> None:
    """Every public name is the same thing before and after every module of the package has been imported."""
    code, output = run("-c", STAYS, order)
    assert code == 0, output


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    """The lazy table of contents refuses what it does not hold."""
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = simclone.nothing
