"""Help is fast and complete, and both spellings of the command are one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from simclone import __version__
from simclone.cli import COMMANDS

HEAVY = {"pandas", "numpy", "networkx", "scipy", "pydantic", "simpy", "ruamel", "rich"}
ASKS = [["--help"], ["-h"], *([name, flag] for name in COMMANDS for flag in ("--help", "-h")), ["--version"], []]


@pytest.mark.parametrize("words", ASKS, ids=" ".join)
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    """Help and version come without the packages that take long to import."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "simclone", *words],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    modules = {line.rsplit("|", 1)[1].strip() for line in lines}
    assert "simclone.cli" in modules
    assert {one.partition(".")[0] for one in modules} & HEAVY == set()
    assert done.returncode == (0 if words else 2)


def test_the_package_alone_imports_nothing_heavy() -> None:
    """`import simclone` loads the table of contents only."""
    code = "import sys, simclone; print(sorted(one for one in sys.modules if one.startswith('simclone.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=60)
    assert done.stdout.strip() in ("[]", "['simclone.version']")


def test_help_names_every_command_and_code(simclone: Callable[..., tuple[int, str, str]]) -> None:
    """The list of commands is whole, and each is explained by its own help."""
    code, out, err = simclone("--help")
    assert (code, err) == (0, "")
    assert re.findall(r"^  ([a-z]+)  ", out[out.index("Commands:") :], re.MULTILINE) == list(COMMANDS)
    flat = " ".join(out.split())
    assert all(
        one in flat for one in ("0 done", "1 done, and", "2 bad usage", "3 a bug in simclone", "130 interrupted")
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(simclone: Callable[..., tuple[int, str, str]], name: str) -> None:
    """A command's help gives its usage, a sentence and its options."""
    code, out, _ = simclone(name, "--help")
    assert code == 0
    assert f"simclone {name}" in out.splitlines()[0]
    assert "--help" in out


def test_version(simclone: Callable[..., tuple[int, str, str]]) -> None:
    """The version is that of the package."""
    code, out, _ = simclone("--version")
    assert code == 0
    assert out.endswith(f"simclone, version {__version__}\n")


SAME = [
    ["--help"],
    ["run", "--help"],
    ["run", "scenarios/quickstart.yaml"],
    ["rnu"],
    ["run", "nothing.yaml"],
    ["schema"],
]


@pytest.mark.parametrize("words", SAME, ids=" ".join)
def test_python_m_simclone_is_the_same_command(simclone: Callable[..., tuple[int, str, str]], words: list[str]) -> None:
    """`python -m simclone` gives the same code, output and messages as `simclone`, but for its name in the usage."""
    script = shutil.which("simclone", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert script is not None, "simclone is not installed"
    repo = Path(__file__).resolve().parents[2]
    done = subprocess.run([script, *words], cwd=repo, capture_output=True, encoding="utf-8", timeout=60)
    code, out, err = simclone(*words)

    def plain(text: str) -> str:
        return " ".join(text.replace("python -m simclone", "simclone").split())

    assert (code, plain(out), plain(err)) == (done.returncode, plain(done.stdout), plain(done.stderr))
