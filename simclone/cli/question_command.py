"""A planning question as a command: options out of its description, the call, the answer shown and judged.

`_questions.json` holds the descriptions, generated from the functions' signatures, so that help needs none of them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache, wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from simclone.planning.parts.answer import Answer
    from simclone.planning.replication.plan import ReplicationPlan

Description = Mapping[str, Any]
ROWS = 60
# not a Path: importing pathlib takes longer than everything else here
DESCRIPTIONS = os.path.join(os.path.dirname(__file__), "_questions.json")
KINDS: Mapping[str, Any] = {"int": int, "float": float, "str": str}
SHOWN = ("as_json", "as_csv", "conditions")
RUNS = ("replications", "confidence", "half_width", "jobs", "cluster", "resume", "seed")


@cache
def descriptions() -> dict[str, Description]:
    """The questions of this package, as described by the committed file."""
    with open(DESCRIPTIONS, encoding="utf-8") as file:
        documents: dict[str, Description] = json.load(file)
    return documents


def question_command(description: Description, function: Callable[..., Answer] | None = None) -> click.Command:
    """The command of a question; its function is loaded when it is called, unless it is given."""

    def call(scenario: str, **values: Any) -> None:
        shown = {name: values.pop(name) for name in SHOWN}
        runs = {name: values.pop(name) for name in RUNS} if description["runs"] else None
        keywords = {option["keyword"]: _value(option, values[option["keyword"]]) for option in description["options"]}
        ask = function or getattr(import_module(description["module"]), description["function"])
        with nullcontext() if runs is None else _planned(**runs) as plan:
            answer = ask(scenario, **keywords, **({} if runs is None else {"plan": plan}))
        if keywords.get("out") is not None:
            click.echo(f"written to {keywords['out']}", err=True)
        show(answer, **shown)

    options = [_option(option) for option in description["options"]]
    options += _run_options() if description["runs"] else []
    scenario = click.Argument(["scenario"], type=click.Path(allow_dash=True))
    return click.Command(
        description["name"],
        params=[scenario, *options, *_answer_options()],
        callback=call,
        help=description["sentence"],
    )


def _value(option: Description, value: Any) -> Any:
    if not option["parse"]:
        return value
    parse = getattr(import_module("simclone.cli.parsers"), option["parse"])
    return parse(value)


def _option(option: Description) -> click.Option:
    flag, repeated = option["kind"] == "bool", option["repeated"]
    default = option["default"]
    settings: dict[str, Any] = {"help": option["help"], "multiple": repeated, "metavar": option["metavar"]}
    if flag:
        settings["is_flag"] = True
    else:
        settings["type"] = _type(option)
    if option["required"]:
        settings["required"] = True
    elif default not in (None, []) and not flag:
        settings |= {"default": tuple(default) if isinstance(default, list) else default, "show_default": True}
    return click.Option([*option["flags"], option["keyword"]], **settings)


def _type(option: Description) -> Any:
    if option["kind"] == "choice":
        return click.Choice(option["choices"])
    if option["kind"] == "path":
        return click.Path(dir_okay=False)
    if option["least"] is not None:
        return click.IntRange(option["least"])
    return KINDS[option["kind"]]


def _answer_options() -> list[click.Option]:
    """How the answer is shown and judged."""
    return [
        click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON document."),
        click.Option(["--csv", "as_csv"], is_flag=True, help="Print the table as CSV."),
        click.Option(
            ["--fail-if", "conditions"],
            multiple=True,
            metavar="FIGURE<LIMIT",
            help="Exit 1 when met; may be repeated.",
        ),
    ]


def _run_options() -> list[click.Option]:
    """How many runs are made, and where; the question gets them as ``plan``."""
    return [
        click.Option(["--seed"], type=click.IntRange(0), help="Seed of all chance; overrides the file's."),
        click.Option(["--replications"], type=int, default=10, show_default=True, help="Runs with seeds of their own."),
        click.Option(["--confidence"], type=float, default=0.95, show_default=True, help="Of the intervals."),
        click.Option(["--half-width"], type=float, help="Go on until the interval is as narrow as this."),
        click.Option(["--jobs"], type=int, default=1, show_default=True, help="Processes that make runs."),
        click.Option(["--cluster"], metavar="ADDRESS", help="Make the runs on this Dask scheduler."),
        click.Option(
            ["--resume"],
            type=click.Path(file_okay=False),
            help="Keep finished runs in this directory, and use those in it.",
        ),
    ]


def run_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command of its own the options about runs; it gets them as ``plan``."""

    @wraps(function)
    def command(*args: Any, **values: Any) -> Any:
        runs = {name: values.pop(name) for name in RUNS}
        with _planned(**runs) as plan:
            return function(*args, plan=plan, **values)

    described: Any = command
    described.__click_params__ = [*reversed(_run_options()), *getattr(function, "__click_params__", [])]
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
) -> Iterator[ReplicationPlan]:
    from simclone.planning.replication.executor import Execution
    from simclone.planning.replication.plan import ReplicationPlan

    with _progress() as tell:
        executor = Execution(jobs, cluster, resume, tell)
        yield ReplicationPlan(replications, seed, confidence, half_width, executor=executor)


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
        yield lambda done, every: progress.update(task, completed=done, total=every)


def show(answer: Answer, *, as_json: bool, as_csv: bool, conditions: Sequence[str]) -> None:
    """Print the answer, then exit 1 if a condition is met, 130 if runs are missing after Ctrl-C."""
    from simclone.cli.answers import answer_table
    from simclone.cli.output import WIDE, console, print_json

    judged = [_condition(condition, answer.figures()) for condition in conditions]
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
    from simclone.cli.conditions import describe_condition, parse_condition

    try:
        name, sign, limit = parse_condition(text, "total<10")
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if name not in figures:
        raise click.UsageError(f"{name!r} is no figure; there is {', '.join(figures)}")
    return describe_condition(name, figures[name], sign, limit)
