"""Files derived from the planning questions' signatures: ``python -m tests.repo.generate`` writes them anew.

`test_generated.py` checks that they are fresh.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

import simclone
from simclone.planning.option import describe
from simclone.planning.questions import QUESTIONS, module_of
from tests.repo.reference import REFERENCE

REPO = Path(__file__).resolve().parents[2]
QUESTIONS_FILE = REPO / "simclone" / "cli" / "_questions.json"
STUB_FILE = REPO / "simclone" / "__init__.pyi"
STUB_HEAD = '''"""Public names with their signatures, for editors and type checkers; see tests/repo/generate.py."""

'''


def questions_text() -> str:
    """The descriptions of all questions, for the command line."""
    described = {name: describe(name, getattr(import_module(module_of(name)), name)) for name in QUESTIONS}
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


def stub_text() -> str:
    """The package's stub: every public name, imported from where it is defined."""
    homes = simclone._homes()
    names = sorted(homes)
    lines = [f"from {homes[name]} import {name} as {name}" for name in sorted(names, key=lambda one: (homes[one], one))]
    lines.append("from simclone.version import __version__ as __version__")
    public = "".join(f"    {name!r},\n".replace("'", '"') for name in sorted([*names, "__version__"]))
    return STUB_HEAD + "\n".join(lines) + f"\n\n__all__ = [\n{public}]\n"


REFERENCE_FOLDER = REPO / "simclone" / "docs" / "reference"
GENERATED = {
    QUESTIONS_FILE: questions_text,
    STUB_FILE: stub_text,
    **{REFERENCE_FOLDER / f"{name}.md": text for name, text in REFERENCE.items()},
}


def stale() -> list[str]:
    """Files that are not as the code has them."""
    return [path.name for path, text in GENERATED.items() if not path.exists() or path.read_text("utf-8") != text()]


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit("\n".join(stale()) or None)
    for path, text in GENERATED.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text(), "utf-8")
