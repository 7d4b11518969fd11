"""What a table brought on a day, judged by what it did before."""

from __future__ import annotations

from datetime import date, timedelta

from huaxiang.gate_limits import GateLimits
from huaxiang.landing.arrivals import Arrival, State, judged
from huaxiang.landing.ledger import ACCEPTED, DUPLICATE, QUARANTINED, LedgerRow

DAY = date(2026, 3, 10)


def row(
    back: int, records: int, table: str = "order_lines", outcome: str = ACCEPTED, records_in: int = -1
) -> LedgerRow:
    """One row of the ledger about a file of so many days before DAY; empty files are the same file."""
    day = DAY - timedelta(days=back)
    content = f"{table} {day}" if records or records_in > 0 else f"{table} empty"
    count = records if records_in < 0 else records_in
    return LedgerRow(1, "shop", table, content, content, f"{day}", day, day, 9, count, outcome, "", records, None)


def state(*rows: LedgerRow, table: str = "order_lines") -> State:
    [found] = judged(rows, [("shop", table)], DAY, GateLimits())
    return found.state


def daily(until: int = 1, days: int = 10, table: str = "order_lines") -> list[LedgerRow]:
    return [row(back, 5, table) for back in range(until, until + days)]


def test_a_day_with_records_has_rows():
    assert state(*daily(until=0)) == State.ROWS


def test_records_of_which_none_was_accepted_are_refused():
    assert state(*daily(), row(0, 12, outcome=QUARANTINED)) == State.REFUSED


def test_a_file_that_came_before_is_repeated():
    assert state(*daily(), row(0, 5, outcome=DUPLICATE)) == State.REPEATED


def test_an_empty_file_of_the_activity_table_is_never_expected():
    assert state(row(0, 0)) == State.EMPTY_UNEXPECTED
    assert state(*daily(until=2), row(12, 0), row(0, 0, outcome=DUPLICATE)) == State.EMPTY_UNEXPECTED


def test_an_empty_file_of_another_table_is_fine_when_it_was_empty_before_and_came_back():
    lines, quiet = daily(until=0), row(3, 0, "products")
    before = [row(4, 5, "products"), quiet, row(2, 5, "products")]
    assert state(*lines, *before, row(0, 0, "products", DUPLICATE), table="products") == State.EMPTY_OK


def test_an_empty_file_that_has_never_had_a_record_is_fine():
    assert state(*daily(until=0), row(1, 0, "products"), row(0, 0, "products"), table="products") == State.EMPTY_OK


def test_an_empty_file_of_a_table_that_always_had_records_is_not_expected():
    assert state(*daily(until=0), *daily(table="products"), row(0, 0, "products"), table="products") == (
        State.EMPTY_UNEXPECTED
    )


def test_a_table_that_stays_empty_does_not_become_usual():
    empty = [row(back, 0, "products", outcome) for back, outcome in ((1, ACCEPTED), (0, DUPLICATE))]
    assert state(*daily(until=0), *daily(until=2, table="products"), *empty, table="products") == (
        State.EMPTY_UNEXPECTED
    )


def test_a_file_without_a_header_is_not_expected_of_any_table():
    before = [row(4, 5, "products"), row(3, 0, "products"), row(2, 5, "products")]
    headless = LedgerRow(1, "shop", "products", "0", "0", "x", DAY, DAY, 0, 0, QUARANTINED, "HEADER", 0, None)
    assert state(*daily(until=0), *before, headless, table="products") == State.EMPTY_UNEXPECTED


def test_no_file_of_a_daily_table_is_missing_for_as_long_as_none_comes():
    assert state(*daily(until=1)) == State.MISSING
    assert state(*daily(until=20)) == State.MISSING


def test_one_day_left_out_a_month_does_not_make_a_daily_table_a_rare_one():
    assert state(*daily(until=1, days=3), *daily(until=5, days=20)) == State.MISSING


def test_a_table_that_rests_on_sundays_or_is_young_has_no_file_due():
    weekdays = [one for one in daily(days=28) if one.load_date.weekday() != 6]
    assert state(*weekdays) == State.NOT_DUE
    assert state(*daily(days=6)) == State.NOT_DUE
    assert state(*daily(until=0), table="products") == State.NOT_DUE


def test_what_was_loaded_after_the_day_is_not_known():
    [found] = judged([row(-1, 5)], [("shop", "order_lines")], DAY, GateLimits())
    assert (found.state, found.said) == (State.NOT_DUE, "no file has come yet")


def test_refused_empty_and_missing_are_amiss_and_the_rest_is_not():
    assert [one.value for one in State if Arrival("shop", "products", DAY, one, "").is_amiss] == [
        "REFUSED", "EMPTY_UNEXPECTED", "MISSING",
    ]  # fmt: skip
