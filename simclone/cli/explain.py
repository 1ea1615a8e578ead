"""``simclone explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from simclone.api import Run
    from simclone.explain.story import Explanation

HOST_ROWS = 60


@click.command(name="explain")
@click.argument("scenario", type=click.Path(allow_dash=True))
@click.option("--clone", "name", help="Name of the clone (default: the first that failed).")
@click.option("--request", help="Name of the request, when several ask for the same clone name.")
@click.option("--failed", is_flag=True, help="One line for each reason of failure, judged on its first.")
@click.option("--fix", is_flag=True, help="Try single changes that would let it be placed, cheapest first.")
@click.option("--seed", type=click.IntRange(0), help="Seed of all chance; overrides the file's.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    scenario: str, name: str | None, request: str | None, failed: bool, fix: bool, seed: int | None, as_json: bool
) -> None:
    """Show the funnel of one clone of SCENARIO, flow by flow, and the table of hosts behind it."""
    from dataclasses import asdict

    from simclone import api
    from simclone.cli.output import print_json

    if failed and (name is not None or request is not None):
        raise click.UsageError("--failed is about all requests, without --clone and --request")
    run = api.run(scenario, seed=seed)
    if failed:
        _failed(run, fix=fix, as_json=as_json)
        return
    story = run.explain(name, request=request, fix=fix) if name is not None else _first(run, request, fix)
    if as_json:
        document: dict[str, object] = {
            "summary": story.summary(),
            "funnel": story.funnel,
            "hosts": [asdict(one) for one in story.hosts],
        }
        document["verdict"] = None if story.verdict is None else asdict(story.verdict)
        if fix:
            document["blocking"] = [asdict(one) for one in story.blocking]
            document["fixes"] = [asdict(one) for one in story.fixes or ()]
        print_json({"request": story.request, "clone": story.name, "host": story.host, **document})
        return
    _show(story)


def _failed(run: Run, *, fix: bool, as_json: bool) -> None:
    from simclone.cli.output import console, print_json, table

    rows = run.verdicts(fix=fix).to_dict("records")
    if as_json:
        print_json({"failures": rows})
        return
    if rows:
        columns = ("clones", "reason", "verdict", "first", "what", *(("fix",) if fix else ()))
        shown = [tuple(one[column] for column in columns) for one in rows]
        console().print(table("Failures by reason", columns, shown, numbers=(0,)))
    click.echo(run.summary())


def _first(run: Run, request: str | None, fix: bool) -> Explanation:
    """The first failure (of a request, if one is named); without any, the first clone."""
    asked = [answer for answer in run.answers if request in (None, answer.request.name)]
    for answer in asked:
        if answer.error is not None:
            return run.explain_request(answer.request.name, fix=fix)
        failed = [clone for clone in answer.clones if clone.error is not None]
        if failed:
            return run.explain(failed[0].name, request=answer.request.name, fix=fix)
    if not asked:
        raise click.UsageError(f"there is no request {request!r}" if request else "the scenario has no requests")
    return run.explain(asked[0].clones[0].name, request=asked[0].request.name)


def _show(story: Explanation) -> None:
    from simclone.cli.output import console, table
    from simclone.units import format_size

    out = console()
    steps = [
        (
            row["page"],
            row["flow"],
            f"{row['before']} → {row['after']}",
            row["outcome"],
            ", ".join(f"{count} {reason}" for reason, count in row["refused"].items()),  # type: ignore[attr-defined]
        )
        for row in story.funnel
    ]
    if steps:
        out.print(
            table(f"Funnel of {story.name}", ("page", "flow", "hosts", "outcome", "refused"), steps, numbers=(0, 2))
        )
    if story.hosts:
        first = story.hosts[0]
        asked = f"asked: {first.needed_cpu} vCPU, {format_size(first.needed_memory)}"
        rows = [
            (
                one.host,
                one.reason or "fits",
                one.flow,
                one.available_cpu,
                format_size(one.available_memory),
                format_size(one.reserved_memory),
                f"{one.memory_ratio:g}",
                one.vm_count,
            )
            for one in story.hosts[:HOST_ROWS]
        ]
        columns = ("host", "verdict", "flow", "free vCPUs", "free memory", "reserved", "ratio", "VMs")
        out.print(table(f"Hosts ({asked})", columns, rows, numbers=(3, 4, 5, 6, 7)))
    if story.fixes:
        fixes = [(one.cost, one.kind, one.text) for one in story.fixes]
        out.print(table("What would fix it, each by itself", ("cost", "kind", "change"), fixes, numbers=(0,)))
    click.echo(story.summary())
