"""What will go wrong with the requests of a file: bodies the API refuses, quotas and addresses that run out."""

from __future__ import annotations

from collections.abc import Iterator

from simclone.allocator.rules import addresses, quota
from simclone.engine.context import Context
from simclone.engine.operations.clone.checks import refusal
from simclone.engine.operations.clone.job import Job, resolve
from simclone.engine.prepare import requests_of
from simclone.explain.lint_finding import ERROR, WARNING, LintFinding
from simclone.model.inventory import ADMIN
from simclone.records import CloneRequest, ErrorCode
from simclone.scenario.load import Scenario

Use = dict[tuple[int, str], int]
"""What the requests so far will use, by account and quota."""
_STAYS = ("vm.num", "vm.totalNum", "vm.cpuNum", "vm.memorySize")
"""Quotas that clones use as long as they live."""
_FIXES = {
    "request.invalid": "cloneVmInstance as the API page writes it",
    "request.notFound": "a name or uuid of this file",
    "vm.state": "a source that is Running, Stopped or Paused",
    "storage.fullClone": "more storage, fewer names, or a clone without full",
}
_ELSE = "a change of what the message names"


def lint_requests(scenario: Scenario, ctx: Context) -> Iterator[LintFinding]:
    """Every request that cannot be answered in full, on the cloud with its VMs, in the order of the file.

    Earlier ones are taken to succeed as far as quotas and addresses go. Where incidents may change that, it is a
    warning.
    """
    severity = WARNING if scenario.doc.incidents else ERROR
    good, refused = requests_of(scenario)
    result = [(entry.request.ordinal, _refused(ERROR, entry.request, entry.error)) for entry in refused.values()]
    used: Use = {}
    taken: dict[int, int] = {}
    born: set[str] = set()
    for request in sorted(good, key=lambda one: one.at_us):
        if request.vm not in born:
            result += [(request.ordinal, item) for item in _one(ctx, request, severity, used, taken)]
        born.update(request.names)
    yield from [element for _, element in sorted(result, key=lambda pair: pair[0])]


def _one(ctx: Context, request: CloneRequest, severity: str, used: Use, taken: dict[int, int]) -> Iterator[LintFinding]:
    job, position = resolve(ctx, request), f"requests.{request.ordinal}"
    if isinstance(job, ErrorCode):
        yield _refused(severity, request, job)
        return
    runs = request.strategy != "JustCreate"
    short = _over_quota(ctx, job, used) if runs else None
    error = refusal(ctx, job) if short is None else None
    if short is not None:
        yield LintFinding(severity, position, *short)
    elif error is not None:
        yield _refused(severity, request, error)
    elif runs:
        for text, fix in _without_address(ctx, job, taken):
            yield LintFinding(severity, position, text, fix)


def _refused(severity: str, request: CloneRequest, error: ErrorCode | None) -> LintFinding:
    why, reason = ("", "") if error is None else (error.root.details or "", error.root_reason)
    return LintFinding(severity, f"requests.{request.ordinal}", f"the API refuses it: {why}", _FIXES.get(reason, _ELSE))


def _over_quota(ctx: Context, job: Job, used: Use) -> tuple[str, str] | None:
    """The first limit that running all names would break, and what would help; else they are put on *used*."""
    if job.account == ADMIN:
        return None
    cloud, count = ctx.cloud, len(job.request.names)
    cpu, memory = cloud.vms.cpu[job.source], cloud.vms.memory[job.source]
    asks = dict([*quota.start_asks(count * cpu, count * memory), ("vm.num", count), ("vm.totalNum", count)])
    present = quota.usage(cloud, job.account)
    for name in _STAYS:
        limit, before = cloud.limit(job.account, name), present[name] + used.get((job.account, name), 0)
        if before + asks[name] > limit:
            account = cloud.accounts[job.account].name
            text = f"{count} clones need {asks[name]} of {name}; {account} may have {limit} and uses {before} by then"
            return text, f"accounts: quota: {{{name}: {before + asks[name]}}}"
    for name, ask in asks.items():
        used[job.account, name] = used.get((job.account, name), 0) + ask
    return None


def _without_address(ctx: Context, job: Job, taken: dict[int, int]) -> Iterator[tuple[str, str]]:
    """Networks with fewer free addresses than clones that need one."""
    cloud, count = ctx.cloud, len(job.request.names)
    for nic in cloud.vms.nics[job.source]:
        l3 = cloud.nics.l3[nic]
        if not addresses.needs_address(cloud, l3):
            continue
        size, removed = addresses.free_addresses(cloud, l3)
        remaining = max(size - removed - taken.get(l3, 0), 0)
        taken[l3] = taken.get(l3, 0) + min(count, remaining)
        if count > remaining:
            name = cloud.l3s[l3].name
            yield (
                f"{count} clones need an address of {name}, which has {remaining} left by then",
                f"a range with {count - remaining} more addresses, or fewer names",
            )
