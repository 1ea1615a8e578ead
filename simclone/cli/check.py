"""``simclone check``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simclone.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from simclone.check.run import CaseResult


@click.command(name="check")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True))
@click.option("--json", "as_json", is_flag=True, help="Print the verdicts as one JSON document.")
@click.option("--by-topic", is_flag=True, help="Count by topic.")
def command(paths: tuple[str, ...], as_json: bool, by_topic: bool) -> None:
    """Run the cases and scenarios in PATHS (files or folders) and compare with what they expect."""
    from simclone.cli.output import print_json

    files = [file for path in paths for file in _files(Path(path))]
    if not files:
        raise click.UsageError("no case or scenario found")
    results: list[tuple[Path, CaseResult]] = []
    faults: list[Fault] = []
    for file in files:
        try:
            result = _judge(file)
        except InvalidInput as error:
            faults += error.faults
            continue
        results.append((file, result))
        if not as_json:
            _show(file, result)
    if faults and not results:
        raise InvalidInput(faults)
    counts = Counter(result.verdict for _, result in results)
    if as_json:
        print_json(_document(results, counts))
    else:
        if by_topic:
            _show_topics([result for _, result in results])
        click.echo(f"{counts['passed']} passed, {counts['failed']} failed, {counts['unsupported']} unsupported")
    if faults:
        raise InvalidInput(faults)
    if counts["failed"]:
        raise SystemExit(1)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    result = [item for item in sorted(path.rglob("*")) if item.suffix in (".json", ".yaml", ".yml") and item.is_file()]
    return [entry for entry in result if not entry.name.endswith(".schema.json")]


def _judge(file: Path) -> CaseResult:
    from simclone import api

    return api.check_path(file)


def _show(file: Path, result: CaseResult) -> None:
    for failure in result.failures:
        click.echo(
            f"{file}: step {failure.step} {failure.op}: {failure.path}: "
            f"expected {failure.expected!r}, got {failure.got!r}"
        )
    for name in result.unsupported:
        click.echo(f"{file}: unsupported operation {name}")


def _show_topics(results: list[CaseResult]) -> None:
    from simclone.cli.output import console, table

    counts = Counter((result.topic, result.verdict) for result in results)
    rows = [
        (topic, *(counts[topic, verdict] for verdict in ("passed", "failed", "unsupported")))
        for topic in sorted({result.topic for result in results})
    ]
    console().print(table("By topic", ("topic", "passed", "failed", "unsupported"), rows, numbers=(1, 2, 3)))


def _document(results: list[tuple[Path, CaseResult]], counts: Counter[str]) -> dict[str, Any]:
    return {
        "passed": counts["passed"],
        "failed": counts["failed"],
        "unsupported": counts["unsupported"],
        "results": [
            {
                "file": str(file),
                "name": result.name,
                "topic": result.topic,
                "verdict": result.verdict,
                "failures": [
                    {
                        "step": failure.step,
                        "op": failure.op,
                        "path": failure.path,
                        "expected": failure.expected,
                        "got": str(failure.got),
                    }
                    for failure in result.failures
                ],
                "unsupported": list(result.unsupported),
            }
            for file, result in results
        ],
    }
