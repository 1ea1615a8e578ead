"""The whole document checked at once; what is resolved on the way is what the builder builds from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath

from simclone.model.settings import Settings
from simclone.scenario.checking.addresses import CheckedAddresses, addresses
from simclone.scenario.checking.attachments import CheckedAttachments, attachments
from simclone.scenario.checking.capacities import Capacities, capacities
from simclone.scenario.checking.incidents import check_faults, check_horizon, check_incidents, check_timing
from simclone.scenario.checking.names import Directory, Places, collect
from simclone.scenario.checking.requests import check_requests
from simclone.scenario.checking.settings import check_quotas, settings_of
from simclone.scenario.checking.storage_wishes import check_groups, check_links, check_offerings
from simclone.scenario.checking.strategies import check_strategies
from simclone.scenario.checking.usage import check_use
from simclone.scenario.checking.vms import check_vms
from simclone.scenario.checking.workload import check_workload
from simclone.scenario.document.scenario import ScenarioDoc, TopologyDoc
from simclone.scenario.findings import Findings


@dataclass(frozen=True, slots=True)
class Resolved:
    """A checked document with every name turned into a row."""

    names: Directory
    settings: Settings
    attached: CheckedAttachments
    figures: Capacities
    addresses: CheckedAddresses


def check(
    doc: TopologyDoc,
    findings: Findings,
    broken: Mapping[str, frozenset[str]] | None = None,
    places: Places | None = None,
    folder: FilePath | None = None,
) -> Resolved:
    """Check everything that goes beyond the shape of *doc*; faults are collected in *findings*.

    *broken* (kind → names) and *places* (list → positions) describe entries that were left out because their shape
    is faulty.
    """
    names = collect(doc, findings, broken, places)
    settings = settings_of(names)
    attached = attachments(names)
    figures = capacities(names, attached, settings)
    taken = addresses(names)
    check_quotas(names)
    check_offerings(names)
    check_strategies(names, settings.profile)
    check_links(names)
    check_groups(names)
    check_vms(names, attached, figures, taken)
    check_use(names, folder)
    if isinstance(doc, ScenarioDoc):
        check_requests(names, doc)
        check_workload(names, doc.workload, folder)
        check_horizon(names, doc)
        check_incidents(names, doc.incidents, folder)
        check_faults(names, doc.faults)
        check_timing(names, doc.timing, doc.run.timing, folder)
    return Resolved(names, settings, attached, figures, taken)
