"""The story of one clone: its decisions, the funnel of each, and the paragraph a person reads."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from simclone.explain.blocking import Obstacle
from simclone.explain.candidates import Fix
from simclone.explain.hosts import HostVerdict, Ranked
from simclone.explain.verdict import Verdict
from simclone.records import CloneAnswer, CloneRecord, DecisionRecord, ErrorCode
from simclone.units import plural
from simclone.vocabulary import Purpose, reason_of


@dataclass(frozen=True, slots=True)
class Explanation:
    """One clone explained. *host* is where it went (None when it failed), *hosts* the table of its last decision.

    *blocking* are tests that together leave no host, none of which can be left out. *fixes* are single changes with
    which it succeeds, cheapest first, or one of two changes where nothing single does; None when nobody asked.
    *tried* changes were tried, and *pairs* of two. *ranked* are the best hosts that passed, where one was placed.
    """

    request: str
    name: str
    host: str | None
    reason: str
    chain: tuple[str, ...]
    decisions: tuple[DecisionRecord, ...]
    hosts: tuple[HostVerdict, ...] = ()
    verdict: Verdict | None = None
    fixes: tuple[Fix, ...] | None = None
    blocking: tuple[Obstacle, ...] = ()
    tried: int = 0
    pairs: int = 0
    ranked: tuple[Ranked, ...] = ()

    @property
    def funnel(self) -> list[dict[str, Any]]:
        """Rows of flow, page, hosts before and after, outcome, reasons (most first), of the last decision.

        *full* counts the refused hosts that lack room, *unfit* those that lack something else.
        """
        if not self.decisions:
            return []
        return [
            {
                "flow": step.flow,
                "page": step.page,
                "before": step.before,
                "after": step.after,
                "outcome": step.outcome,
                "refused": dict(sorted(step.refused, key=lambda pair: (-pair[1], pair[0]))),
                "full": sum(count for reason, count in step.refused if reason_of(reason).too_little),
                "unfit": sum(count for reason, count in step.refused if not reason_of(reason).too_little),
                "text": step.text,
            }
            for step in self.decisions[-1].decision.steps
        ]

    def _repr_html_(self) -> str:
        """Paragraphs and the funnel, for notebooks."""
        lines = "".join(f"<p>{escape(line)}</p>" for line in self.summary().splitlines())
        rows = "".join(
            f"<tr><td>{escape(str(item['flow']))}</td><td>{item['before']} → {item['after']}</td>"
            f"<td>{escape(str(item['outcome']))}</td><td>{escape(str(item['refused']))}</td></tr>"
            for item in self.funnel
        )
        head = "<tr><th>flow</th><th>hosts</th><th>outcome</th><th>refused</th></tr>"
        return f"{lines}<table>{head}{rows}</table>" if rows else lines

    def summary(self) -> str:
        """One paragraph."""
        if self.host is not None:
            return f"{self.name} was placed on {self.host}.{self._competition()}"
        lines = " → ".join(self.chain)
        text = f"{self.name} failed ({self.reason or 'no reason recorded'}): {lines}"
        if self.verdict is not None:
            text += f"\nVerdict: {self.verdict.kind}. {self.verdict.text[:1].upper()}{self.verdict.text[1:]}."
        if self.blocking:
            text += "\nIn the way together: " + ", ".join(item.reason for item in self.blocking) + "."
        if self.fixes is not None:
            text += f"\n{self._remedy()}"
        return text

    def _competition(self) -> str:
        """Which hosts it won against, and by what."""
        matching = next((item for item in self.ranked if item.host == self.host), None)
        if matching is None:
            return ""
        equal = [entry.host for entry in self.ranked if entry.place == matching.place and entry.host != self.host]
        after = next((element for element in self.ranked if element.place > matching.place), None)
        text = f" Its sort keys are {list(matching.keys)}"
        if equal:
            text += f", like those of {', '.join(equal[:3])}{', …' if len(equal) > 3 else ''}: chance decided"
        if after is not None:
            text += f"; next best is {after.host} with {list(after.keys)}"
        return f"{text}."

    def _remedy(self) -> str:
        tried = plural(self.tried, "change") + (f" and {plural(self.pairs, 'pair')} of them" if self.pairs else "")
        if not self.fixes:
            return f"Nothing that was tried fixes it ({tried})."
        if "+" in self.fixes[0].kind:
            return f"Nothing single fixes it, these two together do: {self.fixes[0].text} (of {tried} tried)."
        return f"What would fix it: {self.fixes[0].text}."


def explain_clone(
    clone: CloneRecord, decisions: tuple[DecisionRecord, ...], hosts: tuple[HostVerdict, ...], host: str | None
) -> Explanation:
    """Put the parts of a clone's story together; *decisions* are all those of its run."""
    own = tuple(
        decision
        for decision in decisions
        if decision.request == clone.request and decision.subject == clone.name and decision.purpose == Purpose.HOST
    )
    if clone.error is None:
        return Explanation(clone.request, clone.name, host, "", (), own, hosts)
    return Explanation(clone.request, clone.name, None, clone.error.root_reason, _chain(clone.error), own, hosts)


def explain_refusal(answer: CloneAnswer, decisions: tuple[DecisionRecord, ...]) -> Explanation:
    """The story of a call that was refused as a whole."""
    assert answer.error is not None
    own = tuple(
        decision
        for decision in decisions
        if decision.request == answer.request.name and decision.purpose == Purpose.DRY_RUN
    )
    return Explanation(
        answer.request.name, answer.request.name, None, answer.error.root_reason, _chain(answer.error), own
    )


def _chain(error: ErrorCode) -> tuple[str, ...]:
    lines: list[str] = []
    said = ""
    for item in error.chain():
        lines.append(f"{item.code or 'list'}: {item.details}" if item.details != said else item.code or "list")
        said = item.details or ""
    return tuple(lines)
