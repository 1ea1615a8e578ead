"""``CloneVmInstance`` requests as the API page writes them: URL uuid, body, tags, and the page's curl line."""

from __future__ import annotations

import difflib
import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from simclone.errors import Fault, InvalidInput
from simclone.records import CloneRequest, ErrorCode

ACTION = "cloneVmInstance"
_TEXTS, _TEXT, _FLAG = "a list of strings", "a string", "true or false"
FIELDS: Mapping[str, tuple[str, str]] = {
    "strategy": ("strategy", _TEXT),
    "names": ("names", _TEXTS),
    "full": ("full", _FLAG),
    "primaryStorageUuidForRootVolume": ("root_storage", _TEXT),
    "primaryStorageUuidForDataVolume": ("data_storage", _TEXT),
    "rootVolumeSystemTags": ("root_tags", _TEXTS),
    "dataVolumeSystemTags": ("data_tags", _TEXTS),
    "clusterUuid": ("cluster", _TEXT),
    "hostUuid": ("host", _TEXT),
    "description": ("description", _TEXT),
    "systemTags": ("system_tags", _TEXTS),
    "userTags": ("user_tags", _TEXTS),
}
"""Body key → field of the request, and what its value must be (rules/clone-call.md#request)."""

TOP_TAGS = ("systemTags", "userTags")
_URL = re.compile(r"/v1/vm-instances/([^/?]+)/actions")


def _invalid(details: str) -> ErrorCode:
    return ErrorCode(code="SYS.1007", details=details, reason="request.invalid")


def clone_request(
    body: object,
    vm: str,
    *,
    source: str = "api",
    ordinal: int = 0,
    name: str | None = None,
    account: str | None = None,
    at_us: int = 0,
) -> tuple[CloneRequest, ErrorCode | None]:
    """The request of a body sent to a VM's URL, and the API's error when the body is none: then it asks for no name.

    *source* and *ordinal* identify it for keyed draws; it is called *name*, or after them. *at_us* is microseconds.

    >>> request, error = clone_request({"cloneVmInstance": {"names": ["a"]}}, "web-1", ordinal=3)
    >>> request.name, request.names, error
    ('api-3', ('a',), None)
    """
    base = CloneRequest(
        name or f"{source}-{ordinal}", vm, (), account=account, at_us=at_us, source=source, ordinal=ordinal
    )
    parsed = parse(body, vm, base=base)
    return (base, parsed) if isinstance(parsed, ErrorCode) else (parsed, None)


def refuse_body(error: ErrorCode) -> InvalidInput:
    """For callers that raise instead of answering: the API's words about a body."""
    return InvalidInput([Fault("body", error.details or str(error.code), "a body as on the API page")])


def parse(body: object, vm: str, *, base: CloneRequest | None = None) -> CloneRequest | ErrorCode:
    """A request from a body and the VM of its URL, or the API's error for a body that is none.

    *base* gives name, account, time and identity.
    """
    if not isinstance(body, Mapping):
        return _invalid("the body must be a JSON object")
    actions = [key for key in body if key not in TOP_TAGS]
    if actions != [ACTION]:
        return _wrong_action(actions)
    action = body[ACTION]
    if not isinstance(action, Mapping):
        return _invalid(f"{ACTION} must be a JSON object")
    fields: dict[str, Any] = {}
    for key, value in (*action.items(), *((tag, body[tag]) for tag in TOP_TAGS if body.get(tag) is not None)):
        error = _take(str(key), value, fields)
        if error is not None:
            return error
    if "names" not in fields:
        return _invalid("names is missing; a clone call needs a list of names")
    start = base or CloneRequest(name="", vm=vm, names=())
    return replace(start, vm=vm, **fields)


def _wrong_action(actions: list[str]) -> ErrorCode:
    if not actions:
        return _invalid(f"no action mapping to the URL: the body needs the key {ACTION}")
    if len(actions) > 1:
        return _invalid(f"the body must hold exactly one action, not {', '.join(map(str, actions))}")
    near = difflib.get_close_matches(str(actions[0]), [ACTION], n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near or str(actions[0]).lower() == ACTION.lower() else ""
    return _invalid(f"no action mapping to the URL: unknown key {actions[0]!r}{hint}")


def _take(key: str, value: object, fields: dict[str, Any]) -> ErrorCode | None:
    if key not in FIELDS:
        near = difflib.get_close_matches(key, FIELDS, n=1)
        return _invalid(f"unknown key {key!r} in {ACTION}" + (f"; did you mean {near[0]}?" if near else ""))
    if value is None:
        return None
    name, kind = FIELDS[key]
    if not _fits(value, kind):
        return _invalid(f"{key} must be {kind}")
    fields[name] = tuple(value) if isinstance(value, list) else value
    return None


def _fits(value: object, kind: str) -> bool:
    if kind == _FLAG:
        return isinstance(value, bool)
    if kind == _TEXT:
        return isinstance(value, str)
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def parse_curl(line: str) -> CloneRequest | ErrorCode:
    """The request of a curl command as on the API page."""
    try:
        words = shlex.split(line.replace("\\\n", " "))
    except ValueError as error:
        return _invalid(f"the command line cannot be split: {error}")
    data = [words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-d", "--data", "--data-raw")]
    urls = [result for result in (_URL.search(item) for item in words) if result]
    if not data or not urls:
        return _invalid("the command needs -d BODY and the URL …/v1/vm-instances/{uuid}/actions")
    try:
        body = json.loads(data[0])
    except json.JSONDecodeError as error:
        return _invalid(f"the body is not JSON: {error.msg} at column {error.colno}")
    return parse(body, urls[0].group(1))
