"""Citations of rules lead to a section of a page that ships; each rule is cited by a test or listed."""

from __future__ import annotations

import re
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
ANCHOR = re.compile(r'^<a id="([a-z0-9-]+)"></a>$', re.MULTILINE)
CITATION = re.compile(r"rules/([a-z-]+)\.md(?:#([a-z0-9-]+))?")
UNCITED = frozenset(
    {
        "affinity#api",
        "affinity#clone-tag",
        "affinity#membership",
        "affinity#model",
        "api-shapes#inventories",
        "clone-call#inherited",
        "clone-call#job",
        "clone-call#request",
        "errors#codes",
        "errors#every-reservation-failed",
        "errors#no-host",
        "errors#wrapping",
        "host-capacity#capacity-query",
        "host-selection#chain",
        "host-selection#create",
        "host-selection#migrate",
        "host-selection#offering",
        "host-selection#other-operations",
        "host-selection#request",
        "host-selection#strategies",
        "host-selection#ties",
        "networks#card-parameters",
        "networks#cards",
        "networks#mac",
        "networks#no-address",
        "networks#strategies",
        "primary-storage#ceph",
        "primary-storage#recalculation",
        "primary-storage#shared",
        "primary-storage#snapshots",
        "primary-storage#strategies",
        "primary-storage#temporary-images",
        "primary-storage#which-strategy",
        "quotas#api-check",
        "quotas#clone",
        "states#disabled-cluster",
        "system-tags#known",
        "timing#anchors",
        "timing#copies",
        "timing#queues",
        "vm-life#create",
        "vm-life#reserved",
        "vm-life#storage-choice",
    }
)
"""Rules that no test cites; the list may only get shorter."""


def anchors_of(folder: Path) -> set[str]:
    """``page#anchor`` of every section; an anchor stands once on its page."""
    pairs = [f"{page.stem}#{name}" for page in folder.glob("*.md") for name in ANCHOR.findall(page.read_text("utf-8"))]
    assert len(pairs) == len(set(pairs))
    return set(pairs)


def citations_in(text: str) -> set[str]:
    """Every ``page#anchor`` a text cites; a citation without an anchor ends in ``#``."""
    return {f"{page}#{anchor}" for page, anchor in CITATION.findall(text)}


def dead_citations(texts: dict[str, str], anchors: set[str]) -> list[str]:
    """File and citation of those that lead nowhere."""
    return sorted(f"{file}: {name}" for file, text in texts.items() for name in citations_in(text) - anchors)


def unlisted(anchors: set[str], cited: set[str], listed: set[str] | frozenset[str]) -> list[str]:
    """What is wrong with the list: anchors that are neither cited nor listed, entries that are cited or no anchors."""
    missing = [f"neither cited nor listed: {name}" for name in anchors - cited - listed]
    return sorted([*missing, *(f"listed, yet cited: {name}" for name in listed & cited)]) + sorted(
        f"listed, but no rule: {name}" for name in listed - anchors
    )


def _texts(*folders: str) -> dict[str, str]:
    files = [file for folder in folders for file in (REPO / folder).rglob("*.py") if file != Path(__file__).resolve()]
    return {str(file.relative_to(REPO)): file.read_text("utf-8") for file in files}


def _anchors() -> set[str]:
    return anchors_of(REPO / "simclone/docs/rules")


SHEET = re.compile(
    r"(?<!rules/)\b(?:host-allocation|clone-storage-affinity)\.md|\b(?:clone|fact) sheet|\bsheets?\b"
    r"|\b[sS]urprise \d+|Appendix A\b"
)
"""Sources a reader of the repo does not have."""


def test_no_citation_leads_out_of_the_repo() -> None:
    """Rules are cited by the page that ships."""
    texts = _texts("simclone", "tests")
    assert [f"{file}: {match}" for file, text in texts.items() for match in SHEET.findall(text)] == []


def test_a_planted_foreign_source_is_seen() -> None:
    """By file, by name, by number; a page that ships is none."""
    text = "host-allocation.md 1.6; the clone sheet; surprise 7; Appendix A; rules/host-capacity.md#filter"
    assert SHEET.findall(text) == ["host-allocation.md", "clone sheet", "surprise 7", "Appendix A"]


def test_every_citation_leads_to_a_section() -> None:
    """Page and anchor exist."""
    assert dead_citations(_texts("simclone", "tests"), _anchors()) == []


def test_every_rule_is_cited_by_a_test_or_listed() -> None:
    """A new rule needs a test that cites it; a newly cited one leaves the list."""
    cited = set().union(*(citations_in(text) for text in _texts("tests").values()))
    assert unlisted(_anchors(), cited, UNCITED) == []


def test_a_planted_dead_citation_is_seen() -> None:
    """Of an unknown page, an unknown anchor, and no anchor."""
    text = "(rules/a.md#x, rules/a.md#y, rules/b.md#x, rules/a.md)"
    assert dead_citations({"f": text}, {"a#x"}) == ["f: a#", "f: a#y", "f: b#x"]


def test_planted_faults_of_the_list_are_seen() -> None:
    """An anchor in neither, an entry that is cited, an entry that is no anchor."""
    assert unlisted({"a#x", "a#y", "a#z"}, {"a#y"}, {"a#y", "a#gone"}) == [
        "listed, yet cited: a#y",
        "neither cited nor listed: a#x",
        "neither cited nor listed: a#z",
        "listed, but no rule: a#gone",
    ]
