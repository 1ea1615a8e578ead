"""`simclone docs` reads the pages of the package: the list, a page, a section, and what is no page."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from simclone.cli import docs

Call = Callable[..., tuple[int, str, str]]


def test_without_a_topic_every_page_stands_with_its_first_sentence(simclone: Call) -> None:
    """Two lines a page: its name, what it is about."""
    code, out, err = simclone("docs")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[::2] == list(docs.read_pages())
    assert all(line.startswith("    ") and line.endswith(".") for line in lines[1::2])


def test_a_page_is_plain_text_when_piped(simclone: Call) -> None:
    """The Markdown itself, no control codes, no anchors; the suffix may be written."""
    code, out, _ = simclone("docs", "rules/host-capacity")
    assert code == 0
    assert out.startswith("# ")
    assert "\x1b" not in out
    assert "<a id" not in out
    assert simclone("docs", "rules/" + "host-capacity.md")[1] == out


def test_a_section_ends_where_the_next_begins(simclone: Call) -> None:
    """Only the section named, with its heading."""
    code, out, _ = simclone("docs", "rules/host-capacity#reservation")
    assert code == 0
    assert out.count("\n## ") + out.startswith("## ") == 1
    assert "row lock" in out


@pytest.mark.parametrize(
    ("topic", "nearest"),
    [("rules/host-capacty", "rules/host-capacity"), ("rules/host-capacity#reservatoin", "reservation"), ("", "")],
)
def test_an_unknown_topic_names_the_nearest(simclone: Call, topic: str, nearest: str) -> None:
    """Bad usage, with a page or section that exists."""
    code, out, err = simclone("docs", topic)
    assert (code, out) == (2, "")
    assert "the nearest is" in err
    assert nearest in err


def test_a_terminal_gets_rendered_markdown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal the heading stands without its mark."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    docs._show('<a id="x"></a>\n## A heading\n\nText.\n')
    out = capsys.readouterr().out
    assert "A heading" in out
    assert "## " not in out
