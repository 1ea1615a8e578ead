"""What a number of hosts leaves to say: refusals set apart, what remains short, disks that are missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from simclone.planning.parts.host_model import Model
from simclone.planning.parts.unrelated import HOMELESS, apart_note
from simclone.scenario.load import Scenario
from simclone.units import plural
from simclone.vocabulary import Subject, reason_of

if TYPE_CHECKING:
    from simclone.planning.parts.size_trials import Trial

SHOWN = 5
"""So many names are told."""


def notes_of(
    scenario: Scenario, models: Sequence[Model], last: Trial, counts: Sequence[int] | None, rest: int | None
) -> tuple[str, ...]:
    """The notes of an answer with *counts* hosts, None for none, of which *last* is the trial.

    *rest* hosts are enough but for what other resources are short of.
    """
    notes = [] if counts is not None else list(_remaining(models, last, rest))
    if last.apart:
        notes.append(apart_note(last.apart))
    if last.bound_to_host:
        shown = ", ".join(last.bound_to_host[:SHOWN]) + (", …" if len(last.bound_to_host) > SHOWN else "")
        notes.append(
            f"{plural(len(last.bound_to_host), 'VM')} on local storage cannot restart on any other host, "
            f"whatever is added: {shown}"
        )
    if last.loss and last.lost:
        notes.append(f"the loss that remains: {', '.join(last.loss)}")
    return (*notes, *_without_disks(scenario, models))


def _of_hosts(reason: str) -> bool:
    return reason == HOMELESS or reason_of(reason).subject is Subject.HOST


def _remaining(models: Sequence[Model], last: Trial, rest: int | None) -> Iterator[str]:
    """What is short besides hosts, or stays short with them."""
    other = {reason: count for reason, count in last.reasons.items() if not _of_hosts(reason)}
    hosts = {reason: count for reason, count in last.reasons.items() if _of_hosts(reason)}
    if other:
        text = ", ".join(f"{reason} ({count})" for reason, count in other.items())
        yield f"more hosts do not help against {text}; simclone explain --fix tells what does"
    if hosts:
        text = ", ".join(f"{reason} ({count})" for reason, count in hosts.items())
        yield f"the limit that remains with {sum(last.counts)} new hosts: {text}"
    if rest is not None:
        what = f"{rest} of {models[0].shown} would be enough" if rest else "no more hosts are needed"
        yield f"that apart, {what}"


def _without_disks(scenario: Scenario, models: Sequence[Model]) -> Iterator[str]:
    """Models that bring no disk to a cluster of local storage."""
    names = scenario.resolved.names
    clusters = [doc.name for doc in names.docs("cluster")]
    rows = scenario.resolved.attached.host_cluster
    hosts = {doc.name: clusters[row] for doc, row in zip(names.docs("host"), rows, strict=True)}
    for storage in scenario.doc.primary_storages or ():
        if storage.local_hosts is None:
            continue
        attached = storage.attached_clusters or clusters
        brings = {share.host for share in storage.local_hosts}
        for model in models:
            cluster = model.cluster or hosts.get(model.like or "", clusters[0] if clusters else "")
            if (
                cluster in attached
                and model.disk is None
                and storage.name not in model.disks
                and model.like not in brings
            ):
                yield (
                    f"hosts of {model.name} bring no disk to the local storage {storage.name} of {cluster}: "
                    f"give the model a disk, such as disk=2TiB"
                )


__all__ = ["notes_of"]
