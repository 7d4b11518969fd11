"""Staging reads a landed file once: what it adds up to equals what all files in force say, however they came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import duckdb
import pytest

from huaxiang import warehouse
from huaxiang.landing.ledger import DUPLICATE, landed_path, next_call_number, read_ledger, write_call
from huaxiang.landing.versions import known_files
from huaxiang.settings import Run
from tests.dbt.small_home import DAY, NEXT, SmallHome, line, small_shop

pytestmark = pytest.mark.dbt

LATE = date(2026, 1, 20)


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> SmallHome:
    """The small shop with two weeks of promotions, staged for DAY."""
    from huaxiang.settings import load_settings
    from huaxiang.tables import Home

    home = tmp_path_factory.mktemp("shop")
    shop = small_shop(replace(load_settings(), home=Home(home), inbox=home / "inbox"))
    shop.land("promotions", DAY, [promotion("p1", "2026-01-19"), promotion("p2", "2026-01-19")])
    shop.land("promotions", NEXT, [promotion("p1", "2026-01-26")])
    warehouse.staging(shop.settings, Run(DAY, DAY))
    return shop


def promotion(product: str, week: str) -> dict[str, str]:
    return {
        "product_id": product, "store_id": "s1", "week_start_on": week, "display_location": "7", "mailer_location": "A",
    }  # fmt: skip


def a_late_file_of_lower_rank(shop: SmallHome) -> None:
    """Line 1 was corrected on NEXT, so this version loses; line 2 is corrected and line 9 is new."""
    lines = [line(1, "anna", "2026-01-01 15:00:00", "7.77"), line(2, "ben", "2026-01-01 16:00:00", "3.00", "p2")]
    shop.land("order_lines", LATE, [*lines, line(9, "ben", "2026-01-19 15:00:00", "9.00")])
    shop.land("promotions", LATE, [promotion("p2", "2026-01-12")])


def a_repair(shop: SmallHome) -> None:
    """The file of DAY gets a line more."""
    row = next(row for row in read_ledger(shop.settings) if row.table_name == "order_lines" and row.load_date == DAY)
    made = shop.land("order_lines", DAY, [line(10, "ben", "2026-01-31 15:00:00", "2.00")])
    number = next_call_number(shop.settings) - 1
    added = replace(row, call_number=number, records=1, net_amount=Decimal("2.00"), repair_number=number)
    path = landed_path(shop.settings.home, added)
    with duckdb.connect() as connection:
        repaired = f"select * replace ('{row.file_id}' as file_id, 99 as record_number) from '{made}'"
        connection.execute(f"copy ({repaired}) to '{path}' (format parquet)")
    made.unlink()
    write_call(shop.settings, number, [added])


def a_content_that_comes_again_under_a_later_name(shop: SmallHome) -> None:
    """The late file is the latest now, so its line 1 holds."""
    row = next(row for row in read_ledger(shop.settings) if row.table_name == "order_lines" and row.load_date == LATE)
    number = next_call_number(shop.settings)
    again = replace(row, call_number=number, load_date=NEXT, file_name="shop/z.csv", outcome=DUPLICATE)
    write_call(shop.settings, number, [again])


def other_persons(shop: SmallHome) -> None:
    """As if identity had taken ben for another person when the table was made."""
    _change(shop, "update staging.stg_order_lines set customer_id = 'bob' where customer_id = 'ben'")


def nothing(shop: SmallHome) -> None:
    """No file more."""


@pytest.mark.parametrize(
    ("happens", "known_at", "kept"),
    [
        pytest.param(nothing, NEXT, True, id="the next day"),
        pytest.param(nothing, DAY, False, id="an earlier day"),
        pytest.param(nothing, NEXT, True, id="the later day once more"),
        pytest.param(a_late_file_of_lower_rank, NEXT, True, id="a late file of lower rank"),
        pytest.param(a_repair, NEXT, False, id="a repair"),
        pytest.param(a_content_that_comes_again_under_a_later_name, NEXT, False, id="a content comes again"),
        pytest.param(other_persons, NEXT, False, id="other persons"),
    ],
)
def test_what_is_added_equals_what_all_files_say(
    shop: SmallHome, happens: Callable[[SmallHome], None], known_at: date, kept: bool
) -> None:
    """`kept`: rows of files read before stay, shown by one that is spoiled; else the table is made anew."""
    happens(shop)
    _change(shop, "update staging.stg_order_lines set quantity = 77 where order_line_id = 'l3'")
    warehouse.staging(shop.settings, Run(known_at, known_at))
    assert _ask(shop, "select quantity = 77 from staging.stg_order_lines where order_line_id = 'l3'") == [(kept,)]
    _change(shop, "update staging.stg_order_lines set quantity = 1 where order_line_id = 'l3'")

    assert _staged(shop) == _said_by_all_files(shop, known_at)
    assert _weeks(shop) == _weeks_of_all_files(shop, known_at)


def _change(shop: SmallHome, statement: str) -> None:
    with duckdb.connect(str(shop.settings.home.duckdb_file)) as connection:
        connection.execute(statement)


def _ask(shop: SmallHome, query: str) -> list[tuple]:
    with duckdb.connect(str(shop.settings.home.duckdb_file), read_only=True) as connection:
        return connection.execute(query).fetchall()


def _landed(shop: SmallHome, table: str, query: str) -> list[tuple]:
    """The query over every row that ever landed, `landed`."""
    files = shop.settings.home.landing / "shop" / table / "*" / "*.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"create view landed as from read_parquet('{files}', hive_partitioning = false)")
        return connection.execute(query).fetchall()


_LINE = "order_line_id, customer_id, net_amount, quantity, file_id, record_number"


def _staged(shop: SmallHome) -> list[tuple]:
    return _ask(shop, f"select {_LINE} from staging.stg_order_lines order by all")


def _said_by_all_files(shop: SmallHome, known_at: date) -> list[tuple]:
    """Of each line the row of the file of the highest rank, by plain Python."""
    ranks = {one.file_id: one.file_rank for one in known_files(read_ledger(shop.settings), known_at)}
    rows = _landed(shop, "order_lines", f"select {_LINE} from landed")
    latest: dict[str, tuple] = {}
    for row in sorted((row for row in rows if ranks.get(row[4]) is not None), key=lambda row: (ranks[row[4]], row[5])):
        latest[row[0]] = row
    return sorted(latest.values())


def _weeks(shop: SmallHome) -> list[tuple]:
    return _ask(shop, "select file_id, week_start_on, record_count from staging.promotion_file_weeks order by all")


def _weeks_of_all_files(shop: SmallHome, known_at: date) -> list[tuple]:
    known = {one.file_id for one in known_files(read_ledger(shop.settings), known_at)}
    rows = _landed(shop, "promotions", "select file_id, week_start_on, count(*) from landed group by all order by all")
    return [row for row in rows if row[0] in known]
