"""Landing calls made again in a private home, from raw bytes and repairs."""

from dataclasses import replace
from datetime import date

import pytest

from huaxiang.landing import quarantine, repairs
from huaxiang.landing.ledger import read_ledger
from huaxiang.timetravel.knowledge import up_to
from huaxiang.timetravel.private_home import private_home, replay_landing

HEADER = "line,who,bought_at,pieces,paid\n"


@pytest.fixture
def mended(shop):
    """Four calls: a drop with a refused record, its repair, the same name with other content, and a copy of it."""
    shop.drops("sales_2024-01-01.csv", HEADER + "1,anna,2024-01-01 10:00,1,10.00\n2,ben,2024-01-01 11:00,1,much\n")
    shop.lands("2024-01-01")
    [file] = quarantine.open_files(shop.settings)
    repairs.repair(shop.settings, file, {2: "2,ben,2024-01-01 11:00,1,5.00"})
    shop.lands("2024-01-02")
    text = HEADER + "1,anna,2024-01-01 10:00,1,11.00\n"
    shop.drops("sales_2024-01-01.csv", text)
    shop.lands("2024-01-03")
    shop.drops("sales_2024-01-04.csv", text)
    shop.lands("2024-01-04")
    return shop


@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_repairs_corrected_drops_and_copies_come_out_as_they_did(mended, call):
    ledger = up_to(read_ledger(mended.settings), call)
    assert {row.call_number for row in ledger} == set(range(1, call + 1))
    before = mended.files()
    with private_home(mended.settings, "test") as past:
        assert replay_landing(mended.settings, past, ledger) == 0
        made = [replace(row, call_number=0) for row in read_ledger(past)]
        assert made == [replace(row, call_number=0) for row in ledger]
    assert mended.files() == before
    assert not list(mended.settings.home.root.glob(".timetravel-*"))


def test_another_mapping_is_seen_in_the_account(mended):
    mended.maps(
        "tables:\n  order_lines:\n    file: sales_{load_date}.csv\n    format: csv\n    columns:\n"
        "      order_line_id: line\n      order_id: line\n      customer_id: who\n      ordered_at: bought_at\n"
        "      quantity: pieces\n      net_amount: number(paid) + 1\n"
    )
    with private_home(mended.settings, "test") as past:
        assert replay_landing(mended.settings, past, up_to(read_ledger(mended.settings), 1)) > 0


def test_a_private_home_is_removed_after_a_failure_and_a_dead_ones_leftover_too(shop):
    left = shop.settings.home.root / f".timetravel-old-{2**22 + 1}"  # no process has such a number
    left.mkdir(parents=True)
    (left / "in_use").touch()
    with pytest.raises(ZeroDivisionError), private_home(shop.settings, "test") as past:
        assert past.home.root.exists()
        assert not left.exists()
        assert date(2024, 1, 1).day / 0
    assert not list(shop.settings.home.root.glob(".timetravel-*"))


def test_a_private_home_in_use_is_left_alone(shop):
    with private_home(shop.settings, "one") as one, private_home(shop.settings, "two"):
        assert one.home.root.exists()
