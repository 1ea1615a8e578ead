"""``simclone docs``: read the pages that ship with the package."""

from __future__ import annotations

import re
import sys
from importlib.resources import files
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

ANCHOR = re.compile(r'^<a id="([a-z0-9-]+)"></a>$')
"""A line that names the section whose heading follows."""


@click.command(name="docs")
@click.argument("topic", required=False)
def command(topic: str | None) -> None:
    """Read a page about rules, terms or decisions; without TOPIC, list the pages.

    TOPIC is a page (rules/host-capacity) or one section of it (rules/host-capacity#reservation).
    """
    pages = read_pages()
    if topic is None:
        for name, text in pages.items():
            click.echo(f"{name}\n    {first_sentence(text)}")
        return
    name, _, anchor = topic.partition("#")
    name = name.removesuffix(".md")
    if name not in pages:
        raise _none_such("no page", name, list(pages))
    text = pages[name]
    if anchor:
        anchors = [match[1] for line in text.splitlines() if (match := ANCHOR.match(line))]
        if anchor not in anchors:
            raise _none_such(f"{name} has no section", anchor, anchors)
        text = section(text, anchor)
    _show(text)


def read_pages() -> dict[str, str]:
    """Name of each page (its path without ``.md``) → its Markdown, by name."""
    pages: dict[str, str] = {}

    def collect(folder: Traversable, prefix: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir():
                collect(entry, f"{prefix}{entry.name}/")
            elif entry.name.endswith(".md"):
                pages[prefix + entry.name.removesuffix(".md")] = entry.read_text("utf-8")

    collect(files("simclone") / "docs", "")
    return dict(sorted(pages.items()))


def first_sentence(text: str) -> str:
    """The first sentence of a page below its title.

    >>> first_sentence("# Title\\n\\nWhat it is\\nabout. More of it.\\n")
    'What it is about.'
    """
    paragraphs = [" ".join(block.split()) for block in text.split("\n\n")]
    body = next((block for block in paragraphs if block and not block.startswith(("#", "<a "))), "")
    sentence, stop, _ = body.partition(". ")
    return sentence + stop.rstrip()


def section(text: str, anchor: str) -> str:
    """The Markdown from an anchor to the next anchor or the end, anchors left out."""
    retained: list[str] = []
    current = None
    for line in text.splitlines():
        match = ANCHOR.match(line)
        current = match[1] if match else current
        if current == anchor and not match:
            retained.append(line)
    return "\n".join(retained).strip() + "\n"


def _none_such(what: str, word: str, words: list[str]) -> click.UsageError:
    from simclone.cli.output import nearest

    return click.UsageError(f"{what} {word!r}{nearest(word, words)}; there is {', '.join(words)}")


def _show(text: str) -> None:
    """Rendered on a terminal; elsewhere the Markdown itself without its anchors."""
    plain = "\n".join(line for line in text.splitlines() if not ANCHOR.match(line))
    if not sys.stdout.isatty():
        click.echo(plain)
        return
    from rich.markdown import Markdown

    from simclone.cli.output import console

    console().print(Markdown(plain))
