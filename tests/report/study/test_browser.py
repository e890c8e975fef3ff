"""The page in a real browser: it asks no network, says nothing in the console, and answers to pointer and keys.

It needs Chromium (`apt-get install chromium`) and playwright (`pip install playwright`).
"""

from __future__ import annotations

import csv
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_up import HOSTILE, add_study

from nas.architecture import Architecture
from nas.cli.main import main
from nas.ledger import Ledger
from nas.report.diff import diff
from nas.space import load_architecture
from nas.task import Task

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here (apt-get install chromium)"),
]

MOST_BYTES = 6_000_000
MANY = 5000
PATIENCE = 240_000  # ms; Playwright's 30 s are too few for a page of 5,000 candidates beside ten other programs


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE)
        yield found
        found.close()


class Opened:
    """A page, with everything that it has complained about or asked for."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.context = browser.new_context(accept_downloads=True, **options)
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._request)
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready]")

    def _request(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.complaints.append(f"asked for {request.url}")

    def said(self) -> str:
        """What a screen reader is told."""
        return str(self.page.locator("#said").text_content())

    def download(self, selector: str) -> Path:
        with self.page.expect_download() as waiting:
            self.page.locator(selector).first.click()
        return Path(waiting.value.path())


@pytest.fixture
def opened(browser: Any, storage: str, tmp_path: Path) -> Iterator[Opened]:
    path = tmp_path / "report.html"
    assert main(["report", "made-up", "--storage", storage, "-o", str(path)]) == 0
    page = Opened(browser, path, viewport={"width": 1280, "height": 900})
    yield page
    assert page.complaints == []
    page.context.close()


def test_pointer_draws_pins_and_compares(opened: Opened) -> None:
    page = opened.page
    for one in (page.locator("#scatter .best").first, page.locator("#scatter .best").last):
        one.click(force=True)
        assert page.locator("#detail svg.drawing rect").count() > 3
    assert page.locator("#pins .pin").count() == 2
    assert "What separates A and B" in page.locator("#difference").inner_text()
    page.locator("#pins button", has_text="unpin").first.click()
    assert page.locator("#pins .pin").count() == 1


def test_keys_walk_pin_and_compare(opened: Opened, ledger: Ledger) -> None:
    page = opened.page
    page.locator("#scatter").focus()
    page.keyboard.press("Home")
    cheapest = opened.said()
    assert "on the front" in cheapest
    page.keyboard.press("Enter")
    assert "is pinned" in opened.said()
    page.keyboard.press("ArrowRight")
    assert "on the front" in opened.said()
    page.keyboard.press("Enter")
    assert page.locator("#difference table").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("#pins .pin").count() == 1
    order = page.evaluate("document.querySelector('#scatter').tabIndex")
    assert order == 0


def test_a_comparison_is_that_of_nas_diff(opened: Opened, ledger: Ledger) -> None:
    forms = ledger.architectures_of("made-up")
    ids = opened.page.evaluate("report.points.map((point) => point.id)")
    rng = random.Random(0)
    for _ in range(20):
        one, other = rng.sample(ids, 2)
        here = diff((one, other), (Architecture.from_dict(forms[one]), Architecture.from_dict(forms[other])), Task())
        there = opened.page.evaluate(
            "([one, other]) => report.differences(...[one, other].map((id) => report.points.find((p) => p.id === id)))",
            [one, other],
        )
        assert there == [[row.where, row.field, row.before, row.after] for row in here.differences]


def test_downloads_are_the_tables_and_a_network_that_reads_back(opened: Opened, ledger: Ledger, tmp_path: Path) -> None:
    rows = list(csv.DictReader(opened.download('[data-table="csv"]').read_text().splitlines()))
    listed = json.loads(opened.download('[data-table="json"]').read_text())
    assert [row["id"] for row in rows] == [one["id"] for one in listed]
    assert {"accuracy", "flops", "decisions.stages.0.depth"} <= rows[0].keys()
    winner = opened.page.locator("[data-yaml]").first.get_attribute("data-yaml")
    file = tmp_path / "winner.yaml"
    shutil.copy(opened.download("[data-yaml]"), file)
    assert load_architecture(str(file)).id == winner
    assert opened.download("[data-file]").read_text().startswith("name: made-up")


def test_other_axes_and_lower_rungs_are_drawn(opened: Opened) -> None:
    page = opened.page
    before = page.locator("#scatter circle").count()
    page.locator("#lower").check()
    assert page.locator("#scatter circle").count() > before
    page.locator("#x-metric").select_option("params")
    assert "parameters" in page.locator("#scatter").text_content()


def test_labels_of_axes_tell_decisions_apart(opened: Opened) -> None:
    names = [
        "stages.0.block.mixer.kernel", "stages.1.block.mixer.kernel", "stages.1.block.mixer.mixer.small",
        "stages.1.block.ffn.mixer.small", "stages.width.base", "stem.width.base",
    ]  # fmt: skip
    labels = opened.page.evaluate("(names) => report.labels(names)", names)
    assert labels == [
        ["stages.0", "mixer.kernel"], ["stages.1", "mixer.kernel"], ["stages.1", "mixer.mixer.small"],
        ["stages.1", "ffn.mixer.small"], ["", "stages.width.base"], ["", "stem.width.base"],
    ]  # fmt: skip
    decisions = opened.page.evaluate("[...document.querySelectorAll('.parallel title')].map((one) => one.textContent)")
    assert "stages.1.block.mixer.kernel" in decisions


def test_on_phones_and_paper_axes_have_their_whole_names(browser: Any, storage: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert main(["report", "made-up", "--storage", storage, "-o", str(path)]) == 0
    page = Opened(browser, path, viewport={"width": 360, "height": 800}).page
    assert "stages.block.act_placement" in page.locator(".parallel .name").all_text_contents()
    overflow = "(one) => one.scrollWidth - one.clientWidth"
    assert page.locator("#parallel .scroll").evaluate(overflow) == 0
    page.set_viewport_size({"width": 1280, "height": 900})
    page.wait_for_function("document.querySelector('.parallel .name') === null")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".parallel .name").count() > 8
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator(".parallel .name").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_the_screen(browser: Any, storage: str, tmp_path: Path, width: int, scheme: str) -> None:
    path = tmp_path / "report.html"
    assert main(["report", "made-up", "--storage", storage, "-o", str(path)]) == 0
    opened = Opened(browser, path, viewport={"width": width, "height": 800}, color_scheme=scheme)
    opened.page.locator("#scatter").focus()
    for key in ("Home", "Enter", "End", "Enter"):
        opened.page.keyboard.press(key)
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    ink, paper = opened.page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor].map("
        "(text) => text.match(/\\d+/g).map(Number).reduce((one, other) => one + other))"
    )
    assert (ink > paper) == (scheme == "dark")
    assert opened.complaints == []


def test_names_that_mean_harm_do_nothing(browser: Any, storage: str, tmp_path: Path) -> None:
    with Ledger.open(storage) as ledger:
        add_study(ledger, HOSTILE, 24, hostile=True)
    path = tmp_path / "report.html"
    assert main(["report", HOSTILE, "made-up", "--storage", storage, "-o", str(path)]) == 0
    opened = Opened(browser, path)
    opened.page.locator("#scatter").focus()
    for key in ("Home", "Enter", "End", "Enter"):
        opened.page.keyboard.press(key)
    opened.page.wait_for_timeout(200)
    assert opened.page.evaluate("window.harmed") is None
    assert opened.page.locator("img").count() == 0
    assert HOSTILE in opened.page.locator("h1").inner_text()
    assert opened.complaints == []


def test_a_front_of_nas_pareto_draws_what_the_pointer_is_at(browser: Any, storage: str, tmp_path: Path) -> None:
    path = tmp_path / "front.html"
    assert main(["pareto", "made-up", "--storage", storage, "--plot", str(path)]) == 0
    page = browser.new_page(viewport={"width": 1000, "height": 760})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else complaints.append(asked.url))
    page.goto(path.as_uri())
    box = page.locator(".scatterlayer .points path").last.bounding_box(timeout=PATIENCE)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector("svg text:has-text('stage 1')", timeout=PATIENCE)
    assert "stages.0.depth" in page.locator(".hoverlayer").text_content()
    assert complaints == []
    page.close()


@pytest.mark.timeout(1800)
def test_five_thousand_trials_are_drawn(browser: Any, tmp_path: Path) -> None:
    url, path = f"sqlite:///{tmp_path / 'nas.db'}", tmp_path / "report.html"
    with Ledger.open(url) as ledger:
        add_study(ledger, "many", MANY)
    assert main(["report", "many", "--storage", url, "-o", str(path)]) == 0
    assert path.stat().st_size < MOST_BYTES
    opened = Opened(browser, path, viewport={"width": 1280, "height": 900})
    opened.page.locator("#lower").check()
    assert opened.page.locator("#scatter circle").count() > 0.9 * MANY
    opened.page.locator("#scatter .best").first.click(force=True)
    assert opened.page.locator("#pins .pin").count() == 1
    assert opened.complaints == []
