"""Why a tag says what it says: taking the named rows away changes it, taking others away does not."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from huaxiang import warehouse
from huaxiang.errors import MissingPartition
from huaxiang.landing.ledger import read_ledger, write_call
from huaxiang.settings import Run, load_settings
from huaxiang.tables import Home
from huaxiang.why import text, trace
from tests.dbt.small_home import DAY, SmallHome, line

pytestmark = pytest.mark.dbt

TODAY = Run(DAY, DAY)
# One customer per tag, so that one build answers for all of them.
TAGS = {
    "ann": "top_interest",
    "bob": "preferred_store",
    "cat": "discount_seeker",
    "dan": "campaign_responder",
    "eve": "age_band",
    "fay": "lifecycle",
    "gil": "visit_frequency",
    "hal": "private_label_buyer",
    "ivy": "basket_size",
}
OTHER = "zoe"  # with 200 lines of her own


def shop_of_all(root: Path) -> SmallHome:
    """Each customer bought in five weeks of the last half year, and once two years ago."""
    settings = replace(load_settings(), home=Home(root), inbox=root / "inbox")
    shop = SmallHome(replace(settings, sources=("shop",), time_zone="UTC", models=()))
    shop.land("products", DAY, [
        {"product_id": "p1", "category": "tea", "is_private_label": True},
        {"product_id": "p2", "category": "milk", "is_private_label": False},
    ])  # fmt: skip
    shop.land("stores", DAY, [{"store_id": "s1"}])
    shop.land("customers", DAY, [{"customer_id": name, "age_band": "25-34"} for name in (*TAGS, OTHER)])
    shop.land("campaigns", DAY, [{"campaign_id": "k", "started_on": "2026-01-02"}])
    shop.land("sends", DAY, [{"campaign_id": "k", "customer_id": name, "sent_on": "2026-01-02"} for name in TAGS])
    shop.land("responses", DAY, [
        {"response_id": f"r-{name}", "customer_id": name, "campaign_id": "k", "responded_on": "2026-01-03"}
        for name in TAGS
    ])  # fmt: skip
    lines, number = [], 0
    for name in (*TAGS, OTHER):
        days = [DAY - timedelta(days=days) for days in (730, 150, 120, 90, 60, 3)]
        for place, day in enumerate(days if name != OTHER else days * 40):
            number += 1
            bought = "p1" if place % 3 else "p2"
            lines.append(line(number, name, f"{day} 10:00:00", "6.00", bought, discount="4.00"))
    shop.land("order_lines", DAY, lines)
    return shop


def build(shop: SmallHome) -> dict[tuple[str, str], tuple]:
    """Value, confidence and evidence of every tag."""
    warehouse.staging(shop.settings, TODAY)
    warehouse.features(shop.settings, TODAY)
    warehouse.profiles(shop.settings, TODAY)
    return {(row[0], row[2]): row[3:6] for row in shop.table(TODAY, "profiles/customer_tags")}


def without(shop: SmallHome, root: Path, gone: Iterable[tuple[str, str, int]]) -> SmallHome:
    """A copy of the landed home in which these records (table, file id, number) never arrived."""
    shutil.copytree(shop.settings.home.root, root, ignore=shutil.ignore_patterns("warehouse", "build"))
    copy = SmallHome(replace(shop.settings, home=Home(root)))
    records = list(gone)
    for table, file_id in {(table, file_id) for table, file_id, _ in records}:
        (path,) = copy.settings.home.landing.glob(f"shop/{table}/*/{file_id}.parquet")
        numbers = [number for *file, number in records if file == [table, file_id]]
        kept = path.with_suffix(".kept")
        with duckdb.connect() as connection:
            query = (
                f"select * from read_parquet('{path}', hive_partitioning = false) where not (record_number = any(?))"
            )
            connection.execute(f"copy ({query}) to '{kept}' (format parquet)", [numbers])
        kept.replace(path)
        _tell_ledger(copy, table, file_id, path)
    return copy


def _tell_ledger(shop: SmallHome, table: str, file_id: str, path: Path) -> None:
    """The file came with the records that are left."""
    [row] = [row for row in read_ledger(shop.settings) if (row.table_name, row.file_id) == (table, file_id)]
    with duckdb.connect() as connection:
        money = "sum(net_amount)" if table == "order_lines" else "null"
        [(left, net)] = connection.execute(f"select count(*), {money} from read_parquet('{path}')").fetchall()
    write_call(shop.settings, row.call_number, [replace(row, records_in=left, records=left, net_amount=net)])


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[SmallHome, dict, dict[str, trace.Why]]:
    shop = shop_of_all(tmp_path_factory.mktemp("why") / "home")
    tags = build(shop)
    day = trace.day_of(shop.settings, TODAY, None)
    return shop, tags, {name: trace.why(shop.settings, day, name, tag) for name, tag in TAGS.items()}


def landed(shop: SmallHome, name: str) -> set[tuple[str, str, int]]:
    """All records of a customer."""
    found = set()
    with duckdb.connect() as connection:
        for table in ("order_lines", "sends", "responses", "customers"):
            path = shop.settings.home.landing / f"shop/{table}/*/*.parquet"
            query = f"select file_id, record_number from read_parquet('{path}') where customer_id = ?"
            found |= {(table, *row) for row in connection.execute(query, [name]).fetchall()}
    return found


def named(why: trace.Why) -> set[tuple[str, str, int]]:
    return {(row.table, row.file_id, row.record) for row in why.rows}


def test_taking_the_named_rows_away_changes_the_tag(built, tmp_path) -> None:
    shop, before, answers = built
    assert all((name, tag) in before for name, tag in TAGS.items())
    after = build(without(shop, tmp_path / "home", set().union(*map(named, answers.values()))))
    same = [tag for name, tag in TAGS.items() if after.get((name, tag)) == before[name, tag]]
    assert same == []


def test_taking_two_hundred_others_away_changes_nothing(built, tmp_path) -> None:
    """Besides Zoe's 200 lines every record of each customer that was not named for the customer's tag."""
    shop, before, answers = built
    others = sorted(row for row in landed(shop, OTHER) if row[0] == "order_lines")[:200]
    assert len(others) == 200
    for name, why in answers.items():
        unnamed = sorted(landed(shop, name) - named(why))
        if all(row.table != "order_lines" for row in why.rows):  # whoever ordered nothing has no portrait
            unnamed.remove(next(row for row in unnamed if row[0] == "order_lines"))
        others += unnamed
    after = build(without(shop, tmp_path / "home", others))
    assert {tag: after.get((name, tag)) for name, tag in TAGS.items()} == {
        tag: before[name, tag] for name, tag in TAGS.items()
    }


def test_the_answer_names_drop_record_and_what_counted(built, tmp_path) -> None:
    _, _, answers = built
    said = text.as_text(answers["dan"], [], "USD")
    assert said.startswith("customer dan: Campaign responder (campaign_responder, a rule, version 1) is 'once'\n")
    assert "shop/responses_2026-01-31.csv record 4  2026-01-03  campaign id k  [campaigns_answered]" in said
    assert "answers to campaigns: 1 row of 1 drop, 2026-01-03 to 2026-01-03" in said
    text.write_rows(answers["dan"].rows, tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_text().splitlines()[1:] == [
        "responses,shop,shop/responses_2026-01-31.csv,4,,2026-01-03,campaign id k,campaigns_answered",
        "sends,shop,shop/sends_2026-01-31.csv,4,,2026-01-02,campaign id k,campaigns_received",
    ]
    assert (tmp_path / "rows.csv").stat().st_mode & 0o077 == 0


def test_only_the_rows_of_the_last_day_stand_behind_recency(built) -> None:
    _, _, answers = built
    last = [row for row in answers["fay"].rows if "recency_days" in row.columns]
    assert [(row.table, row.day) for row in last] == [("order_lines", date(2026, 1, 28))]


def test_what_compares_customers_says_so(built) -> None:
    shop, _, _ = built
    day = trace.day_of(shop.settings, TODAY, None)
    said = text.as_text(trace.why(shop.settings, day, "ann", "value_tier"), [], "USD")
    assert "depends on the other customers as well: the rows below are this customer's own" in said


def test_whom_or_what_there_is_not_is_said(built) -> None:
    shop, _, _ = built
    day = trace.day_of(shop.settings, TODAY, None)
    with pytest.raises(MissingPartition, match=r"there is no tag 'churn_rik'; did you mean 'churn_risk'\?"):
        trace.why(shop.settings, day, "ann", "churn_rik")
    with pytest.raises(MissingPartition, match="this customer is not known"):
        trace.why(shop.settings, day, "nobody", "lifecycle")
    with pytest.raises(MissingPartition, match="neither released nor built"):
        trace.day_of(shop.settings, Run(date(2020, 1, 1), date(2020, 1, 1)), None)
