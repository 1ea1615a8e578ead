"""The page in a real browser: it draws, asks nobody for anything, complains about nothing, fits narrow screens."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import simclone

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]
PROBE = """
<script>
window.addEventListener("load", function () {
  window.scrollTo(0, document.body.scrollHeight);
  setTimeout(function () {
    var wide = Array.prototype.filter.call(document.querySelectorAll("section, .picture"), function (one) {
      return one.getBoundingClientRect().right > document.documentElement.clientWidth + 1;
    }).length;
    var asked = performance.getEntriesByType("resource").map(function (one) { return one.name; })
      .filter(function (name) { return name.indexOf("data:") !== 0; });
    var drawn = document.querySelectorAll(".picture svg").length;
    var note = document.createElement("pre");
    note.id = "probe";
    note.textContent = JSON.stringify({ wide: wide, asked: asked, drawn: drawn, errors: window.probeErrors });
    document.body.appendChild(note);
  }, 2500);
});
</script>
"""
CATCH = """<script>window.probeErrors = [];
window.addEventListener("error", function (one) { window.probeErrors.push(String(one.message)); });
console.error = function (word) { window.probeErrors.push(String(word)); };</script>"""


@pytest.mark.parametrize("width", [1280, 500])
def test_a_page_draws_and_stays_at_home(width: int, tmp_path: Path) -> None:
    """Every picture is drawn, no request leaves, no error is logged, nothing sticks out."""
    assert CHROMIUM is not None
    plan = simclone.ReplicationPlan(2)
    answers = simclone.overview(SCENARIOS / "quickstart.yaml", plan=plan)
    page = simclone.run(SCENARIOS / "quickstart.yaml").report(tmp_path / "page.html", answers=answers)
    text = page.read_text("utf-8")
    pictures = text.count("data-picture=")
    probed = tmp_path / "probed.html"
    probed.write_text(text.replace("<head>", f"<head>{CATCH}", 1).replace("</body>", f"{PROBE}</body>"), "utf-8")
    done = subprocess.run(
        [
            *(CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--window-size={width},9000"),
            *("--virtual-time-budget=15000", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", probed.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    told = json.loads(done.stdout.split('<pre id="probe">')[1].split("</pre>")[0].replace("&quot;", '"'))
    assert told["errors"] == []
    assert told["asked"] == []
    assert told["wide"] == 0
    assert told["drawn"] >= pictures
