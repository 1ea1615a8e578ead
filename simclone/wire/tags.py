"""System tags, read once at the edge: texts such as ``ha::NeverStop`` into `Tags`, and what the API refuses about them.

Source: rules/system-tags.md#known.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from ipaddress import IPv4Address

from simclone.errors import UnknownName
from simclone.records import CloneRequest, ErrorCode, Tags

FAST = "ephemeral::volume::fastCreate"
FLATTEN = "ephemeral::volume::flatten"
GROUP_KEYS = ("affinityGroupUuid", "vmSchedulingRuleGroupUuid")
BARE_TAGS = ("inhibitHA", "packer")
"""System tags that are a single word."""
ONLY_ONCE = ("affinityGroupUuid", "resourceBindings", "maxInstancePerHost")
BOUND_KINDS = ("Host", "Cluster")
PROVISIONING = ("ThinProvisioning", "ThickProvisioning")
Find = Callable[[str, str], int]
"""Kind and name of something to its row; raises UnknownName."""


@lru_cache(maxsize=4096)
def parse_tags(texts: tuple[str, ...]) -> Tags:
    """The tags of a VM, a request or a volume; a text whose form is wrong says nothing, `refuse_tags` tells of it.

    >>> tags = parse_tags(("ha::NeverStop", "pciDeviceSpec::A100::2", "resourceBindings::Host:h1,Cluster:c1"))
    >>> tags.ha, tags.devices, tags.bindings
    ('NeverStop', (('A100', 2),), (('Host', 'h1'), ('Cluster', 'c1')))
    """
    pairs = [(text.split("::")[0], text.partition("::")[2]) for text in texts]
    values = dict(reversed(pairs))
    ceph = {value.partition("::")[0]: value.partition("::")[2] for key, value in reversed(pairs) if key == "ceph"}
    return Tags(
        texts=texts,
        bindings=tuple(part for key, value in pairs if key == "resourceBindings" for part in _bindings(value)),
        group=next((value for key, value in reversed(pairs) if key in GROUP_KEYS), None),
        static_ips=tuple(ip for key, value in pairs if key == "staticIp" for ip in _static_ip(value)),
        devices=tuple(device for key, value in pairs if key == "pciDeviceSpec" for device in _device(value)),
        ha=values.get("ha", "None"),
        root_pool=ceph.get("rootPoolName"),
        data_pool=ceph.get("pool"),
        fast=FAST in texts,
        flatten=FLATTEN in texts,
        others=tuple((key, value) for key, value in pairs),
    )


def _bindings(value: str) -> list[tuple[str, str]]:
    parts = (part.strip().partition(":") for part in value.split(","))
    return [(kind, name) for kind, _, name in parts if kind in BOUND_KINDS]


def _static_ip(value: str) -> list[tuple[str, int]]:
    network, _, address = value.partition("::")
    try:
        return [(network, int(IPv4Address(address)))]
    except ValueError:
        return []


def _device(value: str) -> list[tuple[str, int]]:
    spec, _, count = value.partition("::")
    return [(spec, int(count))] if count.isdecimal() else []


def refuse_tags(request: CloneRequest, known: Collection[str], find: Find) -> ErrorCode | None:
    """The API's error about a request's tags, or None; *known* are the first words the platform knows."""
    if not any((request.system_tags, request.root_tags, request.data_tags, request.user_tags)):
        return None
    return _form_error(request) or _word_error(request, known) or _reference_error(request.system_tags, find)


def _form_error(request: CloneRequest) -> ErrorCode | None:
    for tags in (request.system_tags, request.root_tags, request.data_tags, request.user_tags):
        if len(set(tags)) < len(tags):
            return _invalid("a tag is given twice")
    for tag in (*request.system_tags, *request.root_tags, *request.data_tags):
        if tag in BARE_TAGS:
            continue
        if "::" not in tag.strip("-") or tag.endswith("::") or tag.startswith("::"):
            return _invalid(f"malformed system tag {tag!r}")
    return None


def _word_error(request: CloneRequest, known: Collection[str]) -> ErrorCode | None:
    for tag in request.system_tags:
        key = tag.removeprefix("-").split("::")[0]
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            return _invalid(f"no system tag {key!r}" + (f"; did you mean {near[0]}?" if near else ""))
    keys = [tag.split("::")[0] for tag in request.system_tags]
    for once in ONLY_ONCE:
        if keys.count(once) > 1:
            return _invalid(f"system tag {once} is given more than once")
    for tag in request.system_tags:
        key, _, value = tag.partition("::")
        if key == "maxInstancePerHost" and not value.isdecimal():
            return _invalid(f"system tag {tag!r} needs a number")
    for tag in (*request.system_tags, *request.root_tags, *request.data_tags):
        key, _, value = tag.partition("::")
        if key == "volumeProvisioningStrategy" and value not in PROVISIONING:
            return _invalid(f"unknown provisioning strategy in tag {tag!r}")
    return None


def _reference_error(tags: Sequence[str], find: Find) -> ErrorCode | None:
    for tag in tags:
        key, _, value = tag.partition("::")
        try:
            if key == "staticIp" and not _finds_static_ip(value, find):
                return _invalid(f"system tag {tag!r} is not staticIp::<network>::<address>")
            if key == "resourceBindings":
                for part in value.split(","):
                    kind, _, name = part.strip().partition(":")
                    if kind not in BOUND_KINDS:
                        return _invalid(f"resource binding {part!r} is neither Host:… nor Cluster:…")
                    find(kind.lower(), name)
        except UnknownName as unknown:
            details = f"{unknown.kind} [uuid: {unknown.name}] is not found"
            return ErrorCode(code="SYS.1003", details=details, reason="request.notFound")
    return None


def _finds_static_ip(value: str, find: Find) -> bool:
    network, _, address = value.partition("::")
    if "::" in address or not _static_ip(value):
        return False
    find("l3Network", network)
    return True


def _invalid(details: str) -> ErrorCode:
    return ErrorCode(code="SYS.1007", details=details, reason="request.invalid")
