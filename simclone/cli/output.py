"""Tables and words on the terminal; plain text where it is no terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text


class _Console(Console):
    """Leaves a closed pipe to the command's own end: a reader who went away is no failure."""

    def on_broken_pipe(self) -> None:
        """Raise instead of exiting with a code that means a failed check."""
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """A console; wide enough not to fold tables when piped."""
    stream = sys.stderr if stderr else sys.stdout
    return _Console(stderr=stderr, width=None if stream.isatty() else 160, highlight=False, soft_wrap=False)


WIDE = 100
"""Columns of text from which there is room for bars beside a table's words."""


def print_json(document: Any) -> None:
    """Exactly one JSON document on standard output."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[int] = ()
) -> Table:
    """A table; the columns numbered in *numbers* are aligned to the right."""
    result = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(columns):
        result.add_column(column, justify="right" if position in numbers else "left", overflow="fold")
    for row in rows:
        result.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return result


def share_bar(part: float, whole: float, width: int = 20) -> Text:
    """A part of a whole; at least one mark for a part that is not nothing."""
    marks = round(width * part / whole) if whole > 0 else 0
    return Text("█" * max(marks, 1 if part > 0 and whole > 0 else 0), style="blue")


def clock_text(seconds: int) -> str:
    """Days and the time of day, as in ``3 d 4:05:00``.

    >>> clock_text(3 * 86_400 + 4 * 3600 + 300)
    '3 d 4:05:00'
    """
    days, others = divmod(seconds, 86_400)
    return f"{f'{days} d ' if days else ''}{others // 3600}:{others // 60 % 60:02}:{others % 60:02}"


def bar(before: int, after: int, total: int, width: int = 20) -> Text:
    """Free *before* and *after* as one bar of use: █ stays used, ▓ was added, ░ was given back, · is free."""
    if total <= 0:
        return Text("")
    was, now = (max(0, min(width, round(width * (total - free) / total))) for free in (before, after))
    text = Text("█" * min(was, now), style="blue")
    text.append("▓" * max(now - was, 0), style="yellow")
    text.append("░" * max(was - now, 0), style="green")
    text.append("·" * (width - max(was, now)), style="dim")
    return text


def show_rows(name: str, rows: Sequence[Mapping[str, str]], *, as_json: bool) -> None:
    """Print rows as a table, or as one JSON document under *name*."""
    if as_json:
        print_json({name: list(rows)})
        return
    columns = list(rows[0]) if rows else []
    console().print(table(name, columns, [[row[column] for column in columns] for row in rows]))


def choose_rows(rows: Sequence[Mapping[str, str]], column: str, names: Sequence[str]) -> list[Mapping[str, str]]:
    """The rows whose *column* is one of *names* or begins with it and a dot; all without names.

    Raises UsageError for a name that is none, with the nearest one and the words that names begin with.
    """
    import click

    known = [row[column] for row in rows]
    for name in names:
        if not any(_begins(entry, name) for entry in known):
            heads = ", ".join(dict.fromkeys(entry.partition(".")[0] for entry in known))
            raise click.UsageError(f"no {column} {name!r}{nearest(name, known)}; they begin with {heads}")
    return [row for row in rows if not names or any(_begins(row[column], name) for name in names)]


def _begins(entry: str, name: str) -> bool:
    return entry == name or entry.startswith(f"{name}.")


def nearest(word: str, words: Sequence[str]) -> str:
    """The part of a sentence that names the word nearest to a wrong one."""
    from difflib import get_close_matches

    near = get_close_matches(word, words, n=1, cutoff=0.0)
    return f"; the nearest is {near[0]!r}" if near else ""
