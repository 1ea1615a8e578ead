"""Replay a run's events against its opening figures and compare with its closing figures and answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simclone.audit.hosts import Devices, Hosts
from simclone.audit.rules import UNLIMITED_STRATEGIES, Groups, Quotas, Vm
from simclone.audit.storage import Addresses, Storages
from simclone.records import Event

_NEW_HOST = {"exists": 1, "state": 0, "status": 0, "cluster": -1, "zone": -1}
RUNNING = (2, 11, 17)
"""Running, Paused and Unknown: states in which a VM holds its host."""
AT_REST = (0, 4, 7)
"""Created, Stopped and Destroyed: states in which a VM holds none."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that did not hold; *serial* is the event's, -1 for the end of the run."""

    serial: int
    rule: str
    text: str


def replay(records: Mapping[str, Any], events: Iterable[Event]) -> list[Violation]:
    """Everything that is wrong with a run. *records* holds ``opening``, ``closing`` and ``answers``."""
    auditor = Auditor(records["opening"], records["closing"]["hosts"])
    result: list[Violation] = []
    expected = 0
    for event in events:
        if event.serial != expected:
            result.append(Violation(event.serial, "order", f"event {expected} is missing"))
        expected = event.serial + 1
        try:
            result += [Violation(event.serial, event.kind, text) for text in auditor.event(event)]
        except (KeyError, ValueError, IndexError) as error:
            result.append(Violation(event.serial, "record", f"the event cannot be understood: {error!r}"))
    result += [Violation(-1, "closing", text) for text in auditor.closing(records["closing"])]
    result += [Violation(-1, "answers", text) for text in auditor.answers(records["answers"])]
    return result


class Auditor:
    """The auditor's own books."""

    def __init__(self, opening: Mapping[str, Any], closing_hosts: Sequence[Mapping[str, Any]]) -> None:
        self.hosts = Hosts(opening["hosts"])
        self.storages = Storages(opening["storages"])
        self.addresses = Addresses(opening["networks"])
        self.devices = Devices(opening["hosts"])
        self.groups = Groups(opening["groups"], opening["hosts"], closing_hosts, opening.get("clusters"))
        self.quotas = Quotas(opening["accounts"])
        self.vms: dict[str, Vm] = {}
        self.been: dict[str, set[str]] = {}
        self.slipped: set[str] = set()

    def event(self, event: Event) -> Iterator[str]:
        """What is wrong with one event."""
        amounts = dict(event.amounts)
        room = event.target.partition("/")[0]
        if event.kind in ("hold", "end"):
            yield from self._hold(event, amounts, room)
        elif event.kind == "drift":
            yield from self._drift(event, amounts, room)
        elif event.kind == "vm":
            yield from self._vm(event, amounts)
        elif event.kind == "set":
            self._set(event, amounts, room)
        elif event.kind == "breach":
            self._breach(event)
        elif event.kind == "device":
            yield from self.devices.move(
                event.subject, event.target, event.cause, amounts, self.vms[event.subject].adopted
            )
        elif event.kind != "volume":
            yield f"unknown kind of event {event.kind!r}"

    def _breach(self, event: Event) -> None:
        """A run says itself that one of several allocations at once slipped past a limit; rules have no such excuse."""
        if event.cause.startswith("quota."):
            self.slipped.add(event.subject)

    def _hold(self, event: Event, amounts: dict[str, int], room: str) -> Iterator[str]:
        begins = event.kind == "hold"
        if room == "host":
            if begins:
                self.been.setdefault(event.subject, set()).add(event.target)
                self.vms[event.subject].adopted |= event.cause == "adopt"
                yield from self.hosts.hold(event.subject, event.target, amounts, event.cause)
            else:
                yield from self.hosts.end(event.subject, event.target, amounts)
        elif room == "storage":
            if begins:
                yield from self.storages.hold(event.subject, event.target, amounts, event.cause)
            else:
                yield from self.storages.end(event.subject, event.target, amounts)
        elif room == "l3":
            turn = self.addresses.hold if begins else self.addresses.end
            yield from turn(event.target, amounts["ip"])

    def _drift(self, event: Event, amounts: dict[str, int], room: str) -> Iterator[str]:
        books = self.hosts if room == "host" else self.storages
        yield from books.shift(event.target, amounts, event.cause)

    def _vm(self, event: Event, amounts: dict[str, int]) -> Iterator[str]:
        if event.cause.startswith("add"):
            if amounts["state"] != AT_REST[0] or amounts["host"] >= 0:
                yield f"{event.subject} is added in state {amounts['state']} on host/{amounts['host']}"
            self.vms[event.subject] = Vm(event.target, event.cause.removeprefix("add "), amounts)
            return
        vm = self.vms[event.subject]
        moved = amounts["host"] != vm.figures["host"]
        vm.figures = amounts
        if event.cause == "remove":
            vm.alive = False
            if event.subject in self.hosts.of:
                yield f"{event.subject} is removed while it holds {self.hosts.of[event.subject]}"
        elif moved and amounts["host"] >= 0 and not vm.adopted:
            yield from self.groups.placed(event.subject, vm, self.vms)
            if amounts["state"] == 1 and vm.strategy not in UNLIMITED_STRATEGIES and event.subject not in self.slipped:
                yield from self.quotas.running(vm.account, self.vms)

    def _set(self, event: Event, amounts: dict[str, int], room: str) -> None:
        if room == "host":
            self.hosts.set(event.target, amounts, event.cause)
            row = int(event.target.removeprefix("host/"))
            while row >= len(self.groups.hosts):
                self.groups.hosts.append(dict(_NEW_HOST))
            self.groups.hosts[row] = {**self.groups.hosts[row], **amounts}
        elif room == "storage":
            self.storages.set(event.target, event.subject, amounts)
            if not amounts:
                self.groups.clusters = None
        elif room == "l3":
            self.addresses.extend(event.target, amounts)
        elif room == "account":
            self.quotas.limits[event.target][event.subject.removeprefix("quota/")] = amounts["value"]
        elif room == "group":
            self._set_group(event, amounts)
        elif event.cause == "attach":
            self.groups.clusters = None

    def _set_group(self, event: Event, amounts: dict[str, int]) -> None:
        if event.cause == "join":
            self.groups.members[event.target].add(event.subject)
            self.vms[event.subject].group = event.target
        elif event.cause == "leave":
            self.groups.members[event.target].discard(event.subject)
            self.vms[event.subject].group = ""
        else:
            self.groups.groups[event.target].update(amounts)

    def closing(self, closing: Mapping[str, Any]) -> Iterator[str]:
        """The end: figures, and every VM where its state says it is."""
        yield from self.hosts.closing(closing["hosts"])
        yield from self.storages.closing(closing["storages"])
        yield from self.addresses.closing(closing["networks"])
        yield from self._closing_vms(closing)
        for name, vm in self.vms.items():
            held = self.hosts.of.get(name)
            if not vm.alive or vm.figures["state"] in AT_REST:
                if held is not None:
                    yield f"{name} is at rest and holds {held}"
            elif vm.figures["state"] in RUNNING and held != f"host/{vm.figures['host']}":
                yield f"{name} runs on host/{vm.figures['host']} and holds {held}"

    def _closing_vms(self, closing: Mapping[str, Any]) -> Iterator[str]:
        for row, item in enumerate(closing["vms"]):
            vm = self.vms.get(f"vm/{row}")
            if vm is None or vm.alive != bool(item["alive"]):
                yield f"vm/{row} exists at the end or does not, events say otherwise"
            elif vm.alive and any(vm.figures[name] != item[name] for name in ("state", "host", "cpu", "memory")):
                yield f"vm/{row} ends as {item}, events say {vm.figures}"
        for row, group in enumerate(closing["groups"]):
            if {f"vm/{vm}" for vm in group["members"]} != self.groups.members[f"group/{row}"]:
                yield f"group/{row} ends with members {group['members']}, events say otherwise"

    def answers(self, answers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        """What was answered agrees with what was held."""
        for answer in answers:
            placed = [entry for entry in answer["clones"] if entry["ok"]]
            if answer["cloned"] != len(placed):
                yield f"{answer['request']} says {answer['cloned']} clones, {len(placed)} elements have no error"
            for item in answer["clones"]:
                name = f"vm/{item['vm']}"
                if item["ok"] and item["host"] >= 0 and f"host/{item['host']}" not in self.been.get(name, ()):
                    yield f"{answer['request']} places {name} on host/{item['host']}, where it never was"
                if not item["ok"] and not answer["kept"] and self.vms[name].alive and item["failed_start"]:
                    yield f"{answer['request']} reports {name} as failed, its row is still there"
