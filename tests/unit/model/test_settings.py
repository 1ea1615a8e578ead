"""Settings: shipped defaults by profile, presets, bounds, spellings, the nearest override."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simclone.model.settings import (
    ALIASES,
    DEFINITIONS,
    FIDELITY,
    PRESETS,
    PROFILES,
    QUOTA_DEFAULTS,
    Settings,
    canonical,
)
from simclone.units import GIB, TIB

DEFAULTS = [
    ("host.cpu.overProvisioning.ratio", 10),
    ("mevoco.overProvisioning.memory", 1.0),
    ("mevoco.overProvisioning.primaryStorage", 1.0),
    ("kvm.reservedMemory", GIB),
    ("kvm.reservedCpu", 512),
    ("hostAllocator.hostAllocator.checkHostMem", True),
    ("hostAllocator.usePagination", True),
    ("hostAllocator.paginationLimit", 500),
    ("hostAllocator.hostAllocator.concurrent", False),
    ("primaryStorage.reservedCapacity", GIB),
    ("backupStorage.reservedCapacity", GIB),
    ("vm.deletionPolicy", "Delay"),
    ("vm.expungePeriod", 604800),
    ("volume.expungePeriod", 259200),
    ("vm.resourceBinding.strategy", "Hard"),
    ("vm.resourceBinding.Scene", "All"),
    ("vm.vm.ha.across.clusters", True),
    ("l3Network.ipAllocateStrategy", "RandomIpAllocatorStrategy"),
    ("mevoco.deleteTempImages", True),
    ("mevoco.hostAllocatorStrategy", "LeastVmPreferredHostAllocatorStrategy"),
    ("ceph.backupstorage.primary.storage.priority", 2),
    ("imagestore.backupstorage.primary.storage.priority", 100),
    ("quota.vm.num", 20),
    ("quota.vm.totalNum", 20),
    ("quota.vm.cpuNum", 80),
    ("quota.vm.memorySize", 85899345920),
    ("quota.volume.data.num", 40),
    ("quota.volume.capacity", 10995116277760),
    ("quota.image.num", 20),
    ("quota.snapshot.volume.num", 200),
]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("key", "value"), DEFAULTS)
def test_shipped_defaults_are_the_documented_ones(profile: str, key: str, value: object) -> None:
    """Every setting that decides something starts at the product's own default."""
    assert Settings(profile).get(key) == value


def test_profiles_differ_in_the_physical_threshold() -> None:
    """0.9 with the commercial modules, 1 in the open core (rules/primary-storage.md#capacity)."""
    key = "mevoco.threshold.primaryStorage.physicalCapacity"
    assert (Settings("cloud").get(key), Settings("open").get(key)) == (0.9, 1.0)


def test_production_preset_is_the_shipped_template() -> None:
    """ProductionRecommended sets ratio 4, large reserves and threshold 0.8 and leaves the rest alone."""
    made = Settings("cloud", "ProductionRecommended")
    assert made.get("kvm.reservedMemory") == 16 * GIB
    assert made.get("host.cpu.overProvisioning.ratio") == 4
    assert made.get("mevoco.threshold.primaryStorage.physicalCapacity") == 0.8
    assert made.get("primaryStorage.reservedCapacity") == made.get("backupStorage.reservedCapacity") == 200 * GIB
    assert made.get("quota.snapshot.volume.num") == 5
    changed = {key for key in DEFINITIONS if made.values[key] != Settings("cloud").values[key]}
    assert changed <= set(PRESETS["ProductionRecommended"])


@given(st.lists(st.sampled_from(["host", "cluster", "zone"]), unique=True))
def test_nearest_override_wins(levels: list[str]) -> None:
    """Host beats cluster beats zone beats global, whichever of them are set."""
    made, value = Settings(), {"host": 2.0, "cluster": 3.0, "zone": 4.0}
    for level in levels:
        made.overrides[level, 0] = {"mevoco.overProvisioning.memory": value[level]}
    made.overrides["host", 1] = {"mevoco.overProvisioning.memory": 9.0}
    order = [level for level in ("host", "cluster", "zone") if level in levels]
    wanted = value[order[0]] if order else 1.0
    found = made.get("mevoco.overProvisioning.memory", [("host", 0), ("cluster", 0), ("zone", 0)])
    assert found == wanted


@pytest.mark.parametrize(
    ("key", "good"),
    [
        ("host.cpu.overProvisioning.ratio", 1),
        ("host.cpu.overProvisioning.ratio", 1000),
        ("kvm.reservedMemory", "1T"),
        ("kvm.reservedMemory", 0),
        ("hostAllocator.paginationLimit", 1),
        ("vm.numa", "true"),
        ("mevoco.overProvisioning.memory", "1.2"),
    ],
)
def test_bounds_are_inclusive(key: str, good: object) -> None:
    """The validators' bounds belong to the allowed values."""
    DEFINITIONS[key].parse(good)


@pytest.mark.parametrize(
    ("key", "bad"),
    [
        ("host.cpu.overProvisioning.ratio", 0),
        ("host.cpu.overProvisioning.ratio", 1001),
        ("host.cpu.overProvisioning.ratio", 1.5),
        ("host.cpu.overProvisioning.ratio", True),
        ("kvm.reservedMemory", TIB + 1),
        ("kvm.reservedMemory", "x"),
        ("hostAllocator.paginationLimit", 0),
        ("vm.numa", 1),
        ("vm.deletionPolicy", "delay"),
        ("mevoco.overProvisioning.memory", float("nan")),
        ("mevoco.overProvisioning.memory", float("inf")),
        ("mevoco.overProvisioning.memory", 0),
    ],
)
def test_values_out_of_bounds_are_refused(key: str, bad: object) -> None:
    """One beyond a bound, another type or an unknown word raises ValueError."""
    with pytest.raises(ValueError, match=r"."):
        DEFINITIONS[key].parse(bad)


def test_shorter_spellings_are_one_table() -> None:
    """Each alias stands for a setting and is no setting itself."""
    for short, full in ALIASES.items():
        assert canonical(short) == full in DEFINITIONS
        assert short not in DEFINITIONS


def test_unknown_keys_name_the_nearest_known_one() -> None:
    """A misspelt key is refused together with a guess."""
    with pytest.raises(KeyError) as caught:
        canonical("kvm.reservedMemry")
    assert caught.value.args == ("kvm.reservedMemry", "kvm.reservedMemory")


def test_every_default_is_a_value_of_its_own_setting() -> None:
    """No default lies outside its bounds; quotas have one each."""
    for one in [*DEFINITIONS.values(), *FIDELITY.values()]:
        for profile in PROFILES:
            assert one.parse(one.default_in(profile)) == one.default_in(profile)
    assert all(DEFINITIONS[f"quota.{name}"].default == value for name, value in QUOTA_DEFAULTS.items())


def test_a_copy_is_independent() -> None:
    """Values, overrides and fidelity of a copy are its own."""
    made = Settings()
    made.overrides["host", 0] = {"kvm.reservedMemory": 1}
    twin = made.copy()
    twin.values["vm.numa"] = True
    twin.overrides["host", 0]["kvm.reservedMemory"] = 2
    twin.fidelity["doubleReturn"] = False
    assert (made.get("vm.numa"), made.overrides["host", 0], made.fidelity["doubleReturn"]) == (
        False,
        {"kvm.reservedMemory": 1},
        True,
    )
