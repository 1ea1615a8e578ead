"""``simclone settings``."""

from __future__ import annotations

from collections.abc import Iterator

import click


def rows() -> list[dict[str, str]]:
    """Every setting by key: meaning, kind, shipped default of each profile, bounds or choices, where it comes from."""
    from simclone.model.settings import DEFINITIONS, FIDELITY

    described = [(setting, "platform") for setting in DEFINITIONS.values()]
    described += [(setting, "fidelity") for setting in FIDELITY.values()]
    return [
        {
            "setting": setting.key,
            "meaning": setting.meaning,
            "kind": setting.kind,
            "default": _shown(setting.default_in("cloud")),
            "profile open": _shown(setting.default_in("open")),
            "values": ", ".join(_values(setting.choices, setting.low, setting.high)),
            "origin": f"{origin}, decides nothing" if setting.dead else origin,
        }
        for setting, origin in described
    ]


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(choices: tuple[str, ...], low: float | None, high: float | None) -> Iterator[str]:
    yield from choices
    if low is not None:
        yield f"at least {low:g}"
    if high is not None:
        yield f"at most {high:g}"


@click.command(name="settings")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(names: tuple[str, ...], as_json: bool) -> None:
    """List the settings of globalConfig and fidelity, with their meanings and defaults.

    With NAME, that setting, or all whose names begin with it: kvm, quota.vm.
    """
    from simclone.cli.output import choose_rows, show_rows

    show_rows("settings", choose_rows(rows(), "setting", names), as_json=as_json)
