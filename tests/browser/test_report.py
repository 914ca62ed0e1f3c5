"""What a browser makes of the pages: it finds the verdict first, asks for nothing, and shows it at a phone's width."""

import json
import re
import shutil
import subprocess
from html import unescape

import numpy as np
import pytest
from PIL import Image

from report import made_up
from vouch.stages import index, report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # whatever is asked for, nothing leaves the machine
    "--hide-scrollbars",
)
BROWSER = "not an origin"  # Chromium's name for itself in its log
LIGHT, DARK = "--blink-settings=preferredColorScheme=1", "--blink-settings=preferredColorScheme=0"

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    root = tmp_path_factory.mktemp("workspace")
    failing = made_up.rule(passed=False, stratum="stream=rear", observed=0.9, reason="recall low is 0.9")
    made = made_up.evidence()
    rules = {**made.gate["rules"], "recall[stream=rear]": failing}
    confusion, risk = made_up.confusion(made_up.CLASSES), made_up.risk_coverage()
    plots = {**made.plots, "confusion": confusion, "risk_coverage": risk}
    made_up.write(made_up.evidence(plots=plots, gate=made_up.judged(rules)), root, task="classify")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        report.run("driver", "driver", "driver", "registry/driver/bundle", "test")
        index.run()
    return root / "reports"


def browse(tmp_path, *words):
    command = [CHROMIUM, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def screenshot(tmp_path, page, *, width, height, scheme=LIGHT):
    file = tmp_path / "shot.png"
    browse(tmp_path, scheme, f"--window-size={width},{height}", f"--screenshot={file}", page.as_uri())
    return np.asarray(Image.open(file).convert("RGB")).astype(int)


def test_the_browser_finds_the_verdict_first_and_every_picture_described(pages, tmp_path):
    found = browse(tmp_path, "--dump-dom", (pages / "driver/index.html").as_uri())
    first = re.search(r"<h[1-6][^>]*>(.*?)</h[1-6]>", found, re.DOTALL)
    assert unescape(re.sub("<[^>]*>", "", first.group(1))).split() == ["driver", "✗", "FAILED"]
    images = re.findall(r"<img\b[^>]*>", found)
    assert len(images) == 5
    assert all(re.search(r'alt="[^"]+"', image) for image in images)


def asked(tmp_path, page):
    """What the page asked the network for; the browser's own calls home (updates, time) have no page behind them."""
    log = tmp_path / "net.json"
    browse(tmp_path, f"--log-net-log={log}", "--dump-dom", page.as_uri())
    events = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
    return {each["url"] for each in events if "url" in each and each.get("initiator", BROWSER) != BROWSER}


@pytest.mark.parametrize("name", ["index.html", "driver/index.html"])
def test_the_browser_asks_for_the_file_and_nothing_else(pages, tmp_path, name):
    assert asked(tmp_path, pages / name) == set()
    source = (pages / name).read_text()
    assert not re.search(r'(?:src|href|srcset|action)="(?:https?:)?//', source)
    assert not re.search(r"url\(\s*[\"']?(?:https?:)?//|@import", source)


def test_a_page_that_asks_for_something_would_be_seen(tmp_path):
    page = tmp_path / "asking.html"
    page.write_text('<img src="http://pictures.invalid/a.png" alt="a">')
    assert asked(tmp_path, page) == {"http://pictures.invalid/a.png"}


def test_nothing_sticks_out_at_a_phone_s_width(pages, tmp_path):
    page = tmp_path / "measured.html"
    source = (pages / "driver/index.html").read_text()
    policy = re.search(r'<meta http-equiv="Content-Security-Policy"[^>]*>', source).group(0)
    script = "<script>document.title = document.documentElement.scrollWidth + ' of ' + innerWidth</script>"
    page.write_text(source.replace(policy, "").replace("</body>", script + "</body>"))
    found = browse(tmp_path, "--window-size=500,900", "--dump-dom", page.as_uri())
    width, _, window = re.search(r"<title>(\d+) (of) (\d+)</title>", found).groups()
    assert int(width) <= int(window) <= 500


@pytest.mark.parametrize(("scheme", "dark"), [(LIGHT, False), (DARK, True)])
def test_the_page_follows_the_reader_s_light(pages, tmp_path, scheme, dark):
    shot = screenshot(tmp_path, pages / "driver/index.html", width=1200, height=900, scheme=scheme)
    corner = shot[2, 2].mean()
    assert corner < 60 if dark else corner > 220
    assert np.abs(shot - shot[2, 2]).max() > 150  # there is something to read on it
