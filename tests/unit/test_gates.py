"""What a gate says when a check fails."""

from __future__ import annotations

from dataclasses import replace

from expectations.checks import days, percent, quoted
from expectations.runner import Check
from huaxiang.gates import sentence

REFUSED = Check(
    name="most_records_are_accepted",
    kind="quarantine",
    table="ledger",
    column=None,
    severity="critical",
    passed=False,
    expected="at most 5 %",
    observed="order_lines of shop: 1,200 of 2,000 records refused (60.00 %)",
    failing_rows=1200,
    where="quarantine/shop/order_lines/load_date=2026-03-10/ab.parquet",
    description="Why.",
    next_step="read the reasons",
)


def test_a_failed_check_says_what_how_many_where_and_what_next():
    assert sentence(REFUSED) == (
        "most_records_are_accepted: order_lines of shop: 1,200 of 2,000 records refused (60.00 %), "
        "failing rows: 1,200, to be found in quarantine/shop/order_lines/load_date=2026-03-10/ab.parquet; "
        "expected: at most 5 %. Next: read the reasons."
    )


def test_a_failed_check_without_rows_says_nothing_of_rows():
    stale = replace(REFUSED, observed="the newest accepted rows are from 2026-03-01", failing_rows=None, where=None)
    assert sentence(stale) == (
        "most_records_are_accepted: the newest accepted rows are from 2026-03-01; expected: at most 5 %. "
        "Next: read the reasons."
    )


def test_only_a_critical_failure_stops():
    assert REFUSED.stops
    assert not replace(REFUSED, severity="warning").stops
    assert not replace(REFUSED, passed=True).stops


def test_shares_days_and_texts_are_written_as_people_and_sql_read_them():
    assert (percent(0.005), percent(0.05), percent(0.98)) == ("0.5 %", "5 %", "98 %")
    assert (days(1), days(3)) == ("1 day", "3 days")
    assert quoted("o'clock") == "'o''clock'"
