"""Files derived from the code are as the code has them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from generate import GENERATED, STUB_FILE

import simclone


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.name)
def test_a_generated_file_is_fresh(path: Path) -> None:
    """`python tests/repo/generate.py` would change nothing."""
    assert path.read_text("utf-8") == GENERATED[path]()


def test_the_stub_names_what_the_package_has() -> None:
    """Every name of the stub can be had, and `dir` lists it."""
    names = [line.rpartition(" as ")[2] for line in STUB_FILE.read_text("utf-8").splitlines() if " as " in line]
    assert sorted(names) == dir(simclone) == sorted(simclone.__all__)
    assert all(getattr(simclone, name) is not None for name in names)
