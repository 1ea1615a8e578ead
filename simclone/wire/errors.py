"""Errors as JSON (rules/errors.md#codes, rules/clone-call.md#answer, rules/errors.md#codes)."""

from __future__ import annotations

from typing import Any

from simclone.records import ErrorCode

DESCRIPTIONS = {
    "SYS.1000": "an internal error occurred",
    "SYS.1001": "the operation timed out",
    "SYS.1003": "the resource cannot be found",
    "SYS.1006": "the operation failed",
    "SYS.1007": "an argument of the API call is invalid",
    "VM.1000": "the VM cannot be created",
    "VM.1001": "the VM cannot be started",
    "VM.1008": "the VM cannot be migrated",
    "VM.1010": "the VM's state does not allow the operation",
    "HOST_ALLOCATION.1000": "no host is available",
    "L3.1000": "no IP address can be allocated",
    "ID.1003": "a quota would be exceeded",
    "PS.1000": "primary storage cannot be allocated",
}
LIMIT = 4093
"""Details longer than this are cut, as the product does."""


def render_error(error: ErrorCode) -> dict[str, Any]:
    """An ErrorCode with its causes; members that are null are left out."""
    details = error.details
    if details is not None and len(details) > LIMIT:
        details = details[:LIMIT] + "..."
    shown: dict[str, Any] = {
        "code": error.code,
        "description": error.description or DESCRIPTIONS.get(error.code or ""),
        "details": details,
        "cause": render_error(error.cause) if error.cause else None,
        "causes": [render_error(item) for item in error.causes] or None,
        "opaque": dict(error.opaque) if error.opaque else None,
    }
    return {key: value for key, value in shown.items() if value is not None}
