"""One headless Chromium for all page tests, and pages that watch what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from huaxiang import families, report
from huaxiang.settings import Settings, load_settings
from huaxiang.tables import Home
from tests.conftest import chromium
from tests.pages.homes import RUN, SCRIPT, write_bare_home, write_full_home

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
_FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Watched:
    """A page with everything it complained about and asked for from outside its folder."""

    page: object
    complaints: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def row(self, name: str, within: str = "main") -> list[str]:
        """The cells of the first table row whose head starts with `name`."""
        return next(cells for cells in self.rows(within) if cells and cells[0].startswith(name))

    def rows(self, within: str = "main") -> list[list[str]]:
        """The cells of every table row, heads included."""
        cells_of_rows = "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
        return self.page.eval_on_selector_all(f"{within} tr", cells_of_rows)


@pytest.fixture(scope="session")
def browser(tmp_path_factory) -> Iterator[object]:
    if not chromium():
        pytest.skip("there is no browser for the page tests: install one with 'apt-get install chromium'")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=chromium(),
            headless=True,
            chromium_sandbox=False,
            args=_FLAGS,
        )
        yield context
        context.close()


@pytest.fixture
def visit(browser) -> Iterator[Callable[..., Watched]]:
    """Open a file in a new page: `visit(path, size, after_hash)`. Nothing outside the file's folder is let through."""
    opened = []

    def _visit(path: Path, size: dict[str, int] = DESKTOP, fragment: str = "") -> Watched:
        page = browser.new_page()
        page.set_default_timeout(10_000)
        watched = Watched(page)
        opened.append(page)

        def decide(route) -> None:
            if route.request.url.startswith((path.parent.as_uri() + "/", "data:")):
                route.continue_()
            else:
                watched.outside.append(route.request.url)
                route.abort()

        page.route("**/*", decide)

        def hear(said) -> None:
            if said.type in ("error", "warning"):
                watched.complaints.append(said.text)

        page.on("console", hear)
        page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        page.set_viewport_size(size)
        page.goto(path.as_uri() + fragment)
        page.wait_for_selector("h1, #portrait p")
        page.wait_for_timeout(50)
        return watched

    yield _visit
    for page in opened:
        page.close()


def _settings(root: Path) -> Settings:
    shop = {"name": "Corner <Shop> & Sons", "currency": "EUR", "time_zone": "Europe/Paris"}
    return replace(load_settings(), home=Home(root), **shop)


@pytest.fixture(scope="session")
def full_report(tmp_path_factory) -> Path:
    """The report of a home that has nearly everything."""
    settings = _settings(tmp_path_factory.mktemp("full"))
    write_full_home(settings)
    report.build(settings, RUN)
    return settings.home.build(RUN.id) / "report"


@pytest.fixture(scope="session")
def bare_report(tmp_path_factory) -> Path:
    """The report of a home with order lines and nothing else."""
    settings = _settings(tmp_path_factory.mktemp("bare"))
    write_bare_home(settings)
    report.build(settings, RUN)
    return settings.home.build(RUN.id) / "report"


@pytest.fixture(scope="session")
def left_out_report(tmp_path_factory) -> Path:
    """The report of a bare home whose only model family was left out of the run."""
    settings = _settings(tmp_path_factory.mktemp("left_out"))
    write_bare_home(settings)
    families.leave_out(settings, RUN, "scores", f"scores: 20 days of orders are too few; it needs 84 {SCRIPT}")
    report.build(settings, RUN)
    return settings.home.build(RUN.id) / "report"
