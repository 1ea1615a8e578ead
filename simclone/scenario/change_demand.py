"""More or less demand: the same streams faster, the same requests for more clones."""

from __future__ import annotations

from typing import Any

from simclone.errors import Fault, InvalidInput
from simclone.units import java_round

Data = dict[str, Any]


def scale_demand(data: Data, factor: float) -> None:
    """Streams arrive *factor* times as often, requests ask for as many times the names; raises InvalidInput."""
    faults = []
    for row, stream in enumerate(data.get("workload", ())):
        try:
            _scale_stream(stream, factor)
        except ValueError as error:
            faults.append(Fault(f"workload.{row}", str(error), "arrivals that have a rate"))
    if faults:
        raise InvalidInput(faults)
    for request in data.get("requests", ()):
        names = request["cloneVmInstance"].get("names")
        if isinstance(names, list):
            request["cloneVmInstance"]["names"] = scaled_names(names, factor)


def scaled_names(names: list[Any], factor: float) -> list[Any]:
    """As many names as *factor* times *names*: the first of them, or more with a number.

    >>> scaled_names(["a", "b"], 2.0), scaled_names(["a", "b"], 0.5)
    (['a', 'b', 'a-2', 'b-2'], ['a'])
    """
    count = java_round(len(names) * factor)
    return [name if not turn else f"{name}-{turn + 1}" for turn, name in _turns(names, count)]


def _turns(names: list[Any], many: int) -> list[tuple[int, Any]]:
    return [(at // len(names), names[at % len(names)]) for at in range(many)] if names else []


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
