"""``simclone run``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simclone.cli.conditions import Condition, ConditionType

if TYPE_CHECKING:
    from simclone.api import Run

HOST_ROWS = 40
KEEPS = ("all", "failures", "summary")
FORMATS = ("csv", "parquet", "sqlite")


@click.command(name="run")
@click.argument("scenario", type=click.Path(allow_dash=True))
@click.option("--seed", type=click.IntRange(0), help="Seed of all chance; overrides the file's.")
@click.option("--horizon", type=float, metavar="SECONDS", help="End of simulated time; overrides the file's.")
@click.option("--keep", type=click.Choice(KEEPS), help="Which rows are kept; overrides the file's.")
@click.option("--json", "as_json", is_flag=True, help="Print the API's answers and nothing else.")
@click.option("--style", type=click.Choice(["server", "doc"]), default="server", help="How answers are written.")
@click.option("--out", type=click.Path(file_okay=False), help="Write a run directory.")
@click.option("--format", "tables", type=click.Choice(FORMATS), help="How --out writes tables (csv).")
@click.option("--force", is_flag=True, help="Replace an existing run directory.")
@click.option("--fail-if", "conditions", type=ConditionType(), multiple=True, help="Exit 1 when met; may be repeated.")
def command(
    scenario: str,
    seed: int | None,
    horizon: float | None,
    keep: str | None,
    as_json: bool,
    style: str,
    out: str | None,
    tables: str | None,
    force: bool,
    conditions: tuple[Condition, ...],
) -> None:
    """Run SCENARIO and show what became of its clone requests."""
    _refuse_early(out, tables, force)
    run, interrupted = _made(scenario, seed=seed, horizon=horizon, keep=keep)
    if out is not None:
        run.save(out, force=force, tables=tables or "csv")
    if as_json or style == "doc":
        _print_answers(run, style)
    else:
        show(run)
        if out is not None:
            click.echo(f"written to {out}", err=True)
    if interrupted:
        click.echo(f"interrupted at {run.result.ledger.now_us / 1_000_000:g} s of simulated time", err=True)
        raise SystemExit(130)
    _judge(run, conditions)


def _made(scenario: str, **how: Any) -> tuple[Run, bool]:
    """The run, and whether it was ended by Ctrl-C."""
    from simclone import api
    from simclone.cli.progress import watching

    loaded = api.load(scenario)
    with watching(how["horizon"] or loaded.run.horizon) as observers:
        try:
            return api.run(loaded, observers=observers, **how), False
        except api.Interrupted as end:
            return end.run, True


def _judge(run: Run, conditions: tuple[Condition, ...]) -> None:
    if not conditions:
        return
    statistics = run.statistics()
    met = [said for condition in conditions if (said := condition.met(statistics)) is not None]
    for said in met:
        click.echo(said, err=True)
    if met:
        raise SystemExit(1)


def _refuse_early(out: str | None, tables: str | None, force: bool) -> None:
    if out is None:
        if tables is not None:
            raise click.UsageError("--format says how --out is written; name a directory with --out")
        return
    from simclone.errors import InvalidInput
    from simclone.store import refuse_directory, refuse_format

    try:
        refuse_format(tables or "csv")
    except InvalidInput as error:
        raise click.UsageError(error.faults[0].message) from None
    if Path(out).resolve() == Path.cwd():
        raise click.UsageError("the run directory cannot be the working directory; name a new one")
    refuse_directory(Path(out).resolve(), force)


def _print_answers(run: Run, style: str) -> None:
    from simclone.wire.response import dump

    answers = run.render(style)
    click.echo(dump(answers, style))


def show(run: Run) -> None:
    """Requests, failures by reason, hosts and storage before → after."""
    from simclone.cli.output import console

    out = console()
    for part in (_requests(run), _failures(run), _hosts(run), _storage(run), _findings(run)):
        if part is not None:
            out.print(part)
    click.echo(run.summary())


def _requests(run: Run) -> object | None:
    from simclone.cli.output import table

    if not run.answers:
        return None
    rows = [
        (
            answer.request.name,
            answer.request.vm,
            len(answer.request.names),
            answer.succeeded,
            len(answer.request.names) - answer.succeeded,
            answer.batch if answer.error is None else f"refused {answer.error.code}",
        )
        for answer in run.answers[:HOST_ROWS]
    ]
    title = "Requests" if len(run.answers) <= HOST_ROWS else f"Requests (first {HOST_ROWS} of {len(run.answers)})"
    return table(title, ("request", "source", "asked", "placed", "failed", "answer"), rows, numbers=(2, 3, 4))


def _failures(run: Run) -> object | None:
    from simclone.cli.output import table

    if not run.reasons():
        return None
    examples: dict[str, tuple[str, str]] = {}
    for answer in run.answers:
        errors = [(clone.name, clone.error) for clone in answer.clones if clone.error is not None]
        if answer.error is not None:
            errors = [(answer.request.name, answer.error)]
        for name, error in errors:
            examples.setdefault(error.root_reason, (name, error.root.details or ""))
    rows = [(count, reason, *examples.get(reason, ("", ""))) for reason, count in run.reasons().items()]
    return table("Not placed, by reason", ("clones", "reason", "first", "what the API says"), rows, numbers=(0,))


def _hosts(run: Run) -> object:
    from simclone.cli.output import bar, table
    from simclone.units import format_size

    frame = run.hosts
    rows = []
    for item in frame.head(HOST_ROWS).to_dict("records"):
        memory = (item["available_memory_before_bytes"], item["available_memory_after_bytes"])
        cpu = (item["available_cpu_before_vcpus"], item["available_cpu_after_vcpus"])
        rows.append(
            (
                item["host"],
                item["cluster"],
                f"{item['vm_count_before_vms']} → {item['vm_count_after_vms']}",
                f"{cpu[0]} → {cpu[1]}",
                f"{format_size(memory[0])} → {format_size(memory[1])}",
                bar(*memory, item["total_memory_bytes"]),
            )
        )
    title = "Hosts" if len(frame) <= HOST_ROWS else f"Hosts (first {HOST_ROWS} of {len(frame)})"
    return table(title, ("host", "cluster", "VMs", "free vCPUs", "free memory", "memory used"), rows, numbers=(2, 3, 4))


def _findings(run: Run) -> object | None:
    from simclone.cli.output import table

    result = run.findings()
    if not result:
        return None
    title = "Findings" if len(result) <= HOST_ROWS else f"Findings (first {HOST_ROWS} of {len(result)})"
    rows = [(item.kind, item.where, item.text) for item in result[:HOST_ROWS]]
    return table(title, ("kind", "where", "what"), rows)


def _storage(run: Run) -> object:
    from simclone.cli.output import bar, table
    from simclone.units import format_size

    rows = [
        (
            item["storage"],
            item["type"],
            f"{format_size(item['available_before_bytes'])} → {format_size(item['available_after_bytes'])}",
            bar(item["available_before_bytes"], item["available_after_bytes"], item["total_bytes"]),
        )
        for item in run.storage.to_dict("records")
    ]
    return table("Primary storage", ("storage", "type", "free (virtual)", "used"), rows, numbers=(2,))
