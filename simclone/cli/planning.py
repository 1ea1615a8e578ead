"""What the planning commands share: options, how many runs and where, showing an answer, conditions on it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from simclone.cli.conditions import parsed, told

if TYPE_CHECKING:
    from rich.progress import Progress

    from simclone.planning.parts.answer import Answer
    from simclone.planning.replication.plan import Plan
    from simclone.planning.size import Model

Command = Callable[..., Any]
ROWS = 60


def scenario_argument(function: Command) -> Command:
    """The scenario."""
    return click.argument("scenario", type=click.Path(allow_dash=True))(function)


def answer_options(function: Command) -> Command:
    """How the answer is shown and judged."""
    for option in (
        click.option(
            "--fail-if", "conditions", multiple=True, metavar="FIGURE<LIMIT", help="Exit 1 when met; may be repeated."
        ),
        click.option("--csv", "as_csv", is_flag=True, help="Print the table as CSV."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
    ):
        function = option(function)
    return function


def run_options(function: Command) -> Command:
    """How many runs are made, and where; the command gets them as ``plan``."""

    @wraps(function)
    def command(*args: Any, **given: Any) -> Any:
        names = ("replications", "confidence", "half_width", "jobs", "cluster", "resume", "seed")
        how = {name: given.pop(name) for name in names}
        with _planned(**how) as plan:
            return function(*args, plan=plan, **given)

    for option in (
        click.option(
            "--resume",
            type=click.Path(file_okay=False),
            help="Keep finished runs in this directory, and use those in it.",
        ),
        click.option("--cluster", metavar="ADDRESS", help="Make the runs on this Dask scheduler."),
        click.option("--jobs", type=int, default=1, show_default=True, help="Processes that make runs."),
        click.option("--half-width", type=float, help="Go on until the interval is as narrow as this."),
        click.option("--confidence", type=float, default=0.95, show_default=True, help="Of the intervals."),
        click.option("--replications", type=int, default=10, show_default=True, help="Runs with seeds of their own."),
        click.option("--seed", type=click.IntRange(0), help="Seed of all chance; overrides the file's."),
    ):
        command = option(command)
    return command


@contextmanager
def _planned(
    replications: int,
    confidence: float,
    half_width: float | None,
    jobs: int,
    cluster: str | None,
    resume: str | None,
    seed: int | None,
) -> Iterator[Plan]:
    from simclone.planning.replication.executor import Execution
    from simclone.planning.replication.plan import Plan

    with _progress() as tell:
        how = Execution(jobs, cluster, resume, tell)
        yield Plan(replications, seed, confidence, half_width, how=how)


_LINES: list[Progress] = []
"""Lines of progress on the terminal; they end before the answer is printed."""


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """A line of progress on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from simclone.cli.output import console

    columns = (TextColumn("runs"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        task = progress.add_task("runs", total=None)
        _LINES.append(progress)
        try:
            yield lambda done, every: progress.update(task, completed=done, total=every)
        finally:
            _LINES.remove(progress)


def show(answer: Answer, *, as_json: bool, as_csv: bool, conditions: Sequence[str]) -> None:
    """Print the answer, then exit 1 if a condition is met, 130 if runs are missing after Ctrl-C."""
    from simclone.cli.answers import answer_table
    from simclone.cli.output import WIDE, console, print_json

    for line in _LINES:
        line.stop()
    judged = [_condition(one, answer.figures()) for one in conditions]
    if as_json:
        print_json(answer.to_dict())
    elif as_csv:
        click.echo(answer.to_frame().to_csv(index=False), nl=False)
    else:
        click.echo(answer.summary())
        out = console()
        shown, more = answer_table(answer, ROWS, bars=out.width >= WIDE)
        if shown.row_count:
            out.print(shown)
        if more:
            click.echo(f"… and {more} more rows (--csv prints all)")
    met = [said for said in judged if said is not None]
    for said in met:
        click.echo(said, err=True)
    if getattr(answer, "interrupted", False):
        click.echo("interrupted: what was finished is shown", err=True)
        raise SystemExit(130)
    if met:
        raise SystemExit(1)


def _condition(text: str, figures: Mapping[str, float | None]) -> str | None:
    """What to say when the condition is met, or None; raises UsageError for one that is none."""
    try:
        name, sign, limit = parsed(text, "total<10")
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if name not in figures:
        raise click.UsageError(f"{name!r} is no figure; there is {', '.join(figures)}")
    return told(name, figures[name], sign, limit)


def value_of(text: str) -> Any:
    """A value as YAML reads it; raises UsageError."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        raise click.UsageError(f"{text!r} cannot be read") from None


def changes_of(texts: Sequence[str]) -> list[dict[str, Any]]:
    """Changes from the command line, each a mapping as a ``whatif:`` block writes it; raises UsageError."""
    found = [value_of(text) for text in texts]
    for text, one in zip(texts, found, strict=True):
        if not isinstance(one, dict):
            raise click.UsageError(f"{text!r} is no change such as 'addHosts: {{like: host-1}}'")
    return found


def pairs_of(texts: Sequence[str], what: str) -> dict[str, str]:
    """``PATH=REST`` by path; raises UsageError."""
    found: dict[str, str] = {}
    for text in texts:
        path, sign, rest = text.partition("=")
        if not sign or not path or not rest:
            raise click.UsageError(f"{text!r} is no {what}")
        found[path.strip()] = rest
    return found


def model_of(text: str) -> Model:
    """A host model from ``name=big,cpu=64,memory=512GiB,cluster=c1,price=9000`` or ``like=host-1``; UsageError."""
    from simclone.planning.size import Model
    from simclone.units import parse_size

    given = pairs_of(text.split(","), "host model such as like=host-1,price=10")
    known = {"name", "like", "cpu", "memory", "cluster", "price"}
    if set(given) - known:
        raise click.UsageError(
            f"{text!r}: {', '.join(sorted(set(given) - known))} is unknown; there is {', '.join(sorted(known))}"
        )
    if "like" in given and {"cpu", "memory", "cluster"} & set(given):
        raise click.UsageError(f"{text!r} says the size twice: like=HOST, or cpu=CORES, memory=SIZE and cluster=NAME")
    if "like" not in given and not {"cpu", "memory"} <= set(given):
        raise click.UsageError(f"{text!r} says no size: like=HOST, or cpu=CORES and memory=SIZE")
    try:
        price = float(given.get("price", "1"))
        cpu = None if "cpu" not in given else int(given["cpu"])
        memory = None if "memory" not in given else parse_size(given["memory"])
    except ValueError as error:
        raise click.UsageError(f"{text!r}: {error}") from None
    name = given.get("name") or (f"like-{given['like']}" if "like" in given else f"{given['cpu']}-core")
    return Model(name, price, given.get("like"), cpu, memory, given.get("cluster"))
