"""An empty day, a file with a header alone, a file of 0 bytes and no file: told apart, and the release before stays."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.pipeline.conftest import run_words
from tests.pipeline.released_shop import MONDAY, NO_ARTICLE, SUNDAY, drop, header, till_roll

pytestmark = [pytest.mark.dbt, pytest.mark.slow]

TUESDAY, THURSDAY = "2024-04-23", "2024-04-25"


def gate(folder: Path, day: str) -> dict:
    """What the landing gate has written of the day, in its build or in its release."""
    [file] = (folder / "home").glob(f"*/{day}*/gates/landing.json")
    return json.loads(file.read_text(encoding="utf-8"))


def brought(folder: Path, day: str) -> dict[str, tuple[str, str]]:
    """State and words of each table, as the gate has written them."""
    said = gate(folder, day)
    assert {one["load_date"] for one in said["arrivals"]} == {day}
    return {one["table_name"]: (one["state"], one["said"]) for one in said["arrivals"]}


def failed(folder: Path, day: str) -> dict[str, str]:
    said = gate(folder, day)
    return {one["name"]: one["severity"] for one in said["checks"] if not one["passed"]}


def test_a_day_with_rows_has_rows_and_its_page_says_so(shop):
    assert brought(shop, SUNDAY)["order_lines"] == ("ROWS", "13 records accepted")
    assert brought(shop, SUNDAY)["products"] == ("ROWS", "1 record accepted")
    [page] = (shop / "home" / "releases").glob("*/report/quality.html")
    assert "What each table brought on Sunday 21 April 2024" in page.read_text(encoding="utf-8")


def test_an_empty_day_of_a_table_that_knows_quiet_days_is_fine(shop):
    drop(shop, MONDAY, "bons.csv", till_roll(shop, MONDAY))
    drop(shop, MONDAY, "artikel.csv", NO_ARTICLE)

    assert run_words(MONDAY, words=("landing",)) == 0

    assert brought(shop, MONDAY)["products"] == (
        "EMPTY_OK", "a file came without a record, as on 1 of 2 days before",
    )  # fmt: skip
    assert "tables_come_as_usual" not in failed(shop, MONDAY)


@pytest.mark.parametrize(
    ("has_header", "words"),
    [
        (True, "a file came without a record, and this table says what customers do"),
        (False, "a file came without a record, and without a header that can be read"),
    ],
)
def test_a_till_roll_without_a_line_stops_the_run_and_is_named(shop, capsys, has_header, words):
    current = (shop / "home" / "CURRENT").read_bytes()
    drop(shop, MONDAY, "bons.csv", header(shop) if has_header else b"")

    assert run_words(MONDAY) == 1

    assert (shop / "home" / "CURRENT").read_bytes() == current
    assert brought(shop, MONDAY)["order_lines"] == ("EMPTY_UNEXPECTED", words)
    assert failed(shop, MONDAY) == {"newest_drop_has_rows": "critical", "newest_drop_is_of_usual_size": "warning",
                                    "tables_come_as_usual": "warning"}  # fmt: skip
    assert f"order_lines of corner_shop is EMPTY_UNEXPECTED on {MONDAY}: {words}" in capsys.readouterr().err


def test_no_till_roll_is_missing_and_stops_the_run_beyond_the_limit(shop, capsys):
    current = (shop / "home" / "CURRENT").read_bytes()
    shutil.rmtree(shop / "shop" / "drops" / "corner_shop" / "20240422")

    assert run_words(MONDAY, words=("landing",)) == 0
    assert brought(shop, MONDAY)["order_lines"] == (
        "MISSING", "no file; one came on 28 of 28 days up to the last, of 2024-04-21",
    )  # fmt: skip
    assert failed(shop, MONDAY)["tables_come_as_usual"] == "warning"

    assert run_words(THURSDAY) == 1
    assert (shop / "home" / "CURRENT").read_bytes() == current
    assert brought(shop, THURSDAY)["order_lines"][0] == "MISSING"
    assert failed(shop, THURSDAY)["drops_are_not_stale"] == "critical"
    assert f"rows are from {SUNDAY}; order_lines of corner_shop is MISSING on {THURSDAY}" in capsys.readouterr().err


def test_a_second_till_roll_without_a_line_stops_the_run_though_its_bytes_came_before(shop):
    drop(shop, MONDAY, "bons.csv", header(shop))
    assert run_words(MONDAY, words=("landing",)) == 1
    drop(shop, MONDAY, "bons.csv", till_roll(shop, MONDAY))
    assert run_words(MONDAY, words=("landing",)) == 0

    drop(shop, TUESDAY, "bons.csv", header(shop))

    assert run_words(TUESDAY, words=("landing",)) == 1
    assert brought(shop, TUESDAY)["order_lines"][0] == "EMPTY_UNEXPECTED"
