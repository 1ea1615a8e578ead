"""Storage types are rows that code asks, and an installed distribution can bring one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from simclone.model.storage_types import BUILT_IN, Scope, storage_type
from tests.time.worlds import request, running, vm, world

REPO = Path(__file__).resolve().parents[3]
NAMED = re.compile(
    r"[\"'](?:" + "|".join(name for name in BUILT_IN if name not in ("Ceph", "AliyunEBS", "VCenter")) + r")[\"']"
)
HOME = "simclone/model/storage_types.py"
SCENARIO_TEXTS = {"simclone/scenario/traces.py", "simclone/bench/cloud.py"}
"""Files that write scenarios, in which a type's name is data."""


def naming(folder: Path) -> list[str]:
    """Lines of code that know a storage type by its name."""
    return [
        f"{path.relative_to(folder)}:{number}"
        for path in sorted((folder / "simclone").rglob("*.py"))
        if str(path.relative_to(folder)) not in {HOME, *SCENARIO_TEXTS}
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if NAMED.search(line)
    ]


def test_no_code_knows_a_type_by_its_name() -> None:
    """Types are asked for what they are: per host, pooled, fed by what."""
    assert naming(REPO) == []


def test_a_line_that_names_a_type_is_found(tmp_path: Path) -> None:
    """A planted comparison is told with its place."""
    (tmp_path / "simclone").mkdir()
    (tmp_path / "simclone" / "planted.py").write_text('x = 1\nif storage.type == "LocalStorage":\n    pass\n', "utf-8")
    assert naming(tmp_path) == ["simclone/planted.py:2"]


def test_the_built_in_types_are_what_the_rules_say() -> None:
    """Who is fed by what, in both profiles."""
    feeds = {
        (name, backup, cloud)
        for name, row in BUILT_IN.items()
        for backup in ("ImageStoreBackupStorage", "SftpBackupStorage", "Ceph")
        for cloud in (False, True)
        if row.usable_with(backup, cloud_profile=cloud)
    }
    files = ("NFS", "SharedMountPoint", "LocalStorage", "Addon")
    premium = ("SharedBlock", "ZSES", "BlockStorage", "AliyunNAS", "MiniStorage")
    both, of_files = (False, True), ("ImageStoreBackupStorage", "SftpBackupStorage")
    assert feeds == {
        *((name, backup, cloud) for name in files for backup in of_files for cloud in both),
        *(("Ceph", backup, cloud) for backup in ("ImageStoreBackupStorage", "Ceph") for cloud in both),
        *((name, "ImageStoreBackupStorage", True) for name in premium),
    }
    assert [name for name, row in BUILT_IN.items() if row.scope is Scope.PER_HOST] == ["LocalStorage"]
    assert [name for name, row in BUILT_IN.items() if row.scope is Scope.POOLED] == ["Ceph"]
    assert storage_type("SharedMountPoint").hosts_report


MODULE = """
from simclone.model.storage_types import IMAGE_STORE, StorageType

VENDOR_BLOCK = StorageType("VendorBlock", fed_by=(IMAGE_STORE,))
"""
RUN = """
import json, sys
import simclone
run = simclone.run(json.load(open(sys.argv[1])))
print(run.result.totals.placed, run.result.ledger.cloud.storages[0].type)
"""


def test_an_installed_type_is_one_row(tmp_path: Path) -> None:
    """With the distribution clones stand on its storage; without it the file has a fault that names the known types."""
    doc = world(vms=[vm("v", state="Stopped", lastHost="h1", primaryStorage="nfs"), running("r", "h2")])
    doc["requests"] = [request(0, "a", "b")]
    doc["primaryStorages"][0]["type"] = "VendorBlock"
    (tmp_path / "doc.json").write_text(json.dumps(doc), "utf-8")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "vendor.py").write_text(MODULE, "utf-8")
    info = tmp_path / "site" / "vendor-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vendor\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text("[simclone.storage_types]\nVendorBlock = vendor:VENDOR_BLOCK\n", "utf-8")

    def ran(*path: Path) -> subprocess.CompletedProcess[str]:
        code = f"import sys; sys.path[:0] = {[str(one) for one in path]}\n{RUN}"
        words = [sys.executable, "-c", code, str(tmp_path / "doc.json")]
        return subprocess.run(words, capture_output=True, encoding="utf-8", timeout=120, cwd=REPO)

    assert ran(tmp_path / "site").stdout.split() == ["2", "VendorBlock"]
    refused = ran()
    assert refused.returncode != 0
    assert "'VendorBlock' (expected 'NFS', 'SharedMountPoint'" in refused.stderr
