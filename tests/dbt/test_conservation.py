"""What became of accepted records: the ends add up to the ledger file by file, and a difference stops the run."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import duckdb
import pytest

from huaxiang import warehouse
from huaxiang.errors import BrokenConservation
from huaxiang.landing.ledger import ACCEPTED, next_call_number, read_ledger, write_call
from huaxiang.landing.versions import known_files
from huaxiang.settings import Run
from huaxiang.warehouse import conservation
from tests.dbt.small_home import DAY, NEXT, SmallHome, line, small_shop

pytestmark = pytest.mark.dbt

TODAY = Run(as_of=NEXT, known_at=NEXT)
BEFORE = Run(as_of=DAY, known_at=NEXT)


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> SmallHome:
    """The small shop; on its last day the coupon list repeats a row, and a line comes again as it was."""
    from huaxiang.settings import load_settings
    from huaxiang.tables import Home

    home = tmp_path_factory.mktemp("shop")
    shop = small_shop(replace(load_settings(), home=Home(home), inbox=home / "inbox"))
    coupon = {"campaign_id": "k", "coupon_id": "c", "product_id": "p1"}
    shop.land("coupons", DAY, [coupon, coupon])
    shop.land("order_lines", date(2026, 1, 20), [line(2, "ben", "2026-01-01 16:00:00", "4.00", "p2")])
    week = {"week_start_on": "2026-01-19", "display_location": "7", "mailer_location": "A"}
    shop.land("promotions", DAY, [week | {"product_id": one, "store_id": "s1"} for one in ("p1", "p1", "p2")])
    warehouse.staging(shop.settings, TODAY)
    return shop


def ends(shop: SmallHome, run: Run, table: str) -> dict[tuple[str, str], tuple[int, Decimal | None]]:
    """Records and money of a table by outcome and reason."""
    found: dict[tuple[str, str], tuple[int, Decimal | None]] = {}
    for fate in conservation.settle(shop.settings, run):
        if fate.table_name == table:
            records, money = found.get((fate.outcome, fate.reason), (0, Decimal(0)))
            amount = None if fate.net_amount is None else money + fate.net_amount
            found[fate.outcome, fate.reason] = (records + fate.records, amount)
    return found


def test_every_order_line_has_one_end_and_money_follows(shop):
    # lines 1 to 5; line 1 came again with another price, line 2 as it was: 10.00 went, 4.00 was there twice
    assert ends(shop, TODAY, "order_lines") == {
        ("published", ""): (5, Decimal("10.00")),
        ("superseded", "LATER_RECORD"): (1, Decimal("10.00")),
        ("duplicate", "EQUAL_RECORD"): (1, Decimal("4.00")),
    }


def test_lines_of_days_after_as_of_are_held_back(shop):
    assert ends(shop, BEFORE, "order_lines")["suppressed", "AFTER_AS_OF"] == (2, Decimal("-1.00"))


def test_equal_rows_of_one_file_are_duplicates(shop):
    assert ends(shop, TODAY, "coupons") == {("published", ""): (1, None), ("duplicate", "EQUAL_RECORD"): (1, None)}


def test_every_record_of_a_promotion_is_in_use_as_often_as_it_came(shop):
    assert ends(shop, TODAY, "promotions") == {("published", ""): (3, None)}


def test_the_ends_are_kept_with_the_run(shop):
    path = shop.settings.home.build(TODAY.id) / "ledger" / "ledger.parquet"
    with duckdb.connect() as connection:
        found = connection.execute(f"select sum(records) from '{path}'").fetchall()[0][0]
    assert found == sum(row.records for row in read_ledger(shop.settings))


def test_a_row_that_vanished_stops_the_run(shop):
    number = next_call_number(shop.settings)
    landed = read_ledger(shop.settings)
    lines = next(row for row in landed if row.table_name == "order_lines")
    path = write_call(
        shop.settings, number, [replace(lines, call_number=number, records=1, net_amount=Decimal("1.00"))]
    )
    try:
        with pytest.raises(BrokenConservation, match=r"3 records with 15\.00 were accepted, but 2 with 14\.00"):
            conservation.settle(shop.settings, TODAY)
    finally:
        path.unlink()


def test_a_drop_sent_again_under_its_name_replaces_it(shop, tmp_path):
    settings = replace(shop.settings)
    rows = read_ledger(settings)
    old = next(row for row in rows if row.table_name == "order_lines" and row.load_date == DAY)
    again = replace(old, call_number=99, file_id="f" * 16, sha256="f" * 64)
    ranks = {one.file_id: one.file_rank for one in known_files([*rows, again], NEXT)}

    assert ranks[old.file_id] is None
    assert ranks["f" * 16] is not None


def test_a_drop_of_which_nothing_can_be_accepted_replaces_nothing(shop):
    rows = read_ledger(shop.settings)
    old = next(row for row in rows if row.table_name == "order_lines" and row.load_date == DAY)
    broken = replace(old, call_number=99, file_id="f" * 16, sha256="f" * 64, outcome="quarantined", reason="HEADER")

    assert {one.file_id: one.file_rank for one in known_files([*rows, broken], NEXT)} == {
        one.file_id: one.file_rank for one in known_files(rows, NEXT)
    }


def test_the_rank_does_not_depend_on_the_order_of_arrival(shop):
    rows = [row for row in read_ledger(shop.settings) if row.outcome == ACCEPTED]
    backwards = [replace(row, call_number=100 - row.call_number) for row in reversed(rows)]

    assert known_files(rows, NEXT) == known_files(backwards, NEXT)


def test_a_content_that_comes_back_under_its_name_holds_again(shop):
    rows = read_ledger(shop.settings)
    old = next(row for row in rows if row.table_name == "order_lines" and row.load_date == DAY)
    other = replace(old, call_number=98, file_id="f" * 16, sha256="f" * 64)
    back = replace(old, call_number=99, outcome="duplicate_file", reason="DUPLICATE_FILE")
    ranks = {one.file_id: one.file_rank for one in known_files([*rows, other, back], NEXT)}

    assert ranks[old.file_id] is not None
    assert ranks["f" * 16] is None
