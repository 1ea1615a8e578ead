"""``simclone explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from simclone.api import Run
    from simclone.explain.explanation import Explanation

HOST_ROWS = 60


@click.command(name="explain")
@click.argument("scenario", metavar="SCENARIO|RUN_DIR", type=click.Path(allow_dash=True))
@click.option("--clone", "name", help="Name of the clone (default: the first that failed).")
@click.option("--request", help="Name of the request, when several ask for the same clone name.")
@click.option("--failed", is_flag=True, help="One line for each reason of failure, judged on its first.")
@click.option("--fix", is_flag=True, help="Try single changes that would let it be placed, cheapest first.")
@click.option(
    "--apply",
    "out",
    metavar="OUT.yaml",
    type=click.Path(dir_okay=False),
    help="Write the scenario with the cheapest fix made; exit 1 when the clone still fails in it.",
)
@click.option("--kind", help="With --apply, the fix of this kind instead of the cheapest.")
@click.option("--host", "host", help="Show this host's row only.")
@click.option("--seed", type=click.IntRange(0), help="Seed of all chance; overrides the file's.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    scenario: str,
    name: str | None,
    request: str | None,
    failed: bool,
    fix: bool,
    out: str | None,
    kind: str | None,
    host: str | None,
    seed: int | None,
    as_json: bool,
) -> None:
    """Show the funnel of one clone of a scenario or a finished run, flow by flow, and the table of hosts behind it."""
    if failed and (name is not None or request is not None):
        raise click.UsageError("--failed is about all requests, without --clone and --request")
    if failed and (out is not None or host is not None):
        raise click.UsageError("--failed is about all clones, --apply and --host about one")
    if kind is not None and out is None:
        raise click.UsageError("--kind chooses what --apply writes")
    if out is not None:
        from simclone.scenario.writing import refuse_taken

        refuse_taken(out)
    run = _run(scenario, seed)
    if failed:
        _failed(run, fix=fix, as_json=as_json)
        return
    fix = fix or out is not None
    story = run.explain(name, request=request, fix=fix) if name is not None else _first(run, request, fix)
    if host is not None:
        story = _only(story, host)
    if as_json:
        _print(story, fix=fix)
    else:
        _show(story)
    if out is not None:
        _apply(run, story, out, kind)


def _run(scenario: str, seed: int | None) -> Run:
    """The run of a scenario, or that of a run directory made again."""
    from pathlib import Path

    from simclone import api

    if not (Path(scenario) / "manifest.json").is_file():
        return api.run(scenario, seed=seed)
    if seed is not None:
        raise click.UsageError("a run directory has its seed already")
    return api.reopen(scenario)


def _print(story: Explanation, *, fix: bool) -> None:
    from dataclasses import asdict

    from simclone.cli.output import print_json

    document: dict[str, object] = {
        "summary": story.summary(),
        "funnel": story.funnel,
        "hosts": [asdict(item) for item in story.hosts],
        "ranked": [asdict(entry) for entry in story.ranked],
        "verdict": None if story.verdict is None else asdict(story.verdict),
    }
    if fix:
        document["blocking"] = [asdict(element) for element in story.blocking]
        document["fixes"] = [asdict(member) for member in story.fixes or ()]
        document["tried"] = {"changes": story.tried, "pairs": story.pairs}
    print_json({"request": story.request, "clone": story.name, "host": story.host, **document})


def _only(story: Explanation, host: str) -> Explanation:
    from dataclasses import replace

    from simclone.errors import UnknownName

    rows = tuple(entry for entry in story.hosts if entry.host == host)
    if story.hosts and not rows:
        raise UnknownName("host", host, [item.host for item in story.hosts])
    return replace(story, hosts=rows)


def _apply(run: Run, story: Explanation, out: str, kind: str | None) -> None:
    """Write the changed scenario, run it, and say what came of it."""
    from simclone import api
    from simclone.changes.load import write_scenario
    from simclone.changes.whatif import change_scenario
    from simclone.explain.reruns import Question, succeeds

    chosen = next((item for item in story.fixes or () if kind in (None, item.kind)), None)
    if chosen is None:
        words = ", ".join(fix.kind for fix in story.fixes or ()) or "none was found"
        raise click.UsageError(f"there is no such fix to apply; fixes: {words}")
    result = change_scenario(run.scenario, chosen.changes)
    write_scenario(result, out)
    clone = None if story.name == story.request else story.name
    again = api.run(out, seed=run.seed, replication=run.replication)
    helped = succeeds(Question(result, story.request, clone, run.seed, run.replication), ())
    said = "succeeds" if helped else "still fails: made before the run, the change serves others first"
    click.echo(f"written to {out} ({chosen.text}); {story.name} {said}. {again.summary()}", err=True)
    if not helped:
        raise SystemExit(1)


def _failed(run: Run, *, fix: bool, as_json: bool) -> None:
    from simclone.cli.output import console, print_json, table

    rows = run.verdicts(fix=fix).to_dict("records")
    if as_json:
        print_json({"failures": rows})
        return
    if rows:
        columns = ("clones", "reason", "verdict", "first", "what", *(("fix",) if fix else ()))
        shown = [tuple(row[column] for column in columns) for row in rows]
        console().print(table("Failures by reason", columns, shown, numbers=(0,)))
    click.echo(run.summary())


def _first(run: Run, request: str | None, fix: bool) -> Explanation:
    """The first failure (of a request, if one is named); without any, the first clone."""
    requested = [answer for answer in run.answers if request in (None, answer.request.name)]
    for answer in requested:
        if answer.error is not None:
            return run.explain_request(answer.request.name, fix=fix)
        failed = [clone for clone in answer.clones if clone.error is not None]
        if failed:
            return run.explain(failed[0].name, request=answer.request.name, fix=fix)
    if not requested:
        raise click.UsageError(f"there is no request {request!r}" if request else "the scenario has no requests")
    return run.explain(requested[0].clones[0].name, request=requested[0].request.name)


def _show(story: Explanation) -> None:
    from simclone.cli.output import WIDE, console, share_bar, table
    from simclone.units import format_size

    out = console()
    funnel, bars = story.funnel, out.width >= WIDE
    steps = [
        (
            row["page"],
            row["flow"],
            f"{row['before']} → {row['after']}",
            *((share_bar(row["after"], funnel[0]["before"]),) if bars else ()),
            row["outcome"],
            ", ".join(f"{count} {reason}" for reason, count in row["refused"].items()),
        )
        for row in funnel
    ]
    if steps:
        columns = ("page", "flow", "hosts", *(("",) if bars else ()), "outcome", "refused")
        out.print(table(f"Funnel of {story.name}", columns, steps, numbers=(0, 2)))
    if story.hosts:
        first = story.hosts[0]
        requested = f"asked: {first.needed_cpu} vCPU, {format_size(first.needed_memory)}"
        rows = [
            (
                item.host,
                item.reason or "fits",
                item.flow,
                item.available_cpu,
                format_size(item.available_memory),
                format_size(item.reserved_memory),
                f"{item.memory_ratio:g}",
                item.vm_count,
            )
            for item in story.hosts[:HOST_ROWS]
        ]
        columns = ("host", "verdict", "flow", "free vCPUs", "free memory", "reserved", "ratio", "VMs")
        out.print(table(f"Hosts ({requested})", columns, rows, numbers=(3, 4, 5, 6, 7)))
    if story.fixes:
        fixes = [(f"{fix.cost:g}", fix.kind, fix.text) for fix in story.fixes]
        out.print(table("What would fix it, each by itself", ("cost", "kind", "change"), fixes, numbers=(0,)))
    click.echo(story.summary())
