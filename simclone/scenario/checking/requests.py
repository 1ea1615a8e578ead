"""Requests and expectations of a scenario: what they name is there."""

from __future__ import annotations

from typing import Any

from simclone.scenario.checking.names import Directory
from simclone.scenario.document.requests import RequestDoc
from simclone.scenario.document.scenario import ScenarioDoc
from simclone.scenario.findings import dotted, nearest


def request_name(request: RequestDoc, place: int) -> str:
    """The name of a request; one without is numbered from 1."""
    return request.name or f"request-{place + 1}"


def check_requests(names: Directory, doc: ScenarioDoc) -> None:
    """All faults of all requests and expectations."""
    holders: dict[str, int] = {}
    born: dict[str, set[str]] = {}
    clones: set[str] = set()
    for position, request in zip(names.stood("requests", len(doc.requests)), doc.requests, strict=True):
        name = request_name(request, position)
        holder = holders.setdefault(name, position)
        if holder != position:
            names.findings.add(("requests", position, "name"), f"{name!r} is taken by {dotted(('requests', holder))}")
        if request.vm not in clones:
            names.find("vm", request.vm, ("requests", position, "vm"))
        names.account(request.account, ("requests", position, "account"))
        born[name] = _names_in(request.clone_vm_instance)
        clones |= born[name]
    for name, expected in doc.expect.items():
        if name in names.broken.get("request", ()):
            continue
        if name not in holders:
            names.findings.add(("expect", name), f"unknown request {name!r}", nearest(name, holders))
            continue
        for host in expected.per_host or ():
            names.find("host", host, ("expect", name, "perHost", host))
        for clone in expected.per_name or ():
            if born[name] and clone not in born[name]:
                path = ("expect", name, "perName", clone)
                names.findings.add(path, f"the request makes no {clone!r}", nearest(clone, born[name]))


def _names_in(body: dict[str, Any]) -> set[str]:
    names = body.get("names")
    return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()
