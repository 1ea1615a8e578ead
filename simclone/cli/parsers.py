"""Texts of the command line as values for planning questions; every function raises UsageError."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from simclone.planning.parts.host_model import Model


def value_of(text: str) -> Any:
    """A value as YAML reads it; raises UsageError."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        raise click.UsageError(f"{text!r} cannot be read") from None


def changes_of(texts: Sequence[str]) -> list[dict[str, Any]]:
    """Changes from the command line, each a mapping as a ``whatif:`` block writes it; raises UsageError."""
    changes = [value_of(text) for text in texts]
    for text, change in zip(texts, changes, strict=True):
        if not isinstance(change, dict):
            raise click.UsageError(f"{text!r} is no change such as 'addHosts: {{like: host-1}}'")
    return changes


def pairs_of(texts: Sequence[str], what: str) -> dict[str, str]:
    """``PATH=VALUE`` by path; raises UsageError."""
    pairs: dict[str, str] = {}
    for text in texts:
        path, sign, value = text.partition("=")
        if not sign or not path or not value:
            raise click.UsageError(f"{text!r} is no {what}")
        pairs[path.strip()] = value
    return pairs


MODEL_KEYS = ("cluster", "cpu", "like", "memory", "name", "price", "disk", "rack")
MODEL_PREFIXES = ("disk.", "device.", "label.")


def model_of(text: str) -> Model:
    """A host model from ``name=big,cpu=64,memory=512GiB,cluster=c1,price=9000`` or ``like=host-1``; UsageError.

    ``disk=2TiB`` (or ``disk.STORAGE=2TiB``) is what each brings to local storage, ``device.A100=4`` its PCI devices,
    ``rack=r1`` and ``label.KEY=VALUE`` its labels.
    """
    from simclone.planning.parts.host_model import Model
    from simclone.units import parse_size

    values = pairs_of(text.split(","), "host model such as like=host-1,price=10")
    unknown = {key for key in values if key not in MODEL_KEYS and not key.startswith(MODEL_PREFIXES)}
    if unknown:
        known = ", ".join((*MODEL_KEYS, "disk.STORAGE", "device.SPEC", "label.KEY"))
        raise click.UsageError(f"{text!r}: {', '.join(sorted(unknown))} is unknown; there is {known}")
    if "like" in values and {"cpu", "memory", "cluster"} & set(values):
        raise click.UsageError(f"{text!r} says the size twice: like=HOST, or cpu=CORES, memory=SIZE and cluster=NAME")
    if "like" not in values and not {"cpu", "memory"} <= set(values):
        raise click.UsageError(f"{text!r} says no size: like=HOST, or cpu=CORES and memory=SIZE")
    below = {
        prefix: {key[len(prefix) :]: value for key, value in values.items() if key.startswith(prefix)}
        for prefix in MODEL_PREFIXES
    }
    try:
        price = float(values.get("price", "1"))
        cpu = None if "cpu" not in values else int(values["cpu"])
        memory, disk = (parse_size(values[key]) if key in values else None for key in ("memory", "disk"))
        disks = {storage: parse_size(value) for storage, value in below["disk."].items()}
        devices = {spec: int(value) for spec, value in below["device."].items()} or None
    except ValueError as error:
        raise click.UsageError(f"{text!r}: {error}") from None
    labels = {**({"rack": values["rack"]} if "rack" in values else {}), **below["label."]}
    name = values.get("name") or (f"like-{values['like']}" if "like" in values else f"{values['cpu']}-core")
    like, cluster = values.get("like"), values.get("cluster")
    return Model(name, price, like, cpu, memory, cluster, disk, disks, devices, labels)


def models_of(texts: Sequence[str]) -> list[Model]:
    """Host models, in their order."""
    return [model_of(text) for text in texts]


def weights_of(texts: Sequence[str]) -> dict[str, int] | None:
    """``OFFERING=WEIGHT`` by offering; None for none."""
    weights: dict[str, int] = {}
    for name, text in pairs_of(texts, "OFFERING=WEIGHT").items():
        if not text.strip().isdecimal():
            raise click.UsageError(f"{text!r} is no weight, a whole number above 0")
        weights[name] = int(text)
    return weights or None


def named_changes_of(texts: Sequence[str]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Each change by itself, under its own text."""
    return {text: [change] for text, change in zip(texts, changes_of(texts), strict=True)}


def costs_of(texts: Sequence[str]) -> dict[str, float]:
    """``VARIANT=COST`` by variant."""
    costs: dict[str, float] = {}
    for text in texts:
        name, _, cost = text.rpartition("=")
        try:
            costs[name] = float(cost)
        except ValueError:
            raise click.UsageError(f"--cost {text!r}: {cost!r} is no number") from None
    return costs


def listed_values_of(texts: Sequence[str]) -> dict[str, list[Any]] | None:
    """``PATH=V1,V2,…`` by path; None for none."""
    pairs = pairs_of(texts, "PATH=V1,V2")
    return {path: value_of(f"[{values}]") for path, values in pairs.items()} or None


def ranges_of(texts: Sequence[str]) -> dict[str, tuple[float, float]] | None:
    """``PATH=LOW:HIGH`` by path; None for none."""
    ranges: dict[str, tuple[float, float]] = {}
    for path, text in pairs_of(texts, "PATH=LOW:HIGH").items():
        low, sign, high = text.partition(":")
        try:
            ranges[path] = (float(low), float(high))
        except ValueError:
            raise click.UsageError(f"{text!r} is no range LOW:HIGH") from None
        if not sign:
            raise click.UsageError(f"{text!r} is no range LOW:HIGH")
    return ranges or None


def name_lists_of(texts: Sequence[str]) -> list[list[str]]:
    """``NAME,NAME`` as a list each."""
    return [text.split(",") for text in texts]
