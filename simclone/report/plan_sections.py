"""Sections of planning answers; each kind of answer has one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from simclone.figures import bars, lines
from simclone.planning.bound import Bound
from simclone.planning.compare import Comparison
from simclone.planning.headroom import Headroom
from simclone.planning.parts.answer import Answer
from simclone.planning.rebalance import Rebalance
from simclone.planning.runway import DAY, Runway
from simclone.planning.shrink import Shrink
from simclone.planning.size import Sizing
from simclone.planning.survive import Drain, Survival
from simclone.planning.sweep import Sensitivity, Slo, Sweep
from simclone.planning.whatif import WhatIf
from simclone.report.material import Section

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 60
TITLES: Mapping[type[Answer], tuple[str, str]] = {
    Headroom: ("headroom", "How many more fit"),
    Sizing: ("size", "Hosts to add"),
    Shrink: ("shrink", "Hosts that could go"),
    Survival: ("survive", "What survives"),
    Drain: ("drain", "Maintenance check"),
    Rebalance: ("rebalance", "Moves that help"),
    Runway: ("runway", "Runway"),
    Comparison: ("compare", "Comparison"),
    Sweep: ("sweep", "Sweep"),
    Sensitivity: ("sensitivity", "What moves it"),
    Slo: ("slo", "Demand that holds"),
    WhatIf: ("whatif", "What if"),
    Bound: ("bound", "Against the best possible"),
}


def section_of(answer: Answer, number: int = 0) -> Section:
    """The section of an answer; *number* tells several of one kind apart."""
    anchor, title = TITLES[type(answer)]
    draw = PICTURES.get(type(answer))
    words = _words(answer.summary())
    picture = draw(answer) if draw is not None else None
    return Section(f"{anchor}-{number}" if number else anchor, title, words, picture, _rounded(answer.to_frame()))


def _words(summary: str) -> tuple[str, ...]:
    """The lines of a summary without the scenario's name, which stands at the top of the page already."""
    first, *rest = summary.splitlines()
    head = first.partition(": ")[2] or first
    lines = [head, *(line.strip() for line in rest)] if len(rest) == 0 or any(c.isdigit() for c in head) else rest
    return tuple(line.strip()[:1].upper() + line.strip()[1:] for line in lines)


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.head(MOST_ROWS).round(4)


def _headroom(answer: Headroom) -> Any:
    return bars.remaining(answer.to_frame())


def _survival(answer: Survival) -> Any:
    import pandas as pd

    if not answer.ladder:
        return None
    rows = [(one.k, one.ceiling, one.vms) for one in answer.ladder]
    return bars.ladder(pd.DataFrame(rows, columns=["k", "ceiling", "vms"]))


def _runway(answer: Runway) -> Any:
    import pandas as pd

    rows = [
        (
            one.name,
            *(quantile / DAY if quantile is not None else answer.horizon_s / DAY for quantile in one.quantiles_s),
        )
        for one in answer.ways
    ]
    return lines.bands(pd.DataFrame(rows, columns=["name", "low", "middle", "high"]))


def _comparison(answer: Comparison) -> Any:
    import pandas as pd

    rows = [(one.name, one.figure.estimate, one.figure.low, one.figure.high) for one in answer.variants]
    frame = pd.DataFrame(rows, columns=["name", "estimate", "low", "high"])
    return lines.intervals(frame, answer.figure, share=answer.figure.endswith("ratio"))


def _whatif(answer: WhatIf) -> Any:
    import pandas as pd

    rows = [(one.name, one.success.estimate, one.success.low, one.success.high) for one in answer.variants]
    return lines.intervals(pd.DataFrame(rows, columns=["name", "estimate", "low", "high"]), "placed", share=True)


def _bound(answer: Bound) -> Any:
    import pandas as pd

    rows = [("bound", float(answer.bound), float(answer.bound), float(answer.bound))]
    rows += [(one.strategy, one.placed.estimate, one.placed.low, one.placed.high) for one in answer.gaps]
    return lines.intervals(pd.DataFrame(rows, columns=["name", "estimate", "low", "high"]), "clones placed")


def _sensitivity(answer: Sensitivity) -> Any:
    return lines.tornado(answer.to_frame(), answer.base, answer.figure)


PICTURES: Mapping[type[Answer], Callable[[Any], Any]] = {
    Headroom: _headroom,
    Survival: _survival,
    Runway: _runway,
    Comparison: _comparison,
    WhatIf: _whatif,
    Bound: _bound,
    Sensitivity: _sensitivity,
}
