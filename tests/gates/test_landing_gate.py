"""The suite `landing`: every check passes good data and catches bad data."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from huaxiang import gates
from huaxiang.errors import GateFailed, MissingPartition
from huaxiang.gate_limits import GateLimits
from huaxiang.settings import Run, Settings
from tests.gates.homes import LandedHome, change, days_before, documented, line

pytestmark = pytest.mark.slow

RUN = Run(as_of=date(2026, 3, 10), known_at=date(2026, 3, 10))
CANARY = "canary-7391"


@pytest.fixture
def landed(settings: Settings) -> LandedHome:
    return LandedHome(settings.home)


def shop(landed: LandedHome, last: str = "2026-03-10", lines: int = 3, refused: int = 0) -> list[Path]:
    """Five days of a shop, three lines a day but for the last; each day its own landing call."""
    landed.drop("products", "2026-03-01", [("p1", "food", "bread")])
    files = []
    for number, day in enumerate(days_before(last, 5)):
        count = lines if day == last else 3
        rows = [line(number * 100 + i, f"c{i}", f"{day} 12:00:00", net="1.25") for i in range(count)]
        files.append(landed.drop("order_lines", day, rows, refused=[CANARY] * (refused if day == last else 0)))
        landed.call()
    return files


def checked(settings: Settings, run: Run = RUN) -> dict[str, dict]:
    """The checks by name, whether or not the gate stops."""
    with suppress(GateFailed):
        gates.check(settings, run, "landing")
    said = json.loads(gates.result_file(settings, run, "landing").read_text())
    return {found["name"]: found for found in said["checks"]}


def failed(settings: Settings, run: Run = RUN) -> dict[str, str]:
    """The severities of the checks that failed."""
    return {name: found["severity"] for name, found in checked(settings, run).items() if not found["passed"]}


def test_a_good_home_passes_every_check(settings, landed, capsys):
    shop(landed)

    assert failed(settings) == {}
    assert "landing gate" in capsys.readouterr().out
    assert json.loads(gates.result_file(settings, RUN, "landing").read_text())["passed"] is True


def test_the_manual_explains_every_check(settings, landed):
    shop(landed)
    names = checked(settings).keys()
    assert documented(names) == set(names)


def test_a_gate_without_landed_data_says_which_command_comes_first(settings):
    with pytest.raises(MissingPartition, match="run 'huaxiang landing --as-of 2026-03-10' first"):
        gates.check(settings, RUN, "landing")


def test_a_drop_of_which_nothing_is_usable_stops_the_run(settings, landed):
    shop(landed, lines=0, refused=12)

    with pytest.raises(GateFailed) as caught:
        gates.check(settings, RUN, "landing")

    message = str(caught.value)
    assert "newest_drop_has_rows: 0 of 12 records accepted on 2026-03-10" in message
    assert "most_records_are_accepted" in message and "failing rows: 12, to be found in" in message
    assert "quarantine/shop/order_lines/load_date=2026-03-10/" in message
    assert "The released portrait stays as it was." in message
    assert CANARY not in message


def test_no_offending_value_is_ever_written(settings, landed):
    files = shop(landed, refused=12)
    change(
        files[-1], f"select * replace (null as order_id, '{CANARY}' as customer_id, '{CANARY}' as product_id) from rows"
    )

    with pytest.raises(GateFailed) as caught:
        gates.check(settings, RUN, "landing")

    written = [path.read_text(errors="replace") for path in settings.home.build(RUN.id).rglob("*") if path.is_file()]
    assert CANARY not in str(caught.value) and not any(CANARY in text for text in written)
    assert sum(len(text) for text in written) > 1000


def test_a_day_far_below_or_above_the_usual_size_is_told(settings, landed):
    shop(landed, lines=1)
    assert failed(settings) == {"newest_drop_is_of_usual_size": "warning"}


def test_a_day_delivered_several_times_is_told(settings, landed):
    shop(landed, lines=10)
    assert failed(settings) == {"newest_drop_is_of_usual_size": "warning"}


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("2026-03-09", {}),
        ("2026-03-08", {"drops_are_fresh": "warning"}),
        ("2026-03-06", {"drops_are_fresh": "warning", "drops_are_not_stale": "critical"}),
    ],
)
def test_missing_days_are_told_and_then_stop_the_run(settings, landed, last, expected):
    shop(landed, last=last)
    assert failed(settings) == expected


def test_a_home_with_rare_drops_states_its_own_limit(settings, landed):
    shop(landed, last="2026-03-03")
    weekly = replace(settings, gates=GateLimits(stale_warning_days=7, stale_critical_days=14))
    assert failed(weekly) == {}


def test_drops_loaded_after_the_day_known_do_not_count(settings, landed):
    shop(landed, last="2026-03-10")
    earlier = Run(as_of=date(2026, 3, 8), known_at=date(2026, 3, 8))
    assert checked(settings, earlier)["drops_are_fresh"]["observed"] == "the newest accepted rows are from 2026-03-08"


def test_a_day_before_the_first_drop_stops_the_run(settings, landed):
    shop(landed)
    before = Run(as_of=date(2026, 1, 1), known_at=date(2026, 1, 1))

    found = checked(settings, before)

    assert found["newest_drop_has_rows"]["observed"] == "no drop has been taken"
    assert not found["newest_drop_has_rows"]["passed"] and not found["drops_are_not_stale"]["passed"]


def test_one_refused_record_of_a_few_is_told_and_does_not_stop_the_run(settings, landed):
    shop(landed, refused=1)

    found = checked(settings)

    assert [name for name, check in found.items() if not check["passed"]] == ["few_records_are_refused"]
    check = found["few_records_are_refused"]
    assert check["observed"] == "order_lines of shop: 1 of 4 records refused (25.00 %)"
    assert check["failing_rows"] == 1
    assert check["where"].startswith("quarantine/shop/order_lines/load_date=2026-03-10/")


def test_many_refused_records_stop_the_run(settings, landed):
    shop(landed, refused=12)
    assert failed(settings) == {"few_records_are_refused": "warning", "most_records_are_accepted": "critical"}


def test_refused_records_of_an_earlier_landing_do_not_stop_today(settings, landed):
    shop(landed, last="2026-03-09", refused=12)
    landed.drop("order_lines", "2026-03-10", [line(900 + i, "c1", "2026-03-10 12:00:00") for i in range(3)])
    landed.call()
    assert failed(settings) == {}


def test_an_empty_key_in_landed_rows_stops_the_run(settings, landed):
    files = shop(landed)
    change(
        files[-1],
        "select * replace (case when order_line_id = 'l400' then null else customer_id end as customer_id) from rows",
    )

    found = checked(settings)

    assert [name for name, check in found.items() if not check["passed"]] == ["customer_id_is_never_empty"]
    check = found["customer_id_is_never_empty"]
    assert (check["column"], check["observed"], check["failing_rows"]) == ("customer_id", "1 of 3 rows break it", 1)
    assert check["where"] == "landing/*/order_lines"


def test_a_link_that_is_filled_elsewhere_and_now_empty_is_told(settings, landed):
    files = shop(landed)
    change(files[-1], "select * replace (null::varchar as store_id) from rows")
    assert failed(settings) == {"store_id_is_seldom_empty": "warning"}


def test_a_link_that_this_home_never_fills_is_not_checked(settings, landed):
    rows = [line(i, "c1", "2026-03-10 12:00:00", product=None, store=None) for i in range(3)]
    landed.drop("order_lines", "2026-03-10", rows)
    landed.call()

    names = checked(settings).keys()

    assert not {"store_id_is_seldom_empty", "product_id_is_seldom_empty", "products_are_known"} & names


def test_rows_whose_product_is_not_in_the_product_list_are_told(settings, landed):
    files = shop(landed)
    change(files[-1], "select * replace ('p9' as product_id) from rows")

    found = checked(settings)["products_are_known"]

    assert (found["passed"], found["severity"], found["failing_rows"]) == (False, "warning", 3)


def test_a_record_that_is_neither_accepted_nor_refused_stops_the_run(settings, landed):
    shop(landed)
    change(settings.home.ledger / "000005.parquet", "select * replace (records_in + 2 as records_in) from rows")

    found = checked(settings)["every_record_is_accounted_for"]

    assert (found["passed"], found["severity"], found["failing_rows"]) == (False, "critical", 2)
    assert found["observed"] == "shop/order_lines_2026-03-10.csv: records in 5, accepted or refused 3"


def test_a_landed_file_that_lost_a_row_stops_the_run(settings, landed):
    files = shop(landed)
    change(files[2], "select * from rows where record_number > 1")

    found = checked(settings)

    assert {name for name, check in found.items() if not check["passed"]} == {
        "accepted_rows_are_landed",
        "money_is_landed_to_the_cent",
    }
    check = found["accepted_rows_are_landed"]
    assert check["observed"] == "shop/order_lines_2026-03-08.csv: accepted in the ledger 3, rows landed 2"
    assert check["failing_rows"] == 1
    assert check["where"] == str(files[2].relative_to(settings.home.root))


def test_landed_rows_that_the_ledger_does_not_know_stop_the_run(settings, landed):
    files = shop(landed)
    stray = files[0].with_name("0123456789abcdef.parquet")
    stray.write_bytes(files[0].read_bytes())
    change(stray, "select * replace ('0123456789abcdef' as file_id) from rows")

    found = checked(settings)["accepted_rows_are_landed"]

    assert not found["passed"]
    assert "0123456789abcdef (not in the ledger): accepted in the ledger 0, rows landed 3" in found["observed"]


def test_a_cent_that_changed_in_landed_rows_stops_the_run(settings, landed):
    files = shop(landed)
    change(
        files[1],
        "select * replace (net_amount + case record_number when 1 then 0.01 else 0 end as net_amount) from rows",
    )

    found = checked(settings)

    assert [name for name, check in found.items() if not check["passed"]] == ["money_is_landed_to_the_cent"]
    assert "net amount in the ledger 3.75, landed 3.76" in found["money_is_landed_to_the_cent"]["observed"]


def test_a_quarantine_file_that_was_emptied_stops_the_run(settings, landed):
    shop(landed, refused=1)
    [file] = settings.home.quarantine.rglob("*.parquet")
    change(file, "select * from rows where false")

    found = checked(settings)["refused_rows_are_in_quarantine"]

    assert (found["passed"], found["severity"], found["failing_rows"]) == (False, "critical", 1)


def test_a_damaged_file_stops_the_run_and_is_named(settings, landed):
    files = shop(landed)
    files[1].write_bytes(b"PAR1 not any more")

    with pytest.raises(GateFailed, match=f"cannot read what it checks .*{files[1].name}.*restore the file from a copy"):
        gates.check(settings, RUN, "landing")


def test_a_home_of_events_alone_is_watched_by_its_events(settings, landed):
    rows = [(f"e{i}", "c1", "2026-03-10 12:00:00", "view", None, None, None) for i in range(3)]
    landed.drop("events", "2026-03-10", rows)
    landed.call()

    found = checked(settings)

    assert all(check["passed"] for check in found.values())
    assert found["newest_drop_has_rows"]["table"] == "events" and "money_is_landed_to_the_cent" not in found


def test_the_same_day_checked_twice_gives_the_same_file(settings, landed):
    shop(landed)
    checked(settings)
    first = gates.result_file(settings, RUN, "landing").read_bytes()
    checked(settings)
    assert gates.result_file(settings, RUN, "landing").read_bytes() == first
