"""A mutation run: change one operator, constant or truth at a time and see whether the tests notice.

    python tests/mutation.py --sample 120 --seed 1 simclone/allocator simclone/placement simclone/model/ledger

Prints one line per survivor and the share of mutants killed. Mutants are drawn evenly from all that exist.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
TESTS = (
    "tests/unit/model",
    "tests/unit/allocator",
    "tests/golden",
    "tests/scenarios",
    "tests/unit/test_check.py",
    "tests/regressions",
    "tests/audit",
    "tests/flows",
    "tests/oracle",
)
COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_BUILTINS = ("int", "str", "float", "bool", "bytes", "object")
BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.FloorDiv: ast.Mult,
}


def _decorations(tree: ast.AST) -> set[int]:
    """Nodes inside decorators: a dataclass that is not frozen behaves the same."""
    marks = (mark for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for mark in node.decorator_list)
    return {id(part) for mark in marks for part in ast.walk(mark)}


def sites(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Every node that can be altered, with what would be done; decorators and docstrings are left alone."""
    skipped = _decorations(tree)
    for node in (node for node in ast.walk(tree) if id(node) not in skipped):
        if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARE:
            yield node, "compare"
        elif isinstance(node, ast.BinOp) and type(node.op) in BINARY and not _is_type(node):
            yield node, "operator"
        elif isinstance(node, ast.BoolOp):
            yield node, "and/or"
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield node, "not"
        elif isinstance(node, ast.Constant) and type(node.value) in (int, bool):
            yield node, "constant"


def _is_type(node: ast.BinOp) -> bool:
    """A union of types, which no test can tell from another."""
    parts = [part for part in ast.walk(node) if isinstance(part, ast.Name | ast.Constant)]
    return isinstance(node.op, ast.BitOr) and all(
        part.value is None if isinstance(part, ast.Constant) else part.id[:1].isupper() or part.id in _BUILTINS
        for part in parts
    )


def alter(node: ast.AST) -> None:
    """Alter a node in place."""
    if isinstance(node, ast.Compare):
        node.ops[0] = COMPARE[type(node.ops[0])]()
    elif isinstance(node, ast.BinOp):
        node.op = BINARY[type(node.op)]()
    elif isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.UnaryOp):
        node.op = ast.UAdd()
    elif isinstance(node, ast.Constant):
        node.value = not node.value if isinstance(node.value, bool) else node.value + 1


def all_mutants(paths: list[Path]) -> list[tuple[Path, int]]:
    """(file, number of the site in it) for every mutant there is."""
    files = sorted(file for path in paths for file in ([path] if path.is_file() else path.rglob("*.py")))
    return [(file, number) for file in files for number, _ in enumerate(sites(ast.parse(file.read_text("utf-8"))))]


def mutated(file: Path, number: int) -> tuple[str, str]:
    """The altered source, and where it was altered."""
    tree = ast.parse(file.read_text("utf-8"))
    node, kind = list(sites(tree))[number]
    before = ast.unparse(node)
    alter(node)
    return ast.unparse(tree), f"{file.relative_to(REPO)}:{getattr(node, 'lineno', 0)} {kind}: {before}"


def killed(room: Path, file: Path, text: str, limit_s: int) -> bool:
    """Whether the tests fail on the altered copy; a run that takes too long counts as noticed."""
    target = room / file.relative_to(REPO)
    original = target.read_text("utf-8")
    target.write_text(text, "utf-8")
    try:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *TESTS]
        quick = {**os.environ, "HYPOTHESIS_PROFILE": "quick"}
        done = subprocess.run(command, cwd=room, capture_output=True, timeout=limit_s, env=quick)
        return bool(done.returncode)
    except subprocess.TimeoutExpired:
        return True
    finally:
        target.write_text(original, "utf-8")


def main() -> None:
    """Run the sample and print the share killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, default=240, help="seconds per mutant")
    parser.add_argument("--minutes", type=float, default=600, help="stop after so long and count what was judged")
    asked = parser.parse_args()
    mutants = all_mutants([path.resolve() for path in asked.paths])
    chosen = random.Random(asked.seed).sample(mutants, min(asked.sample, len(mutants)))
    dead = judged = 0
    end = time.monotonic() + 60 * asked.minutes
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder) / "simclone"
        shutil.copytree(REPO, room, ignore=shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache"))
        if (REPO.parent / "shared").is_dir():
            (Path(folder) / "shared").symlink_to(REPO.parent / "shared")
        for file, number in chosen:
            if time.monotonic() > end:
                break
            judged += 1
            text, where = mutated(file, number)
            if killed(room, file, text, asked.limit):
                dead += 1
            else:
                print(f"survived {where}", flush=True)
    print(f"{dead} of {judged} mutants killed ({dead / max(judged, 1):.0%}), drawn from {len(mutants)}")


if __name__ == "__main__":
    main()
