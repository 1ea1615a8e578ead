"""The README's console blocks are run, and what they print is what the README shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^[ \t]*```console[^\n]*\n(.*?)^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)
EXIT = re.compile(r"\s+#\s*exit\s+(\d+)\s*$")
ELLIPSIS = re.compile(r"\.\.\.|…")
ELSEWHERE = re.compile(
    r"^(git clone|cd|source|\.)\s"
    r"|\bvenv\b|\bpip3? |\buv "
    r"|^(\S+/)?(pytest|ruff|mypy|lint-imports)\b|\bpython3? -m (pytest|ruff|mypy)\b|^(\./)?\.ci/"
)
"""Installing is done by .ci/run, and the suite and its gates are what is running now."""
PATIENCE_S = 120


@dataclass
class Command:
    """One command of a block: its text, the exit code it announces, and the lines shown under it."""

    text: str
    code: int = 0
    shown: list[str] = field(default_factory=list)

    @property
    def skipped(self) -> bool:
        """True when it is run elsewhere."""
        return bool(ELSEWHERE.search(self.text))


def commands(page: str) -> list[Command]:
    """The commands of a page's console blocks, in order; a backslash at the end continues a command."""
    found: list[Command] = []
    for block in BLOCK.findall(page):
        open_line = False
        current: Command | None = None
        for line in block.splitlines():
            if open_line and current is not None:
                current.text += "\n" + line.strip().removeprefix(">").lstrip()
            elif line.lstrip().startswith("$ "):
                current = Command(line.lstrip()[2:].rstrip())
                found.append(current)
            elif current is not None and line.strip():
                current.shown.append(line.strip())
                continue
            open_line = current is not None and current.text.endswith("\\")
    for one in found:
        announced = EXIT.search(one.text)
        if announced is not None:
            one.code, one.text = int(announced.group(1)), one.text[: announced.start()]
    return found


def missing(shown: list[str], printed: str) -> list[str]:
    """Shown lines that were not printed; an ellipsis stands for anything."""
    lines = [line.strip() for line in printed.splitlines()]
    return [one for one in shown if ELLIPSIS.sub("", one).strip() and not any(_within(one, line) for line in lines)]


def _within(shown: str, line: str) -> bool:
    return re.search(".*".join(map(re.escape, ELLIPSIS.split(shown))), line) is not None


def faults(page: str, folder: Path) -> list[str]:
    """Run a page's commands in *folder*, one after the other, and say what differs from what it shows."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("SIMCLONE_") and key != "FORCE_COLOR"}
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", "")])
    env |= {"PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}
    wrong: list[str] = []
    for one in commands(page):
        if one.skipped:
            continue
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", one.text],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=PATIENCE_S,
        )
        if done.returncode != one.code:
            wrong.append(f"$ {one.text}\nexit code {done.returncode}, announced {one.code}:\n{done.stdout[-2000:]}")
        wrong += [f"$ {one.text}\nnot printed: {line}" for line in missing(one.shown, done.stdout)]
    return wrong


def test_readme_commands_do_what_the_readme_shows(tmp_path: Path) -> None:
    """Every command of the README runs with the announced exit code and prints what is shown under it."""
    page = (REPO / "README.md").read_text("utf-8")
    if not commands(page):
        pytest.skip("the README has no console block")
    shutil.copytree(REPO / "scenarios", tmp_path / "scenarios")
    for more in ("tests/cases", "notebooks"):
        if (REPO / more).is_dir():
            shutil.copytree(REPO / more, tmp_path / more)
    assert faults(page, tmp_path) == []


SAMPLE = """
```console
$ python -m venv .venv && .venv/bin/pip install -e .
$ echo one two; echo three
one ...
three
$ printf '%s\\n' \\
>   four
four
$ sh -c 'echo bad >&2; exit 2'  # exit 2
bad
```
```python
$ not a command
```
  ```console
  $ true
  ```
"""


def test_a_page_is_parsed() -> None:
    """Prompts, continuations, announced codes and shown lines are told apart; other blocks are left alone."""
    assert [(one.text, one.code, one.shown, one.skipped) for one in commands(SAMPLE)] == [
        ("python -m venv .venv && .venv/bin/pip install -e .", 0, [], True),
        ("echo one two; echo three", 0, ["one ...", "three"], False),
        ("printf '%s\\n' \\\nfour", 0, ["four"], False),
        ("sh -c 'echo bad >&2; exit 2'", 2, ["bad"], False),
        ("true", 0, [], False),
    ]


def test_a_true_page_has_no_faults(tmp_path: Path) -> None:
    """Commands run in one folder, with this environment's Python in front."""
    assert faults(SAMPLE, tmp_path) == []
    assert (
        faults("```console\n$ echo x > left\n$ cat left\nx\n$ simclone --version\nsimclone, ...\n```\n", tmp_path) == []
    )


@pytest.mark.parametrize(
    ("block", "fault"),
    [
        ("$ false", "exit code 1, announced 0"),
        ("$ true # exit 1", "exit code 0, announced 1"),
        ("$ echo yes\nno", "not printed: no"),
        ("$ echo yes\n...\ny ... no", "not printed: y ... no"),
        ("$ false | cat", "exit code 1"),
    ],
)
def test_an_untrue_page_is_caught(tmp_path: Path, block: str, fault: str) -> None:
    """A wrong exit code and a line that is not printed are both reported."""
    (found,) = faults(f"```console\n{block}\n```\n", tmp_path)
    assert fault in found
