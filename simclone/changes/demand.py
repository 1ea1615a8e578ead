"""More or less demand: the same streams faster, the same requests for more clones."""

from __future__ import annotations

from typing import Any, ClassVar

from simclone.changes.kind import Data, ValueKind
from simclone.errors import Fault, InvalidInput
from simclone.scenario.document.distributions import AboveZero
from simclone.units import java_round


class Demand(ValueKind[AboveZero]):
    """The factor on all demand."""

    key: ClassVar[str] = "demand"

    def to_file(self, data: Data) -> None:
        """Make streams arrive that many times as often, requests ask for that many times the names.

        Raises InvalidInput.
        """
        faults = []
        for row, stream in enumerate(data.get("workload", ())):
            try:
                _scale_stream(stream, self.root)
            except ValueError as error:
                faults.append(Fault(f"workload.{row}", str(error), "arrivals that have a rate"))
        if faults:
            raise InvalidInput(faults)
        for request in data.get("requests", ()):
            names = request["cloneVmInstance"].get("names")
            if isinstance(names, list):
                request["cloneVmInstance"]["names"] = scaled_names(names, self.root)


def scaled_names(names: list[object], factor: float) -> list[Any]:
    """As many names as *factor* times *names*: the first of them, or more with a number.

    >>> scaled_names(["a", "b"], 2.0), scaled_names(["a", "b"], 0.5)
    (['a', 'b', 'a-2', 'b-2'], ['a'])
    """
    turns = [divmod(number, len(names)) for number in range(java_round(len(names) * factor))] if names else []
    return [f"{names[row]}-{turn + 1}" if turn else names[row] for turn, row in turns]


def _scale_stream(stream: Data, factor: float) -> None:
    """Write one stream's rate; ValueError when it has none."""
    trace = stream.get("trace")
    if trace is not None:
        share = trace.get("thin", 1.0) * factor
        if share > 1:
            raise ValueError(f"a trace cannot give {share:g} times its requests")
        trace["thin"] = share
        return
    arrivals = stream["arrivals"]
    if "every" in arrivals:
        arrivals["every"] /= factor
    elif "poisson" in arrivals:
        arrivals["poisson"]["perHour"] *= factor
    elif "bursts" in arrivals:
        arrivals["bursts"]["perHour"] *= factor
    elif "profile" in arrivals:
        arrivals["profile"]["perHour"] = [rate * factor for rate in arrivals["profile"]["perHour"]]
    elif isinstance(arrivals.get("renewal"), int | float):
        arrivals["renewal"] /= factor
    else:
        raise ValueError("gaps drawn from a law have no rate to change")
