"""200 random declarations on real rows and edge rows equal a plain reference; increments equal a rebuild."""

from __future__ import annotations

import random
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from math import log
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from huaxiang import identity, landing, lease, warehouse
from huaxiang.features import Feature, load_features
from huaxiang.landing.ledger import read_ledger
from huaxiang.landing.versions import known_files, write_known_files
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.simulate import simulate
from huaxiang.steps import StepLog
from huaxiang.tables import Home
from huaxiang.warehouse import state
from huaxiang.warehouse.dbt import invoke
from tests.dbt.small_home import SmallHome, line

pytestmark = pytest.mark.dbt

# Rows of the ten days after the looked-at day are landed and known: no feature may see them.
DAY, KNOWN = date(2017, 11, 20), date(2017, 11, 30)
EARLIER = date(2017, 11, 1)
WINDOWS = (1, 3, 7, 28, 91, 364, "all")
ZONE = ZoneInfo("America/New_York")
Row = dict[str, Any]


def declared_in(settings: Settings, folder: Path, said: dict[str, dict]) -> Settings:
    """The project with these declarations in place of its own."""
    for part in ("dbt_project", "contracts"):
        shutil.copytree(settings.project / part, folder / part)
    (folder / "features").mkdir()
    (folder / "tags").mkdir()
    for name, keys in said.items():
        own = {"name": name, "description": "A random one.", "owner": "tests", "declared_on": date(2026, 1, 1)}
        (folder / "features" / f"{name}.yml").write_text(yaml.safe_dump(own | keys))
    return replace(settings, project=folder)


def build(settings: Settings, run: Run, days: list[date] | None = None, *more: str) -> dict[tuple, Row]:
    """Build the features and all they read; give their rows by customer and day."""
    files = known_files(read_ledger(settings), run.known_at)
    write_known_files(settings, files)
    identity.resolve(settings, run, {one.table_name for one in files}, StepLog("staging"))
    variables = warehouse.variables(settings, run, days)
    invoke(settings, run, ["run", "--select", "+customer_event_features", *more], variables)
    return {(row["customer_id"], row["as_of"]): row for row in rows_of(settings, "features.customer_event_features")}


def rows_of(settings: Settings, table: str) -> list[Row]:
    with state.reading(settings) as connection:
        found = connection.execute(f"from {table}")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def edge_rows() -> list[Row]:
    """Customers at the edges: a window's first day, local midnight, ties, returns, unknown products, the future."""

    def at(day: date, clock: str = "17:00:00") -> str:
        return f"{day} {clock}"

    def days_before(days: int) -> date:
        return DAY - timedelta(days=days)

    lines = [line(900 + n, "edge", at(days_before(n)), "1.10", "1029743") for n in (0, 1, 2, 3, 6, 7, 27, 28, 90, 91)]
    lines += [line(800 + n, "old", at(days_before(n)), "2.00", "995242") for n in (363, 364, 365, 800)]
    lines += [line(700, "later", at(DAY + timedelta(days=1)), "3.00"), line(701, "edge", at(KNOWN), "99.99", "995242")]
    lines += [line(600 + n, "tied", at(DAY), f"{n}.00", product) for n, product in enumerate(("b", "a", "c", "a", "b"))]
    # 04:59 UTC is still the day before in New York
    lines += [line(500, "midnight", at(DAY + timedelta(days=1), "04:59:59"), "4.00", "995242")]
    lines += [line(501, "midnight", at(DAY + timedelta(days=1), "05:00:00"), "5.00", "995242")]
    lines += [line(400, "back", at(DAY), "6.00"), line(401, "back", at(DAY), "-6.00", quantity=-1)]
    nothing = line(300, "unknown", at(DAY), "0.00")
    lines += [nothing | {"product_id": None, "store_id": None, "quantity": None, "discount_amount": None}]
    return lines


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """40 real households of 60 days and the edge rows."""
    root = tmp_path_factory.mktemp("landed")
    settings = replace(load_settings(), home=Home(root / "home"), inbox=root / "inbox", models=())
    simulate(settings, "complete_journey", KNOWN, since=date(2017, 10, 2), customers=40)
    for drop in settings.inbox.glob("*/promotions/*"):
        drop.unlink()  # a million rows that no feature reads
    run = Run(KNOWN, KNOWN)
    with lease.hold(settings, "landing"):
        lease.begin(settings, run)
        landing.land(settings, run)
    SmallHome(settings).land("order_lines", DAY, edge_rows(), source="complete_journey")
    return settings


def copy_of(landed: Settings, folder: Path) -> Settings:
    """The same home once more, to build in."""
    shutil.copytree(landed.home.root, folder / "home")
    return replace(landed, home=Home(folder / "home"))


# --- the plain reference: one event after the other, in Python


@dataclass(frozen=True)
class Condition:
    """A condition as SQL, and as a function of an event that gives True, False or None (unknown)."""

    sql: str
    holds: Callable[[Row], bool | None]


def compared(column: str, sign: str, value: object) -> Condition:
    signs = {
        "=": lambda a: a == value,
        ">": lambda a: a > value,
        "<=": lambda a: a <= value,
        "<>": lambda a: a != value,
    }
    return Condition(
        f"{column} {sign} {value!r}", lambda row: None if row[column] is None else signs[sign](row[column])
    )


def both(one: Condition, other: Condition) -> Condition:
    def holds(row: Row) -> bool | None:
        answers = {one.holds(row), other.holds(row)}
        return False if False in answers else None if None in answers else True

    return Condition(f"{one.sql} and {other.sql}", holds)


def either(one: Condition, other: Condition) -> Condition:
    def holds(row: Row) -> bool | None:
        answers = {one.holds(row), other.holds(row)}
        return True if True in answers else None if None in answers else False

    return Condition(f"({one.sql} or {other.sql})", holds)


def no(one: Condition) -> Condition:
    return Condition(f"not ({one.sql})", lambda row: None if (answer := one.holds(row)) is None else not answer)


def events_of(settings: Settings) -> dict[str, list[Row]]:
    """The events from staging, put together here once more."""
    products = {row["product_id"]: row for row in rows_of(settings, "staging.stg_products")}
    campaigns = {row["campaign_id"]: row for row in rows_of(settings, "staging.stg_campaigns")}
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows_of(settings, "staging.stg_order_lines"):
        local = row["ordered_at"].replace(tzinfo=ZoneInfo("UTC")).astimezone(ZONE)
        about = products.get(row["product_id"], {})
        told = {name: about.get(name) for name in ("department", "category", "product_type", "is_private_label")}
        told["manufacturer_id"] = about.get("manufacturer_id")
        own = {"day": local.date(), "order": (row["ordered_at"], row["order_line_id"])}
        found["order_lines"].append({**row, **told, **own, "weekday": local.isoweekday(), "hour": local.hour})
    for row in rows_of(settings, "staging.stg_orders"):
        local = row["ordered_at"].replace(tzinfo=ZoneInfo("UTC")).astimezone(ZONE)
        own = {"day": local.date(), "order": (row["ordered_at"], row["order_id"])}
        found["orders"].append({**row, **own, "weekday": local.isoweekday(), "hour": local.hour})
    for event, at, key in (("sends", "sent_on", "campaign_id"), ("responses", "responded_on", "response_id")):
        for row in rows_of(settings, f"staging.stg_{event}"):
            kind = campaigns.get(row["campaign_id"], {}).get("campaign_type")
            own = {"day": row[at], "order": (row[at], row[key]), "campaign_type": kind}
            found[event].append({**row, **own})
    return found


def reference(feature: Feature, window: int | None, where: Condition | None, events: list[Row], as_of: date) -> Any:
    """The feature of one customer, from all of the customer's events."""
    seen = [row for row in events if row["day"] <= as_of and (window is None or (as_of - row["day"]).days < window)]
    chosen = [row for row in seen if where is None or where.holds(row) is True]
    filled = feature.fill
    values = [row[feature.column] for row in chosen if row[feature.column] is not None] if feature.column else chosen
    in_order = sorted(chosen, key=lambda row: row["order"])
    told = [row[feature.column] for row in in_order if row[feature.column] is not None] if feature.column else []
    match feature.aggregation:
        case "count":
            return len(values) or filled
        case "days":
            return len({row["day"] for row in chosen}) or filled
        case "sum":
            return sum(values) if values else filled
        case "mean":
            return float(sum(values)) / len(values) if values else filled
        case "min" | "max":
            return {"min": min, "max": max}[feature.aggregation](values) if values else filled
        case "share":
            whole = [row[feature.column] if feature.column else 1 for row in seen]
            whole = sum(value for value in whole if value is not None)
            part = sum(values) if feature.column else len(values)
            return float(part) / float(whole) if whole > 0 else filled
        case "recency_days":
            return (as_of - max(row["day"] for row in chosen)).days if chosen else filled
        case "first" | "last":
            return told[0 if feature.aggregation == "first" else -1] if told else filled
        case "count_distinct":
            return len(set(values)) or filled
        case "mode":
            counts = Counter(values)
            return min((-count, value) for value, count in counts.items())[1] if counts else filled
        case "entropy":
            counts = Counter(values)
            return log(len(values)) - sum(n * log(n) for n in counts.values()) / len(values) if values else filled
    raise AssertionError(feature.aggregation)


CONDITIONS = {
    "order_lines": [
        compared("department", "=", "GROCERY"),
        compared("category", "<>", "SOFT DRINKS"),
        compared("net_amount", ">", 3),
        compared("quantity", "<=", 1),
        compared("weekday", ">", 5),
        compared("hour", ">", 16),
        compared("coupon_amount", ">", 0),
        compared("discount_amount", ">", 0),
        Condition("is_return", lambda row: row["is_return"]),
        Condition("is_private_label", lambda row: row["is_private_label"]),
        Condition("product_id is null", lambda row: row["product_id"] is None),
    ],
    "orders": [compared("weekday", "=", 6), compared("hour", "<=", 11), compared("store_id", "<>", "s1")],
    "sends": [compared("campaign_type", "=", "Type A"), compared("campaign_id", ">", "2")],
    "responses": [compared("campaign_type", "<>", "Type B"), compared("coupon_id", ">", "5")],
}
NUMBERS = {
    "order_lines": ["net_amount", "gross_amount", "discount_amount", "coupon_amount", "quantity", "hour"],
    "orders": ["hour", "weekday"],
}
WORDS = {
    "order_lines": ["product_id", "category", "department", "store_id", "weekday", "is_private_label"],
    "orders": ["store_id", "hour"],
    "sends": ["campaign_id", "campaign_type", "channel"],
    "responses": ["coupon_id", "campaign_id"],
}


def random_features(number: int, seed: int) -> tuple[dict[str, dict], dict[str, Condition | None]]:
    """So many declarations, and the condition of each as a function."""
    pick = random.Random(seed)
    said: dict[str, dict] = {}
    conditions: dict[str, Condition | None] = {}
    for place in range(number):
        event = pick.choices(list(CONDITIONS), [10, 4, 2, 2])[0]
        kinds = ["count", "days", "share", "recency_days", "first", "last", "count_distinct", "mode", "entropy"]
        kind = pick.choice([*kinds, *(["sum", "sum", "mean", "min", "max"] if event in NUMBERS else [])])
        where = pick.choice([None, *CONDITIONS[event]])
        if where and pick.random() < 0.5:
            where = pick.choice([both, either])(where, pick.choice(CONDITIONS[event]))
        if where and pick.random() < 0.2:
            where = no(where)
        if kind == "share":
            where = where or pick.choice(CONDITIONS[event])
        keys: dict[str, Any] = {"event": event, "aggregation": kind}
        if kind in ("sum", "mean", "min", "max") or (kind == "share" and event in NUMBERS and pick.random() < 0.5):
            keys["column"] = pick.choice(NUMBERS[event])
        elif kind in ("first", "last", "count_distinct", "mode", "entropy") or (
            kind == "count" and pick.random() < 0.3
        ):
            keys["column"] = pick.choice(WORDS[event])
        if where:
            keys["where"] = where.sql
        keys["windows"] = sorted(pick.sample(WINDOWS, pick.randint(1, 3)), key=str)
        if kind in ("count", "days", "sum", "count_distinct") and pick.random() < 0.3:
            keys["fill"] = None
        if kind in ("mean", "recency_days", "share", "entropy") and pick.random() < 0.3:
            keys["fill"] = 0
        said[f"random_{place}"] = keys
        conditions[f"random_{place}"] = where
    return said, conditions


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and other is not None:
        return abs(one - float(other)) < 1.1e-6
    return one == other


def test_two_hundred_random_features_equal_a_plain_reference(landed, tmp_path) -> None:
    said, conditions = random_features(200, seed=20171120)
    settings = declared_in(copy_of(landed, tmp_path), tmp_path / "project", said)
    built = build(settings, Run(DAY, KNOWN), [EARLIER, DAY])
    by_customer = {event: defaultdict(list, {}) for event in CONDITIONS}
    for event, rows in events_of(settings).items():
        for row in rows:
            by_customer[event][row["customer_id"]].append(row)
    compared_values, wrong, spoken = 0, [], Counter()
    for feature in load_features(settings):
        for window, column in feature.columns.items():
            for (customer, as_of), row in built.items():
                events = by_customer[feature.event][customer]
                expected = reference(feature, window, conditions[feature.name], events, as_of)
                compared_values += 1
                spoken[feature.name] += expected not in (None, 0)
                if not same(row[column], expected):
                    wrong.append((column, customer, as_of, row[column], expected, said[feature.name]))
    assert wrong[:5] == []
    assert {customer for customer, _ in built} >= {"edge", "old", "tied", "midnight", "back", "unknown"}
    assert ("later", DAY) not in built and ("old", EARLIER) in built
    assert compared_values > 20_000
    assert sum(count > 0 for count in spoken.values()) > 150  # most of them say something of somebody


def test_days_added_one_by_one_equal_a_rebuild(landed, tmp_path) -> None:
    """Also with a line that comes late, and a product that moves to another department."""
    settings = copy_of(landed, tmp_path)
    shop = SmallHome(settings)
    first, second, third = (DAY + timedelta(days=number) for number in range(1, 4))
    build(settings, Run(first, first))
    late = line(250, "edge", f"{DAY - timedelta(days=40)} 17:00:00", "7.77", "1029743")
    shop.land("order_lines", second, [late], source="complete_journey")
    shop.land("products", second, [{"product_id": "995242", "department": "FUEL"}], source="complete_journey")
    build(settings, Run(second, second))
    added = build(settings, Run(third, third))
    kept = sorted(rows_of(settings, "features.customer_event_days"), key=str)
    assert added == build(settings, Run(third, third), None, "--full-refresh")
    assert kept == sorted(rows_of(settings, "features.customer_event_days"), key=str)
    assert added["old", third]["fuel_spend_364d"] == Decimal("0.00") and "old" in {customer for customer, _ in added}
    assert added["edge", third]["grocery_spend_91d"] - added["edge", third]["grocery_spend_28d"] >= Decimal("7.77")


def test_rows_of_later_days_change_nothing(landed, tmp_path) -> None:
    """The same day known then and known after ten more days of sales, but for what came late for days before it."""
    settings = copy_of(landed, tmp_path)
    before = build(settings, Run(DAY, DAY))
    later = [line(200 + n, "edge", f"{DAY + timedelta(days=n)} 17:00:00", "50.00", "1029743") for n in range(1, 9)]
    SmallHome(settings).land("order_lines", KNOWN, later, source="complete_journey")
    assert build(settings, Run(DAY, KNOWN)) == before
