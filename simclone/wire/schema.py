"""The JSON Schema of an answer, written from the tables of the API page."""

from __future__ import annotations

from typing import Any

_UUID = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_TEXT = {"type": "string"}
_WHOLE = {"type": "integer"}
_DATE = {
    "type": "string",
    "pattern": "^[A-Z][a-z]{2} [0-9]{1,2}, [0-9]{4} [0-9]{1,2}:[0-9]{2}:[0-9]{2} [AP]M$",
}


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _nic() -> dict[str, Any]:
    required = ("uuid", "vmInstanceUuid", "l3NetworkUuid", "mac", "deviceId", "createDate", "lastOpDate")
    return _object(
        required,
        uuid=_UUID,
        vmInstanceUuid=_UUID,
        l3NetworkUuid=_UUID,
        ip={"type": "string", "format": "ipv4"},
        mac={"type": "string", "pattern": "^([0-9a-f]{2}:){5}[0-9a-f]{2}$"},
        netmask=_TEXT,
        gateway=_TEXT,
        metaData=_TEXT,
        deviceId=_WHOLE,
        createDate=_DATE,
        lastOpDate=_DATE,
    )


def _volume() -> dict[str, Any]:
    required = ("uuid", "name", "type", "format", "size", "state", "status", "createDate", "lastOpDate")
    return _object(
        required,
        uuid=_UUID,
        name=_TEXT,
        description=_TEXT,
        primaryStorageUuid=_UUID,
        vmInstanceUuid=_UUID,
        diskOfferingUuid=_UUID,
        rootImageUuid=_UUID,
        installPath=_TEXT,
        type={"enum": ["Root", "Data"]},
        format=_TEXT,
        size=_WHOLE,
        actualSize=_WHOLE,
        deviceId=_WHOLE,
        state={"enum": ["Enabled", "Disabled"]},
        status={"enum": ["Creating", "Ready", "NotInstantiated", "Deleted", "Migrating"]},
        createDate=_DATE,
        lastOpDate=_DATE,
        isShareable={"type": "boolean"},
    )


def _vm() -> dict[str, Any]:
    required = ("uuid", "name", "type", "memorySize", "cpuNum", "state", "createDate", "lastOpDate")
    uuids = (
        "zoneUuid",
        "clusterUuid",
        "imageUuid",
        "hostUuid",
        "lastHostUuid",
        "instanceOfferingUuid",
        "rootVolumeUuid",
        "defaultL3NetworkUuid",
    )
    texts = ("name", "description", "platform", "architecture", "type", "hypervisorType", "allocatorStrategy", "state")
    return _object(
        required,
        uuid=_UUID,
        **dict.fromkeys(uuids, _UUID),
        **dict.fromkeys(texts, _TEXT),
        memorySize=_WHOLE,
        cpuNum=_WHOLE,
        cpuSpeed=_WHOLE,
        createDate=_DATE,
        lastOpDate=_DATE,
        vmNics={"type": "array", "items": _nic()},
        allVolumes={"type": "array", "items": _volume()},
    )


def answer_schema() -> dict[str, Any]:
    """The body a finished ``CloneVmInstance`` job returns: a result, or an error."""
    error = {"$ref": "#/$defs/error"}
    element = _object((), inventory=_vm(), error=error, started={"type": "boolean"})
    element["minProperties"] = 1
    result = _object(
        ("numberOfClonedVm", "inventories"),
        numberOfClonedVm={"type": "integer", "minimum": 0},
        inventories={"type": "array", "items": element},
    )
    error_code = _object(
        (),
        code=_TEXT,
        description=_TEXT,
        details=_TEXT,
        elaboration=_TEXT,
        location=_TEXT,
        cost=_TEXT,
        opaque={"type": "object"},
        cause=error,
        causes={"type": "array", "items": error},
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "CloneVmInstance answer",
        "oneOf": [_object(("result",), result=result), _object(("error",), error=error)],
        "$defs": {"error": error_code},
    }
