"""Hostile texts through the real daily run: the pages show them as text, none runs, and no character hides or turns."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from huaxiang.report.words import visible
from tests.pages.hostile_home import HOSTILE, NAME, REFUSED_FILE, run_hostile_sunday

pytestmark = [pytest.mark.pages, pytest.mark.dbt, pytest.mark.slow]

PAGES = ["index.html", "customer.html", "quality.html", "data.html"]
# Marks that reorder a line, and characters without a width.
UNSEEN = re.compile("[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@pytest.fixture(scope="module")
def build(tmp_path_factory) -> Path:
    return run_hostile_sunday(tmp_path_factory.mktemp("hostile"))


def is_harmless(seen) -> bool:
    """Nothing ran, and nothing tried to: the policy would have complained."""
    hacked = seen.page.evaluate("window.hacked")
    return (hacked, seen.complaints, seen.outside) == (None, [], [])


@pytest.mark.parametrize("name", PAGES)
def test_no_page_runs_a_hostile_text_or_hides_a_character(build, visit, name):
    seen = visit(build / "report" / name)

    assert is_harmless(seen)
    assert not UNSEEN.search(seen.text("body"))
    assert visible(NAME) in seen.text("header") and "[U+202E]" in visible(NAME)
    policy = seen.page.get_attribute("meta[http-equiv=Content-Security-Policy]", "content")
    assert "default-src 'none'" in policy and "unsafe" not in policy


def test_every_hostile_customer_is_found_in_the_list_and_shown_as_text(build, visit):
    seen = visit(build / "report" / "customer.html")
    wanted = {visible(text) for text in HOSTILE.values()}
    links = seen.page.locator("#found a")
    assert wanted <= set(links.locator("bdi").all_inner_texts())

    for number in range(links.count()):
        text = links.nth(number).locator("bdi").inner_text()
        if text not in wanted:
            continue
        links.nth(number).click()
        seen.page.wait_for_function("text => document.querySelector('h1').textContent === text", arg=text)
        assert seen.row(text, "#portrait .bars")[0] == text  # its category
        assert seen.page.locator("#portrait .facts dd").all_inner_texts() == [text] * 7  # what it declared
        assert text in seen.page.locator("#portrait .tags .value").all_inner_texts()
        assert seen.page.title().startswith(f"Customer {text} · ")
        assert not UNSEEN.search(seen.text("body"))
        wanted.remove(text)
    assert wanted == set()
    assert is_harmless(seen)


def test_a_search_for_a_hostile_customer_finds_it(build, visit):
    seen = visit(build / "report" / "customer.html")
    for text in HOSTILE.values():
        seen.page.fill("#who", text)
        assert visible(text) in seen.page.locator("#found bdi").all_inner_texts()
    assert is_harmless(seen)


def test_a_hostile_name_of_a_file_stands_on_the_quality_page_as_text(build, visit):
    seen = visit(build / "report" / "quality.html")
    assert seen.row(f"hostile/{REFUSED_FILE}", "#refused")[0].startswith(f"hostile/{REFUSED_FILE}")
    assert is_harmless(seen)


def test_every_text_comes_out_of_the_run_byte_for_byte(build):
    file = build / "profiles" / "customer_profiles.parquet"
    rows = duckdb.execute(f"select customer_id, top_category, age_band from '{file}' where age_band is not null")
    assert sorted(rows.fetchall()) == sorted((text, text, text) for text in HOSTILE.values())


@pytest.mark.parametrize(
    "name", ["a script", "the end of a script", "an image", "the end of an attribute", "a drawing"]
)
def test_the_watch_sees_a_hostile_text_that_stands_in_a_page_as_markup(build, tmp_path, visit, name):
    page = tmp_path / "index.html"
    text = (build / "report" / "index.html").read_text(encoding="utf-8")
    page.write_text(text.replace("</main>", f"{HOSTILE[name]}</main>"), encoding="utf-8")
    assert not is_harmless(visit(page))
