"""Sections of a run: what came of it, where it stands, why the rest failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from simclone.figures import bars, heat, lines
from simclone.planning.parts.costs import Cost, cost_of
from simclone.planning.parts.largest_vm import largest_vms
from simclone.report.material import Material, Section
from simclone.report.resources import constrained, ratios, usable_memory, usable_storage
from simclone.units import GIB, format_size, plural

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 40


def verdict_line(material: Material) -> tuple[str, str]:
    """``yes``, ``partly`` or ``no``, and one sentence."""
    totals = material.result.totals
    if not totals.asked:
        return "yes", "Nothing was asked."
    reasons = material.result.totals.reasons
    limit = f" The limiter is {next(iter(reasons))}." if reasons else ""
    if totals.placed == totals.asked:
        every = "the clone is" if totals.asked == 1 else f"all {totals.asked} clones are"
        return "yes", f"It fits: {every} placed."
    if totals.placed:
        return "partly", f"It fits partly: {totals.placed} of {plural(totals.asked, 'clone')} are placed.{limit}"
    return "no", f"It does not fit: none of {plural(totals.asked, 'clone')} is placed.{limit}"


def run_sections(material: Material) -> Iterator[Section]:
    """Those there is data for, in the order of the page."""
    yield _use(material)
    yield _constrained(material)
    yield _heat(material)
    if len(material.series) > 1:
        yield _series(material)
    if len(material.verdicts):
        yield from _failures(material)
    yield from _capacity(material)
    yield _fragmentation(material)
    if material.scenario.doc.incidents or material.scenario.doc.whatif:
        yield _timeline(material)
    if material.statistics.affinity_compliance_ratio is not None:
        share = material.statistics.affinity_compliance_ratio
        yield Section(
            "affinity", "Affinity compliance", (f"{100 * share:.1f} % of the members of rules stand by them.",)
        )
    cost = cost_of(material.scenario)
    if cost is not None:
        yield Section("cost", "Cost", (cost.summary(),), table=_cost_table(cost))
    if material.findings:
        words = tuple(f"{finding.where} {finding.text}." for finding in material.findings[:MOST_ROWS])
        yield Section("findings", "Findings", words)


def _cost_table(cost: Cost) -> pd.DataFrame:
    """What is paid for, over the scenario's time and for a month of it on average."""
    import pandas as pd

    parts = {"hosts": cost.hosts, "power": cost.power, "licences": cost.licences, "storage": cost.storage}
    rows = [(name, part, part / cost.months if cost.months else 0.0) for name, part in parts.items() if part]
    return pd.DataFrame(rows, columns=["item", "cost", "per_month"])


def _use(material: Material) -> Section:
    import pandas as pd

    rows = []
    for cluster, part in material.hosts.groupby("cluster", sort=True):
        for name, unit, title in (("cpu", "vcpus", "vCPUs"), ("memory", "bytes", "memory")):
            total = part[f"total_{name}_{unit}"].sum()
            if total:
                before = total - part[f"available_{name}_before_{unit}"].sum()
                after = total - part[f"available_{name}_after_{unit}"].sum()
                rows.append((f"{cluster}: {title}", max(before / total, 0), max(after / total, 0)))
    for item in material.storage.to_dict("records"):
        if item["total_bytes"]:
            remaining = (item["available_before_bytes"], item["available_after_bytes"])
            before, after = (max(1 - free / item["total_bytes"], 0) for free in remaining)
            rows.append((f"storage {item['storage']}", before, after))
    frame = pd.DataFrame(rows, columns=["place", "before", "after"])
    shown, note = frame, tuple[str, ...]()
    if len(frame) > MOST_ROWS:
        shown = frame.sort_values("after", ascending=False, kind="stable").head(MOST_ROWS)
        note = (f"The fullest {MOST_ROWS} of {len(frame)} are drawn.",)
    return Section("use", "Before and after", note, bars.before_after(shown), frame, "Share of capacity in use")


def _constrained(material: Material) -> Section:
    frame = constrained(material.result.ledger.cloud)
    words: tuple[str, ...] = ()
    if len(frame):
        item = frame.to_dict("records")[0]
        share = f"{100 * item['share']:.0f} % ({item['used']} of {item['total']} {item['unit']})"
        words = (f"Fullest is {item['resource']}: {share}.",)
    table = frame.assign(share=(100 * frame["share"]).round(1)).rename(columns={"share": "in use %"})
    return Section("constrained", "Most constrained resource", words, None, table.head(MOST_ROWS))


def _heat(material: Material) -> Section:
    import pandas as pd

    hosts = material.hosts
    memory = 1 - hosts["available_memory_after_bytes"] / hosts["total_memory_bytes"].clip(lower=1)
    cpu = 1 - hosts["available_cpu_after_vcpus"] / hosts["total_cpu_vcpus"].clip(lower=1)
    use = pd.concat([memory, cpu], axis=1).max(axis=1).clip(lower=0)
    text = [
        f"{host}<br>{vms} VMs, {cpus} vCPUs and {format_size(max(int(remaining), 0))} free<br>{state}"
        for host, vms, cpus, remaining, state in zip(
            hosts["host"],
            hosts["vm_count_after_vms"],
            hosts["available_cpu_after_vcpus"],
            hosts["available_memory_after_bytes"],
            hosts["state"],
            strict=True,
        )
    ]
    frame = pd.DataFrame({"cluster": hosts["cluster"], "host": hosts["host"], "use": use, "text": text})
    matches = largest_vms(material.result.ledger.cloud, 10)
    table = pd.DataFrame(
        [(item.host, item.cpu_vcpus, round(item.memory_bytes / GIB, 1)) for item in matches],
        columns=["host", "free vCPUs", "free memory GiB"],
    )
    words = ("The fuller of vCPUs and memory decides the colour; the table lists the largest holes.",)
    picture = heat.heat_map(frame, _use_over_time(material))
    return Section("hosts", "Hosts", words, picture, table, "Largest holes")


def _use_over_time(material: Material) -> pd.DataFrame | None:
    """The fuller of vCPUs and memory of every host at each sample; None where hosts have no series."""
    import pandas as pd

    part = material.places[material.places["kind"] == "host"]
    if not len(part):
        return None
    totals = material.hosts.set_index("host").loc[part["place"]]
    held = zip(("cpu_vcpus", "memory_bytes"), (part["held_cpu_vcpus"], part["held_memory_bytes"]), strict=True)
    shares = [values.to_numpy() / totals[f"total_{name}"].clip(lower=1).to_numpy() for name, values in held]
    return pd.DataFrame({"at_s": part["at_s"], "host": part["place"], "use": np.maximum(*shares)})


def _series(material: Material) -> Section:
    frame = material.series.copy()
    frame["memory_tib"] = frame["memory_bytes"] / 2**40
    columns = {"vms": "VMs", "cpu_vcpus": "vCPUs"}
    return Section("series", "Over time", (), lines.series(frame, columns, "running"), None)


def _failures(material: Material) -> Iterator[Section]:
    import pandas as pd

    verdicts = material.verdicts
    counts = pd.DataFrame({"name": verdicts["reason"], "count": verdicts["clones"]})
    table = verdicts[["clones", "reason", "verdict", "what"]]
    yield Section("failures", "Failures by reason", (), bars.counts(counts), table, "Judged on the first of each")
    story = material.story
    if story is not None and story.funnel:
        rows = [(row["flow"], row["after"], row["full"], row["unfit"]) for row in story.funnel]
        steps = pd.DataFrame(rows, columns=["flow", "after", "full", "unfit"])
        frame = steps.groupby("flow", sort=False, as_index=False).sum()
        words = (story.summary().splitlines()[0],)
        yield Section("funnel", f"How the search for {story.name} went", words, bars.funnel(frame), frame)
    fixes = [(item["reason"], item["fix"]) for item in verdicts.to_dict("records") if item["fix"]]
    if fixes:
        frame = pd.DataFrame(fixes, columns=["failure", "cheapest change that helps"])
        yield Section("fixes", "What would fix it", ("Each was tried by itself before it is told.",), None, frame)


def _capacity(material: Material) -> Iterator[Section]:
    cloud = material.result.ledger.cloud
    memory = usable_memory(cloud)
    yield Section("memory", "Usable memory", (), bars.waterfall(memory, "GiB"), memory)
    if cloud.storages:
        storage = usable_storage(cloud)
        yield Section("storage", "Usable storage", (), bars.waterfall(storage, "GiB"), storage)
    matches = ratios(cloud)
    if len(matches):
        yield Section("ratios", "Ratios achieved against allowed", (), None, matches.round(3))


def _fragmentation(material: Material) -> Section:
    import pandas as pd

    stats = material.statistics
    rows = [
        (name, round(100 * share, 1), round(100 * stats.stranded_memory_ratio[name], 1))
        for name, share in stats.stranded_cpu_ratio.items()
    ]
    frame = pd.DataFrame(rows, columns=["offering", "stranded vCPUs %", "stranded memory %"])
    hole = f"The largest hole is {format_size(stats.hole_memory_bytes)} with {stats.hole_cpu_vcpus} vCPUs."
    words = (hole, "Stranded is what is free on hosts that cannot take one more VM of the offering.")
    return Section("fragmentation", "Fragmentation", words, None, frame if rows else None)


def _timeline(material: Material) -> Section:
    import pandas as pd

    rows: list[tuple[str, str, float]] = []
    for at, incident in enumerate(material.scenario.doc.incidents):
        name = incident.name or f"incident {at + 1}"
        rows.append((name, incident.event or "change", (incident.at or 0.0) / 3600))
    for what in material.scenario.doc.whatif:
        rows.append((what.name, "what-if", (what.at or 0.0) / 3600))
    frame = pd.DataFrame(rows, columns=["name", "kind", "at_h"])
    words = ("Incidents without a time of their own stand at 0.",)
    return Section("timeline", "What happens when", words, lines.timeline(frame), frame)
